defmodule Shop.Exchange do
  @moduledoc "A connection to the outside, with the TLS options of config/runtime.exs."

  def connect(host, port) do
    case :ssl.connect(String.to_charlist(host), port, Application.fetch_env!(:shop, :tls), 5_000) do
      {:ok, socket} -> :ssl.close(socket)
      {:error, {:tls_alert, {alert, _text}}} -> alert
    end
  end
end
