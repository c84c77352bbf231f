#!/usr/bin/env bash
# The score command: a page scores 1 against its own render, less against another page.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export GLMV_RENDER_WORKER=$GLMV_BUILD/render/glmv-render-worker
printf '<!doctype html><body style="margin:0"><h1>Report</h1><p>Twelve people answered.' >"$tmp/a.html"
printf '<!doctype html><body style="margin:0;background:#246"><h1>Nothing</h1>' >"$tmp/b.html"
"$GLMV" render "$tmp/a.html" -o "$tmp/a.png" --viewport 400x300 2>"$tmp/err" ||
    { cat "$tmp/err"; echo "skipped: no renderer"; exit 77; }
"$GLMV" score "$tmp/a.png" "$tmp/a.html" --json | grep -q '"total":1.000000' || { echo "own render is not 1"; exit 1; }
"$GLMV" score "$tmp/a.png" "$tmp/b.html" --json | grep -q '"total":0' || { echo "another page is not below 1"; exit 1; }
"$GLMV" score "$tmp/none.png" "$tmp/a.html" 2>/dev/null
[ $? -eq 3 ] || { echo "a missing reference is not exit code 3"; exit 1; }
"$GLMV" score "$tmp/a.png" 2>/dev/null
[ $? -eq 2 ] || { echo "a missing page is not exit code 2"; exit 1; }
