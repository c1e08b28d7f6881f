defmodule Phoenix.LiveView.Socket do
end
