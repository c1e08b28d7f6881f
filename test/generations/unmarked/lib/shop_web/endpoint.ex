defmodule ShopWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :shop

  socket "/live", Phoenix.LiveView.Socket

  plug ShopWeb.Plugs.Health

  # Serves files from priv/static
  plug Plug.Static, at: "/", from: :shop
  plug ShopWeb.Router
end
