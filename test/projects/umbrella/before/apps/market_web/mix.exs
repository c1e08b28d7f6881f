defmodule MarketWeb.MixProject do
  use Mix.Project

  def project do
    [
      app: :market_web,
      version: "0.1.0",
      build_path: "../../_build",
      config_path: "../../config/config.exs",
      deps_path: "../../deps",
      lockfile: "../../mix.lock",
      elixir: "~> 1.15",
      deps: deps(),
      aliases: aliases()
    ]
  end

  def application do
    [mod: {MarketWeb.Application, []}, extra_applications: [:logger]]
  end

  defp deps do
    [
      {:phoenix, "~> 1.8.1"},
      {:phoenix_live_view, "~> 1.1.0"},
      {:esbuild, "~> 0.10", runtime: Mix.env() == :dev},
      {:market, in_umbrella: true},
      {:bandit, "~> 1.5"}
    ]
  end

  defp aliases do
    [
      setup: ["deps.get", "assets.setup"],
      "assets.setup": ["esbuild.install --if-missing"],
      "assets.deploy": ["esbuild market_web --minify", "phx.digest"]
    ]
  end
end
