#!/bin/bash
# Builds APP by DOCKERFILE, with the BuildKit that listens at BUILDKIT_HOST, else with buildah.
# Usage: build.sh WORK APP DOCKERFILE IMAGE [--no-cache] [--load]; --load makes IMAGE known to podman
set -euo pipefail
work=$1 app=$2 dockerfile=$3 image=$4 options=() load=
shift 4
for option in "$@"; do if [ "$option" = --load ]; then load=1; else options+=("$option"); fi; done
source "$(dirname "$0")/../test/e2e/buildkit.sh"
if [ -z "${BUILDKIT_HOST:-}" ]; then
  buildah build --pull-never --layers "${options[@]}" -f "$dockerfile" -t "$image" "$app"
elif [ "$load" ]; then
  buildkit "$app" "$dockerfile" "${options[@]}" --output "type=docker,name=localhost/$image:latest,dest=$work/built.tar"
  podman --log-level error load -q -i "$work/built.tar"
else
  buildkit "$app" "$dockerfile" "${options[@]}"
fi
