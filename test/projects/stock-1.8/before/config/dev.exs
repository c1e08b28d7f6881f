import Config

config :shop, Shop.Repo,
  username: "postgres",
  password: "postgres",
  hostname: "localhost",
  database: "shop_dev",
  pool_size: 10

config :shop, ShopWeb.Endpoint,
  http: [ip: {127, 0, 0, 1}],
  check_origin: false,
  code_reloader: true,
  debug_errors: true,
  secret_key_base: "only-for-development-only-for-development-only-for-development-00",
  watchers: [
    esbuild: {Esbuild, :install_and_run, [:shop, ~w(--sourcemap=inline --watch)]},
    tailwind: {Tailwind, :install_and_run, [:shop, ~w(--watch)]}
  ]

config :shop, dev_routes: true
config :logger, :default_formatter, format: "[$level] $message\n"
config :phoenix, :plug_init_mode, :runtime
config :swoosh, :api_client, false
