#!/bin/sh
# Breaks uplinks under a LAN client's stream of 100 datagrams a second through the router, and counts: prints tables and
# writes them to docs/figures/failover.md, the shortest of them into the README. Argument: the build directory (default: the release build's). 25 minutes.
# ROUNDS (default 20) says how often each fault is repeated, SECONDS_EACH (default 600) how long each trouble lasts,
# SIDE_BY_SIDE (default 16) how many sites stand at once: each is a set of network namespaces of its own. The rivals, which
# bench/setup.sh installs, run in the same wave.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
bin=${1:-$(scripts/release --show-bin-path)}
rounds=${ROUNDS:-20}
seconds=${SECONDS_EACH:-600}
width=${SIDE_BY_SIDE:-16}
mkdir -p docs/figures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The cable and the running connections by themselves: theirs are milliseconds.
measure() { "$bin/drawbridge-site" failover --rounds "$rounds" --seconds "$seconds" "$@" >> "$work/rows"; }
: > "$work/rows"
failed=
begun=$(date +%s)
measure --only cable || failed=1
measure --only flows --side-by-side 3 || failed=1
measure --only silent --only return --only rivals --side-by-side "$width" || failed=1
measure --only trouble --only quality --side-by-side "$width" || failed=1
minutes=$((($(date +%s) - begun) / 60))
rows() { sed -n "s/^$1 | /| /p" "$work/rows"; }
{
    echo '# Failover, measured'
    echo
    echo 'Written by `bench/failover.sh`. Emulated sites in network namespaces on one machine: LAN client, router with'
    echo 'the daemon and its whole firewall, three providers, a service that sends every datagram back;'
    echo '100 datagrams a second through the address translation, over one and the same UDP connection. Round trips of 0.1 ms.'
    echo "Up to $width sites side by side, $minutes minutes in all. $(nproc) processors, load" \
        "$(cut -d' ' -f1-3 /proc/loadavg) at the end, kernel $(uname -r), $(date -u +%F)."
    echo 'Figures are medians (worst). Routes and carriers: by a listener in the router, of the kernel'"'"'s own words.'
    echo
    echo '## Silent failures'
    echo
    echo 'Packets vanish upstream; link and gateway stay. "Until it works": from just before'
    echo 'the fault to the first datagram that came back after those that it cost. Here the preferred uplink is held for 3 s after'
    echo 'its first answer, and needs `successes` answers before that.'
    echo
    echo '| fault | n | until it works | datagrams lost | from repair to fail-back | lost at fail-back |'
    echo '|---|---|---|---|---|---|'
    rows silent
    echo
    echo '## Others, in the same run'
    echo
    echo 'The same silent failure, 5 times, and the time of 10 % random loss on the way to the router. dpinger is in no package'
    echo 'of Debian 12.'
    echo
    echo '| who | until it works | datagrams lost | switches at 10 % loss |'
    echo '|---|---|---|---|'
    rows rivals
    echo
    echo '## A pulled cable'
    echo
    echo 'From the kernel'"'"'s word that the carrier is gone: to its word that the new route stands, and to the first datagram that'
    echo 'came back after those that were lost (0: none was; the next one comes 10 ms later).'
    echo
    echo '| fault | n | new route, median | p99 | worst | until it works | datagrams lost |'
    echo '|---|---|---|---|---|---|---|'
    rows cable
    echo
    echo '## Back again'
    echo
    echo 'From the repair to the route'"'"'s return. The hold counts from the first answer, up to an interval after the repair.'
    echo
    echo '| setting | n | least … median (worst) | datagrams lost |'
    echo '|---|---|---|---|'
    rows return
    echo
    echo '## Running connections'
    echo
    echo 'A silent failure; times from the kernel'"'"'s word that the new route stands. "Left over": packets of the LAN that still went'
    echo 'out of the dead uplink from 300 ms later on, for 4 s.'
    echo
    echo '| translation | n | the running datagrams | a new connection | resting connections, reset | left over |'
    echo '|---|---|---|---|---|---|'
    rows flows
    echo
    echo '## Nothing is dead, or not for long'
    echo
    echo 'The loss is on the way to the router; what is lost by the line itself is counted, too. Random loss and stalls are'
    echo 'with `quality = false`: whether such a line is poor is another verdict, below.'
    echo
    echo '| trouble | time | switches | datagrams lost | share | longest row of lost ones |'
    echo '|---|---|---|---|---|---|'
    rows trouble
    echo
    echo '## A poor line'
    echo
    echo 'It works, but badly, and the second uplink works well. Lost: within 5 s after the return.'
    echo
    echo '| trouble | left after | back after its end | lost |'
    echo '|---|---|---|---|'
    rows quality
} > docs/figures/failover.md
cat docs/figures/failover.md
# Who, and until it works; the cable's rows have more columns before that one.
{
    echo "| the preferred uplink fails under a client's traffic | until it works again, median (worst) | datagrams lost, of 100 a second |"
    echo '|---|---|---|'
    rows silent | awk -F' *[|] *' '{ print "| Drawbridge, silent failure, " $2 " | " $4 " | " $5 " |" }'
    rows rivals | awk -F' *[|] *' '{ print "| " $2 ", the same failure | " $3 " | " $4 " |" }'
    rows cable | awk -F' *[|] *' '{ print "| Drawbridge, " $2 " | " $7 " | " $8 " |" }'
} > "$work/readme"
bench/into-readme.sh failover "$work/readme"
[ -z "$failed" ] || { echo "failover: some measurement failed; see above" >&2; exit 1; }
