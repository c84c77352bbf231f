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
# A page that scrolls sideways looks the same in the picture and scores less all the same.
printf '<div style="width:800px;height:1px;margin-top:-1px"></div>' | cat "$tmp/a.html" - >"$tmp/wide.html"
"$GLMV" score "$tmp/a.png" "$tmp/wide.html" --json | grep -q '"total":0.5.*"size":0.5' ||
    { "$GLMV" score "$tmp/a.png" "$tmp/wide.html"; echo "a page twice as wide does not lose half"; exit 1; }
# What differs is named by the page's element.
sed 's/<h1>/<h1 id=top style="color:red">/' "$tmp/a.html" >"$tmp/d.html"
"$GLMV" score "$tmp/a.png" "$tmp/d.html" --json >"$tmp/out"
grep -q '"selector":"[^"]*#top"' "$tmp/out" || { cat "$tmp/out"; echo "the element that differs is not named"; exit 1; }
"$GLMV" score "$tmp/a.png" "$tmp/a.html" --json | grep -q '"regions":\[\]' || { echo "own render differs somewhere"; exit 1; }
# The metrics of Design2Code: 1 for the page itself, also where its text comes from a file; less where a heading is missing.
"$GLMV" score "$tmp/a.png" "$tmp/a.html" --ref-html "$tmp/a.html" --json >"$tmp/out" || { echo "--ref-html fails"; exit 1; }
grep -q '"block":1.000000,"text":1.000000,"position":1.000000,"colour":1.000000,"matched":2' "$tmp/out" || { cat "$tmp/out"; exit 1; }
sed 's/<h1>Report//' "$tmp/a.html" >"$tmp/c.html"
"$GLMV" score "$tmp/a.png" "$tmp/c.html" --ref-html "$tmp/a.html" --json | grep -q '"block":0.*"matched":1,"page_blocks":1,"reference_blocks":2' ||
    { echo "a missing heading does not show"; exit 1; }
echo '{"blocks":[{"text":"Report","bbox":[8,24,90,30],"color":"#000000"}]}' >"$tmp/blocks.json"
"$GLMV" score "$tmp/a.png" "$tmp/a.png" --blocks "$tmp/blocks.json" --ref-blocks "$tmp/blocks.json" --json |
    grep -q '"matched":1,' || { echo "blocks from files do not match"; exit 1; }
"$GLMV" score "$tmp/a.png" "$tmp/a.png" --ref-blocks "$tmp/blocks.json" 2>/dev/null
[ $? -eq 2 ] || { echo "a picture without --blocks is not exit code 2"; exit 1; }
echo '{"blocks":[{"text":"Report"}]}' >"$tmp/broken.json"
"$GLMV" score "$tmp/a.png" "$tmp/a.html" --ref-blocks "$tmp/broken.json" 2>/dev/null
[ $? -eq 3 ] || { echo "broken blocks are not exit code 3"; exit 1; }
"$GLMV" score "$tmp/none.png" "$tmp/a.html" 2>/dev/null
[ $? -eq 3 ] || { echo "a missing reference is not exit code 3"; exit 1; }
"$GLMV" score "$tmp/a.png" 2>/dev/null
[ $? -eq 2 ] || { echo "a missing page is not exit code 2"; exit 1; }
