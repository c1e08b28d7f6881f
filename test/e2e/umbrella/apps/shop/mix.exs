defmodule Shop.MixProject do
  use Mix.Project

  def project do
    [
      app: :shop,
      version: "0.1.0",
      build_path: "../../_build",
      config_path: "../../config/config.exs",
      deps_path: "../../deps",
      lockfile: "../../mix.lock",
      elixir: "~> 1.14",
      deps: [{:ecto_sql, path: "../../vendor/ecto_sql"}]
    ]
  end

  def application, do: [mod: {Shop.Application, []}, extra_applications: [:logger, :ssl]]
end
