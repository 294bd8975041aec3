#!/bin/sh
# Fuzzes the router of an emulated site in each state and writes docs/figures/closed.md. Argument: the build
# directory. COUNT (default 250000) frames come from either side in each of the four states that count.
set -eu

bin=$1
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$root/docs/figures"
work=$(mktemp)
trap 'rm -f "$work"' EXIT
"$bin/drawbridge-site" closed --count "${COUNT:-250000}" > "$work"
{
    echo '# Closed: fuzzing from the office host and from the machine'
    echo
    echo "Written by \`bench/closed.sh\` on Linux $(uname -r | cut -d. -f1-2), $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)."
    echo 'Frames of all protocols, spoofed senders, fragments, source routes, IPv6 extension headers, ICMP errors, any TCP'
    echo 'flags. Crossed: seen on any other side of the router. Answered: any IP packet back to the sender.'
    echo
    echo '| state | frames sent | arrived at the router | crossed | answered |'
    echo '|---|---|---|---|---|'
    cat "$work"
} > "$root/docs/figures/closed.md"
cat "$root/docs/figures/closed.md"
