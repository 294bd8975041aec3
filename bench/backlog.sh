#!/bin/sh
# Ten simulated hours offline, then the link is back, and is cut five times while the backlog is on its way.
# Prints what the cloud saw, and writes it to docs/figures/backlog.md. HOURS (10) and CUTS (5) may be set.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
# BIN names a directory with the programs, if they are there already.
bin=${BIN:-}
if [ -z "$bin" ]; then
    scripts/release -q
    bin=$(scripts/release --show-bin-path)
fi
case $bin in */debug) build=debug ;; *) build=release ;; esac
hours=${HOURS:-10}
cuts=${CUTS:-5}
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT

"$bin/drawbridge-site" backlog --hours "$hours" --cuts "$cuts" > "$rows"
mkdir -p docs/figures
{
    echo "# Live data first, and the backlog beside it"
    echo
    echo "Written by \`bench/backlog.sh\`: the emulated site, one uplink, $hours simulated hours offline (7 tags, once a"
    echo "second, written by the recorder itself), then the link returns and is cut $cuts times for 5 s while the"
    echo "backlog is on its way. One run of a $build build; $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg) at its end, kernel $(uname -r)."
    echo
    echo '| what | measured |'
    echo '|---|---|'
    cat "$rows"
    echo
    echo "Memory is the daemon's \`VmRSS\`, \`VmHWM\` and \`RssAnon\`. In the site a library is preloaded into it that plays"
    echo "the GPIO chip and asks for Swift's shared library; the released binary has its own inside."
} > docs/figures/backlog.md
cat docs/figures/backlog.md
