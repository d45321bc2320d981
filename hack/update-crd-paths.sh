#!/usr/bin/env bash
# Derives the committed lists of the fields of Function Mesh's definitions from the
# definitions themselves.
#
#   FUNCTION_MESH_CRDS=DIRECTORY hack/update-crd-paths.sh [OUTPUT_DIRECTORY]
#
# The directory holds compute.functionmesh.io_functions.yaml and those of sources and
# sinks, as Function Mesh ships them in config/crd/bases.
set -euo pipefail

if [[ -z ${FUNCTION_MESH_CRDS:-} ]]; then
  echo "FUNCTION_MESH_CRDS names no definitions of Function Mesh: the committed lists stay as they are"
  exit 0
fi
crds=$(cd "$FUNCTION_MESH_CRDS" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-pkg/translation/testdata}

for kind in function source sink; do
  go run ./hack/crdpaths/print "$crds/compute.functionmesh.io_${kind}s.yaml" >"$out/$kind-crd-paths.txt.new"
  mv "$out/$kind-crd-paths.txt.new" "$out/$kind-crd-paths.txt"
done
