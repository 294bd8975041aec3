#!/bin/sh
# Measures our rules beside no firewall, ufw and firewalld; writes docs/figures/firewall.md. Needs root and
# bench/setup.sh. Argument: the build directory. ROUNDS (default 7) says how often each has its turn.
set -eu

bin=${1:-$("$(dirname "$0")/../scripts/release" --show-bin-path)}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp)
trap 'rm -f "$work"' EXIT
load() { cut -d' ' -f1-3 /proc/loadavg; }

before=$(load)
"$bin/drawbridge-site" firewall --rounds "${ROUNDS:-7}" > "$work"
after=$(load)
mkdir -p "$root/docs/figures"
{
    echo '# The firewall beside others'
    echo
    echo 'Written by `bench/firewall.sh`, not by hand.'
    echo
    echo 'One stream of small UDP packets from the office host through the router of the emulated site to the machine, 100,000 a'
    echo 'round, which an exception allows (for ufw a route rule, for firewalld a rich rule of a policy). On cables between namespaces'
    echo 'the sender'"'"'s thread does all the work of a packet'"'"'s way, so its processor time is what the packet costs: median of'
    echo "${ROUNDS:-7} rounds, in which each firewall had its turn. Our exceptions are looked up for every packet, so that one that is"
    echo 'taken away ends its connections; the others let pass what has begun.'
    echo 'For the reloads see also `reload.md`: the same streams, with our rules.'
    echo
    cat "$work"
    echo
    echo "$(uname -srm), $(nproc) processors, shared with other work: load $before before, $after after."
    echo "ufw $(dpkg-query -W -f '${Version}' ufw), firewalld $(dpkg-query -W -f '${Version}' firewalld)."
    date -u '+%Y-%m-%d'
} > "$root/docs/figures/firewall.md"
cat "$root/docs/figures/firewall.md"
