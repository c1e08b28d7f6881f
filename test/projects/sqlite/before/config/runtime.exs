import Config

if config_env() == :prod do
  config :notes, Notes.Repo, database: System.fetch_env!("DATABASE_PATH")
end
