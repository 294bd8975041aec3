#!/bin/sh
# Breaks uplinks under a LAN client's stream of 100 datagrams a second through the router, and counts: prints a table and
# writes it to docs/figures/failover.md. Argument: the build directory (default: the release build's).
# ROUNDS (default 20) says how often each fault is repeated, SECONDS_EACH (default 600) how long each trouble lasts.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
bin=${1:-$(scripts/release --show-bin-path)}
rounds=${ROUNDS:-20}
seconds=${SECONDS_EACH:-600}
mkdir -p docs/figures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$bin/drawbridge-site" failover --rounds "$rounds" --only silent --only cable | tee "$work/failures"
"$bin/drawbridge-site" failover --seconds "$seconds" --only trouble | tee "$work/trouble"
{
    echo '# Failover, measured'
    echo
    echo 'Written by `bench/failover.sh`. An emulated site in network namespaces on one machine: LAN client, router with'
    echo 'the daemon and its whole firewall, three providers, a service that sends every datagram back;'
    echo '100 datagrams a second through masquerade, over one and the same UDP connection. Round trips of 0.1 ms.'
    echo "$(nproc) processors, load $(cut -d' ' -f1-3 /proc/loadavg) at the end, kernel $(uname -r), $(date -u +%F)."
    echo
    echo '## Failures and returns'
    echo
    echo 'Medians (worst). "silent": packets vanish upstream, link and gateway stay. "Until it works": from just before'
    echo 'the fault to the first datagram that came back after those that it cost. The preferred uplink is held for 3 s after its'
    echo 'first answer, and needs `successes` answers before that.'
    echo
    echo '| fault | n | until it works | datagrams lost | from repair to fail-back | lost at fail-back |'
    echo '|---|---|---|---|---|---|'
    cat "$work/failures"
    echo
    echo '## Nothing is dead, or not for long'
    echo
    echo 'The loss is on the way to the router; what is lost by the line itself is counted, too.'
    echo
    echo '| trouble | switches | datagrams lost | share |'
    echo '|---|---|---|---|'
    cat "$work/trouble"
} > docs/figures/failover.md
cat docs/figures/failover.md
