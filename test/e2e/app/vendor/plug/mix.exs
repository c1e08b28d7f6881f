defmodule Plug.MixProject do
  use Mix.Project
  def project, do: [app: :plug, version: "1.19.1"]
  def application, do: []
end
