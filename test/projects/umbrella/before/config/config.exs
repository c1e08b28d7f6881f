import Config

config :market, ecto_repos: [Market.Repo]

config :market_web,
  ecto_repos: [Market.Repo],
  generators: [context_app: :market]

config :market_web, MarketWeb.Endpoint,
  url: [host: "localhost"],
  adapter: Bandit.PhoenixAdapter,
  pubsub_server: Market.PubSub,
  live_view: [signing_salt: "b8kXw2Qm"]

config :esbuild,
  version: "0.25.4",
  market_web: [
    args: ~w(js/app.js --bundle --outdir=../priv/static/assets/js),
    cd: Path.expand("../apps/market_web/assets", __DIR__)
  ]

import_config "#{config_env()}.exs"
