#!/bin/sh
# Exchanges the rules under a flood of packets; writes docs/figures/reload.md. Argument: the build directory.
# COUNT (default 1500) exchanges our way, OTHERS (default 300) in ways that leak.
set -eu

bin=${1:-$("$(dirname "$0")/../scripts/release" --show-bin-path)}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp)
trap 'rm -f "$work"' EXIT
load() { cut -d' ' -f1-3 /proc/loadavg; }

before=$(load)
"$bin/drawbridge-site" reload --count "${COUNT:-1500}" --others "${OTHERS:-300}" > "$work"
after=$(load)
mkdir -p "$root/docs/figures"
{
    echo '# Exchanging the rules under a flood'
    echo
    echo 'Written by `bench/reload.sh`, not by hand.'
    echo
    echo 'The router of the emulated site, without a daemon: only the rules hold anything back. Two rulesets, as the daemon would'
    echo 'load them (`drawbridge firewall show`), are exchanged by `nft -f` one after the other. An office host sends packets to'
    echo 'the machine that neither allows, as many as this machine can send beside everything else, and 20,000 a second that'
    echo 'both allow. Leaked: denied packets that the machine'"'"'s kernel counts. Lost: allowed ones that the router counted before all'
    echo 'rules and not behind them (with `flush ruleset`, which throws the counters away: of those sent, counted at the machine).'
    echo 'The other two ways show that the measurement sees leaks: the same rules without our written `drop` at the end of each chain.'
    echo
    cat "$work"
    echo
    echo "$(uname -srm), $(nproc) processors, shared with other work: load $before before, $after after."
    date -u '+%Y-%m-%d'
} > "$root/docs/figures/reload.md"
cat "$root/docs/figures/reload.md"
