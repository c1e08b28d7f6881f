defmodule ShopWeb.MixProject do
  use Mix.Project

  def project do
    [
      app: :shop_web,
      version: "0.1.0",
      build_path: "../../_build",
      config_path: "../../config/config.exs",
      deps_path: "../../deps",
      lockfile: "../../mix.lock",
      elixir: "~> 1.14",
      deps: deps(),
      aliases: ["assets.deploy": ["assets.copy", "phx.digest"]]
    ]
  end

  def application, do: [mod: {ShopWeb.Application, []}, extra_applications: [:logger]]

  defp deps do
    [
      {:phoenix, path: "../../vendor/phoenix"},
      {:phoenix_live_view, path: "../../vendor/phoenix_live_view"},
      {:plug, path: "../../vendor/plug", override: true},
      {:shop, in_umbrella: true}
    ]
  end
end
