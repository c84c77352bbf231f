#!/usr/bin/env bash
# render.sh [PAGE.html...]: wall times of cold renders (process start to PNG file) and warm ones (a renderer that is open
# already) beside headless Chromium and Playwright, in turn, medians and ratios per page. Pages: those of examples, a
# trivial one and a long one, or those named.
#   ROUNDS=7            measured rounds, after one that is not
#   PLAYWRIGHT=FOLDER   where playwright-core is (npm install --prefix FOLDER playwright-core); without it that column
#                       is left out
#   BUILD=build/release
set -eu
build=${BUILD:-build/release}
browser=$(command -v chromium || command -v chromium-browser || true)
[ -n "$browser" ] || { echo "render.sh: install the package chromium" >&2; exit 1; }
[ -x "$build/tests/render/render_warm" ] || { echo "render.sh: build first: cmake --workflow --preset release" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ $# = 0 ]; then
    echo '<!doctype html><title>t</title><h1>Hello</h1><p>A page of one line.' >"$work/trivial.html"
    {
        echo '<!doctype html><title>long</title><style>body{margin:24px;font:15px/22px Arial}td{border:1px solid #ccc;padding:4px}</style>'
        for i in $(seq 60); do
            echo "<h2>Part $i</h2><p>Words that fill a line and say nothing else, again and again, until it wraps at the end of the line.</p>"
            echo "<table><tr><td>one $i</td><td>two</td><td>three</td></tr></table><button>Press</button>"
        done
    } >"$work/long.html"
    set -- "$work/trivial.html" examples/pages/*.html "$work/long.html"
fi
python3 tests/bench/render_times.py "$build" "$browser" "${PLAYWRIGHT:-}" "${ROUNDS:-7}" "$work" "$@"
