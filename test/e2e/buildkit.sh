#!/bin/bash
# Real BuildKit, what Fly and Docker build with: buildkitd and buildctl made from the Go module and kept between runs, and the
# stand-ins for the base images given to them by name, so that no registry is needed.
# Sourced by those who call `buildkit`; the caller sets work (a folder that is removed at the end).
# shellcheck disable=SC2034,SC2154 # work is set by the caller, buildkit_pid used by it
buildkit_version=v0.34.2
source "$(dirname "${BASH_SOURCE[0]}")/storage.sh"
buildkit_bin=$cache/buildkit-$buildkit_version

# Builds both once; fails where there is no Go or no module proxy
buildkit_there() {
  if [ -x "$buildkit_bin/buildctl" ] && [ -x "$buildkit_bin/buildkitd" ]; then return; fi
  command -v go >/dev/null && command -v runc >/dev/null || return
  local module
  module=$(mktemp -d)
  (
    cd "$module" || exit
    go mod init phoenix-fly-e2e &&
      go get "github.com/moby/buildkit/cmd/buildkitd@$buildkit_version" "github.com/moby/buildkit/cmd/buildctl@$buildkit_version" &&
      CGO_ENABLED=0 go build -o "$module/bin/" github.com/moby/buildkit/cmd/buildkitd github.com/moby/buildkit/cmd/buildctl
  ) >"$module/log" 2>&1 || tail -n 5 "$module/log" >&2
  mkdir -p "$buildkit_bin" && mv "$module"/bin/* "$buildkit_bin/"
  rm -rf "$module"
  [ -x "$buildkit_bin/buildkitd" ]
}

# Starts one with caches of its own; the caller's cleanup ends it by the id in $buildkit_pid
buildkit_start() {
  export BUILDKIT_HOST=unix://$work/buildkit/socket
  mkdir -p "$work/buildkit/layouts"
  "$buildkit_bin/buildkitd" --addr "$BUILDKIT_HOST" --root "$work/buildkit/root" --oci-worker-net=host --oci-worker-snapshotter="${BUILDKIT_SNAPSHOTTER:-overlayfs}" --oci-worker-gc=false --containerd-worker=false >"$work/buildkit/log" 2>&1 &
  buildkit_pid=$!
  for _ in $(seq 100); do
    if "$buildkit_bin/buildctl" debug workers >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  tail -n 3 "$work/buildkit/log" >&2
  return 1
}

# FOLDER DOCKERFILE [buildctl's options]: a build that sees buildah's stand-ins instead of a registry
buildkit() {
  local folder=$1 file=$2 image digest options=()
  shift 2
  for image in $(base_images "$file"); do
    layout=$work/buildkit/layouts/$(tr ':/' '--' <<<"$image")
    if ! [ -d "$layout" ]; then buildah push -q "docker.io/library/$image" "oci:$layout:it" >/dev/null || return; fi
    digest=$(sed -n 's/.*"digest":"\(sha256:[0-9a-f]*\)".*/\1/p' "$layout/index.json" | head -n 1)
    options+=(--oci-layout "$(basename "$layout")=$layout" --opt "context:$image=oci-layout://$(basename "$layout")@$digest")
  done
  "$buildkit_bin/buildctl" build --progress=plain --frontend dockerfile.v0 --local "context=$folder" --local "dockerfile=$(dirname "$file")" --opt "filename=$(basename "$file")" "${options[@]}" "$@"
}

# The images that a Dockerfile starts from, ARGs filled in
base_images() {
  awk '
    /^ARG [A-Z_]+=/ { split($2, pair, "="); value[pair[1]] = pair[2] }
    /^FROM / {
      image = $2
      for (name in value) gsub("\\$\\{" name "\\}", value[name], image)
      if (!(image in stage)) print image
      stage[$4] = 1
    }
  ' "$1" | sort -u
}
