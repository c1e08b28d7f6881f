defmodule ShopWeb.Router do
  @behaviour Plug
  import Plug.Conn

  @impl true
  def init(options), do: options

  @impl true
  def call(%Plug.Conn{request_path: "/"} = conn, _options), do: send_resp(conn, 200, "shop")

  def call(%Plug.Conn{request_path: "/orders"} = conn, _options) do
    send_resp(conn, 200, inspect(Shop.Repo.query("select count(*) from orders")))
  end

  def call(conn, _options), do: send_resp(conn, 404, "not found")
end
