#!/bin/bash
# The proof with real tools: Elixir reads and formats what was generated, mix releases it, hadolint and shellcheck read it,
# `prove` builds and boots it. Prints a line "ok …" or "NOT OK …" for each check.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
cd "$here" || exit 1
source test/e2e/storage.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check() { if out=$("${@:2}" 2>&1); then echo "ok $1"; else echo "NOT OK $1: $out"; fi; }
part() {
  timeout 1200 bash "test/e2e/$1" "${@:2}" </dev/null || echo "NOT OK $*: it stopped"
  storage_tidy
}
mkdir "$work/empty"
printf '[inputs: [], locals_without_parens: [plug: :*, socket: :*]]' >"$work/empty/.formatter.exs"
formatted() { (cd "$work/empty" && mix format --check-formatted "$1/config/runtime.exs" "$1/lib/shop_web/plugs/health.ex" "$1/lib/shop_web/endpoint.ex"); }
for kind in ordinary managed external; do
  for base in alpine debian; do
    app=$work/$kind-$base
    cp -r test/projects/shop/before "$app"
    postgres=$kind
    if [ "$kind" = ordinary ]; then postgres=shop-db; fi
    check "$kind $base: generate" node dist/bin/phoenix-fly.js fly --dest "$app" --app shop --region lhr --host shop.example.com --postgres "$postgres" --base "$base" --write yes
    check "$kind $base: mix format" formatted "$app"
    check "$kind $base: hadolint" hadolint "$app/Dockerfile"
    check "$kind $base: shellcheck" shellcheck -s sh "$app/rel/env.sh.eex"
    elixir test/e2e/runtime.exs "$app" "$kind" || echo "NOT OK $kind $base: Config.Reader"
  done
done
sh test/e2e/release.sh "$work/ordinary-alpine/rel/env.sh.eex" || echo 'NOT OK env.sh: release'
part image.sh debian
part image.sh alpine
part image.sh alpine umbrella
part image.sh debian npm
# Fly and Docker build with BuildKit; buildah proves that the layers alone serve
if (source test/e2e/buildkit.sh && buildkit_there); then
  BUILDER=buildkit part rebuild.sh debian
  BUILDER=buildkit part rebuild.sh debian umbrella
  BUILDER=buildkit part rebuild.sh debian native
else
  echo '# BuildKit could not be made here (it needs Go, its module proxy, runc): rebuilds are proved with buildah alone'
  part rebuild.sh debian umbrella
fi
part rebuild.sh debian
