import Config

# Read in every environment when the app starts, also by releases

# PHX_SERVER=true bin/shop start serves pages too
if System.get_env("PHX_SERVER") do
  config :shop, ShopWeb.Endpoint, server: true
end

config :shop, ShopWeb.Endpoint,
  http: [port: String.to_integer(System.get_env("PORT", "4000"))]

if config_env() == :prod do
  database_url =
    System.get_env("DATABASE_URL") ||
      raise """
      environment variable DATABASE_URL is missing.
      For example: ecto://USER:PASS@HOST/DATABASE
      """

  maybe_ipv6 = if System.get_env("ECTO_IPV6") in ~w(true 1), do: [:inet6], else: []

  config :shop, Shop.Repo,
    # ssl: true,
    url: database_url,
    pool_size: String.to_integer(System.get_env("POOL_SIZE") || "10"),
    # pool_count: 4,
    socket_options: maybe_ipv6

  # Signs cookies and tokens
  secret_key_base =
    System.get_env("SECRET_KEY_BASE") ||
      raise """
      environment variable SECRET_KEY_BASE is missing.
      You can make one with: mix phx.gen.secret
      """

  host = System.get_env("PHX_HOST") || "example.com"

  config :shop, :dns_cluster_query, System.get_env("DNS_CLUSTER_QUERY")

  config :shop, ShopWeb.Endpoint,
    url: [host: host, port: 443, scheme: "https"],
    http: [
      # IPv6 and IPv4, on every interface
      ip: {0, 0, 0, 0, 0, 0, 0, 0}
    ],
    secret_key_base: secret_key_base
end

# >>> phoenix-fly 0.2.0 (b783078391a6): a rerun updates this block. Write below it, where yours wins; "# phoenix-fly: none" instead of it keeps it out
if config_env() == :prod do
  # `bin/shop eval` (migrations, a one-off task) must neither serve pages nor start workers
  eval? = System.get_env("RELEASE_COMMAND") == "eval"

  # fly.toml sets PHX_HOST; a machine started without its [env] uses the app's name on fly.dev
  fly_app = System.get_env("FLY_APP_NAME")
  fly_host = if fly_app, do: "#{fly_app}.fly.dev", else: "localhost"
  host = System.get_env("PHX_HOST", fly_host)

  config :shop, ShopWeb.Endpoint, url: [host: host]

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
end

# <<< phoenix-fly
