#!/bin/sh
# Takes the pictures of the status page for docs/pictures: normal, degraded and offline, on a desktop and on a phone,
# light and dark; and has each page judged by axe-core. Needs chromium, chromium-driver (Debian) and python3-venv; the pages come from
# `drawbridge-site pages`, which writes what the daemon shows in three states of the emulated site.
set -eu
cd "$(dirname "$0")/.."
build=${1:-.build/debug}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in chromium chromedriver; do
    command -v "$tool" >/dev/null || { echo "screenshots: install chromium and chromium-driver" >&2; exit 1; }
done

"$build/drawbridge-site" pages --output "$work"

python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install 'selenium==4.27.1' 'pillow==11.0.0'
# Of this package only axe-core itself is wanted.
"$work/venv/bin/pip" -q install --no-deps 'axe-playwright-python==0.1.8'
"$work/venv/bin/python" scripts/screenshots.py "$work" docs/pictures docs/accessibility.md
