defmodule MarketWeb.Router do
  use Phoenix.Router
end
