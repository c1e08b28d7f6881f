# What Config.Reader makes of the generated runtime.exs; run as: elixir runtime.exs FOLDER_OF_APP KIND
[app, kind] = System.argv()
file = Path.join(app, "config/runtime.exs")
base = %{"PHX_HOST" => "shop.example.com", "SECRET_KEY_BASE" => String.duplicate("s", 64), "DATABASE_URL" => "ecto://pooled/db"}
names = Map.keys(base) ++ ~w(DIRECT_DATABASE_URL RELEASE_COMMAND ECTO_IPV6 LOG_LEVEL POOL_SIZE PHX_SERVER BACKGROUND_ENABLED FLY_APP_NAME PORT)

read = fn env ->
  Enum.each(names, &System.delete_env/1)
  System.put_env(env)
  Config.Reader.read!(file, env: :prod)
end

check = fn name, ok ->
  IO.puts("#{if ok, do: "ok", else: "NOT OK"} runtime.exs #{kind}: #{name}")
end

raises = fn env, text ->
  try do
    read.(env)
    false
  rescue
    error -> Exception.message(error) =~ text
  end
end

config = read.(base)
endpoint = config[:shop][ShopWeb.Endpoint]
repo = config[:shop][Shop.Repo]
check.("url", endpoint[:url] == [host: "shop.example.com", port: 443, scheme: "https"])
check.("IPv6 bind", endpoint[:http][:ip] == {0, 0, 0, 0, 0, 0, 0, 0} and endpoint[:http][:port] == 4000)
check.("origin", endpoint[:check_origin] == ["//shop.example.com", "//localhost"])
check.("not serving unless told", endpoint[:server] == false)
check.("IPv4 without ECTO_IPV6", repo[:socket_options] == [])
check.("database", repo[:url] == "ecto://pooled/db")
check.("background on", config[:shop][:background] == [enabled: true])
check.("TLS", config[:shop][:tls][:verify] == :verify_peer and config[:shop][:tls][:cacertfile] == "/etc/ssl/certs/ca-certificates.crt")
check.("the log level of before", config[:logger][:level] == nil)

fly = read.(Map.merge(base, %{"FLY_APP_NAME" => "shop", "ECTO_IPV6" => "true", "PHX_SERVER" => "true", "LOG_LEVEL" => "warning", "POOL_SIZE" => "3", "PORT" => "8080"}))
check.("both origins on Fly", fly[:shop][ShopWeb.Endpoint][:check_origin] == ["//shop.example.com", "//shop.fly.dev"])
check.("IPv6 database", fly[:shop][Shop.Repo][:socket_options] == [:inet6])
check.("serves", fly[:shop][ShopWeb.Endpoint][:server] == true)
check.("level and pool", fly[:logger][:level] == :warning and fly[:shop][Shop.Repo][:pool_size] == 3)

eval = read.(Map.merge(base, %{"RELEASE_COMMAND" => "eval", "PHX_SERVER" => "true", "DIRECT_DATABASE_URL" => "ecto://direct/db"}))
check.("eval serves nothing and starts no workers", eval[:shop][ShopWeb.Endpoint][:server] == false and eval[:shop][:background] == [enabled: false])
direct = if kind == "managed", do: "ecto://direct/db", else: "ecto://pooled/db"
check.("eval's database", eval[:shop][Shop.Repo][:url] == direct)
check.("statements", repo[:prepare] == %{"managed" => :unnamed, "external" => :named}[kind])

if kind == "external" do
  pooled = read.(Map.put(base, "DATABASE_URL", "ecto://shop.pooler.example.com/db"))
  check.("a pooler", pooled[:shop][Shop.Repo][:prepare] == :unnamed)
end

for name <- ~w(SECRET_KEY_BASE DATABASE_URL), do: check.("#{name} missing", raises.(Map.delete(base, name), name))
nameless = Map.delete(base, "PHX_HOST")
check.("no PHX_HOST on Fly", read.(Map.put(nameless, "FLY_APP_NAME", "shop"))[:shop][ShopWeb.Endpoint][:url][:host] == "shop.fly.dev")
check.("no PHX_HOST off Fly", read.(nameless)[:shop][ShopWeb.Endpoint][:url][:host] == "localhost")
