#!/usr/bin/env bash
# Fails when hack/update-codegen.sh would change something.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

generated=(pkg/apis pkg/generated artifacts/development)
cp -r "$root/go.mod" "$root/go.sum" "$copy"
mkdir -p "$copy/hack" "$copy/artifacts"
cp -r "$root/pkg" "$copy"
cp -r "$root/hack/boilerplate.go.txt" "$root/hack/models-schema" "$copy/hack"

"$root/hack/update-codegen.sh" "$copy"

stale=0
for path in "${generated[@]}"; do
  diff -ruN "$root/$path" "$copy/$path" || stale=1
done
if [[ $stale -ne 0 ]]; then
  echo "generated files are out of date: run hack/update-codegen.sh" >&2
  exit 1
fi
