import Config

config :shop_web, ShopWeb.Endpoint, force_ssl: [rewrite_on: [:x_forwarded_proto]]
