defmodule Market.Application do
  use Application

  @impl true
  def start(_type, _args) do
    children = [
      Market.Repo,
      {DNSCluster, query: Application.get_env(:market, :dns_cluster_query) || :ignore},
      {Phoenix.PubSub, name: Market.PubSub}
    ]

    Supervisor.start_link(children, strategy: :one_for_one, name: Market.Supervisor)
  end
end
