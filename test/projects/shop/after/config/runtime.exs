import Config

config :shop, ShopWeb.Endpoint, http: [port: 4000]

# >>> phoenix-fly 0.2.0 (1ec2162b19b4): a rerun updates this block. Write below it, where yours wins; "# phoenix-fly: none" instead of it keeps it out
if config_env() == :prod do
  require_env = fn name, set_it ->
    System.get_env(name) ||
      raise "environment variable #{name} is missing; set it with: #{set_it}"
  end

  # `bin/shop eval` (migrations, a one-off task) must neither serve pages nor start workers
  eval? = System.get_env("RELEASE_COMMAND") == "eval"

  # fly.toml sets PHX_HOST; a machine started without its [env] uses the app's name on fly.dev
  fly_app = System.get_env("FLY_APP_NAME")
  fly_host = if fly_app, do: "#{fly_app}.fly.dev", else: "localhost"
  host = System.get_env("PHX_HOST", fly_host)

  config :shop, ShopWeb.Endpoint,
    server: System.get_env("PHX_SERVER") in ~w(true 1) and not eval?,
    url: [host: host, port: 443, scheme: "https"],
    http: [
      # All interfaces, IPv6 (Fly's network) and IPv4
      ip: {0, 0, 0, 0, 0, 0, 0, 0}
    ],
    secret_key_base:
      require_env.(
        "SECRET_KEY_BASE",
        "fly secrets set SECRET_KEY_BASE=$(openssl rand -base64 48)"
      )

  database_url = require_env.("DATABASE_URL", "fly postgres attach")

  config :shop, Shop.Repo,
    url: database_url,
    pool_size: String.to_integer(System.get_env("POOL_SIZE", "10")),
    # How long a busy pool waits before it drops queries (milliseconds)
    queue_target: 500,
    queue_interval: 2_000,
    # Fly's private network has IPv6 addresses only
    socket_options: if(System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: [])

  # application.ex starts its workers only when this is true
  config :shop, :background,
    enabled: System.get_env("BACKGROUND_ENABLED", "true") in ~w(true 1) and not eval?

  # For outgoing connections (WebSocket, HTTP): verify the server's certificate
  config :shop, :tls,
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
