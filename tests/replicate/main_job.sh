#!/usr/bin/env bash
# The main job, and what it says to bad input: one clear line, a fitting exit code, no half file, nothing left behind.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
fail() {
    echo "failed: $*" >&2
    failures=$((failures + 1))
}
ours() { pgrep -f 'glmv-render-worker|Xvfb -displayfd|WebKitWebProcess|WebKitNetworkProcess' | sort; }
before=$(ours)

cat >"$work/page.html" <<'HTML'
<!doctype html><style>body{margin:0;font:16px/24px "Liberation Sans";background:#fff}.card{margin:40px;padding:24px;
width:400px;background:#eef2ff;border:1px solid #667}</style><div class="card"><h1>Hello there</h1><p>Some words in a card.</p></div>
HTML
"$GLMV" render "$work/page.html" -o "$work/shot.png" --viewport 640x400 2>/dev/null || fail "render"

# The job itself.
"$GLMV" "$work/shot.png" -q -o "$work/out.html" --report "$work/report.html" --json "$work/out.json" || fail "the main job"
grep -q 'Hello there' "$work/out.html" || fail "the page lacks its heading"
grep -q '<h1' "$work/out.html" || fail "the heading is no heading"
grep -q 'data:image/png' "$work/report.html" || fail "the report shows no picture"
python3 -c "import json,sys; r=json.load(open(sys.argv[1])); sys.exit(not r['score']['total'] > 0.9)" "$work/out.json" || fail "score"
"$GLMV" - -q -o - <"$work/shot.png" 2>/dev/null | grep -q 'Hello there' || fail "standard input and output"
"$GLMV" "$work/shot.png" -q -o "$work/x.html" --target 1 --rounds 0
[ $? = 1 ] || fail "a score below the target"
"$GLMV" --version | grep -q '^glmv-replicate [0-9]' || fail "--version"
"$GLMV" --help | grep -q 'Commands:' || fail "--help"

# Bad input: NAME CODE ARGUMENTS...
rejects() {
    local name=$1 code=$2 said
    shift 2
    rm -f "$work/bad.html"
    said=$("$@" 2>&1 >/dev/null)
    local got=$?
    [ $got = "$code" ] || fail "$name: exit code $got, not $code ($said)"
    [ "$(printf '%s\n' "$said" | wc -l)" = 1 ] || fail "$name: not one line: $said"
    case $said in
    "glmv-replicate: "*) ;;
    *) fail "$name: says '$said'" ;;
    esac
    [ ! -e "$work/bad.html" ] || fail "$name: left a page"
}
job() { "$GLMV" "$1" -q -o "$work/bad.html"; }
echo "not a picture" >"$work/text.png"
: >"$work/empty.png"
head -c 200 "$work/shot.png" >"$work/cut.png"
printf '\377\330\377\340xxxx' >"$work/photo.jpg"
python3 - "$work" <<'PY'
import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def png(path, w, h, depth, colour, rows, extra=b""):
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, 0))
                           + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
work = sys.argv[1]
png(work + "/huge.png", 30000, 30000, 8, 6, b"")
png(work + "/one.png", 1, 1, 8, 2, b"\0\xff\xff\xff")
png(work + "/deep.png", 40, 30, 16, 2, (b"\0" + b"\x80\x00" * 3 * 40) * 30)
png(work + "/palette.png", 40, 30, 8, 3, (b"\0" + b"\1" * 40) * 30, chunk(b"PLTE", b"\0\0\0\xff\0\0"))
png(work + "/alpha.png", 40, 30, 8, 6, (b"\0" + b"\xff\0\0\x80" * 40) * 30)
PY
for name in one deep palette alpha; do
    "$GLMV" "$work/$name.png" -q -o "$work/x.html" || fail "$name.png should work"
done
for name in text.png empty.png cut.png photo.jpg huge.png missing.png; do
    rejects "$name" 3 job "$work/$name"
done
rejects "a folder" 3 job "$work"
rejects "no output folder" 3 "$GLMV" "$work/shot.png" -q -o "$work/none/bad.html"
rejects "a full disk" 3 "$GLMV" "$work/shot.png" -q -o /dev/full
rejects "no output" 2 "$GLMV" "$work/shot.png"
rejects "a wrong number" 2 "$GLMV" "$work/shot.png" -o "$work/bad.html" --rounds many
mkdir "$work/nothing"
rejects "no OCR data" 3 env TESSDATA_PREFIX="$work/nothing" "$GLMV" "$work/shot.png" -q -o "$work/bad.html"
rejects "no worker" 3 env GLMV_RENDER_WORKER=/nonexistent "$GLMV" "$work/shot.png" -q -o "$work/bad.html"
rejects "no display" 4 env PATH=/nonexistent "$GLMV" "$work/shot.png" -q -o "$work/bad.html"

# An old page stays when the new one cannot be written whole. (The limit also holds for the renderer's memory file.)
echo old >"$work/old.html"
(ulimit -f 1; trap '' XFSZ; "$GLMV" "$work/shot.png" -q -o "$work/old.html" --title "$(head -c 4000 /dev/zero | tr '\0' x)") 2>/dev/null
case $? in 3 | 4) ;; *) fail "a file size limit" ;; esac
[ "$(cat "$work/old.html")" = old ] || fail "the old page was harmed"
[ "$(find "$work" -name 'old.html.*' | wc -l)" = 0 ] || fail "a temporary file was left"

# Interrupts at any moment.
for moment in 0.02 0.1 0.2 0.3 0.45 0.6 0.9 1.3; do
    rm -f "$work/int.html"
    "$GLMV" "$work/shot.png" -q -o "$work/int.html" 2>/dev/null &
    pid=$!
    sleep $moment
    kill -TERM $pid 2>/dev/null
    wait $pid
    code=$?
    case $code in
    130 | 143 | 0) ;;
    *) fail "interrupted after $moment s: exit code $code" ;;
    esac
    [ ! -e "$work/int.html" ] || grep -q '</html>' "$work/int.html" || fail "half a page after $moment s"
done
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    [ "$(ours)" = "$before" ] && break
    sleep 1
done
[ "$(ours)" = "$before" ] || fail "processes were left: $(ours | tr '\n' ' ')"

echo "$failures failures"
[ $failures = 0 ]
