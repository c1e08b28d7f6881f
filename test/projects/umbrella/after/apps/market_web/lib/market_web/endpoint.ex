defmodule MarketWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :market_web

  socket "/live", Phoenix.LiveView.Socket

  plug MarketWeb.Plugs.Health

  plug Plug.RequestId
  plug MarketWeb.Router
end
