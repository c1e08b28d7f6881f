defmodule ShopWeb.Plugs.Health do
  @moduledoc "Answers GET /health for Fly's health check, without the database."
  import Plug.Conn

  def init(options), do: options

  def call(%Plug.Conn{request_path: "/health", method: "GET"} = conn, _options) do
    conn
    |> put_resp_content_type("text/plain")
    |> send_resp(200, "ok")
    |> halt()
  end

  def call(conn, _options), do: conn
end
