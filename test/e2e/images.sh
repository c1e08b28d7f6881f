#!/bin/bash
# Stand-ins for the base images, under the names that the Dockerfiles ask for: no registry is needed to build.
# The Debian ones are Debian, as bare as the official slim images, with Debian's own Elixir. The Alpine ones are Debian too, with busybox
# first in PATH and an `apk` that installs the Debian package of the same purpose: they prove the flow, not musl.
# Usage: images.sh BASE ELIXIR OTP OS [NODE]; what is there already is kept.
set -euo pipefail
base=$1 elixir=$2 otp=$3 os=$4 node=${5:-}
here=$(cd "$(dirname "$0")" && pwd)
source "$here/storage.sh"
suite=$([ "$base" = debian ] && echo "$os" || echo trixie)

# A change of these scripts makes new stand-ins
recipe=$(find "$here/images.sh" "$here/standin" -type f | sort | xargs cat | sha256sum | cut -c1-12)
have() { [ "$(buildah inspect --type image --format '{{index .OCIv1.Config.Labels "recipe"}}' "docker.io/library/$1" 2>/dev/null)" = "$recipe" ]; }

# NAME FROM COMMAND [buildah config options]; FROM is a tarball or a stand-in
make() {
  local name=$1 from=$2 command=$3 container
  shift 3
  if have "$name"; then return; fi
  if [ -f "$from" ]; then
    container=$(buildah from scratch)
    buildah add -q "$container" "$from" / >/dev/null
  else
    container=$(buildah from --pull-never "docker.io/library/$from")
  fi
  buildah copy -q "$container" "$here/standin" /opt/standin >/dev/null
  if [ "${COPY_NODE:-}" ]; then
    buildah copy -q "$container" "$(readlink -f "$(command -v node)")" /usr/local/bin/node >/dev/null
    buildah copy -q "$container" "$(npm root -g)/npm" /usr/local/lib/node_modules/npm >/dev/null
  fi
  buildah run "$container" -- sh -euc "$command"
  buildah config --label "recipe=$recipe" "$@" "$container"
  buildah commit -q "$container" "docker.io/library/$name" >/dev/null
  buildah rm "$container" >/dev/null
}

# Nothing but a release number, to see the build refuse it
drifted() {
  local name=$1 container
  if have "$name"; then return; fi
  container=$(buildah from scratch)
  buildah copy -q "$container" "$here/standin/drifted-os-release" /etc/os-release >/dev/null
  buildah config --label "recipe=$recipe" "$container"
  buildah commit -q "$container" "docker.io/library/$name" >/dev/null
  buildah rm "$container" >/dev/null
}

tar=$cache/$suite-$recipe.tar
if ! [ -f "$tar" ]; then
  rm -f "$cache/$suite"-*.tar
  mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io --dpkgopt="$here/standin/slim" --aptopt="$here/standin/docker-clean" "$suite" "$cache/unfinished.tar" http://deb.debian.org/debian
  mv "$cache/unfinished.tar" "$tar"
fi
install() { echo "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $1 && rm -rf /var/lib/apt/lists/* && apt-get clean"; }
copy_npm='ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm'
make "debian:$suite-slim" "$tar" : --cmd bash
make "elixir:$elixir-otp-$otp-slim" "debian:$suite-slim" "$(install elixir) && sh /opt/standin/mix.sh" --cmd iex
make postgres:17-alpine "debian:$suite-slim" "$(install postgresql) && ln -s /usr/lib/postgresql/*/bin/pg_isready /usr/local/bin/pg_isready" --entrypoint '["/bin/bash", "/opt/standin/postgres.sh"]' --stop-signal SIGINT
if [ "$node" ]; then COPY_NODE=1 make "node:$node-slim" "debian:$suite-slim" "$(install libstdc++6) && $copy_npm" --cmd node; fi
if [ "$base" = debian ]; then
  drifted debian:drifted-slim
else
  alpine() { make "$1" "$2" "$(install busybox-static) && sh /opt/standin/alpine.sh $os" --env PATH=/opt/busybox:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd sh; }
  alpine "alpine:$os" "debian:$suite-slim"
  alpine "elixir:$elixir-otp-$otp-alpine" "elixir:$elixir-otp-$otp-slim"
  if [ "$node" ]; then alpine "node:$node-alpine" "node:$node-slim"; fi
  drifted alpine:drifted
fi
