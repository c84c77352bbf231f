#!/usr/bin/env bash
# The diff command: verdicts, exit codes and what each form of the result says.
set -u
pairs=tests/diff/pairs
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
want() { # CODE ARGS...
    code=$1
    shift
    "$GLMV" diff "$@" >"$tmp/out" 2>"$tmp/err"
    got=$?
    [ $got -eq "$code" ] || { echo "diff $*: exit code $got, wanted $code"; cat "$tmp/err"; failed=1; }
}
says() { grep -qF -- "$2" "$1" || { echo "$1 lacks: $2"; cat "$1"; failed=1; }; }

want 0 $pairs/base.png $pairs/base.png
says "$tmp/out" "the same"
want 0 $pairs/base.png $pairs/faint.png
want 1 $pairs/base.png $pairs/faint.png --threshold 0.02
cp $pairs/base.png "$tmp/copy.png"
want 0 $pairs/base.png "$tmp/copy.png"
says "$tmp/out" "the same"
want 1 $pairs/base.png $pairs/colour.png --json
says "$tmp/out" '"differing":2341,'
says "$tmp/out" '"kind":"colour"'
says "$tmp/out" '"before":"#2255cc","after":"#1a9c5b"'
want 1 $pairs/base.png $pairs/text.png
says "$tmp/out" "The text at ("
want 1 $pairs/base.png $pairs/colour.png --json --aa
says "$tmp/out" '"differing":2195,'
want 0 $pairs/base.png $pairs/colour.png --max-diff 2341
want 1 $pairs/base.png $pairs/colour.png --max-diff 2340
want 0 $pairs/base.png $pairs/colour.png --max-diff 3%
want 1 $pairs/base.png $pairs/banner.png -o "$tmp/d.png" --html "$tmp/d.html" --junit "$tmp/d.xml"
says "$tmp/out" "20 px were inserted at y 0; what is below moved down."
says "$tmp/d.html" "20 px were inserted at y 0"
# Rows that moved are matched in the picture, too: red are two rows where 20 were put in, and 20 that went.
want 0 $pairs/base.png $pairs/base.png -o "$tmp/pale.png"
want 1 "$tmp/d.png" "$tmp/pale.png" --json
says "$tmp/out" '"differing":7920,'
says "$tmp/d.xml" 'failures="1"'
want 1 "$tmp/d.png" $pairs/base.png --markdown
says "$tmp/out" "**different:"
want 1 $pairs/base.png $pairs/banner.png --github
says "$tmp/out" "::error title=visual diff::different"
want 2 $pairs/base.png
want 2 $pairs/base.png $pairs/base.png --threshold 7
want 2 $pairs/base.png $pairs/base.png --max-diff x
want 3 $pairs/base.png "$tmp/none.png"
want 3 $pairs/base.png $pairs/counts.txt
want 3 $pairs/base.png $pairs/text.png -o "$tmp/no/such/folder.png"
exit $failed
