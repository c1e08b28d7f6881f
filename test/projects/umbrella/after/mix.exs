defmodule Market.Umbrella.MixProject do
  use Mix.Project

  def project do
    [
      releases: [
        market: [
          applications: [
            market: :permanent,
            market_web: :permanent
          ]
        ]
      ],
      apps_path: "apps",
      version: "0.1.0",
      start_permanent: Mix.env() == :prod,
      deps: [{:phoenix_live_view, ">= 0.0.0"}],
      aliases: [setup: ["cmd mix setup"]]
    ]
  end
end
