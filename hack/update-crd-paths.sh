#!/usr/bin/env bash
# Derives the committed list of the fields of Function Mesh's definitions from the
# definitions themselves.
#
#   FUNCTION_MESH_CRDS=DIRECTORY hack/update-crd-paths.sh [OUTPUT_DIRECTORY]
#
# The directory holds compute.functionmesh.io_functions.yaml, as Function Mesh
# ships it in config/crd/bases.
set -euo pipefail

: "${FUNCTION_MESH_CRDS:?must name the directory of the definitions of Function Mesh}"
crds=$(cd "$FUNCTION_MESH_CRDS" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-pkg/translation/testdata}

go run ./hack/crd-paths "$crds/compute.functionmesh.io_functions.yaml" >"$out/function-crd-paths.txt.new"
mv "$out/function-crd-paths.txt.new" "$out/function-crd-paths.txt"
