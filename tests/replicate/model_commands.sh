#!/usr/bin/env bash
# models, ask and doctor as a person uses them, against the scripted server.
set -u
tmp=$(mktemp -d)
trap 'exec 9>&-; rm -rf "$tmp"' EXIT
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
unset GLMV_API_KEY GLMV_API_KEY_FILE GLMV_MODEL GLMV_MODEL_NAME
export no_proxy=127.0.0.1
printf 'The button is [[100, 200, 300, 400]] and {"label": "logo", "bbox_2d": [0,0,500,1000]}' >"$tmp/1.txt"
mkfifo "$tmp/in"
python3 tests/model/server/scripted.py --answers "$tmp" <"$tmp/in" >"$tmp/port" &
exec 9>"$tmp/in"
for _ in $(seq 100); do [ -s "$tmp/port" ] && break; sleep 0.1; done
url=http://127.0.0.1:$(cat "$tmp/port")
bad=0
expect() { # CODE PATTERN COMMAND...: exit code, and a pattern in what is printed
    local code=$1 pattern=$2
    shift 2
    "$@" >"$tmp/out" 2>"$tmp/err"
    local got=$?
    if [ $got != "$code" ] || ! grep -qE -- "$pattern" "$tmp/out" "$tmp/err"; then
        echo "failed: $*: exit $got, wanted $code and '$pattern'"
        cat "$tmp/out" "$tmp/err"
        bad=1
    fi
}
python3 - "$tmp/a.png" <<'PY'
import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + b"\xff\xff\xff" * 400 for _ in range(200))
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 400, 200, 8, 2, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PY
expect 0 '^glm-4.6v-flash	65536$' "$GLMV" models --model "$url/vllm/v1"
expect 0 'vLLM at' "$GLMV" models --model "$url/vllm/v1"
expect 0 'pictures accepted' "$GLMV" models --probe --model "$url/vllm/v1"
expect 4 'cannot see pictures' "$GLMV" models --probe --model "$url/no-vision/v1"
expect 4 'no model loaded' "$GLMV" models --model "$url/none/v1"
expect 4 'is the server running' "$GLMV" models --model http://127.0.0.1:1/v1
expect 2 'give --model' "$GLMV" models
expect 2 'not a model' "$GLMV" models --model nonsense
expect 0 'Hello, world: 你好' "$GLMV" ask "$tmp/a.png" "what is it?" --model "$url/plain/v1"
expect 0 'I think' "$GLMV" ask "$tmp/a.png" "what?" --show-thinking --model "$url/reasoning/v1"
expect 4 'not complete' "$GLMV" ask "$tmp/a.png" "what?" --model "$url/half/v1"
expect 4 'empty answer' "$GLMV" ask "$tmp/a.png" "what?" --model "$url/empty/v1"
expect 4 'wants a key' "$GLMV" ask "$tmp/a.png" "what?" --model-name m --model "$url/wrong-key/v1"
expect 3 'nothere' "$GLMV" ask "$tmp/nothere.png" "what?" --model "$url/plain/v1"
expect 2 'takes 1 to 8 pictures' "$GLMV" ask "only a question"
expect 2 'temperature takes a number' "$GLMV" ask a b --temperature hot
expect 4 'no box in the answer' "$GLMV" ask "$tmp/a.png" "where?" --boxes "$tmp/o.png" --model "$url/plain/v1"
[ ! -e "$tmp/o.png" ] || { echo "failed: a picture without boxes was written"; bad=1; }
expect 0 '^40,40,80,40	The button is$' "$GLMV" ask "$tmp/a.png" "where?" --boxes "$tmp/o.png" --model "$url/script/v1"
expect 0 '^0,0,200,200	logo$' "$GLMV" ask "$tmp/a.png" "where?" --boxes "$tmp/o.png" --model "$url/script/v1"
[ -s "$tmp/o.png" ] || { echo "failed: no picture with boxes"; bad=1; }
"$GLMV" doctor --model "$url/vllm/v1" >"$tmp/out" 2>&1
for word in renderer display sandbox text fonts gpu 'ok +model +vLLM with 1 model'; do
    grep -qE "$word" "$tmp/out" || { echo "failed: doctor is silent about $word"; cat "$tmp/out"; bad=1; }
done
expect 4 'MISSING +model' "$GLMV" doctor --model http://127.0.0.1:1/v1
# Ctrl-C in the middle of an answer ends the program with 130.
"$GLMV" ask "$tmp/a.png" "what?" --model "$url/slow/v1" >"$tmp/out" 2>"$tmp/err" &
pid=$!
for _ in $(seq 100); do grep -q tick "$tmp/out" && break; sleep 0.1; done
kill -TERM $pid
wait $pid
[ $? = 130 ] || { echo "failed: an interrupt should end with 130"; bad=1; }
[ $bad = 0 ] && echo "models, ask and doctor work"
exit $bad
