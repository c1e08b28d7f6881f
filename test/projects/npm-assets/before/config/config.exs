import Config

config :board, BoardWeb.Endpoint,
  url: [host: "localhost"],
  pubsub_server: Board.PubSub

import_config "#{config_env()}.exs"
