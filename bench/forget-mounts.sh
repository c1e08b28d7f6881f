#!/bin/bash
# Empties the cache mounts of the BuildKit that listens at BUILDKIT_HOST, and keeps its layers. Usage: forget-mounts.sh
set -euo pipefail
source "$(dirname "$0")/../test/e2e/buildkit.sh"
"$buildkit_bin/buildctl" prune --all --filter type==exec.cachemount
