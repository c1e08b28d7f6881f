defmodule ShopWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :shop

  socket "/live", Phoenix.LiveView.Socket

  plug ShopWeb.Router
end
