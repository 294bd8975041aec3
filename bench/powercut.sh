#!/bin/sh
# 1,000 simulated power cuts by seed, with torn, reordered and dropped sectors, and every byte of a small store
# flipped, one at a time. Writes docs/figures/powercut.md. CUTS (default 1000) says how many.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cuts=${CUTS:-1000}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cd "$root"
swift build --build-tests -q
export DRAWBRIDGE_POWER_CUTS="$cuts" DRAWBRIDGE_ALL_BYTES=1
swift test --skip-build --no-parallel --filter 'RecorderTests\.(PowerCutTests|DamageTests)' > "$log" 2>&1 || {
    grep -a '✘' "$log" | head -n 20 >&2
    exit 1
}
mkdir -p docs/figures
{
    echo '# Power cuts and flipped bytes'
    echo
    echo 'Written by `bench/powercut.sh`: the store on a simulated disk that keeps, drops, tears and reorders what was'
    echo 'not synced, sector by sector, and loses its power in the middle of commits, sealing, overwriting and opening.'
    echo
    grep -a '^power cuts:\|^bytes flipped:' "$log" | sed 's/^/* /'
} > docs/figures/powercut.md
cat docs/figures/powercut.md
