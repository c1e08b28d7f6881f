defmodule Shop.Trader do
  use GenServer

  def start_link(options), do: GenServer.start_link(__MODULE__, options, name: __MODULE__)

  @impl true
  def init(options), do: {:ok, options}
end
