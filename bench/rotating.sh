#!/bin/sh
# Moves the cloud every five seconds under live connections; writes docs/figures/rotating.md. Argument: the
# build directory. SECONDS_LONG (default 300) says for how long.
set -eu

bin=${1:-$("$(dirname "$0")/../scripts/release" --show-bin-path)}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp)
trap 'rm -f "$work"' EXIT
load() { cut -d' ' -f1-3 /proc/loadavg; }

before=$(load)
"$bin/drawbridge-site" rotating --seconds "${SECONDS_LONG:-300}" > "$work"
after=$(load)
mkdir -p "$root/docs/figures"
{
    echo '# A cloud that moves'
    echo
    echo 'Written by `bench/rotating.sh`, not by hand.'
    echo
    echo 'In the emulated site the cloud'"'"'s names have another address every 5 s, with a time to live of 2 s; old addresses go on'
    echo 'working. Live sessions: the daemon'"'"'s own MQTT session and three more MQTT clients over TLS on the router. Cut: sessions'
    echo 'that the broker saw begin again. Beside them a TLS connection by name begins every quarter of a second, and ends after'
    echo 'its handshake.'
    echo
    cat "$work"
    echo
    echo "$(uname -srm), $(nproc) processors, shared with other work: load $before before, $after after."
    date -u '+%Y-%m-%d'
} > "$root/docs/figures/rotating.md"
cat "$root/docs/figures/rotating.md"
