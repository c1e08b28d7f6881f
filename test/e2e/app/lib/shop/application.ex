defmodule Shop.Application do
  use Application

  def start(_type, _args) do
    workers =
      if Application.get_env(:shop, :background, enabled: true)[:enabled],
        do: [Shop.Trader],
        else: []

    children = [Shop.Repo, ShopWeb.Endpoint] ++ workers
    Supervisor.start_link(children, strategy: :one_for_one, name: Shop.Supervisor)
  end
end
