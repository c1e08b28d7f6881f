defmodule Shop.Application do
  use Application

  def start(_type, _args) do
    workers =
      if Application.get_env(:shop_web, :background, enabled: true)[:enabled],
        do: [Shop.Trader],
        else: []

    Supervisor.start_link([Shop.Repo] ++ workers, strategy: :one_for_one, name: Shop.Supervisor)
  end
end
