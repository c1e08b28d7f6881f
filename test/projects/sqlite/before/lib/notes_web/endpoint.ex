defmodule NotesWeb.Endpoint do
  use Phoenix.Endpoint, otp_app: :notes

  plug NotesWeb.Router
end
