#!/bin/bash
# Shared by the scripts that build images. The caller sets here, work, base and id.
export BUILDAH_ISOLATION=chroot
unset BUILDAH_FORMAT

pass() { echo "ok $base: $1"; }
fail() { echo "NOT OK $base: $1"; }
is() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1: got '$2', want '$3'"; fi; }
matches() { if grep -qE -- "$3" <<<"$2"; then pass "$1"; else fail "$1: '$2' lacks '$3'"; fi; }
in_net() { ip netns exec "$id" "$@"; }

# A sandbox may forbid what podman does by default: raising limits, systemd's cgroups
container() {
  local limits=()
  if [ "$1" = run ]; then limits=(--ulimit nofile=1024:1024 --ulimit nproc=2048:2048); fi
  podman --log-level error --runtime runc --cgroup-manager cgroupfs "$1" "${limits[@]}" "${@:2}"
}

# APP [FLAGS]
generate() { node dist/bin/phoenix-fly.js fly --dest "$1" --app shop --region lhr --write yes "${@:2}" >"$work/generate.log" 2>&1 || { cat "$work/generate.log"; false; }; }

# Base images under the names that APP's Dockerfile asks for
stand_ins() {
  local versions
  mapfile -t versions < <(for arg in ELIXIR_VERSION OTP_VERSION "$os" NODE_VERSION; do sed -n "s/^ARG $arg=//p" "$1/Dockerfile"; done)
  bash "$here/images.sh" "$base" "${versions[@]}" >"$work/images.log" 2>&1 || { tail -n 20 "$work/images.log"; false; }
}

# APP [buildah's options]; what it prints is in $work/build.log
build() { buildah build --pull-never --layers "${@:2}" "$1" >"$work/build.log" 2>&1; }

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
