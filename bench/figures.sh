#!/bin/sh
# Measures the README's figures and writes them between its markers. Argument: the build directory.
# MINUTES (default 10) says how long the daemon works before its memory is read.
set -eu

bin=$1
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
minutes=${MINUTES:-10}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

strip -o "$work/drawbridge" "$bin/drawbridge"
size=$(stat -c %s "$work/drawbridge")

echo "bench: the story" >&2
"$bin/drawbridge-site" demo > "$work/story"
{
    echo '| promise | measured |'
    echo '|---|---|'
    sed -n '/^── Every promise/,$ s/^  [✓✗] \(.*[^ ]\)   *\([^ ].*\)$/| \1 | \2 |/p' "$work/story" | sed 's/   *|/ |/'
} > "$work/promises"
bench/into-readme.sh promises "$work/promises"

echo "bench: the footprint, $minutes minutes" >&2
{
    echo '| the released binary | measured |'
    echo '|---|---|'
    awk -v bytes="$size" 'BEGIN { printf "| size, stripped | %.1f MB |\n", bytes / 1e6 }'
    "$bin/drawbridge-site" footprint --daemon "$work/drawbridge" --minutes "$minutes"
} > "$work/footprint"
bench/into-readme.sh footprint "$work/footprint"
cat "$work/promises" "$work/footprint"
