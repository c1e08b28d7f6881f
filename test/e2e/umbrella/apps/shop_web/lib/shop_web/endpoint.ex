defmodule ShopWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :shop_web

  socket "/live", Phoenix.LiveView.Socket

  plug ShopWeb.Router
end
