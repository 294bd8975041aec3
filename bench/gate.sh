#!/bin/sh
# Measures how long packets pass after remote access is cut, and what passes while the daemon is restarted
# with the key off; writes docs/figures/gate.md. Argument: the build directory. CUTS (default 200) says
# how often each way is tried, RESTARTS (default 200) how often the daemon is restarted.
set -eu

bin=${1:-$("$(dirname "$0")/../scripts/release" --show-bin-path)}
root=$(cd "$(dirname "$0")/.." && pwd)
cuts=${CUTS:-200}
restarts=${RESTARTS:-200}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

load() { cut -d' ' -f1-3 /proc/loadavg; }

before=$(load)
echo "bench: $cuts cuts in each of six ways" >&2
"$bin/drawbridge-site" gate --count "$cuts" > "$work/cuts"
echo "bench: $restarts restarts with the key off" >&2
"$bin/drawbridge-site" restarts --count "$restarts" > "$work/restarts"
after=$(load)

mkdir -p "$root/docs/figures"
{
    echo '# The gate: how quickly remote access ends'
    echo
    echo 'Written by `bench/gate.sh`, not by hand.'
    echo
    echo '## From the cut to the last packet at the PLC'
    echo
    echo 'In the emulated site, 10,000 UDP packets a second are sent from the technician through the VPN'
    echo '(two OpenVPN processes and the router'"'"'s own) to the PLC. The time runs from the edge of the key'"'"'s'
    echo 'line, the signal, or the order, until the kernel of the PLC had its last packet; 0.00 ms: no packet'
    echo 'arrived after it. All six ways in one run.'
    echo
    cat "$work/cuts"
    echo
    echo '`ip link set down` is a command given to a waiting shell in the router. The management socket is'
    echo 'that of the VPN server: the router'"'"'s own belongs to the daemon. Where hogs take the processors, the'
    echo 'router'"'"'s OpenVPN gets its share like any other program, and fewer packets arrive before the cut.'
    echo
    echo '## What passes while the daemon is restarted with the key off'
    echo
    echo 'A cable stands for the tunnel, 2,000 UDP packets a second each way on one connection that had passed'
    echo 'before. The daemon is ended or killed at random moments, every fourth time with a new binary.'
    echo
    cat "$work/restarts"
    echo
    echo "$(uname -srm), $(nproc) processors, shared with other work: load $before before, $after after."
    date -u '+%Y-%m-%d'
} > "$root/docs/figures/gate.md"
cat "$root/docs/figures/gate.md"
