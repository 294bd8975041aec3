#!/bin/sh
# Kills the daemon while a change is on trial, and measures when the kernel takes it back; writes
# docs/figures/rollback.md. Argument: the build directory. ROUNDS (default 20) says how often.
set -eu

bin=${1:-$("$(dirname "$0")/../scripts/release" --show-bin-path)}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp)
trap 'rm -f "$work"' EXIT
load() { cut -d' ' -f1-3 /proc/loadavg; }

before=$(load)
"$bin/drawbridge-site" rollback --rounds "${ROUNDS:-20}" > "$work"
after=$(load)
mkdir -p "$root/docs/figures"
{
    echo '# A change that nobody confirms, with the daemon killed'
    echo
    echo 'Written by `bench/rollback.sh`, not by hand.'
    echo
    echo 'In the emulated site the config file opens `lan-to-wan` on a trial of 2 s, while the broker is silent, so that'
    echo 'nothing can prove it. The daemon is killed (SIGKILL) at a random moment of the trial. 5,000 packets a second from the'
    echo 'machine, which only the new rules allow, tell when they came into force (the first that arrives) and when the'
    echo 'kernel took them back (the last), by the receiving kernel'"'"'s time stamps. The target is ± 25 ms. The daemon is then'
    echo 'started again with the changed file still there: nothing may pass, and it must say that it was not confirmed.'
    echo
    cat "$work"
    echo
    echo "$(uname -srm), $(nproc) processors, shared with other work: load $before before, $after after."
    date -u '+%Y-%m-%d'
} > "$root/docs/figures/rollback.md"
cat "$root/docs/figures/rollback.md"
