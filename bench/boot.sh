#!/bin/bash
# Boots IMAGE of APP with Fly's variables, without its database; prints the milliseconds until its health check answers 200.
# Usage: boot.sh IMAGE APP
set -uo pipefail
base=debian name=bench image=$1 app=$2
here=$(cd "$(dirname "$0")/../test/e2e" && pwd)
source "$here/tools.sh"
path=$(sed -n 's/^ *path = "\(.*\)"/\1/p' "$app/fly.toml")
settings=(--env=PHX_HOST=shop.fly.dev --env=PHX_SERVER=true "--env=SECRET_KEY_BASE=$(openssl rand -base64 48)" --env=DATABASE_URL=postgres://shop:pw@127.0.0.1/postgres)
fly=(--env=FLY_PRIVATE_IP=::1 --env=FLY_APP_NAME=shop --env=FLY_IMAGE_REF=registry.fly.io/shop:deployment-01JABC)
start=$(date +%s%N)
container run -d --name "$id-plain" --publish 127.0.0.1::4000 "${settings[@]}" "${fly[@]}" "$image" >/dev/null
url=http://$(container port "$id-plain" 4000/tcp)$path
for _ in $(seq 100); do
  if [ "$(curl -sm 2 -o /dev/null -w '%{http_code}' -H 'X-Forwarded-Proto: https' "$url")" = 200 ]; then
    echo $((($(date +%s%N) - start) / 1000000))
    exit
  fi
  sleep 0.1
done
container logs "$id-plain"
exit 1
