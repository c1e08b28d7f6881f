defmodule Shop.Trader do
  @moduledoc "Work in the background: it must run all the time, never twice, and end in order."
  use GenServer

  def start_link(options), do: GenServer.start_link(__MODULE__, options, name: __MODULE__)

  @impl true
  def init(_options) do
    Process.flag(:trap_exit, true)
    IO.puts("trader started")
    {:ok, 0}
  end

  @impl true
  def terminate(_reason, _state) do
    Process.sleep(1_000)
    IO.puts("trader finished its work")
  end
end
