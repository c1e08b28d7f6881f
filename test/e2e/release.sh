#!/bin/sh
# A plain OTP release with the generated rel/env.sh.eex, assembled by mix and booted with and without Fly's variables.
set -eu
env_sh=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mix new demo --sup >/dev/null
cd demo
mkdir rel
cp "$env_sh" rel/env.sh.eex
MIX_ENV=prod mix release --quiet >/dev/null
bin=_build/prod/rel/demo/bin/demo
ask='IO.puts("node=#{System.get_env("RELEASE_NODE")} distribution=#{System.get_env("RELEASE_DISTRIBUTION")} ipv6=#{System.get_env("ECTO_IPV6")} query=#{System.get_env("DNS_CLUSTER_QUERY")}")'
expect() {
  if [ "$2" = "$3" ]; then echo "ok env.sh: $1"; else echo "NOT OK env.sh: $1: got $2"; fi
}
expect 'off Fly nothing changes' "$($bin eval "$ask")" 'node=demo distribution=sname ipv6= query='
on_fly() { FLY_APP_NAME=shop FLY_PRIVATE_IP=fdaa:0:1::2 FLY_IMAGE_REF=$1 $bin eval "$ask"; }
expect 'digest' "$(on_fly 'registry.fly.io/shop:deployment-01JABC@sha256:00ff')" 'node=shop-01JABC@fdaa:0:1::2 distribution=name ipv6=true query=shop.internal'
expect 'own label' "$(on_fly 'shop:v1.2')" 'node=shop-v12@fdaa:0:1::2 distribution=name ipv6=true query=shop.internal'
expect 'no reference' "$(on_fly '')" 'node=shop-release@fdaa:0:1::2 distribution=name ipv6=true query=shop.internal'
