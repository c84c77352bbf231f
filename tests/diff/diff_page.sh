#!/usr/bin/env bash
# diff with a page in a picture's place: what differs is named by its selector.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export GLMV_RENDER_WORKER=$GLMV_BUILD/render/glmv-render-worker
cat >"$tmp/a.html" <<'HTML'
<!doctype html><meta charset=utf-8><style>body{margin:0;font:15px sans-serif}header{background:#24324a;color:#fff;padding:14px}
.btn{background:#2255cc;color:#fff;padding:9px 20px;display:inline-block}#note{background:#f3f5f9;padding:16px;margin:14px 0}</style>
<header>Northwind</header><main><h1>Weekly report</h1><a class=btn>Continue</a><div id=note>Twelve people answered.</div></main>
HTML
sed 's/#2255cc/#1a9c5b/;s/#f3f5f9/#f0f3f9/;s/<main>/<div style="height:30px;background:#ffe08a"><\/div><main>/' "$tmp/a.html" >"$tmp/b.html"
"$GLMV" render "$tmp/a.html" -o "$tmp/a.png" --viewport 1280x800 >/dev/null 2>"$tmp/err" || { cat "$tmp/err"; echo "skipped: no renderer"; exit 77; }
"$GLMV" diff "$tmp/a.png" "$tmp/a.html" >"$tmp/out" || { cat "$tmp/out"; echo "a page differs from its own picture"; exit 1; }
"$GLMV" diff "$tmp/a.png" "$tmp/b.html" --json >"$tmp/out"
[ $? -eq 1 ] || { cat "$tmp/out"; echo "another page is the same"; exit 1; }
for text in '{"kind":"inserted","y":45,"height":30}' '"selector":"body > main > a"' '"faint":true,"selector":"#note"'; do
    grep -qF "$text" "$tmp/out" || { cat "$tmp/out"; echo "lacks: $text"; exit 1; }
done
"$GLMV" render "$tmp/a.html" -o "$tmp/low.png" --viewport 640x300 >/dev/null || exit 1
"$GLMV" diff "$tmp/low.png" "$tmp/a.html" >"$tmp/out" || { cat "$tmp/out"; echo "the window is not as low as the picture"; exit 1; }
# The page may come first, and at another scale: selectors are those of the page.
"$GLMV" render "$tmp/a.html" -o "$tmp/a2.png" --viewport 640x400 --scale 2 >/dev/null || exit 1
"$GLMV" diff "$tmp/b.html" "$tmp/a2.png" --scale 2 >"$tmp/out"
[ $? -eq 1 ] && grep -q 'from #1a9c5b to #2255cc.*In body > main > a\.' "$tmp/out" || { cat "$tmp/out"; echo "not named at scale 2"; exit 1; }
"$GLMV" diff "$tmp/a.html" "$tmp/b.html" --html "$tmp/r.html" >"$tmp/out"
[ $? -eq 1 ] && grep -q '<code>#note</code>' "$tmp/r.html" || { cat "$tmp/out"; echo "two pages are not compared"; exit 1; }
# A box that moves by less than its size is one move, and named; a word in it moves along.
page() { # LEFT TOP WORD
    echo "<!doctype html><style>body{margin:0;font:15px sans-serif}b{position:absolute;left:${1}px;top:${2}px;width:120px;height:60px;background:#2255cc;color:#fff}</style><p>Weekly report</p><b id=box>$3</b>"
}
moved() { # DX DY WORD SENTENCE
    page 200 200 "$3" >"$tmp/p.html"
    page $((200 + $1)) $((200 + $2)) "$3" >"$tmp/q.html"
    "$GLMV" diff "$tmp/p.html" "$tmp/q.html" >"$tmp/out"
    [ $? -eq 1 ] && [ "$(wc -l <"$tmp/out")" -eq 2 ] && grep -qF "What was at (200, 200), 120 x 60 px moved $4. In #box." "$tmp/out" ||
        { cat "$tmp/out"; echo "moved by $1, $2, not told as that"; exit 1; }
}
moved 40 0 '' '40 px to the right'
moved 0 30 '' '30 px down'
moved -25 12 Continue '25 px to the left and 12 px down'
"$GLMV" diff "$tmp/a.png" "$tmp/none.html" 2>/dev/null
[ $? -eq 3 ] || { echo "a missing page is not exit code 3"; exit 1; }
"$GLMV" diff "$tmp/a.png" "$tmp/a.html" --scale 9 2>/dev/null
[ $? -eq 2 ] || { echo "a scale of 9 is not exit code 2"; exit 1; }
