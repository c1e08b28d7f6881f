import Config

config :shop, ShopWeb.Endpoint, http: [port: 4000]

# >>> phoenix-fly: a rerun replaces what stands between these marks; the rest of the file is yours
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
      "fly postgres attach"
    )

  config :shop, Shop.Repo,
    url: database_url,
    pool_size: String.to_integer(System.get_env("POOL_SIZE", "10")),
    # A busy pool answers late before it drops requests (milliseconds)
    queue_target: 500,
    queue_interval: 2_000,
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
