import Config

config :board, BoardWeb.Endpoint, cache_static_manifest: "priv/static/cache_manifest.json"
