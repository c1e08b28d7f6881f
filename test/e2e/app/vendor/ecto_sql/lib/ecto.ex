defmodule Ecto.Repo do
  @moduledoc "As much of a repo as a deploy can be tested with: PostgreSQL's protocol over TCP, one query a connection."

  defmacro __using__(otp_app: otp_app, adapter: _adapter) do
    quote do
      def child_spec(_options), do: %{id: __MODULE__, start: {Agent, :start_link, [fn -> :ok end]}}
      def config, do: Application.fetch_env!(unquote(otp_app), __MODULE__)
      def query(sql), do: Ecto.Repo.query(config(), sql)

      def query!(sql) do
        {:ok, rows} = query(sql)
        rows
      end

      def app, do: unquote(otp_app)
    end
  end

  def query(config, sql) do
    %URI{host: host, port: port, userinfo: userinfo, path: "/" <> database} = URI.parse(config[:url])
    [user | _password] = String.split(userinfo, ":")
    options = [:binary, active: false] ++ config[:socket_options]

    with {:ok, socket} <- :gen_tcp.connect(String.to_charlist(host), port || 5432, options, 5_000) do
      startup = <<196_608::32, "user", 0, user::binary, 0, "database", 0, database::binary, 0, 0>>
      :ok = :gen_tcp.send(socket, <<byte_size(startup) + 4::32, startup::binary>>)
      {:ok, _greeting} = until_ready(socket, [])
      :ok = :gen_tcp.send(socket, <<?Q, byte_size(sql) + 5::32, sql::binary, 0>>)
      result = until_ready(socket, [])
      :gen_tcp.close(socket)
      result
    end
  end

  # Messages up to ReadyForQuery; rows and errors are kept
  defp until_ready(socket, kept) do
    {:ok, <<type, length::32>>} = :gen_tcp.recv(socket, 5, 5_000)
    {:ok, body} = if length > 4, do: :gen_tcp.recv(socket, length - 4, 5_000), else: {:ok, ""}

    case type do
      ?Z -> {:ok, Enum.reverse(kept)}
      ?D -> until_ready(socket, [body | kept])
      ?E -> {:error, body}
      _ -> until_ready(socket, kept)
    end
  end
end

defmodule Ecto.Migrator do
  def with_repo(repo, fun), do: {:ok, fun.(repo), []}

  def run(repo, :up, all: true) do
    for file <- Path.wildcard(Application.app_dir(repo.app(), "priv/repo/migrations/*.sql")) do
      {:ok, _} = repo.query(File.read!(file))
      file
    end
  end
end
