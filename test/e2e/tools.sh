#!/bin/bash
# Shared by the scripts that build and boot images; the caller sets base (alpine or debian), here (this folder) and name.
# shellcheck disable=SC2034,SC2154 # names set or used by the caller
work=$(mktemp -d)
chmod 755 "$work"
id=pf$$
os=$([ "$base" = alpine ] && echo ALPINE_VERSION || echo DEBIAN_VERSION)
export CONTAINERS_CONF=$here/containers.conf
source "$here/storage.sh"

cleanup() {
  podman rm -f -t 0 "$id-plain" >/dev/null 2>&1
  if [ "${buildkit_pid:-}" ]; then kill "$buildkit_pid" && wait "$buildkit_pid"; fi 2>/dev/null
  # shellcheck disable=SC2046 # several processes
  kill $(jobs -p) 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT

pass() { echo "ok $name: $1"; }
fail() { echo "NOT OK $name: $1"; }
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1: got '$2', want '$3'"; fi; }
matches() { if grep -qE -- "$3" <<<"$2"; then pass "$1"; else fail "$1: '$2' lacks '$3'"; fi; }
container() { podman --log-level error "$@"; }

# APP [umbrella|npm]: the fixture in that shape
fixture() {
  cp -r "$here/app" "$1"
  if [ "${2:-}" ]; then cp -r "$here/$2/." "$1"; fi
  if [ "${2:-}" = umbrella ]; then
    (
      cd "$1" || exit
      sed -i 's/:shop, :tls/:shop_web, :tls/' lib/shop/exchange.ex
      mv lib/shop/{repo,trader,exchange}.ex apps/shop/lib/shop/
      mv lib/shop_web/router.ex apps/shop_web/lib/shop_web/
      mkdir apps/shop_web/priv
      mv priv/static apps/shop_web/priv/
      mv priv apps/shop/
      mv assets apps/shop_web/
      rm -r lib config/runtime.exs
    )
  fi
}

# APP [FLAGS]
generate() { node dist/bin/phoenix-fly.js fly --dest "$1" --app shop --region lhr --write yes "${@:2}" >"$work/generate.log" 2>&1 || { cat "$work/generate.log"; false; }; }

# Base images under the names that APP's Dockerfile asks for
stand_ins() {
  local versions
  mapfile -t versions < <(for arg in ELIXIR_VERSION OTP_VERSION "$os" NODE_VERSION; do sed -n "s/^ARG $arg=//p" "$1/Dockerfile"; done)
  bash "$here/images.sh" "$base" "${versions[@]}" >"$work/images.log" 2>&1 || { tail -n 20 "$work/images.log"; false; }
}

# APP [-t IMAGE] [--no-cache]; what it prints is in $work/build.log. With BUILDER=buildkit by BuildKit, else by buildah.
build() {
  if [ "${BUILDER:-}" != buildkit ]; then
    buildah build --pull-never --layers "${@:2}" "$1" >"$work/build.log" 2>&1
    return
  fi
  local app=$1 options=()
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      -t) options+=(--output "type=docker,name=localhost/$2:latest,dest=$work/built.tar") && shift ;;
      *) options+=("$1") ;;
    esac
    shift
  done
  buildkit "$app" "$app/Dockerfile" "${options[@]}" >"$work/build.log" 2>&1 && container load -q -i "$work/built.tar" >/dev/null
}
