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
# What this test started, directly or not, carries its mark in its environment.
export GLMV_TEST_MARK=$$
ours() {
    local file pid
    for file in /proc/[0-9]*/environ; do
        pid=${file//[^0-9]/}
        if grep -qzx "GLMV_TEST_MARK=$GLMV_TEST_MARK" "$file" 2>/dev/null; then
            tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -E 'glmv-|Xvfb|WebKit' | sed "s/^/$pid /"
        fi
    done
}

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
# A screenshot taken at two device px per CSS px: the page has the size of the one at one.
"$GLMV" render "$work/page.html" -o "$work/shot2.png" --viewport 640x400 --scale 2 2>/dev/null || fail "render at scale 2"
"$GLMV" render examples/pages/garden.html -o "$work/garden2.png" --scale 2 2>/dev/null || fail "render a longer page at scale 2"
"$GLMV" "$work/garden2.png" --rounds 0 -o "$work/two.html" 2>&1 | grep -q -- '--scale 2 makes a page of that size' || fail "scale 2 is not told"
"$GLMV" "$work/shot2.png" -q --scale 2 -o "$work/two.html" --json "$work/two.json" || fail "--scale 2"
"$GLMV" score "$work/shot.png" "$work/two.html" --json 2>/dev/null >"$work/two.score"
python3 -c "import json,sys; r=[json.load(open(f)) for f in sys.argv[1:]]; sys.exit(not (r[0]['score']['total'] > 0.9 and r[1]['total'] > 0.9))" \
    "$work/two.json" "$work/two.score" || fail "the score at scale 2: $(cat "$work/two.score")"

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
# The start of a CMYK JPEG as Photoshop writes it: an Adobe marker, four components.
printf '\377\330\377\356\000\016Adobe\000\144\000\000\000\000\002\377\300\000\024\010\000\020\000\020\004\001\021\000\002\021\001\003\021\001\004\021\000' >"$work/cmyk.jpg"
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
# WebP: a container whose frames are one lossless picture (libwebp's own: 16 x 16, red) shown twice.
lossless = bytes.fromhex("2f0fc003000710fd8ffe0722a2ff01")
def part(kind, data):
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
def riff(*parts):
    body = b"".join(part(*one) for one in parts)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
def three(n):
    return struct.pack("<I", n)[:3]
frame = three(0) + three(0) + three(15) + three(15) + three(100) + b"\0" + part(b"VP8L", lossless)
moving = riff((b"VP8X", b"\2\0\0\0" + three(15) + three(15)), (b"ANIM", b"\xff\xff\xff\xff\0\0"), (b"ANMF", frame), (b"ANMF", frame))
open(work + "/moving.webp", "wb").write(moving)
open(work + "/still.webp", "wb").write(riff((b"VP8L", lossless)))
open(work + "/cut.webp", "wb").write(moving[:70])
png(work + "/alpha.png", 40, 30, 8, 6, (b"\0" + b"\xff\0\0\x80" * 40) * 30)
PY
for name in one.png deep.png palette.png alpha.png still.webp moving.webp; do
    "$GLMV" "$work/$name" -q -o "$work/x.html" || fail "$name should work"
done
# The colours are those of the file: 16 bits, a palette, alpha over white, the first frame of an animation.
colour_is() {
    "$GLMV" "$work/$1" -q --rounds 0 -o "$work/x.html" --report "$work/x.report"
    grep -qi "$2" "$work/x.html" || fail "$1: the page lacks the colour $2"
}
colour_is deep.png '#808080'
colour_is palette.png '#f00\b\|#ff0000'
colour_is alpha.png '#ff7f7f'
colour_is moving.webp '#f00\b\|#ff0000'
job "$work/cmyk.jpg" 2>&1 | grep -q 'a JPEG; save the screenshot as PNG or WebP' || fail "a CMYK JPEG is not called by its name"
for name in text.png empty.png cut.png cut.webp photo.jpg cmyk.jpg huge.png missing.png; do
    rejects "$name" 3 job "$work/$name"
done
rejects "a folder" 3 job "$work"
rejects "no output folder" 3 "$GLMV" "$work/shot.png" -q -o "$work/none/bad.html"
rejects "no report folder" 3 "$GLMV" "$work/shot.png" -q -o "$work/bad.html" --report "$work/none/report.html"
rejects "a folder as the page" 3 "$GLMV" "$work/shot.png" -q -o "$work"
rejects "a full disk" 3 "$GLMV" "$work/shot.png" -q -o /dev/full
rejects "no output" 2 "$GLMV" "$work/shot.png"
rejects "a wrong scale" 2 "$GLMV" "$work/shot.png" -o "$work/bad.html" --scale 0.5
rejects "a wrong number" 2 "$GLMV" "$work/shot.png" -o "$work/bad.html" --rounds many
mkdir "$work/nothing"
rejects "a mistyped command" 2 "$GLMV" rendr x.html
"$GLMV" rendr x.html 2>&1 | grep -q "did you mean 'render'?" || fail "the nearest command is not named"
"$GLMV" nothinglike 2>&1 | grep -q -- "--help' lists the commands" || fail "a word that is nothing"
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
seen=0
for moment in 0.02 0.1 0.2 0.3 0.45 0.6 0.9 1.3; do
    rm -f "$work/int.html"
    "$GLMV" "$work/shot.png" -q -o "$work/int.html" 2>/dev/null &
    pid=$!
    sleep $moment
    [ "$(ours | wc -l)" -gt 1 ] && seen=$((seen + 1))
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
    [ -z "$(ours)" ] && break
    sleep 1
done
[ $seen -gt 0 ] || fail "the count of processes sees none while they run"
[ -z "$(ours)" ] || fail "processes were left: $(ours | tr '\n' ' ')"

echo "$failures failures"
[ $failures = 0 ]
