#!/bin/sh
# Plays RUNS (default 2000) seeded brown-outs of each kind with the production machines, by a virtual clock; writes
# docs/figures/brownout.md. Optimized: the same build as bench/weather.sh.
set -eu

cd "$(dirname "$0")/.."
runs=${RUNS:-2000}
mkdir -p docs/figures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
set -- -c release -Xswiftc -enable-testing --scratch-path .build/weather
swift build "$@" --build-tests -q
DRAWBRIDGE_BROWNOUTS=$runs swift test "$@" --skip-build --filter 'BrownOutTests' > "$work/out" 2>&1 || {
    tail -20 "$work/out" >&2
    exit 1
}
{
    echo '# Brown-outs, simulated'
    echo
    echo "Written by \`bench/brownout.sh\`: seeds 1 to $runs. A line with 1 probe a second begins to lose at random; another one is clean."
    echo 'How often it is left for being poor, with the settings as shipped.'
    echo
    echo '| time | loss | left |'
    echo '|---|---|---|'
    sed -n 's/^brownout: /| /p' "$work/out" | sed 's/$/ |/' | sort
} > docs/figures/brownout.md
cat docs/figures/brownout.md
