#!/usr/bin/env bash
# Makes docs/fields.md of the table of fields, pkg/translation/testdata/fields.txt.
#
#   hack/update-fields.sh [OUTPUT_DIRECTORY]
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-docs}

go run ./hack/fieldtable/print pkg/translation/testdata/fields.txt >"$out/fields.md.new"
mv "$out/fields.md.new" "$out/fields.md"
