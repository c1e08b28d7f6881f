#!/bin/bash
# Builds and boots what is not a single app with Elixir assets: an umbrella, an app with npm packages.
# Usage: shapes.sh umbrella|npm BASE
set -uo pipefail
name=$1 base=$2
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit
source "$here/tools.sh"
app=$work/app
image=phoenix-fly-e2e-$name

fixture "$app" "$name"
printf 'TOKEN=never-in-the-image\n' >"$app/.env"
generate "$app" --base "$base" || { fail generate; exit; }
stand_ins "$app" || { fail stand-ins; exit; }
if build "$app" -t "$image"; then pass "the Dockerfile builds as it is ($base)"; else fail "build: $(tail -n 20 "$work/build.log")"; exit; fi
read_toml
run fly "${env_args[@]}" "${fly_args[@]}" "$image"
healthy
is 'the health check of fly.toml' "$(status "${headers[@]}")" 200
is 'a LiveView socket from the own host echoes' "$(in_net node "$here/websocket.mjs" fdaa:0:1::2 "$port" https://shop.fly.dev hello)" hello
is 'rpc reaches the running node, workers included' "$(inside /app/bin/shop rpc 'IO.puts("#{node()} #{is_pid(Process.whereis(Shop.Trader))}")')" 'shop-01JABC@fdaa:0:1::2 true'
built=$([ "$name" = npm ] && echo 'hello from a package of npm' || echo '^console.log')
matches 'the assets were built' "$(inside sh -c 'cat /app/lib/*/priv/static/assets/app.js')" "$built"
container stop -t 30 "$id-fly" >/dev/null
is 'SIGTERM ends it in order' "$(container inspect --format '{{.State.ExitCode}}' "$id-fly")" 0
inspect "$image"
