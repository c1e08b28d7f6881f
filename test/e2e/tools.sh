#!/bin/bash
# Shared by the scripts that build and boot images; the caller sets base (alpine or debian), here (this folder) and name.
# shellcheck disable=SC2016,SC2034,SC2154 # JavaScript in quotes; names set or used by the caller
work=$(mktemp -d)
chmod 755 "$work"
id=pf$$
os=$([ "$base" = alpine ] && echo ALPINE_VERSION || echo DEBIAN_VERSION)
extra=()
export BUILDAH_ISOLATION=chroot

cleanup() {
  container rm -f -t 0 "$id-fly" "$id-plain" >/dev/null 2>&1
  if [ -f "$work/pg/postmaster.pid" ]; then kill -INT "$(head -n 1 "$work/pg/postmaster.pid")"; fi
  if [ "${buildkit_pid:-}" ]; then kill "$buildkit_pid" && wait "$buildkit_pid"; fi 2>/dev/null
  # shellcheck disable=SC2046 # several processes
  kill $(jobs -p) 2>/dev/null
  ip netns del "$id" 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT

# Fly's network: IPv6 only; ::2 is the app's address, ::3 the database's
ip netns add "$id"
ip -n "$id" link set lo up
for address in 2 3; do ip -n "$id" addr add "fdaa:0:1::$address/128" dev lo; done

pass() { echo "ok $name: $1"; }
fail() { echo "NOT OK $name: $1"; }
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1: got '$2', want '$3'"; fi; }
matches() { if grep -qE -- "$3" <<<"$2"; then pass "$1"; else fail "$1: '$2' lacks '$3'"; fi; }
in_net() { ip netns exec "$id" "$@"; }

# A sandbox may forbid what podman does by default: raising limits, systemd's cgroups
container() {
  local limits=()
  if [ "$1" = run ]; then limits=(--ulimit nofile=1024:1024 --ulimit nproc=2048:2048); fi
  podman --log-level error --runtime runc --cgroup-manager cgroupfs "$1" "${limits[@]}" "${@:2}"
}

# APP [umbrella|npm]: the fixture in that shape
fixture() {
  cp -r "$here/app" "$1"
  if [ "${2:-}" ]; then cp -r "$here/$2/." "$1"; fi
  if [ "${2:-}" = umbrella ]; then
    (
      cd "$1" || exit
      mv lib/shop/{repo,trader,exchange}.ex apps/shop/lib/shop/
      mv lib/shop_web/router.ex apps/shop_web/lib/shop_web/
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

# What APP's fly.toml tells Fly: env_args, fly_args, port, path and headers of the health check
read_toml() {
  mapfile -t env_args < <(toml 'Object.entries(fly.env).map(([k, v]) => `--env=${k}=${v}`).join("\n")')
  secret=$(openssl rand -base64 48)
  env_args+=("--env=SECRET_KEY_BASE=$secret" '--env=DATABASE_URL=postgres://shop:pw@shop-db.flycast:5432/postgres?sslmode=disable')
  fly_args=(--env=FLY_APP_NAME=shop --env=FLY_PRIVATE_IP=fdaa:0:1::2 --env=FLY_IMAGE_REF=registry.fly.io/shop:deployment-01JABC@sha256:00ff)
  path=$(toml 'fly.http_service.checks[0].path')
  port=$(toml 'fly.http_service.internal_port')
  mapfile -t headers < <(toml 'Object.entries(fly.http_service.checks[0].headers).map(([k, v]) => `-H${k}: ${v}`).join("\n")')
}
toml() { node --input-type=module -e 'import TOML from "@iarna/toml"; import { readFileSync } from "node:fs"; const fly = TOML.parse(readFileSync(process.argv[1], "utf8")); console.log(eval(process.argv[2]))' "$app/fly.toml" "$1"; }

# NAME [podman's options] IMAGE
run() { container run -d --name "$id-$1" --network "ns:/run/netns/$id" --add-host shop-db.flycast:fdaa:0:1::3 --add-host exchange.test:127.0.0.1 --add-host other.test:127.0.0.1 "${extra[@]}" "${@:2}" >/dev/null; }
inside() { container exec "$id-fly" "$@" 2>&1; }
status() { in_net curl -s -o /dev/null -w '%{http_code}' "$@" "http://[fdaa:0:1::2]:$port$path"; }
healthy() {
  for _ in $(seq 200); do
    if [ "$(status "${headers[@]}")" = 200 ]; then return; fi
    sleep 0.1
  done
}

# What the final image must not hold
inspect() {
  local runner
  runner=docker.io/library/$(sed -n 's/^FROM \(\S*\) AS os$/\1/p' "$app/Dockerfile" | sed "s/\${[A-Z]*_VERSION}/$(sed -n "s/^ARG $os=//p" "$app/Dockerfile")/")
  container save -q "$1" -o "$work/image.tar"
  mkdir "$work/layers"
  tar -xf "$work/image.tar" -C "$work/layers"
  all() { find "$work/layers" -type f -exec sh -c 'case $(head -c 2 "$1" | od -An -tx1) in " 1f 8b") zcat "$1" ;; *) cat "$1" ;; esac' _ {} \;; }
  is 'the release is in the layers' "$(all | grep -aqF 'Elixir.Shop.Trader' && echo yes)" yes
  is 'no secret in any layer or in the history' "$(all | grep -acF never-in-the-image)" 0
  list() { container run --rm --user 0 --network none --entrypoint '["find"]' "$1" / -xdev "${@:2}" 2>/dev/null | sort; }
  is 'no setuid file beyond those of the base' "$(comm -13 <(list "$runner" -perm -4000 -type f) <(list "$1" -perm -4000 -type f))" ''
  is 'no compiler, source, Mix or Hex in it' "$(list "$1" ! -type d \( -name gcc -o -name 'gcc-[0-9]*' -o -name cc -o -name make -o -name git -o -name node -o -name mix -o -name 'mix-*' -o -name 'hex-*' -o -name rebar3 -o -name '*.ex' -o -name '*.exs' -o -name '*.eex' -o -name '*.erl' \) ! -path '/opt/*' ! -path '/var/lib/dpkg/*' ! -path '/app/releases/*/runtime.exs')" ''
}
