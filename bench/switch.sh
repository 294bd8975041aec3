#!/bin/sh
# Turns the key on a real GPIO driver in the test kernel (scripts/kernel), with faults by seed and a packet
# stream each way; writes docs/figures/switch.md. Argument: the build directory. TURNS (default 520), SEED (1).
# Twenty turns a kernel: user-mode Linux now and then faults for ever when a chip is taken away whose lines are in use.
# Then the same twenty are begun anew, at most five times, and the table says how often.
set -eu

bin=${1:-$("$(dirname "$0")/../scripts/release" --show-bin-path)}
root=$(cd "$(dirname "$0")/.." && pwd)
turns=${TURNS:-520}
seed=${SEED:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

hung=0
chunks=$(((turns + 19) / 20))
for chunk in $(seq "$chunks"); do
    echo "bench: turns $((20 * chunk - 19)) to $((20 * chunk)) of $((20 * chunks))" >&2
    for attempt in 1 2 3 4 5 6; do
        status=0
        "$root/scripts/kernel/run" -g 8,3=vpn-switch -t 120 -- \
            "$bin/drawbridge-site" turns --count 20 --seed $((seed + chunk - 1)) > "$work/turns-$chunk" || status=$?
        [ "$status" = 124 ] || break
        hung=$((hung + 1))
    done
    [ "$status" = 0 ] || { cat "$work/turns-$chunk" >&2; echo "switch: seed $((seed + chunk - 1)) ended with $status" >&2; exit 1; }
done
turns=$((20 * chunks))
# The rows of all kernels: turns and those too late summed, the worst of the delays.
cat "$work"/turns-* | awk -F' *[|] *' '
    function ms(text) { split(text, part, " "); return part[2] == "s" ? part[1] * 1000 : part[1] + 0 }
    $3 == "turns" { header = $0; next }
    /^.---/ { rule = $0; next }
    { if (!($2 in sum)) order[++rows] = $2
      sum[$2] += $3; late[$2] += $6; allowed[$2] = $5
      if (ms($4) >= worst[$2]) { worst[$2] = ms($4); shown[$2] = $4 } }
    END { print header; print rule
          for (row = 1; row <= rows; row++) { name = order[row]
              print "| " name " | " sum[name] " | " shown[name] " | " allowed[name] " | " late[name] " |" } }' > "$work/turns"
kernel=$("$root/scripts/kernel/run" -t 60 -- uname -sr)

mkdir -p "$root/docs/figures"
{
    echo '# The key on a real GPIO driver'
    echo
    echo 'Written by `bench/switch.sh`, not by hand.'
    echo
    echo 'The daemon, the real libgpiod and the kernel'"'"'s `gpio-sim` driver, with 300 packets a second each way'
    echo "through the gate (a cable stands for the tunnel). $turns turns, twenty a kernel, seeds from $seed on; $hung times the"
    echo 'user-mode kernel itself hung and the twenty were begun anew. The time runs from just before'
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
