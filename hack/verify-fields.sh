#!/usr/bin/env bash
# Fails when docs/fields.md is not what hack/update-fields.sh makes of the table.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

"$root/hack/update-fields.sh" "$fresh"
if ! diff -u "$root/docs/fields.md" "$fresh/fields.md"; then
  echo "docs/fields.md is out of date: run hack/update-fields.sh" >&2
  exit 1
fi
