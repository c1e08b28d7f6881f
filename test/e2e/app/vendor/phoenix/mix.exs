defmodule Phoenix.MixProject do
  use Mix.Project

  def project do
    [app: :phoenix, version: "1.8.1", deps: [{:plug, path: "../plug"}]]
  end

  def application, do: [extra_applications: [:crypto]]
end
