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
    {:ok, {:http_request, method, {:abs_path, target}, _version}} = :gen_tcp.recv(socket, 0, 5_000)
    [path | _query] = String.split(target, "?")
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

    if host in allowed(config) do
      [key] = get_req_header(conn, "sec-websocket-key")
      accept = Base.encode64(:crypto.hash(:sha, key <> "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
      :gen_tcp.send(socket, "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: #{accept}\r\n\r\n")
      join(socket)
    else
      answer(socket, 403, [], "")
    end
  end

  # As in Phoenix, the host of :url where nothing else is said
  defp allowed(config) do
    case config[:check_origin] do
      nil -> [config[:url][:host]]
      entries -> for entry <- entries, do: URI.parse(entry).host
    end
  end

  # One masked text frame of 126 to 65535 bytes (RFC 6455, 5.2), answered unmasked
  defp join(socket) do
    {:ok, <<0x81, 1::1, 126::7, length::16, mask::binary-4>>} = :gen_tcp.recv(socket, 8, 5_000)
    {:ok, payload} = :gen_tcp.recv(socket, length, 5_000)
    text = :crypto.exor(payload, binary_part(String.duplicate(mask, div(length, 4) + 1), 0, length))
    status = if text =~ ~s("lv:phx-1","phx_join") and text =~ ~s("session":"signed"), do: "ok", else: "error"
    reply = ~s(["1","1","lv:phx-1","phx_reply",{"status":"#{status}","response":{}}])
    :gen_tcp.send(socket, [<<0x81, byte_size(reply)>>, reply])
    :gen_tcp.recv(socket, 0, 5_000)
    :gen_tcp.close(socket)
  end
end
