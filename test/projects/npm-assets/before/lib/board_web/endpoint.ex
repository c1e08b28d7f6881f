defmodule BoardWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :board

  socket "/live", Phoenix.LiveView.Socket
  plug BoardWeb.Router
end
