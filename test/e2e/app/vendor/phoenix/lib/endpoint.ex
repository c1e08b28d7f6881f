defmodule Phoenix.Endpoint do
  @moduledoc "As much of an endpoint as a deploy can be tested with: HTTP, force_ssl, check_origin, the join of a LiveView."

  defmacro __using__(otp_app: otp_app) do
    quote do
      import Phoenix.Endpoint
      @otp_app unquote(otp_app)
      @force_ssl Application.compile_env(@otp_app, [__MODULE__, :force_ssl], nil)
      Module.register_attribute(__MODULE__, :plugs, accumulate: true)
      @before_compile Phoenix.Endpoint

      def child_spec(_options),
        do: %{id: __MODULE__, start: {Phoenix.Endpoint.Server, :start_link, [__MODULE__]}, type: :supervisor}

      def config, do: Application.fetch_env!(@otp_app, __MODULE__)
    end
  end

  defmacro plug(module), do: quote(do: @plugs(unquote(module)))
  defmacro socket(_path, _module), do: :ok

  defmacro __before_compile__(env) do
    plugs = env.module |> Module.get_attribute(:plugs) |> Enum.reverse()

    quote do
      def force_ssl, do: @force_ssl

      def call(conn) do
        Enum.reduce_while(unquote(plugs), conn, fn plug, conn ->
          conn = plug.call(conn, plug.init([]))
          if conn.halted, do: {:halt, conn}, else: {:cont, conn}
        end)
      end
    end
  end
end
