#!/bin/bash
# Builds an app again after each kind of change: the image must hold what a build from nothing would, and Mix compile no more than it must.
# Usage: rebuild.sh BASE [umbrella|native]; BUILDER=buildkit builds with BuildKit, else buildah, which keeps no cache that begins with a stage
set -uo pipefail
base=$1 shape=${2:-} name="rebuild of ${2:-an app} on $1 by ${BUILDER:-buildah}"
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit
source "$here/tools.sh"
source "$here/buildkit.sh"
app=$work/app
own=$app
if [ "$shape" = umbrella ]; then own=$app/apps/shop_web; fi
if [ "${BUILDER:-}" = buildkit ]; then buildkit_there && buildkit_start || { fail 'BuildKit: it needs Go and runc'; exit; }; fi
image=phoenix-fly-e2e-rebuild-$id
port=$((9420 + RANDOM % 500))
# Where buildah keeps cache mounts: the first build has none
export TMPDIR=$work/tmp
mkdir "$TMPDIR"

fixture "$app" "$([ "$shape" = umbrella ] && echo umbrella)"
mkdir -p "$own/priv"
# No layer of an earlier run fits
echo "# $(date +%s%N)" >>"$app/mix.exs"
# What the sources say; the image must say the same
code=0 file=0 note=0 limit=0 plug=0 tint='' tone=0 says=any
code() {
  code=$1
  cat >"$own/lib/marker.ex" <<ELIXIR
defmodule Shop.Marker do
  hooks = Path.join(Mix.Project.build_path(), "phoenix-colocated/shop")
  File.mkdir_p!(hooks)
  File.write!(Path.join(hooks, "marker.js"), "hook of code $1")
  require Plug.Marker
  ${tint:+require Tint}
  @limit Application.compile_env(:shop, :limit, 0)
  def all, do: IO.puts("code $1, file #{unquote(String.trim(File.read!("priv/marker.txt")))}, note #{unquote(String.trim(File.read!("lib/note.txt")))}, limit #{@limit}, plug #{Plug.Marker.version()}${tint:+, tint #{Tint.version()\}, #{Tint.Say.say(:it)\}}")
end
ELIXIR
  # Older than any build, as in a checkout that keeps times
  touch -d "200$1-01-01" "$own/lib/marker.ex"
}
file() { file=$1 && echo "$1" >"$own/priv/marker.txt"; }
note() { note=$1 && echo "$1" >"$own/lib/note.txt"; }
plug() { plug=$1 && printf 'defmodule Plug.Marker do\n  defmacro version, do: "%s"\nend\n' "$1" >"$app/vendor/plug/lib/marker.ex"; }
setting() { printf '\nconfig :%s, %s: %s\n' "$@" >>"$app/config/config.exs"; }
# A dependency that is fetched, in two versions; it reads its configuration in a way that Mix does not track, as :mime does.
# A release calls protocols as they were consolidated, with the implementations of that time.
git() { command git -C "$work/repos/tint" -c user.name=e2e -c user.email=e2e@localhost "$@"; }
tint() {
  mkdir -p "$work/repos/tint/lib"
  printf 'defmodule Tint.MixProject do\n  use Mix.Project\n  def project, do: [app: :tint, version: "%s.0.0"]\nend\n' "$1" >"$work/repos/tint/mix.exs"
  printf 'defmodule Tint do\n  @tone Application.get_env(:tint, :tone, 0)\n  defmacro version, do: "%s, tone #{@tone}"\nend\n' "$1" >"$work/repos/tint/lib/tint.ex"
  printf 'defprotocol Tint.Say do\n  @fallback_to_any true\n  def say(it)\nend\ndefimpl Tint.Say, for: Any do\n  def say(_), do: "any"\nend\n' >"$work/repos/tint/lib/say.ex"
  printf 'defimpl Tint.Say, for: %s do\n  def say(_), do: "%s"\nend\n' "$2" "$3" >"$work/repos/tint/lib/impl.ex"
  git init -q && git add . && git commit -q --allow-empty -m "$1" && git tag "v$1"
}
lock() { tint=$1 says=$2 && printf '%%{\n  "tint": {:git, "git://127.0.0.1:%s/tint", "%s", []},\n}\n' "$port" "$(git rev-parse "v$1")" >"$app/mix.lock"; }
tint 1 Integer number
tint 2 Atom atom
command git daemon --export-all --reuseaddr --base-path="$work/repos" --listen=127.0.0.1 --port="$port" 2>/dev/null &
code 1
file 1
note 1
plug 1
printf 'defmodule Shop.Gone do\nend\n' >"$own/lib/gone.ex"
if [ "$shape" = native ]; then sed -i 's/      deps: deps(),/      compilers: [:native] ++ Mix.compilers(),\n&/' "$app/mix.exs"; fi
generate "$app" --base "$base" || { fail generate; exit; }
stand_ins "$app" || { fail stand-ins; exit; }

