#!/bin/sh
# Our Sparkplug B read by pysparkplug (PyPI), which others have written: births, live and historical data, death.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
BIN=${BIN:-}
if [ -z "$BIN" ]; then
    scripts/release -q
    BIN=$(scripts/release --show-bin-path)
fi
VENV=${VENV:-$root/.build/bench-venv}
[ -x "$VENV/bin/python" ] || python3 -m venv "$VENV"
"$VENV/bin/pip" -q install pysparkplug
"$BIN/drawbridge-site" sparkplug | "$VENV/bin/python" bench/sparkplug/verify.py
