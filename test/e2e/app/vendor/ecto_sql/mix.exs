defmodule EctoSQL.MixProject do
  use Mix.Project
  def project, do: [app: :ecto_sql, version: "3.13.2"]
  def application, do: [extra_applications: [:logger]]
end
