#!/bin/bash
# The proof with real tools: Elixir reads and formats what was generated, mix releases it, hadolint and shellcheck read it.
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
cd "$here" || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check() { if out=$("${@:2}" 2>&1); then echo "ok $1"; else echo "NOT OK $1: $out"; fi; }
for kind in ordinary managed external; do
  for base in alpine debian; do
    app=$work/$kind-$base
    cp -r test/projects/shop/before "$app"
    postgres=$kind
    if [ "$kind" = ordinary ]; then postgres=shop-db; fi
    check "$kind $base: generate" node dist/bin/phoenix-fly.js fly --dest "$app" --app shop --region lhr --postgres "$postgres" --base "$base" --write yes
    check "$kind $base: mix format" bash -c "mkdir -p '$work/empty' && cd '$work/empty' && printf '[inputs: [], locals_without_parens: [plug: :*, socket: :*]]' > .formatter.exs && mix format --check-formatted '$app'/config/runtime.exs '$app'/lib/shop_web/plugs/health.ex '$app'/lib/shop_web/endpoint.ex"
    check "$kind $base: hadolint" hadolint "$app/Dockerfile"
    check "$kind $base: shellcheck" shellcheck -s sh "$app/rel/env.sh.eex"
    elixir test/e2e/runtime.exs "$app" "$kind" || echo "NOT OK $kind $base: Config.Reader"
  done
done
sh test/e2e/release.sh "$work/ordinary-alpine/rel/env.sh.eex" || echo 'NOT OK env.sh: release'
for base in debian alpine; do
  bash test/e2e/container.sh "$base" </dev/null || echo "NOT OK $base: container.sh"
done
bash test/e2e/shapes.sh umbrella alpine </dev/null || echo 'NOT OK umbrella: shapes.sh'
bash test/e2e/shapes.sh npm debian </dev/null || echo 'NOT OK npm: shapes.sh'
# Fly and Docker build with BuildKit; buildah proves that the layers alone serve
if (source test/e2e/buildkit.sh && buildkit_there); then
  for shape in '' umbrella native; do
    # shellcheck disable=SC2086 # no argument for the ordinary app
    BUILDER=buildkit bash test/e2e/rebuild.sh debian $shape </dev/null || echo "NOT OK rebuild: rebuild.sh $shape"
  done
else
  echo '# BuildKit could not be made here (it needs Go, its module proxy, runc): rebuilds are proved with buildah alone'
  bash test/e2e/rebuild.sh debian umbrella </dev/null || echo 'NOT OK rebuild: rebuild.sh umbrella'
fi
bash test/e2e/rebuild.sh debian </dev/null || echo 'NOT OK rebuild: rebuild.sh by buildah'
