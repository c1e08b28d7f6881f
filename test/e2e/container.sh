#!/bin/bash
# Builds the generated Dockerfile as it is, boots the image as Fly would and as a plain `docker run` would, and looks inside.
# Usage: container.sh BASE; prints a line "ok …" or "NOT OK …" for each check.
set -uo pipefail
base=$1 name=$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit
source "$here/tools.sh"
app=$work/app
image=phoenix-fly-e2e-$base

# --- generate and build
cp -r "$here/app" "$app"
printf 'TOKEN=never-in-the-image\n' >"$app/.env"
generate "$app" --base "$base" --migrate yes || { fail generate; exit; }
stand_ins "$app" || { fail stand-ins; exit; }
if build "$app" -t "$image"; then pass 'the Dockerfile builds as it is'; else fail "build: $(tail -n 20 "$work/build.log")"; exit; fi
sed "s/^ARG $os=.*/ARG $os=drifted/" "$app/Dockerfile" >"$work/drifted"
# Not from the cache: buildah does not see that the mounted image is another one
build "$app" --no-cache --target base -f "$work/drifted" && fail 'a runner of another release is built'
matches 'builder and runner of different releases stop the build, with the edit' "$(cat "$work/build.log")" "stands on another (Alpine|Debian): write ARG $(grep "^ARG $os=" "$app/Dockerfile" | cut -c 5-)"

# --- PostgreSQL, on IPv6 only
pg=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -n 1)")
install -d -o postgres "$work/pg"
su postgres -c "'$pg/initdb' -D '$work/pg' -A trust -U shop" >/dev/null
sed -i 's#::1/128#::/0#' "$work/pg/pg_hba.conf"
in_net su postgres -c "'$pg/postgres' -D '$work/pg' -c listen_addresses=fdaa:0:1::3 -c unix_socket_directories=" >"$work/pg.log" 2>&1 &

# --- an exchange whose certificate comes from an authority that nobody trusts unless told to
(
  cd "$work" || exit
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -days 2 -subj '/CN=An authority'
  openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=exchange.test
  openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -out cert.pem -extfile <(echo 'subjectAltName=DNS:exchange.test')
) 2>/dev/null
in_net openssl s_server -accept 4443 -key "$work/key.pem" -cert "$work/cert.pem" -quiet >/dev/null 2>&1 </dev/null &

# --- boot on Fly
extra=(-v "$work/ca.pem:/etc/exchange.pem:ro")
read_toml
run fly "${env_args[@]}" "${fly_args[@]}" "$image"
start=$(date +%s%N)
healthy
echo "# $base: healthy $((($(date +%s%N) - start) / 1000000)) ms after the start"
is 'the health check of fly.toml' "$(status "${headers[@]}")" 200
is 'without its header, force_ssl would redirect' "$(status)" 301
is 'a LiveView socket from the own host echoes' "$(in_net node "$here/websocket.mjs" fdaa:0:1::2 "$port" https://shop.fly.dev hello)" hello
is 'a socket from a foreign site is refused' "$(in_net node "$here/websocket.mjs" fdaa:0:1::2 "$port" https://evil.example hello)" 403
is 'the release command of fly.toml migrates' "$(eval "inside $(toml fly.deploy.release_command)" >"$work/migrate.log" && echo 'done' || tail -n 3 "$work/migrate.log")" 'done'
matches 'the database answers over IPv6' "$(in_net curl -s "${headers[@]}" "http://[fdaa:0:1::2]:$port/orders")" ':ok, \[<<0, 1, 0, 0, 0, 1, 48>>\]'
is 'psql in the image reaches it too' "$(inside sh -c 'psql "$DATABASE_URL" -Atc "select 40 + 2"')" 42
is 'rpc reaches the running node by its Fly name' "$(inside /app/bin/shop rpc 'IO.puts(node())')" 'shop-01JABC@fdaa:0:1::2'
is 'remote is a shell in the running app' "$(node "$here/remote.mjs" 'IO.puts("works: #{inspect(Process.whereis(Shop.Trader) != nil)}")' 'works: true' podman --log-level error exec -it "$id-fly" /app/bin/shop remote)" 'works: true'
is 'eval starts neither pages nor workers' "$(inside /app/bin/shop eval '{:ok, _} = Application.ensure_all_started(:shop); IO.inspect(Process.whereis(Shop.Trader))' | tail -n 1)" nil
tls() { container exec "${@:2}" "$id-fly" /app/bin/shop eval "Application.ensure_all_started(:ssl); IO.inspect(Shop.Exchange.connect(\"$1\", 4443))" 2>&1 | tail -n 1; }
is 'TLS: a certificate that nobody vouches for is refused' "$(tls exchange.test)" ':unknown_ca'
is 'TLS: one that is vouched for is accepted' "$(tls exchange.test --env=SSL_CERT_FILE=/etc/exchange.pem)" ':ok'
is 'TLS: but not for another host' "$(tls other.test --env=SSL_CERT_FILE=/etc/exchange.pem)" ':bad_certificate'
is 'runs as nobody' "$(inside id -u)" 65534
is 'nothing of the code is writable' "$(inside sh -c 'cd /app/lib && find /app ! -type l -exec sh -c "for file; do if [ -w \"\$file\" ]; then echo \"\$file\"; fi; done" _ {} + | head -n 3')" ''
pid=$(container inspect --format '{{.State.Pid}}' "$id-fly")
memory=$(($(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status") / 1024))
is "memory after boot ($memory MiB) leaves room in 1 GB" "$([ "$memory" -gt 10 ] && [ "$memory" -lt 512 ] && echo yes)" yes
start=$(date +%s)
container stop -t 30 "$id-fly" >/dev/null
is "SIGTERM ends it in order ($(($(date +%s) - start)) s)" "$(container inspect --format '{{.State.ExitCode}}' "$id-fly") $(container logs "$id-fly" 2>&1 | grep -c 'trader finished its work')" '0 1'

# --- plain docker run: nothing of Fly's
run plain --env=PHX_HOST=localhost --env=SECRET_KEY_BASE="$secret" --env=DATABASE_URL=postgres://shop:pw@127.0.0.1/postgres --env=BACKGROUND_ENABLED=false "$image"
healthy
is 'plain docker run: healthy' "$(status "${headers[@]}")" 200
matches 'plain docker run: node of its own' "$(container exec "$id-plain" /app/bin/shop rpc 'IO.puts(node())')" '^shop@'
is 'BACKGROUND_ENABLED=false leaves the worker out' "$(container logs "$id-plain" 2>&1 | grep -c 'trader started')" 0
matches 'a missing DATABASE_URL is named with the command that sets it' "$(container run --rm --network none --env=PHX_HOST=localhost --env=SECRET_KEY_BASE="$secret" "$image" 2>&1)" 'DATABASE_URL is missing; set it with: fly postgres attach'

# --- what is in the image
inspect "$image"
