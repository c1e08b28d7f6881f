import Config

if System.get_env("PHX_SERVER") do
  config :board, BoardWeb.Endpoint, server: true
end

if config_env() == :prod do
  config :board, BoardWeb.Endpoint,
    url: [host: System.get_env("PHX_HOST") || "example.com", port: 443, scheme: "https"],
    http: [ip: {0, 0, 0, 0, 0, 0, 0, 0}, port: String.to_integer(System.get_env("PORT") || "4000")],
    secret_key_base: System.fetch_env!("SECRET_KEY_BASE")
end

# >>> phoenix-fly 0.2.0 (8d46287ac7b0): a rerun updates this block. Write below it, where yours wins; "# phoenix-fly: none" instead of it keeps it out
if config_env() == :prod do
  # `bin/board eval` (migrations, a one-off task) must neither serve pages nor start workers
  eval? = System.get_env("RELEASE_COMMAND") == "eval"

  # fly.toml sets PHX_HOST; a machine started without its [env] uses the app's name on fly.dev
  fly_app = System.get_env("FLY_APP_NAME")
  fly_host = if fly_app, do: "#{fly_app}.fly.dev", else: "localhost"
  host = System.get_env("PHX_HOST", fly_host)

  config :board, BoardWeb.Endpoint, url: [host: host]

  # application.ex starts its workers only when this is true
  config :board, :background,
    enabled: System.get_env("BACKGROUND_ENABLED", "true") in ~w(true 1) and not eval?

  # For outgoing connections (WebSocket, HTTP): verify the server's certificate
  config :board, :tls,
    verify: :verify_peer,
    cacertfile: System.get_env("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"),
    customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)],
    versions: [:"tlsv1.3", :"tlsv1.2"]

  # LOG_LEVEL=debug shows more
  if log_level = System.get_env("LOG_LEVEL") do
    config :logger, level: String.to_existing_atom(log_level)
  end

  config :logger, :default_formatter,
    # One plain line per event on stdout, which `fly logs` shows
    format: "$time $metadata[$level] $message\n",
    metadata: [:request_id]
end

# <<< phoenix-fly