# WHAT [buildah's options]
holds() {
  if ! build "$app" -t "$image" "${@:2}"; then fail "build ($1): $(tail -n 20 "$work/build.log")"; exit; fi
  is "$1" "$(container run --rm --network none --env=PHX_HOST=localhost --env=SECRET_KEY_BASE=x --env=DATABASE_URL=postgres://a:b@localhost/c "$image" /app/bin/shop eval 'Shop.Marker.all()' 2>&1 | tail -n 1)" \
    "code $code, file $file, note $note, limit $limit, plug $plug${tint:+, tint $tint, tone $tone, $says}"
}
compiled_one() { if [ "${BUILDER:-}" = buildkit ]; then compiled_one_file "$1"; fi; }
compiled_one_file() { is "$1" "$(grep -o 'Compiling [0-9]* files\? (.ex)' "$work/build.log")" 'Compiling 1 file (.ex)'; }
in_image() { container run --rm --network none --entrypoint sh "$image" -c "$1"; }
holds 'from nothing'
if [ "$shape" = native ]; then
  code 2
  holds 'code, beside a compiler that writes into priv'
  is 'what that compiler wrote' "$(in_image 'cat /app/lib/shop-*/priv/native.so')" made
  exit
fi
code 2
rm "$own/lib/gone.ex"
holds 'code of an old date'
is 'a module that is gone' "$(in_image 'ls /app/lib/shop*/ebin | grep -c Gone')" 0
if ! [ "$shape" ]; then
  compiled_one 'one file changed, one is compiled'
  echo '# another file' >>"$app/lib/shop/repo.ex"
  holds 'another file'
  is 'a colocated hook of a file that stayed' "$(in_image 'tail -n 1 /app/lib/shop-*/priv/static/assets/app.js')" 'hook of code 2'
  file 2
  holds 'a file that Mix does not track'
  note 2
  holds 'one beside the code'
  limit=7 && setting shop limit 7
  holds 'configuration'
  plug 2
  holds 'a dependency in the repo'
  plug 1
  holds 'the same dependency back'
fi
sed -i "s#{:plug, path#{:tint, git: \"git://127.0.0.1:$port/tint\"},\n      {:plug, path#" "$own/mix.exs"
lock 1 any
code 2
holds 'a new dependency'
lock 2 atom
holds 'another version of a dependency'
lock 1 any
# Else it would be the layers of before
code 4
holds 'its first version again'
lock 2 atom
holds 'and the second'
code 3
holds 'code, after the dependency'
compiled_one 'one file changed, one is compiled, beside dependencies in the repo'
if [ "$shape" ]; then exit; fi
tone=7 && setting tint tone 7
holds 'configuration that a dependency compiles in'

# The same without any cache; what Erlang and Mix draw by lot aside
files() { container run --rm --network none --entrypoint sh "$image" -c 'cd /app && find . -type f ! -name COOKIE -exec sha256sum {} + | sort -k 2'; }
files >"$work/with"
TMPDIR=$(mktemp -d -p "$work")
holds 'from nothing again' --no-cache
files >"$work/without"
is 'a build without a cache makes the same image' "$(diff "$work/with" "$work/without" | head -n 6)" ''
