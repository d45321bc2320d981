#!/usr/bin/env bash
# Derives the committed list of the fields of Function Mesh's definitions from the
# definitions themselves.
#
#   FUNCTION_MESH_CRDS=DIRECTORY hack/update-crd-paths.sh [OUTPUT_DIRECTORY]
#
# The directory holds compute.functionmesh.io_functions.yaml, as Function Mesh
# ships it in config/crd/bases.
set -euo pipefail

if [[ -z ${FUNCTION_MESH_CRDS:-} ]]; then
  echo "FUNCTION_MESH_CRDS names no definitions of Function Mesh: the committed list stays as it is"
  exit 0
fi
crds=$(cd "$FUNCTION_MESH_CRDS" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-pkg/translation/testdata}

go run ./hack/crdpaths/print "$crds/compute.functionmesh.io_functions.yaml" >"$out/function-crd-paths.txt.new"
mv "$out/function-crd-paths.txt.new" "$out/function-crd-paths.txt"
