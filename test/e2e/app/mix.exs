defmodule Shop.MixProject do
  use Mix.Project

  def project do
    [
      app: :shop,
      version: "0.1.0",
      elixir: "~> 1.14",
      start_permanent: Mix.env() == :prod,
      deps: deps(),
      aliases: ["assets.deploy": ["assets.copy", "phx.digest"]]
    ]
  end

  def application, do: [mod: {Shop.Application, []}, extra_applications: [:logger, :ssl]]

  # Small stand-ins for the packages of the same names, so that the build needs no Hex
  defp deps do
    [
      {:phoenix, path: "vendor/phoenix"},
      {:phoenix_live_view, path: "vendor/phoenix_live_view"},
      {:plug, path: "vendor/plug", override: true},
      {:ecto_sql, path: "vendor/ecto_sql"}
    ]
  end
end
