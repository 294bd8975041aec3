#!/bin/sh
# A ring of 64 MB that goes around 20 times while nobody reads it, opened anew in between: are the files ever larger
# than the quota, and is every record either there or told as lost, exactly, of each tag? Writes docs/figures/wrap.md.
# SIZE (64MB), TIMES (20); BIN names a directory with store-bench, if it is there already.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
size=${SIZE:-64MB}
times=${TIMES:-20}
work=$(mktemp -d "${TMPDIR:-/tmp}/wrap.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$root"
if [ -z "${BIN:-}" ]; then
    scripts/release -q --product store-bench
    BIN=$(scripts/release --show-bin-path)
fi

"$BIN/store-bench" wrap "$times" "$size" "$work/store" > "$work/seen" || { cat "$work/seen" >&2; exit 1; }
value() { sed "s/.*\\b$1 \\([^ ]*\\).*/\\1/" "$work/seen"; }
mkdir -p docs/figures
{
    echo '# A ring that goes around and around'
    echo
    echo "Written by \`bench/wrap.sh\`: a ring of $size, a consumer that reads nothing, machine data of 200 tags and texts of 300"
    echo "more that hardly compress, recorded until the ring has been overwritten $times times. Every 1,000 writes the store is"
    echo 'dropped without a word and opened again. After each write the files are measured; in the end all that is still'
    echo 'there is read, and of each tag it is counted what was delivered and what a loss record tells.'
    echo
    echo '| what | seen |'
    echo '|---|---|'
    echo "| times around | $(value rounds | cut -c1-5) |"
    echo "| openings | $(value openings) |"
    echo "| most bytes of all files and the directory, by their length | $(value most_bytes) of $(value quota) |"
    echo "| the same, as the disk counts them | $(value most_blocks) of $(value quota) |"
    echo "| records appended, of $(value tags) tags | $(value appended) |"
    echo "| delivered | $(value delivered) |"
    echo "| told as lost | $(value told) |"
    echo "| delivered + told = appended, of each tag | $(value exact) |"
} > docs/figures/wrap.md
cat docs/figures/wrap.md
