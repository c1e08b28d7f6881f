#!/bin/bash
# Boots IMAGE of APP as Fly would, without its database; prints the milliseconds until its health check answers 200.
# Usage: boot.sh IMAGE APP
set -uo pipefail
base=debian name=bench image=$1 app=$2
here=$(cd "$(dirname "$0")/../test/e2e" && pwd)
cd "$here/../.." || exit
source "$here/tools.sh"
read_toml
start=$(date +%s%N)
run fly "${env_args[@]}" "${fly_args[@]}" "$image"
healthy
[ "$(status "${headers[@]}")" = 200 ] || { container logs "$id-fly"; exit 1; }
echo $((($(date +%s%N) - start) / 1000000))
