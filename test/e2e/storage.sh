#!/bin/bash
# Images and containers of these tests lie apart from the user's own, in the folder that also keeps what is slow to make.
# Sourced by those who call podman or buildah.
# shellcheck disable=SC2034 # the caller uses cache
cache=${PHOENIX_FLY_CACHE:-/var/tmp/phoenix-fly-e2e}
mkdir -p "$cache"
cat >"$cache/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$cache/storage"
runroot = "$cache/run"
CONF
export BUILDAH_ISOLATION=chroot CONTAINERS_STORAGE_CONF=$cache/storage.conf

# Leaves the stand-ins for the base images alone: what a test built serves no other, and fills a disk
storage_tidy() {
  buildah rm --all
  buildah images --format '{{.Name}}:{{.Tag}}' | grep '^localhost/' | xargs -r buildah rmi -f
  podman image prune -f
} >/dev/null 2>&1
