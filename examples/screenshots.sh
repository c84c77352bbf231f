#!/usr/bin/env bash
# Takes the screenshots of examples/pages again, with Chromium: the program is measured on pictures it did not make.
set -eu
cd "$(dirname "$0")"
browser=$(command -v chromium || command -v chromium-browser || true)
[ -n "$browser" ] || { echo "screenshots: install the package chromium" >&2; exit 1; }
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
for page in pages/*.html; do
    name=$(basename "$page" .html)
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --font-render-hinting=none \
        --no-first-run --disable-background-networking --disable-component-update --disable-sync \
        --user-data-dir="$profile" --window-size=1280,800 --screenshot="$PWD/$name.png" "file://$PWD/$page" >/dev/null 2>&1
    echo "$name.png"
done
