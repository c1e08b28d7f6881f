defmodule ShopWeb.Router do
  @behaviour Plug
  import Plug.Conn

  @page """
  <html><head><meta name="csrf-token" content="token"></head>
  <body><div id="phx-1" data-phx-main data-phx-session="signed" data-phx-static="static">shop</div></body></html>
  """

  @impl true
  def init(options), do: options

  @impl true
  def call(%Plug.Conn{request_path: "/"} = conn, _options) do
    case System.get_env("HOME_PAGE") do
      nil -> send_resp(conn, 200, @page)
      path -> send_resp(%{conn | resp_headers: [{"location", path}]}, 302, "")
    end
  end

  def call(%Plug.Conn{request_path: "/orders"} = conn, _options) do
    send_resp(conn, 200, inspect(Shop.Repo.query("select count(*) from orders")))
  end

  def call(conn, _options), do: send_resp(conn, 404, "not found")
end
