#!/bin/sh
# Fuzzes the router of an emulated site in each state, scans all its ports, and writes docs/figures/closed.md. Argument:
# the build directory. COUNT (default 125000) frames come from either side in each of the five states that count.
set -eu

bin=${1:-$("$(dirname "$0")/../scripts/release" --show-bin-path)}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
load() { cut -d' ' -f1-3 /proc/loadavg; }

before=$(load)
"$bin/drawbridge-site" closed --count "${COUNT:-125000}" > "$work/fuzz"
"$bin/drawbridge-site" scan > "$work/scan"
after=$(load)
mkdir -p "$root/docs/figures"
{
    echo '# Closed: fuzzing and scanning'
    echo
    echo 'Written by `bench/closed.sh`, not by hand. Crossed: seen on any other side of the router. Answered: any IP packet of'
    echo 'the router back to the sender.'
    echo
    echo '## Frames from the office host and from the machine'
    echo
    echo 'All protocols, spoofed senders, fragments, source routes, IPv6 extension headers, ICMP errors, any TCP flags.'
    echo
    echo '| state | frames sent | arrived at the router | crossed | answered | what answered |'
    echo '|---|---|---|---|---|---|'
    cat "$work/fuzz"
    echo
    echo '## A scan from the office host: 65,535 TCP and 65,535 UDP ports'
    echo
    echo '| state | packets sent | arrived at the router | crossed | answered | what answered |'
    echo '|---|---|---|---|---|---|'
    cat "$work/scan"
    echo
    echo 'The daemon has a user of its own, as on a router: without nftables, routing rules keep the kernel silent (`docs/behaviour.md` §2.3).'
    echo
    echo "$(uname -srm), $(nproc) processors, shared with other work: load $before before, $after after."
    date -u '+%Y-%m-%d'
} > "$root/docs/figures/closed.md"
cat "$root/docs/figures/closed.md"
