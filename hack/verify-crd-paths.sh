#!/usr/bin/env bash
# Fails when the committed lists of the fields of Function Mesh's definitions are
# not what hack/update-crd-paths.sh derives from them. Takes the same environment.
set -euo pipefail

if [[ -z ${FUNCTION_MESH_CRDS:-} ]]; then
  echo "FUNCTION_MESH_CRDS names no definitions of Function Mesh: the committed lists were not compared with any"
  exit 0
fi
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

"$root/hack/update-crd-paths.sh" "$fresh"
for kind in function source sink; do
  if ! diff -u "$root/pkg/translation/testdata/$kind-crd-paths.txt" "$fresh/$kind-crd-paths.txt"; then
    echo "The list is out of date: run hack/update-crd-paths.sh" >&2
    exit 1
  fi
done
