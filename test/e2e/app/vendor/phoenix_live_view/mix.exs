defmodule Phoenix.LiveView.MixProject do
  use Mix.Project
  def project, do: [app: :phoenix_live_view, version: "1.1.8"]
  def application, do: []
end
