#!/bin/sh
# Turns the key on a real GPIO driver in the test kernel (scripts/kernel), with faults by seed and a packet
# stream each way; writes docs/figures/switch.md. Argument: the build directory. TURNS (default 520), SEED (1).
set -eu

bin=$1
root=$(cd "$(dirname "$0")/.." && pwd)
turns=${TURNS:-520}
seed=${SEED:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$root/scripts/kernel/run" -g 8,3=vpn-switch -t 3600 -- \
    "$bin/drawbridge-site" turns --count "$turns" --seed "$seed" > "$work/turns"
kernel=$("$root/scripts/kernel/run" -t 60 -- uname -sr)

mkdir -p "$root/docs/figures"
{
    echo '# The key on a real GPIO driver'
    echo
    echo 'Written by `bench/switch.sh`, not by hand.'
    echo
    echo 'The daemon, the real libgpiod and the kernel'"'"'s `gpio-sim` driver, with 300 packets a second each way'
    echo "through the gate (a cable stands for the tunnel). $turns turns, seed $seed. The time runs from just before"
    echo 'the key was turned off (or the daemon stopped) to the last packet either way, before the key was on again.'
    echo 'After each turn the gate had to open again within 20 s. Allowed is the debounce time and 5 ms, and in'
    echo 'addition the lease where the daemon is stopped, and one look at the line where the chip is taken away, which'
    echo 'this kernel does not tell a waiting program.'
    echo
    cat "$work/turns"
    echo
    echo "User-mode $kernel on $(uname -srm), $(nproc) processors, shared with other work: load $(cut -d' ' -f1-3 /proc/loadavg)."
    date -u '+%Y-%m-%d'
} > "$root/docs/figures/switch.md"
cat "$root/docs/figures/switch.md"
