defmodule Mix.Tasks.Assets.Copy do
  use Mix.Task

  def run(_args) do
    File.mkdir_p!("priv/static/assets")
    # What LiveView takes out of components while they compile
    hooks = Path.wildcard(Path.join(Mix.Project.build_path(), "phoenix-colocated/**/*.js"))
    app = Enum.map_join(["assets/js/app.js" | hooks], "\n", &File.read!/1)
    File.write!("priv/static/assets/app.js", app)
  end
end

defmodule Mix.Tasks.Phx.Digest do
  use Mix.Task

  def run(_args), do: File.write!("priv/static/cache_manifest.json", "{}")
end

defmodule Mix.Tasks.Compile.Native do
  use Mix.Task.Compiler

  # Like a crate or a Makefile of the app's own: writes into priv, and not again while its mark in _build is there
  def run(_args) do
    mark = Path.join(Mix.Project.manifest_path(), "compile.native")
    unless File.exists?(mark), do: File.write!("priv/native.so", "made")
    File.mkdir_p!(Path.dirname(mark))
    File.touch!(mark)
    {:ok, []}
  end
end
