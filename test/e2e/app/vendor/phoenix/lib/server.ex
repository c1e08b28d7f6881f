defmodule Phoenix.Endpoint.Server do
  @moduledoc false
  import Plug.Conn, only: [get_req_header: 2]

  def start_link(endpoint) do
    config = endpoint.config()
    if config[:server], do: {:ok, spawn_link(fn -> listen(endpoint, config[:http]) end)}, else: :ignore
  end

  defp listen(endpoint, http) do
    family = if tuple_size(http[:ip]) == 8, do: :inet6, else: :inet
    options = [:binary, family, ip: http[:ip], active: false, reuseaddr: true, backlog: 1024]
    {:ok, listener} = :gen_tcp.listen(http[:port], options)
    accept(endpoint, listener)
  end

  defp accept(endpoint, listener) do
    {:ok, socket} = :gen_tcp.accept(listener)
    pid = spawn(fn -> receive(do: (:go -> serve(endpoint, socket))) end)
    :gen_tcp.controlling_process(socket, pid)
    send(pid, :go)
    accept(endpoint, listener)
  end

  defp serve(endpoint, socket) do
    :inet.setopts(socket, packet: :http_bin)
    {:ok, {:http_request, method, {:abs_path, path}, _version}} = :gen_tcp.recv(socket, 0, 5_000)
    conn = %Plug.Conn{method: to_string(method), request_path: path, req_headers: headers(socket, [])}
    :inet.setopts(socket, packet: :raw)

    cond do
      redirects?(endpoint.force_ssl(), conn) -> answer(socket, 301, [], "")
      path == "/live/websocket" -> upgrade(endpoint.config(), socket, conn)
      true -> conn |> endpoint.call() |> then(&answer(socket, &1.status, &1.resp_headers, &1.resp_body))
    end
  end

  defp headers(socket, found) do
    case :gen_tcp.recv(socket, 0, 5_000) do
      {:ok, {:http_header, _, name, _, value}} -> headers(socket, [{String.downcase(to_string(name)), value} | found])
      {:ok, :http_eoh} -> found
    end
  end

  defp redirects?(nil, _conn), do: false

  defp redirects?(options, conn) do
    rewrites? = :x_forwarded_proto in List.wrap(options[:rewrite_on])
    not (rewrites? and get_req_header(conn, "x-forwarded-proto") == ["https"])
  end

  defp answer(socket, status, headers, body) do
    lines = for {name, value} <- headers, do: "#{name}: #{value}\r\n"
    :gen_tcp.send(socket, ["HTTP/1.1 #{status} X\r\n", lines, "content-length: #{byte_size(body)}\r\nconnection: close\r\n\r\n", body])
    :gen_tcp.close(socket)
  end

  defp upgrade(config, socket, conn) do
    [origin] = get_req_header(conn, "origin")
    %URI{host: host} = URI.parse(origin)
    allowed = for entry <- config[:check_origin], do: URI.parse(entry).host

    if host in allowed do
      [key] = get_req_header(conn, "sec-websocket-key")
      accept = Base.encode64(:crypto.hash(:sha, key <> "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
      :gen_tcp.send(socket, "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: #{accept}\r\n\r\n")
      echo(socket)
    else
      answer(socket, 403, [], "")
    end
  end

  # One short masked text frame (RFC 6455, 5.2), sent back unmasked
  defp echo(socket) do
    with {:ok, <<0x81, 1::1, length::7, mask::binary-4, payload::binary-size(length)>>} <- :gen_tcp.recv(socket, 0) do
      text = :crypto.exor(payload, binary_part(String.duplicate(mask, 32), 0, length))
      :gen_tcp.send(socket, [<<0x81, length>>, text])
      echo(socket)
    end
  end
end
