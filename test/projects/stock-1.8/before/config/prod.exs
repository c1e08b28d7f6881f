import Config

# Digests of static files, so that browsers can keep them
config :shop, ShopWeb.Endpoint, cache_static_manifest: "priv/static/cache_manifest.json"

# Mail goes out over HTTP
config :swoosh, api_client: Swoosh.ApiClient.Req
config :swoosh, local: false

config :logger, level: :info
