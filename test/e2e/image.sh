#!/bin/bash
# Generates, proves and looks into the image: the fixture, an umbrella, an app with npm packages.
# Usage: image.sh BASE [umbrella|npm]; prints a line "ok …" or "NOT OK …" for each check.
set -uo pipefail
base=$1 shape=${2:-} name=${2:+$2 on }$1
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit
source "$here/tools.sh"
app=$work/app
image=phoenix-fly-e2e-$base${shape:+-$shape}

fixture "$app" "$shape"
printf 'TOKEN=never-in-the-image\n' >"$app/.env"
generate "$app" --base "$base" --migrate yes || { fail generate; exit; }
stand_ins "$app" || { fail stand-ins; exit; }
npx tsx "$here/proof.ts" "$name" "$app" || exit
# The same layers, under a name that stays
if ! build "$app" -t "$image"; then fail "build: $(tail -n 20 "$work/build.log")"; exit; fi

# --- what is in it, and what is not
asset=$([ "$shape" = npm ] && echo 'hello from a package of npm' || echo '^console.log')
matches 'the assets were built' "$(container run --rm --network none --entrypoint sh "$image" -c 'cat /app/lib/*/priv/static/assets/app.js')" "$asset"
container save -q "$image" -o "$work/image.tar"
mkdir "$work/layers"
tar -xf "$work/image.tar" -C "$work/layers"
all() { find "$work/layers" -type f -exec sh -c 'case $(head -c 2 "$1" | od -An -tx1) in " 1f 8b") zcat "$1" ;; *) cat "$1" ;; esac' _ {} \;; }
is 'the release is in the layers' "$(all | grep -aqF 'Elixir.Shop.Trader' && echo yes)" yes
is 'no secret in any layer or in the history' "$(all | grep -acF never-in-the-image)" 0
list() { container run --rm --user 0 --network none --entrypoint '["find"]' "$1" / -xdev "${@:2}" 2>/dev/null | sort; }
runner=$(sed -n 's/^FROM \(\S*\) AS os$/\1/p' "$app/Dockerfile" | sed "s/\${[A-Z]*_VERSION}/$(sed -n "s/^ARG $os=//p" "$app/Dockerfile")/")
is 'no setuid file beyond those of the base' "$(comm -13 <(list "docker.io/library/$runner" -perm -4000 -type f) <(list "$image" -perm -4000 -type f))" ''
tools=(gcc 'gcc-[0-9]*' cc make git node mix 'mix-*' 'hex-*' rebar3 '*.ex' '*.exs' '*.eex' '*.erl')
names=(-false)
for tool in "${tools[@]}"; do names+=(-o -name "$tool"); done
is 'no compiler, source, Mix or Hex in it' "$(list "$image" ! -type d \( "${names[@]}" \) ! -path '/opt/*' ! -path '/var/lib/dpkg/*' ! -path '/app/releases/*/runtime.exs')" ''
if [ "$shape" ]; then exit; fi

# --- the build stops where builder and runner drift apart; not from the cache: buildah does not see that the mounted image is another one
sed "s/^ARG $os=.*/ARG $os=drifted/" "$app/Dockerfile" >"$work/drifted"
# Again where the reason is not in the log: on a busy machine buildah now and then loses the last line of a RUN that fails at once
for _ in 1 2 3; do
  build "$app" --no-cache --target base -f "$work/drifted" && fail 'a runner of another release is built'
  if grep -q 'uses another' "$work/build.log"; then break; fi
done
matches 'builder and runner of different releases stop the build, with the edit' "$(cat "$work/build.log")" "uses another (Alpine|Debian): write ARG $(grep "^ARG $os=" "$app/Dockerfile" | cut -c 5-)"

# --- plain docker run: nothing of Fly's
secret=$(openssl rand -base64 48)
settings=(--env=PHX_HOST=localhost "--env=SECRET_KEY_BASE=$secret")
container run -d --name "$id-plain" --network none "${settings[@]}" --env=DATABASE_URL=postgres://shop:pw@127.0.0.1/postgres "$image" >/dev/null
inside() { container exec "$id-plain" "$@" 2>&1; }
for _ in $(seq 100); do inside /app/bin/shop rpc 'IO.puts(node())' >"$work/node" && break; done
matches 'plain docker run: a node of its own' "$(cat "$work/node")" '^shop@'
# shellcheck disable=SC2016 # Elixir
is 'remote is a shell in the running app' "$(node "$here/remote.mjs" 'IO.puts("works: #{inspect(Process.whereis(Shop.Trader) != nil)}")' 'works: true' podman --log-level error exec -it "$id-plain" /app/bin/shop remote)" 'works: true'
is 'psql is in the image' "$(inside psql --version | cut -d ' ' -f 1)" psql
matches 'a missing DATABASE_URL is named with the command that sets it' "$(container run --rm --network none "${settings[@]}" "$image" 2>&1)" 'DATABASE_URL is missing; set it with: fly postgres attach'
container stop -t 30 "$id-plain" >/dev/null
is 'workers end their work on SIGTERM' "$(container logs "$id-plain" 2>&1 | grep -c 'trader finished its work')" 1
if [ "$base" = debian ]; then npx tsx "$here/broken.ts" "$app" "localhost/$image"; fi
