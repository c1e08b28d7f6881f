defmodule Shop.Application do
  use Application

  def start(_type, _args) do
    children = [Shop.Repo, Shop.Trader, ShopWeb.Endpoint]
    Supervisor.start_link(children, strategy: :one_for_one)
  end
end
