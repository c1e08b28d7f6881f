defmodule Board.MixProject do
  use Mix.Project

  def project do
    [app: :board, version: "0.1.0", elixir: "~> 1.15", deps: deps(), aliases: aliases()]
  end

  def application, do: [mod: {Board.Application, []}, extra_applications: [:logger]]

  defp deps do
    [{:phoenix, "~> 1.7.21"}, {:phoenix_live_view, "~> 1.0"}, {:plug_cowboy, "~> 2.7"}]
  end

  defp aliases do
    [
      setup: ["deps.get", "cmd --cd assets npm install"],
      "assets.deploy": ["cmd --cd assets node build.js --deploy", "phx.digest"]
    ]
  end
end
