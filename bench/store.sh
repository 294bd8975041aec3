#!/bin/sh
# Measures the recorder's store beside others in one run, and writes docs/figures/store.md.
# As root: every store gets a file system of its own on a loop device, whose writes the kernel counts.
# SIZE (default 8GB) is the ring of the open and replay figures; RIVALS= (empty) leaves the others out.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${1:-$("$root/scripts/release" --product store-bench --show-bin-path)/store-bench}
size=${SIZE:-8GB}
rivals=${RIVALS-"sqlite redis rocksdb"}
work=$(mktemp -d "${TMPDIR:-/tmp}/store-bench.XXXXXX")
out=$root/docs/figures/store.md
loop=
clean() {
    umount "$work/fs" 2>/dev/null || :
    [ -z "$loop" ] || losetup -d "$loop" 2>/dev/null || :
    rm -rf "$work"
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
written() { sync -f "$work/fs"; awk '{ print $7 * 512 }' "/sys/block/${loop#/dev/}/stat"; }
value() { sed "s/.*\\b$2 \\([0-9.]*\\).*/\\1/" "$1"; }
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }

mkdir -p "$root/docs/figures"
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

echo "bench: filling a ring of $size" >&2
umount "$work/fs"; losetup -d "$loop"; loop=; rm -f "$work/image"; mkdir -p "$work/full"
"$bin" fill "$size" "$work/full" >&2
rm -f "$work/opens"
for n in 1 2 3 4 5 6 7 8 9; do
    sync
    for file in "$work/full"/*; do dd if="$file" iflag=nocache count=0 status=none; done
    "$bin" open "$size" "$work/full" >> "$work/opens"
done
median() { sed "s/.*\\b$1 \\([0-9.]*\\).*/\\1/" "$work/opens" | sort -n | sed -n 5p; }
"$bin" replay "$size" "$work/full" > "$work/figures"
bytes=$(du -sb "$work/full" | cut -f1)
{
    echo
    echo "A full ring of $size ($bytes bytes on disk, all files):"
    echo
    echo '| figure | measured |'
    echo '|---|---|'
    echo "| open, page cache dropped, median of 9 | $(median open_ms | cut -c1-6) ms |"
    echo "| … until the first new record is on flash | $(median accept_ms | cut -c1-6) ms |"
    echo "| memory (peak RSS) of opening | $(median rss_kb) kB |"
    echo "| stored blocks read and checked | $(awk "BEGIN { printf \"%d\", $(value "$work/figures" stored_bytes) / $(value "$work/figures" stored_s) / 1e6 }") MB/s |"
    echo "| memory (peak RSS) of reading everything | $(value "$work/figures" rss_kb) kB |"
} >> "$out.new"
mv "$out.new" "$out"
cat "$out"
