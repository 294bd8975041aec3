#!/bin/sh
# Power cuts. PARTS says which ("kernel simulated"):
#   kernel      ROUNDS (50) cuts of the recorder in a Linux kernel of its own (scripts/kernel): docs/figures/powercut.md
#   simulated   CUTS (1000) simulated ones by seed, with torn, reordered and dropped sectors, and every byte of a small
#               store flipped, one at a time: docs/figures/powercut-simulated.md
# SEED (1); BIN names a directory with store-bench, if it is there already.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
parts=${PARTS:-kernel simulated}
cuts=${CUTS:-1000}
rounds=${ROUNDS:-50}
work=$(mktemp -d "${TMPDIR:-/tmp}/powercut.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$root"
mkdir -p docs/figures

kernel() {
    if [ -z "${BIN:-}" ]; then
        scripts/release -q --product store-bench
        BIN=$(scripts/release --show-bin-path)
    fi
    scripts/kernel/build > /dev/null

    # The recorder on ext4, on a disk of its own: whatever its kernel has not written when it is killed is gone. What the
    # recorder has promised until then stands in $work/told, and the next round holds it to that.
    truncate -s 64M "$work/disk"
    mkfs.ext4 -q -F -E lazy_itable_init=0,lazy_journal_init=0 "$work/disk"
    : > "$work/told"
    : > "$work/checked"
    seed=${SEED:-1}
    round=0
    while [ "$round" -le "$rounds" ]; do
        : > "$work/pid"
        : > "$work/out"
        scripts/kernel/run -d "$work/disk" -p "$work/pid" -t 180 -- bash -c \
            "mkdir -p /mnt/d && mount -t ext4 /dev/ubda /mnt/d && exec '$BIN/store-bench' cut $((seed + round)) 8MB /mnt/d/store '$work/told'" \
            > "$work/out" 2> "$work/error" &
        machine=$!
        until grep -q '^ready' "$work/out"; do
            sleep 0.1
            kill -0 $machine 2> /dev/null || { cat "$work/out" "$work/error" >&2; exit 1; }
        done
        # Anywhere in the first four seconds, by seed: in the middle of commits, sealing and overwriting.
        [ "$round" = "$rounds" ] || sleep "$(awk "BEGIN { srand($((seed + round))); printf \"%.3f\", 0.2 + 3.8 * rand() }")"
        kill -9 "$(cat "$work/pid")"
        wait $machine || :
        grep '^checked' "$work/out" | sed "s/^/round $round: /" | tee -a "$work/checked" >&2
        # The last line may be half a promise.
        sed '$d' "$work/out" >> "$work/told"
        round=$((round + 1))
    done
    last=$(tail -n 1 "$work/checked")
    value() { echo "$last" | sed "s/.*\\b$1 \\([^ ]*\\).*/\\1/"; }
    most() { sed "s/.*\\b$1 \\([0-9]*\\).*/\\1/" "$work/checked" | sort -n | tail -n 1; }
    version=$(scripts/kernel/run -t 60 -- uname -sr)
    {
        echo '# Power cuts in a kernel'
        echo
        echo 'Written by `bench/powercut.sh`, not by hand.'
        echo
        echo "The recorder on ext4 in user-mode $version (\`scripts/kernel\`): machine data all the time, a commit a second,"
        echo 'alarms at once, a ring of 8 MB that nobody empties. The kernel is killed at a random moment of the first four'
        echo 'seconds, and what it had not written is gone. Then the same disk again: at each start everything that was'
        echo "promised so far is looked for. Seed $seed, $(nproc) processors shared with other work, load $(cut -d' ' -f1 /proc/loadavg) at the end."
        echo
        echo '| what | seen |'
        echo '|---|---|'
        echo "| power cuts | $rounds |"
        echo "| alarms accepted, of them missing | $(value alarms), $(value 'alarms [0-9]* missing') |"
        echo "| samples committed and handed out, of them missing without a loss record | $(value samples), $(value 'samples [0-9]* missing') |"
        echo "| accepted samples that a cut took, at most | those of the last $(most gone_ms) ms |"
        echo "| loss records, because the ring went around | $(value losses) |"
        echo "| ids that name another record than before | $(value ids_of_others) |"
        echo "| records in order, each once | $(value in_order) |"
        echo "| starts that could not read the store | 0 of $((rounds + 1)) |"
    } > "$work/figures"
    # A promise that was not kept is no figure.
    [ "$(value 'alarms [0-9]* missing')" = 0 ] && [ "$(value 'samples [0-9]* missing')" = 0 ] \
        && [ "$(value ids_of_others)" = 0 ] && [ "$(value in_order)" = true ] || { cat "$work/figures" >&2; exit 1; }
    cat "$work/figures" > docs/figures/powercut.md
    cat docs/figures/powercut.md
}

simulated() {
    swift build --build-tests -q
    # A copy: the checkout can be built and tested meanwhile.
    cp "$(swift build --show-bin-path)/drawbridgePackageTests.xctest" "$work/tests"
    export DRAWBRIDGE_POWER_CUTS="$cuts" DRAWBRIDGE_ALL_BYTES=1
    "$work/tests" --testing-library swift-testing \
        --filter 'RecorderTests\.(PowerCutTests|DamageTests)' > "$work/log" 2>&1 || {
        grep -a '✘' "$work/log" | head -n 20 >&2
        exit 1
    }
    {
        echo '# Simulated power cuts and flipped bytes'
        echo
        echo 'Written by `bench/powercut.sh`, not by hand: the store on a simulated disk that keeps, drops, tears and reorders'
        echo 'what was not synced, sector by sector, and loses its power in the middle of commits, sealing, overwriting and'
        echo 'opening.'
        echo
        grep -a '^power cuts:\|^bytes flipped:' "$work/log" | sed 's/^/* /'
    } > docs/figures/powercut-simulated.md
    cat docs/figures/powercut-simulated.md
}

for part in $parts; do $part; done
