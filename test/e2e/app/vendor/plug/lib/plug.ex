defmodule Plug do
  @callback init(term) :: term
  @callback call(struct, term) :: struct
end

defmodule Plug.Conn do
  defstruct method: "GET",
            request_path: "/",
            req_headers: [],
            status: nil,
            resp_headers: [],
            resp_body: "",
            halted: false

  def get_req_header(conn, name), do: for({^name, value} <- conn.req_headers, do: value)

  def put_resp_content_type(conn, type),
    do: %{conn | resp_headers: [{"content-type", type} | conn.resp_headers]}

  def send_resp(conn, status, body), do: %{conn | status: status, resp_body: body}
  def halt(conn), do: %{conn | halted: true}
end
