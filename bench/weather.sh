#!/bin/sh
# Plays DAYS (default 100000) seeded days of weather over three uplinks with the production machines, from SEED
# (default 1) on, on as many processors as there are. A day that breaks a promise prints its seed, and
# `DAYS=1 SEED=that bench/weather.sh` plays it again. Writes docs/figures/weather.md.
set -eu

cd "$(dirname "$0")/.."
days=${DAYS:-100000}
seed=${SEED:-1}
jobs=${JOBS:-$(nproc)}
mkdir -p docs/figures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Optimized, for speed; testable, for the tests.
set -- -c release -Xswiftc -enable-testing --scratch-path .build/weather
swift build "$@" --build-tests -q
begun=$(date +%s)
share=$(((days + jobs - 1) / jobs))
job=0
while [ "$job" -lt "$jobs" ]; do
    DRAWBRIDGE_WEATHER_DAYS=$share DRAWBRIDGE_WEATHER_SEED=$((seed + job * share)) \
        swift test "$@" --skip-build --filter 'UplinkWeatherTests.days' > "$work/$job" 2>&1 &
    pids="${pids:-} $!"
    job=$((job + 1))
done
failed=0
for pid in $pids; do wait "$pid" || failed=1; done
grep -ah 'seed [0-9]*:' "$work"/* | sort -u | head -20 || :
[ "$failed" = 0 ] || { echo "weather: a promise was broken" >&2; exit 1; }
{
    echo '# Weather, simulated'
    echo
    echo "Written by \`bench/weather.sh\`: $((share * jobs)) seeded days over three uplinks, from seed $seed, in $(($(date +%s) - begun)) s: every promise kept."
    echo
    echo 'Each seed draws its own rates of random loss, outages, pulled cables, stalls, dead targets, late answers and'
    echo 'meddling with the routing table, and a probe interval of 1 to 30 s. Checked after every change: never two'
    echo 'defaults of ours, never without a route, nothing down without evidence, never on an uplink known dead while'
    echo 'another is good, nor for longer than 3 s while others are made sure of, never on a worse one when a'
    echo 'better one was good for its hold; and back on the preferred one when the faults have ended.'
} > docs/figures/weather.md
cat docs/figures/weather.md
