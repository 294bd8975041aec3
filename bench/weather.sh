#!/bin/sh
# Plays DAYS (100000) seeded days of weather over three uplinks with the production machines, from SEED (1) on, on JOBS
# processors (all); BIN names a directory with weather-bench, if it is there already. Stopped and started again it goes
# on where it was, unless the sources have changed: finished chunks
# stand in .build/weather. A broken promise is printed with its seed; `weather-bench SEED 1 0` tells what happened on that day.
# Writes docs/figures/weather.md, also when it is stopped.
set -eu

cd "$(dirname "$0")/.."
days=${DAYS:-100000}
seed=${SEED:-1}
jobs=${JOBS:-$(nproc)}
# Days of a chunk.
chunk=50
if [ -z "${BIN:-}" ]; then
    # Optimized as a whole (LTO): calls from one module into another take a fifth of its time.
    set -- --scratch-path .build/whole --experimental-lto-mode full
    scripts/release -q "$@" --product weather-bench
    BIN=$(scripts/release "$@" --show-bin-path)
fi
bench=$BIN/weather-bench
# What the simulated machines are made of, and nothing else of these rooms.
sources=$(find Sources/Base Sources/Uplinks Tests/Weather Tests/Support/SeededGenerator.swift bench/Weather \
    -name '*.swift' ! -path '*/Shell/*' ! -name '*Service.swift' ! -path '*/LAN/*' \
    ! -name UplinksStatus.swift ! -name CheckAnswer.swift ! -name FlowRules.swift ! -name RouteQuarrel.swift \
    | LC_ALL=C sort | xargs cat | sha256sum | cut -c1-12)
work=.build/weather/$sources
mkdir -p "$work" docs/figures
# A copy: the next build may replace it.
cp "$bench" "$work/weather-bench"
touch "$work/done" "$work/broken"

# One line for each chunk from $seed on that is within $days: what it printed last.
finished() { awk -v seed="$seed" -v end=$((seed + days)) '$2 >= seed && $2 + $4 <= end' "$work/done" | sort -u -k2,2n; }

page() {
    finished | awk -v of="$days" -v sources="$sources" '
        { days += $4; events += $6; switches += $8; broken += $10; cpu += $12
          if (!first || $2 < first) first = $2; if ($2 + $4 > last) last = $2 + $4 }
        END {
            if (!days) exit
            print "# Weather, simulated\n"
            printf "Written by `bench/weather.sh`: %d of %d seeded days over three uplinks (seeds %d to %d), ", days, of, first, last - 1
            printf "%d million events, %d switches, ", events / 1e6, switches
            printf "in %d s of processor time: %.1f days a second and processor. ", cpu / 1000, days * 1000 / cpu
            print broken ? "**Promises broken on " broken " days.**" : "Every promise kept."
            print "Sources: " sources ".\n"
        }' > "$work/head"
    [ -s "$work/head" ] || return 0
    {
        cat "$work/head"
        cat << 'EOF'
Each seed draws a climate: which faults there are, how often, and for how long. On every day: random loss (up to 60 %),
answers late (up to 5 s), silent outages, short stalls, pulled cables, dead targets (of one, two or three), and meddling
with the routing table. On every other day each: flaps, silent (1 to 16 s a phase) and of the carrier (0.5 to 8 s); an
interface removed and back under another index; no address, then another one; no gateway known; a target that limits its
answers; full queues (up to 3 s more); 5 s of latency; brown-outs (15 to 60 % loss); loss of only what goes out, or only
what comes in; lost netlink messages, made good by reading all anew (up to 2 s later). One day in four has two uplinks in
one subnet with the same gateway, one in four login pages that answer in the place of the internet, one in eight the watch over
quality, one in sixteen counted traffic; probes go out every
1 to 30 s. The machines know no wall clock, so steps of it are no weather.

Checked after every change: never two defaults of ours, never without a route, nothing down without evidence or while its
traffic is answered, never on an uplink known dead while another is good, nor for longer than 3 s (3.5 s where a mobile
network's silences are believed late) while others are made sure of, never on a worse one a second after a better one was
good for its hold; and at the end of each day, with the faults over, all are up and the preferred one carries again.
EOF
    } > docs/figures/weather.md
}

export bench="$work/weather-bench" work days
play() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    exec setsid xargs -r -P "$jobs" -L 1 sh -c '
        "$bench" "$0" "$1" > "$work/chunk.$0" || :
        grep "^seed" "$work/chunk.$0" | tee -a "$work/broken" || :
        grep "^from" "$work/chunk.$0" >> "$work/done"
        rm "$work/chunk.$0"
        echo "$(date +%T) $(awk "{ days += \$4; broken += \$10 } END { print days + 0, \"days played,\", broken + 0, \"broken\" }" "$work/done")"'
}

todo() {
    at=$seed
    finished | cut -d' ' -f2 > "$work/have"
    while [ "$at" -lt $((seed + days)) ]; do
        count=$((seed + days - at < chunk ? seed + days - at : chunk))
        echo "$at $count"
        at=$((at + count))
    done | awk -v have="$work/have" 'BEGIN { while ((getline line < have) > 0) done[line] = 1 } !($1 in done)'
}

todo > "$work/todo"
play < "$work/todo" &
player=$!
# The players are a group of their own.
trap 'kill -- "-$player" 2> /dev/null || :; wait "$player" 2> /dev/null || :; page; exit 130' INT TERM
wait "$player" || :
page
cat docs/figures/weather.md
grep -q 'Every promise kept' docs/figures/weather.md || { echo "weather: a promise was broken" >&2; exit 1; }
