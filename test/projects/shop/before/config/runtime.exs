import Config

config :shop, ShopWeb.Endpoint, http: [port: 4000]
