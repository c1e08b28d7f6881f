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
  ${2:+require Tint}
  @limit Application.compile_env(:shop, :limit, 0)
  def all, do: IO.puts("code $1, file #{unquote(String.trim(File.read!("priv/marker.txt")))}, limit #{@limit}, plug #{Plug.Marker.version()}${2:+, tint #{Tint.version()\}, #{Tint.Say.say(:it)\}}")
end
ELIXIR
  # Older than any build, as in a checkout that keeps times
  touch -d 2001-01-01 "$app/lib/shop/marker.ex"
}
plug() { printf 'defmodule Plug.Marker do\n  defmacro version, do: "%s"\nend\n' "$1" >"$app/vendor/plug/lib/marker.ex"; }
# A dependency that is fetched, in two versions; it reads its configuration in a way that Mix does not track, as :mime does
git() { command git -C "$work/repos/tint" -c user.name=e2e -c user.email=e2e@localhost "$@"; }
tint() {
  mkdir -p "$work/repos/tint/lib"
  printf 'defmodule Tint.MixProject do\n  use Mix.Project\n  def project, do: [app: :tint, version: "%s.0.0"]\nend\n' "$1" >"$work/repos/tint/mix.exs"
  printf 'defmodule Tint do\n  @tone Application.get_env(:tint, :tone, 0)\n  defmacro version, do: "%s, tone #{@tone}"\nend\n' "$1" >"$work/repos/tint/lib/tint.ex"
  # A release calls protocols as they were consolidated, with the implementations of that time
  printf 'defprotocol Tint.Say do\n  @fallback_to_any true\n  def say(it)\nend\ndefimpl Tint.Say, for: Any do\n  def say(_), do: "any"\nend\n' >"$work/repos/tint/lib/say.ex"
  printf 'defimpl Tint.Say, for: %s do\n  def say(_), do: "%s"\nend\n' "$2" "$3" >"$work/repos/tint/lib/impl.ex"
  git init -q && git add . && git commit -q --allow-empty -m "$1"
  lock "$(git rev-parse HEAD)"
}
lock() { printf '%%{\n  "tint": {:git, "git://127.0.0.1:9420/tint", "%s", []},\n}\n' "$1" >"$app/mix.lock"; }
mkdir -p "$work/repos"
command git daemon --export-all --reuseaddr --base-path="$work/repos" --listen=127.0.0.1 --port=9420 2>/dev/null &
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
sed -i 's#{:ecto_sql, path#{:tint, git: "git://127.0.0.1:9420/tint"},\n      {:ecto_sql, path#' "$app/mix.exs"
tint 1 Integer number
first=$(git rev-parse HEAD)
marker 2 tint
holds 'a new dependency' 'code 2, file 2, limit 7, plug 1, tint 1, tone 0, any'
tint 2 Atom atom
holds 'another version of a dependency' 'code 2, file 2, limit 7, plug 1, tint 2, tone 0, atom'
lock "$first"
holds 'its first version again' 'code 2, file 2, limit 7, plug 1, tint 1, tone 0, any'
tint 2 Atom atom
holds 'and the second' 'code 2, file 2, limit 7, plug 1, tint 2, tone 0, atom'
marker 3 tint
holds 'code, after the dependency' 'code 3, file 2, limit 7, plug 1, tint 2, tone 0, atom'
compiled 'one file changed, one is compiled, beside dependencies in the repo' 1
printf '\nconfig :tint, tone: 7\n' >>"$app/config/config.exs"
holds 'configuration that a dependency compiles in' 'code 3, file 2, limit 7, plug 1, tint 2, tone 7, atom'

# The same without any cache; what Erlang and Mix draw by lot aside
files() { container run --rm --network none --entrypoint sh "$image" -c 'cd /app && find . -type f ! -name COOKIE -exec sha256sum {} + | sort -k 2'; }
files >"$work/with"
TMPDIR=$(mktemp -d -p "$work")
holds 'from nothing again' 'code 3, file 2, limit 7, plug 1, tint 2, tone 7, atom' --no-cache
files >"$work/without"
is 'a build without a cache makes the same image' "$(diff "$work/with" "$work/without" | head -n 6)" ''
