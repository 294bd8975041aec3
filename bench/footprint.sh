#!/bin/sh
# What the released daemon needs while it works, beside the same router put together from Debian's packages: in the
# emulated site, three uplinks asked once a second, 200 values read once a second, the VPN up. Writes
# docs/figures/footprint.md. Argument: the build directory (default: the release build's).
# MINUTES (default 5) says how long each works, ROUNDS (default 2) how often both take turns, TURNS (default 3) how often
# the daemon works with each interval: what a wake-up costs on a shared machine differs from start to start.
# bench/setup.sh installs the rival.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
bin=${1:-$(scripts/release --show-bin-path)}
minutes=${MINUTES:-5}
rounds=${ROUNDS:-2}
turns=${TURNS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
strip -o "$work/drawbridge" "$bin/drawbridge"

load() { cut -d' ' -f1-3 /proc/loadavg; }
before=$(load)
for round in $(seq "$rounds"); do
    echo "bench: round $round of $rounds, $((2 * minutes)) minutes" >&2
    "$bin/drawbridge-site" footprint --daemon "$work/drawbridge" --minutes "$minutes" --tags 200 --threads \
        > "$work/ours-$round"
    "$bin/drawbridge-site" footprint --rival --minutes "$minutes" > "$work/rival-$round"
done
for turn in $(seq "$turns"); do
    for interval in 1000 100; do
        echo "bench: uplinks asked each $interval ms, turn $turn of $turns, $minutes minutes" >&2
        "$bin/drawbridge-site" footprint --daemon "$work/drawbridge" --minutes "$minutes" --starts 1 \
            --interval "$interval" --threads > "$work/probing-$interval-$turn"
    done
done
after=$(load)

# The rows of all rounds side by side.
table() {
    paste -d'\t' "$work/$1"-* | awk -F'\t' -v n="$rounds" '
        { split($1, first, " \\| "); printf "%s", first[1]
          for (i = 1; i <= n; i++) { split($i, parts, " \\| "); figure = parts[2]; sub(/ \|$/, "", figure)
              printf " | %s", figure }
          print " |" }'
}
header() {
    echo "| | $(seq -s ' | ' -f 'round %g' "$rounds") |"
    echo "|---|$(seq "$rounds" | sed 's/.*/---|/' | tr -d '\n')"
}
installed() { dpkg-query -W -f '${Installed-Size}\n' "$@" | awk '{ s += $1 } END { printf "%.1f MB", s * 1024 / 1e6 }'; }
package=$(ls .build/deb/drawbridge_*.deb 2>/dev/null || :)

mkdir -p docs/figures
{
    echo '# Footprint, beside the same router from Debian packages'
    echo
    echo 'Written by `bench/footprint.sh`, not by hand. The emulated site: three uplinks asked once a second, 200 float'
    echo "registers of one machine read once a second and delivered over TLS, the VPN up. Each worked for $minutes minutes in turn,"
    echo 'and is measured after the first tenth of it. No reader of the status meanwhile.'
    echo
    echo '## Drawbridge'
    echo
    header
    # Threads come and go: those of the last round.
    for round in $(seq "$rounds"); do grep -v '^| thread' "$work/ours-$round" > "$work/main-$round"; done
    table main
    echo
    if [ -n "$package" ]; then
        printf 'The package is %.1f MB, ' "$(stat -c %s "$package" | awk '{ print $1 / 1e6 }')"
        printf '%.1f MB installed; ' "$(dpkg-deb -f "$package" Installed-Size | awk '{ print $1 * 1024 / 1e6 }')"
    fi
    printf 'the stripped binary %.1f MB.\n' "$(stat -c %s "$work/drawbridge" | awk '{ print $1 / 1e6 }')"
    echo
    echo '| its threads, last round | processor time |'
    echo '|---|---|'
    grep '^| thread' "$work/ours-$rounds" | sed 's/^| thread /| /'
    echo
    echo '## Asking the uplinks'
    echo
    echo "The shipped config: three uplinks, key switch, VPN, a few values of a machine once a second. Milliseconds a second, the median"
    echo "(least … most) of $turns starts."
    echo
    echo '| each uplink asked | 1 time a second | 10 times a second |'
    echo '|---|---|---|'
    figure() {
        awk -F'|' -v row="$2" 'index($2, row) == 2 { print $3 + 0; nextfile }' "$work/probing-$1"-* | sort -n \
            | awk '{ v[NR] = $1 } END { printf " %s (%s … %s) ", v[int((NR + 1) / 2)], v[1], v[NR] }'
    }
    for row in 'processor time while it works' 'thread `reactor`'; do
        echo "| $row |$(figure 1000 "$row")|$(figure 100 "$row")|"
    done
    echo
    echo '## The rival'
    echo
    echo 'What Debian 12 has for each task: `lsm` (pings each uplink once a second, a script moves the route), `dnsmasq` (answers'
    echo 'listed names, puts their addresses into a firewall set), a fixed `nft` ruleset, `collectd` (its `modbus` and `mqtt`'
    echo 'plugins), `mosquitto` (keeps readings on disk each second, bridges them to the cloud over TLS with the same certificate), and the'
    echo 'same `openvpn`. It has no key switch, no supervision of its rules, no event log, no status, no order or ids of records,'
    echo 'no doctor and no config check. keepalived was left out: it moves addresses between routers, not traffic between uplinks.'
    echo 'PSS is better here than on a router: the site runs the same `mosquitto`, `dnsmasq` and `openvpn` as its cloud, and shares'
    echo 'their code.'
    echo
    header
    table rival
    echo
    echo "Installed: $(installed lsm collectd-core mosquitto dnsmasq-base) without libraries."
    echo
    echo "$(uname -srm), $(nproc) processors, shared with other work: load $before before, $after after; $(date -u +%F)."
} > docs/figures/footprint.md
cat docs/figures/footprint.md
