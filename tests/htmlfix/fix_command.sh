#!/usr/bin/env bash
# fix as a person uses it: pages in and out, JSON, refusals, exit codes.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0
fail() {
    echo "failed: $*"
    bad=1
}
code() { # CODE COMMAND...: an exit code; output in out and err
    local wanted=$1
    shift
    "$@" >"$tmp/out" 2>"$tmp/err"
    local got=$?
    [ $got = "$wanted" ] || fail "$*: exit $got, wanted $wanted: $(head -c 300 "$tmp/err")"
}
json() { # EXPRESSION: true of the JSON in out, as Python's d
    python3 -c "import json, sys; d = json.load(open('$tmp/out')); sys.exit(not ($1))" ||
        fail "$1: $(cat "$tmp/out")"
}
page='<!DOCTYPE html><html><head><title>a</title></head><body><p>x</p></body></html>'
printf '%s' "$page" >"$tmp/page.html"
printf 'Here:\n```html\n%s\n```\nDone.' "$page" >"$tmp/answer.txt"
printf 'I am sorry, I cannot see a picture.' >"$tmp/none.txt"

code 0 "$GLMV" fix "$tmp/page.html"
cmp -s "$tmp/out" "$tmp/page.html" || fail "a page that is fine changed"
code 0 "$GLMV" fix "$tmp/page.html" --json
json 'd == {"page": True, "start": 0, "end": '${#page}', "flags": [], "notes": []}'
code 0 "$GLMV" fix "$tmp/answer.txt" -o "$tmp/new.html" --json
cmp -s "$tmp/new.html" "$tmp/page.html" || fail "the page in a fence"
json 'd["flags"] == ["around"] and d["start"] == 14 and d["notes"][0]["start"] == 14'
json 'd["notes"][0]["end"] == d["end"] == 14 + '${#page}' and d["notes"][0]["sentence"].endswith(".")'
"$GLMV" fix - <"$tmp/answer.txt" | cmp -s - "$tmp/page.html" || fail "standard input"

# no page: the text is shown, nothing is written
code 3 "$GLMV" fix "$tmp/none.txt" -o "$tmp/never.html"
grep -q "no HTML document" "$tmp/err" && grep -q "cannot see a picture" "$tmp/err" || fail "the text is not shown"
[ ! -e "$tmp/never.html" ] || fail "a file without a page"
code 3 "$GLMV" fix "$tmp/none.txt" --json
json 'd["page"] is False and d["flags"] == ["no_html"]'
printf '<think>\n%s' "$page" >"$tmp/think.txt"
code 3 "$GLMV" fix "$tmp/think.txt" --json
json 'd["flags"] == ["no_html", "unclosed_think", "no_answer"]'
: >"$tmp/empty.txt"
code 3 "$GLMV" fix "$tmp/empty.txt"
code 3 "$GLMV" fix "$tmp/missing.txt"
code 2 "$GLMV" fix --what
code 2 "$GLMV" fix "$tmp/page.html" "$tmp/page.html"
code 0 "$GLMV" fix --help

# 64k elements in each other, cut off; twice is once; 8 MB of it
python3 -c "print('<html><body>' + ''.join('<div id=a%d>' % i for i in range(65536)), end='')" >"$tmp/deep.txt"
code 0 "$GLMV" fix "$tmp/deep.txt" -o "$tmp/deep.html" --json
json 'd["flags"] == ["truncated"]'
[ "$(grep -o '</div>' "$tmp/deep.html" | wc -l)" = 65536 ] || fail "ends of 64k elements"
code 0 "$GLMV" fix "$tmp/deep.html"
cmp -s "$tmp/out" "$tmp/deep.html" || fail "fixed twice"
python3 -c "print('<html><body>' + '<p class=a>some words</p>\n' * 320000 + '</body></html>')" >"$tmp/big.html"
code 0 "$GLMV" fix "$tmp/big.html"
cmp -s "$tmp/out" "$tmp/big.html" || fail "8 MB"
exit $bad
