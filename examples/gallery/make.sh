#!/usr/bin/env bash
# Makes the gallery again: screenshots of pages/ with Chromium, each rebuilt by the tracer, both side by side in gallery.html.
# usage: make.sh [PROGRAM]
set -eu
cd "$(dirname "$0")"
glmv=${1:-../../build/release/replicate/glmv-replicate}
browser=$(command -v chromium || command -v chromium-browser || true)
[ -n "$browser" ] || { echo "make.sh: install the package chromium" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p shots rebuilt
{
    echo '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Gallery</title><style>'
    echo 'body{font:15px/1.5 sans-serif;max-width:1280px;margin:24px auto;padding:0 16px;color:#222}'
    echo 'figure{margin:0 0 36px}.pair{display:grid;grid-template-columns:1fr 1fr;gap:12px}img{width:100%;border:1px solid #ccc}'
    echo '</style></head><body><h1>Gallery</h1><p>Left: a screenshot made with Chromium. Right: the page that the tracer'
    echo 'wrote from it, drawn by WebKit. The score is the measured likeness; <code>make.sh</code> makes all of this again.</p>'
} >"$work/gallery.html"
for page in pages/*.html; do
    name=$(basename "$page" .html)
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --font-render-hinting=none --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync --user-data-dir="$work/profile" \
        --window-size=1280,800 --screenshot="$PWD/shots/$name.png" "file://$PWD/$page" >/dev/null 2>&1
    "$glmv" "shots/$name.png" -o "rebuilt/$name.html" --json "$work/$name.json" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
    "$glmv" render "rebuilt/$name.html" -o "rebuilt/$name.png" 2>/dev/null
    score=$(sed -n 's/.*: score \([0-9.]*\).*/\1/p' "$work/log" | tail -n 1)
    echo "$name $score"
    {
        echo "<figure><figcaption><strong>$name</strong>, score $score, <a href=\"rebuilt/$name.html\">its HTML</a></figcaption>"
        echo "<div class=\"pair\"><img src=\"shots/$name.png\" alt=\"screenshot of $name\"><img src=\"rebuilt/$name.png\" alt=\"$name rebuilt\"></div></figure>"
    } >>"$work/gallery.html"
done
echo '</body></html>' >>"$work/gallery.html"
mv "$work/gallery.html" gallery.html
