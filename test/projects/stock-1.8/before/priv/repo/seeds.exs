# Sample data: mix run priv/repo/seeds.exs
