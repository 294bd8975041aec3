#!/bin/sh
# Our Modbus polling against two servers that others have written, in a network namespace of its own: are the values
# right, and what do 50 devices with 200 tags cost? Writes docs/figures/modbus.md. DEVICES (50), SECONDS_EACH (60).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
if [ "${1:-}" = --inside ]; then
    # In the namespace: only the loopback, and nothing of the machine's own network.
    ip link set lo up
    for server in pymodbus pymodbustcp; do
        "$VENV/bin/python" "bench/modbus/${server}_server.py" 5020 >"$ROWS.$server" 2>&1 &
        pid=$!
        trap 'kill $pid 2>/dev/null || :' EXIT
        # A busy machine needs a while to start it.
        for _ in $(seq 60); do
            "$VENV/bin/python" -c 'import socket; socket.create_connection(("127.0.0.1", 5020))' \
                2>/dev/null && break
            sleep 1
        done
        case $server in pymodbus) seconds=$SECONDS_EACH ;; *) seconds=0 ;; esac
        "$BIN/drawbridge-site" modbus --name "$server" --port 5020 --devices "$DEVICES" --ring "$RING" \
            --seconds "$seconds" >> "$ROWS" || { cat "$ROWS" "$ROWS.$server" >&2; exit 1; }
        kill $pid
        wait $pid 2>/dev/null || :
    done
    # Modbus RTU, over a line of two pseudo-terminals.
    "$VENV/bin/python" bench/modbus/pymodbus_serial.py "$ROWS.line" >"$ROWS.serial" 2>&1 &
    pid=$!
    for _ in $(seq 60); do [ -e "$ROWS.line" ] && break; sleep 1; done
    sleep 2
    "$BIN/drawbridge-site" modbus --name "pymodbus, RTU" --serial "$ROWS.line" --ring "$RING" >> "$ROWS" \
        || { cat "$ROWS" "$ROWS.serial" >&2; exit 1; }
    exit 0
fi

# BIN names a directory with the programs, if they are there already.
if [ -z "${BIN:-}" ]; then
    scripts/release -q
    BIN=$(scripts/release --show-bin-path)
fi
case $BIN in */debug) build=debug ;; *) build=release ;; esac
VENV=${VENV:-$root/.build/bench-venv}
[ -x "$VENV/bin/python" ] || python3 -m venv "$VENV"
"$VENV/bin/pip" -q install pymodbus pyserial pyModbusTCP
ROWS=$(mktemp)
RING=$(mktemp -d)
export BIN VENV ROWS RING DEVICES="${DEVICES:-50}" SECONDS_EACH="${SECONDS_EACH:-60}"
trap 'rm -rf "$ROWS" "$ROWS".* "$RING"' EXIT
if [ "$(id -u)" = 0 ]; then user=; else user=-r; fi
unshare $user -n "$0" --inside
mkdir -p docs/figures
{
    echo "# Modbus against servers that others have written"
    echo
    echo "Written by \`bench/modbus.sh\`: $("$VENV/bin/pip" list 2>/dev/null | awk 'tolower($1) ~ /modbus/ { printf "%s%s %s", sep, $1, $2; sep = ", " }')"
    echo "on the loopback of a network namespace. Measured is our process alone: reading, decoding, and recording into"
    echo "a ring of 64 MB with a commit a second. One run of a $build build; $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg) at its end."
    echo
    echo '| what | measured |'
    echo '|---|---|'
    cat "$ROWS"
} > docs/figures/modbus.md
cat docs/figures/modbus.md
