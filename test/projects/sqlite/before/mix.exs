defmodule Notes.MixProject do
  use Mix.Project

  def project do
    [app: :notes, version: "0.1.0", elixir: "~> 1.15", deps: deps()]
  end

  def application, do: [mod: {Notes.Application, []}, extra_applications: [:logger]]

  defp deps do
    [{:phoenix, "~> 1.8.1"}, {:ecto_sqlite3, ">= 0.0.0"}, {:bandit, "~> 1.5"}]
  end
end
