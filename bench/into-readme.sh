#!/bin/sh
# Replaces what stands between <!-- NAME --> and <!-- /NAME --> in the README by a file. Arguments: the name, the file.
set -eu

readme=$(cd "$(dirname "$0")/.." && pwd)/README.md
new=$(mktemp)
trap 'rm -f "$new"' EXIT
awk -v name="$1" -v file="$2" '
    index($0, "<!-- /" name " -->") { skip = 0 }
    !skip { print }
    index($0, "<!-- " name " -->") { skip = 1; while ((getline line < file) > 0) print line }
' "$readme" > "$new"
cat "$new" > "$readme"
