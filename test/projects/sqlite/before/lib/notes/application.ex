defmodule Notes.Application do
  use Application

  def start(_type, _args) do
    Supervisor.start_link([Notes.Repo, NotesWeb.Endpoint], strategy: :one_for_one)
  end
end
