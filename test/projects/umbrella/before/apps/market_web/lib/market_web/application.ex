defmodule MarketWeb.Application do
  use Application

  @impl true
  def start(_type, _args) do
    Supervisor.start_link([MarketWeb.Endpoint], strategy: :one_for_one, name: MarketWeb.Supervisor)
  end
end
