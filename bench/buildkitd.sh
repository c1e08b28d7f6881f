#!/bin/bash
# Keeps a BuildKit of its own running, its socket below WORK; says "ready", or ends where there is none. Usage: buildkitd.sh WORK
set -uo pipefail
work=$1
source "$(dirname "$0")/../test/e2e/buildkit.sh"
buildkit_there && buildkit_start || exit 1
trap 'kill "$buildkit_pid"' EXIT
echo ready
wait "$buildkit_pid"
