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

# >>> phoenix-fly 0.1.0 (b6d72fe66a70): a rerun updates this block. Write below it, where yours wins; "# phoenix-fly: none" instead of it keeps it out
if config_env() == :prod do
  require_env = fn name, set_it ->
    System.get_env(name) ||
      raise "environment variable #{name} is missing; set it with: #{set_it}"
  end

  on? = fn name, default -> System.get_env(name, default) in ~w(true 1) end

  # `bin/shop eval` (migrations, a one-off task) must neither serve pages nor start workers
  eval? = System.get_env("RELEASE_COMMAND") == "eval"

  host = require_env.("PHX_HOST", "PHX_HOST under [env] in fly.toml")

  # The app's own host and its name on fly.dev, so that LiveView sockets connect from both
  fly_host = if app = System.get_env("FLY_APP_NAME"), do: ["//#{app}.fly.dev"], else: []

  config :shop, ShopWeb.Endpoint,
    server: on?.("PHX_SERVER", "false") and not eval?,
    url: [host: host, port: 443, scheme: "https"],
    check_origin: ["//#{host}" | fly_host],
    # All interfaces, IPv6 (Fly's network) and IPv4
    http: [
      ip: {0, 0, 0, 0, 0, 0, 0, 0},
      port: String.to_integer(System.get_env("PORT", "4000"))
    ],
    secret_key_base:
      require_env.(
        "SECRET_KEY_BASE",
        "fly secrets set SECRET_KEY_BASE=$(openssl rand -base64 48)"
      )

  database_url =
    require_env.(
      "DATABASE_URL",
      "fly mpg attach"
    )

  # Migrations need session locks, which the pooler of Managed Postgres can't hold: they go around it
  database_url =
    if eval?, do: System.get_env("DIRECT_DATABASE_URL", database_url), else: database_url

  config :shop, Shop.Repo,
    url: database_url,
    pool_size: String.to_integer(System.get_env("POOL_SIZE", "8")),
    # A busy pool answers late before it drops requests (milliseconds)
    queue_target: 500,
    queue_interval: 2_000,
    # The pooler may hand each transaction to another connection
    prepare: :unnamed,
    # Fly's private network has IPv6 addresses only
    socket_options: if(on?.("ECTO_IPV6", "false"), do: [:inet6], else: [])

  # Workers in application.ex start only when this says so: see BACKGROUND_ENABLED
  background? = on?.("BACKGROUND_ENABLED", "true") and not eval?
  config :shop, :background, enabled: background?

  # For connections to the outside (WebSocket, HTTP): who answers must prove who it is
  config :shop, :tls,
    verify: :verify_peer,
    cacertfile: System.get_env("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"),
    depth: 4,
    customize_hostname_check: [match_fun: :public_key.pkix_verify_hostname_match_fun(:https)],
    versions: [:"tlsv1.3", :"tlsv1.2"]

  log_level = System.get_env("LOG_LEVEL", "info")

  if log_level not in ~w(debug info notice warning error) do
    raise "LOG_LEVEL is #{log_level}; use debug, info, notice, warning or error"
  end

  # One plain line per event on stdout, which `fly logs` shows
  config :logger, level: String.to_atom(log_level)

  config :logger, :default_formatter,
    format: "$time $metadata[$level] $message\n",
    metadata: [:request_id],
    colors: [enabled: false]
end

# <<< phoenix-fly
