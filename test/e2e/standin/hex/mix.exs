defmodule Hex.MixProject do
  use Mix.Project
  def project, do: [app: :hex, version: "2.2.1"]
end
