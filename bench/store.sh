#!/bin/sh
# Measures the recorder's store. PARTS says what ("mixes full"):
#   mixes   beside other stores in one run: docs/figures/store.md; RIVALS= (empty) leaves the others out. As root: every
#           store gets a file system of its own on a loop device, whose writes the kernel counts.
#   full    a full ring of SIZE (8GB): opening it, reading all of it: docs/figures/store-full.md
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${1:-$("$root/scripts/release" --product store-bench --show-bin-path)/store-bench}
size=${SIZE:-8GB}
rivals=${RIVALS-"sqlite redis rocksdb"}
parts=${PARTS:-mixes full}
work=$(mktemp -d "${TMPDIR:-/tmp}/store-bench.XXXXXX")
out=$root/docs/figures/store.md
loop=
clean() {
    umount "$work/fs" 2>/dev/null || :
    [ -z "$loop" ] || losetup -d "$loop" 2>/dev/null || :
    rm -rf "$work" "$out.new"
}
trap clean EXIT
trap 'exit 130' INT TERM

# A fresh ext4 of this many megabytes at $work/fs.
fresh() {
    umount "$work/fs" 2>/dev/null || :
    [ -z "$loop" ] || losetup -d "$loop"
    rm -f "$work/image"
    truncate -s "$1M" "$work/image"
    loop=$(losetup -f --show "$work/image")
    mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 "$loop"
    mkdir -p "$work/fs"
    mount "$loop" "$work/fs"
    mkdir "$work/fs/store"
}
written() { sync -f "$work/fs"; awk '{ printf "%.0f\n", $7 * 512 }' "/sys/block/${loop#/dev/}/stat"; }
value() { sed "s/.*\\b$2 \\([0-9.]*\\).*/\\1/" "$1"; }
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }

mkdir -p "$root/docs/figures"
conditions="on $(nproc) cores, kernel $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"

mixes() {
{
    echo '# The store in figures'
    echo
    echo "Written by \`bench/store.sh\` on $(nproc) cores, kernel $(uname -r), load $(cut -d' ' -f1 /proc/loadavg)"
    echo 'at the start; other work shares the machine, so times are upper bounds and ratios count. Device bytes are'
    echo 'what reached a loop device with an ext4 of its own, journal and metadata included.'
    echo
    echo '1000 tags at 1 Hz, a durable commit for each second.'
    echo
    echo '| store | mix | samples | stored B/sample | device B/sample | samples/s | samples/CPU-s |'
    echo '|---|---|---|---|---|---|---|'
} > "$out.new"

row() { # name, mix, file with figures, device bytes
    n=$(value "$3" samples)
    echo "| $1 | $2 | $n | $(ratio "$(value "$3" stored)" "$n") | $(ratio "$4" "$n") |" \
        "$(awk "BEGIN { printf \"%d\", $n / $(value "$3" wall) }") |" \
        "$(awk "BEGIN { printf \"%d\", $n / $(value "$3" cpu) }") |" | tee -a "$out.new" >&2
}

for mix in standard noisy; do
    fresh 300
    # The ring is made and filled once, so that what is counted is the recycled state.
    "$bin" mix $mix 1000 300 64MB "$work/fs/store" > /dev/null
    before=$(written)
    "$bin" mix $mix 1000 2400 64MB "$work/fs/store" > "$work/figures"
    row "Drawbridge" $mix "$work/figures" $(($(written) - before))
done
fresh 300
before=$(written)
"$bin" mix standard 10000 100 64MB "$work/fs/store" > "$work/figures"
row "Drawbridge, 10,000 tags" standard "$work/figures" $(($(written) - before))

for rival in $rivals; do
    fresh 900
    before=$(written)
    if PATH="$root/.build/bench-venv/bin:$PATH" "$root/bench/rival.py" "$rival" "$work/fs/store" 300 > "$work/figures" 2> "$work/error"; then
        row "$rival" standard "$work/figures" $(($(written) - before))
    else
        echo "bench: $rival was left out: $(tail -n 1 "$work/error")" >&2
        echo "| $rival | not measured here | | | | | |" >> "$out.new"
    fi
done

{
    echo
    echo 'As fast as one thread goes, with a commit in each second of real time, for 20 s (standard mix, 64 MB). The last'
    echo 'column does not depend on what else the machine does: samples in a second of processor time, the kernel'"'"'s included.'
    echo
    echo '| tags | samples a write | samples/s | slowest commit | user ns/sample | kernel ns/sample | samples/CPU-s |'
    echo '|---|---|---|---|---|---|---|'
} >> "$out.new"
for each in 1000 10000; do
    fresh 300
    "$bin" ingest 10000 $each 20 64MB "$work/fs/store" > "$work/figures"
    n=$(value "$work/figures" samples)
    user=$(value "$work/figures" user)
    kernel=$(value "$work/figures" kernel)
    echo "| 10,000 | $each | $(awk "BEGIN { printf \"%d\", $n / $(value "$work/figures" wall) }") |" \
        "$(value "$work/figures" slowest_ms | cut -c1-5) ms |" \
        "$(awk "BEGIN { printf \"%d | %d | %d\", $user / $n * 1e9, $kernel / $n * 1e9, $n / ($user + $kernel) }") |" \
        | tee -a "$out.new" >&2
done
mv "$out.new" "$out"
cat "$out"
}

full() {
echo "bench: filling a ring of $size" >&2
if [ -n "$loop" ]; then
    umount "$work/fs"
    losetup -d "$loop"
    loop=
    rm -f "$work/image"
fi
mkdir -p "$work/full"
"$bin" fill "$size" "$work/full" >&2
rm -f "$work/opens"
for n in 1 2 3 4 5 6 7 8 9; do
    sync
    for file in "$work/full"/*; do dd if="$file" iflag=nocache count=0 status=none; done
    "$bin" open "$size" "$work/full" >> "$work/opens"
done
nth() { sed "s/.*\\b$1 \\([0-9.]*\\).*/\\1/" "$work/opens" | sort -n | sed -n "$2p" | cut -c1-5; }
"$bin" replay "$size" "$work/full" > "$work/figures"
bytes=$(du -sb "$work/full" | cut -f1)
cpu=$(value "$work/figures" cpu_s)
{
    echo '# A full ring'
    echo
    echo "Written by \`bench/store.sh\` $conditions at the start;"
    echo 'other work shares the machine, so times are upper bounds; processor time depends on it less.'
    echo
    echo "A ring of $size, full ($bytes bytes on disk, all files):"
    echo
    echo '| figure | measured |'
    echo '|---|---|'
    echo "| open, page cache dropped: median, best and worst of 9 | $(nth open_ms 5), $(nth open_ms 1), $(nth open_ms 9) ms |"
    echo "| of it processor time, median | $(nth cpu_ms 5) ms |"
    echo "| … until the first new record is on flash, median | $(nth accept_ms 5) ms |"
    echo "| memory (peak RSS) of opening | $(nth rss_kb 5) kB |"
    echo "| stored blocks read and checked | $(awk "BEGIN { printf \"%d\", $(value "$work/figures" stored_bytes) / $(value "$work/figures" stored_s) / 1e6 }") MB/s |"
    echo "| the same, in a second of processor time | $(awk "BEGIN { printf \"%d\", $(value "$work/figures" stored_bytes) / $cpu / 1e6 }") MB |"
    echo "| memory (peak RSS) of reading everything | $(value "$work/figures" rss_kb) kB |"
} > "$root/docs/figures/store-full.md"
cat "$root/docs/figures/store-full.md"
}

for part in $parts; do $part; done
