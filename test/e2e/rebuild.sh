#!/bin/bash
# Builds an app again after each kind of change: the image must hold what a build from nothing would, and Mix compile no more than it must.
# Usage: rebuild.sh BASE
set -uo pipefail
base=$1 name="rebuild on $1"
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit
source "$here/tools.sh"
app=$work/app
image=phoenix-fly-e2e-rebuild
# Where buildah keeps cache mounts: the first build has none
export TMPDIR=$work/tmp
mkdir "$TMPDIR"

cp -r "$here/app" "$app"
# No layer of an earlier run fits
echo "# $(date +%s%N)" >>"$app/mix.exs"
marker() {
  cat >"$app/lib/shop/marker.ex" <<ELIXIR
defmodule Shop.Marker do
  require Plug.Marker
  @limit Application.compile_env(:shop, :limit, 0)
  def all, do: IO.puts("code $1, file #{unquote(String.trim(File.read!("priv/marker.txt")))}, limit #{@limit}, plug #{Plug.Marker.version()}")
end
ELIXIR
  # Older than any build, as in a checkout that keeps times
  touch -d 2001-01-01 "$app/lib/shop/marker.ex"
}
plug() { printf 'defmodule Plug.Marker do\n  defmacro version, do: "%s"\nend\n' "$1" >"$app/vendor/plug/lib/marker.ex"; }
marker 1
plug 1
echo 1 >"$app/priv/marker.txt"
printf 'defmodule Shop.Gone do\nend\n' >"$app/lib/shop/gone.ex"
generate "$app" --base "$base" || { fail generate; exit; }
stand_ins "$app" || { fail stand-ins; exit; }

# WHAT EXPECTED [buildah's options]
holds() {
  if ! build "$app" -t "$image" "${@:3}"; then fail "build ($1): $(tail -n 20 "$work/build.log")"; return; fi
  is "$1" "$(container run --rm --network none --env=PHX_HOST=localhost --env=SECRET_KEY_BASE=x --env=DATABASE_URL=postgres://a:b@localhost/c "$image" /app/bin/shop eval 'Shop.Marker.all()' 2>&1 | tail -n 1)" "$2"
}
compiled() { is "$1" "$(grep -c "Compiling [0-9]* files\? (.ex)" "$work/build.log") $(grep -o "Compiling $2 files\? (.ex)" "$work/build.log" | head -n 1)" "1 Compiling $2 file (.ex)"; }
holds 'from nothing' 'code 1, file 1, limit 0, plug 1'
marker 2
rm "$app/lib/shop/gone.ex"
holds 'code of an old date' 'code 2, file 1, limit 0, plug 1'
compiled 'one file changed, one is compiled' 1
is 'a module that is gone' "$(container run --rm --network none --entrypoint sh "$image" -c 'ls /app/lib/shop-*/ebin | grep -c Gone')" 0
echo 2 >"$app/priv/marker.txt"
holds 'a file that Mix does not track' 'code 2, file 2, limit 0, plug 1'
printf '\nconfig :shop, limit: 7\n' >>"$app/config/config.exs"
holds 'configuration' 'code 2, file 2, limit 7, plug 1'
plug 2
holds 'a dependency in the repo' 'code 2, file 2, limit 7, plug 2'
plug 1
holds 'the same dependency back' 'code 2, file 2, limit 7, plug 1'

# The same without any cache; what Erlang and Mix draw by lot aside
files() { container run --rm --network none --entrypoint sh "$image" -c 'cd /app && find . -type f ! -name COOKIE -exec sha256sum {} + | sort -k 2'; }
files >"$work/with"
TMPDIR=$(mktemp -d -p "$work")
holds 'from nothing again' 'code 2, file 2, limit 7, plug 1' --no-cache
files >"$work/without"
is 'a build without a cache makes the same image' "$(diff "$work/with" "$work/without" | head -n 6)" ''
