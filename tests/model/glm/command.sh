#!/bin/bash
# The engine behind the program: found by folder, by GLMV_MODEL and by name; quantised into the
# cache; refused with numbers where memory is short; answers as they come.
set -u
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
nano=$PWD/tests/model/glm/golden/nano white=tests/model/glm/white.png failed=0
export XDG_CACHE_HOME=$tmp/cache HF_HUB_CACHE=$tmp/hub
unset GLMV_MODEL GLMV_MODEL_NAME
options=(--max-tokens 12 --seed 5 --think off --temperature 1)

same() { # WHAT FILE FILE
    cmp -s "$2" "$3" || { echo "$1: the answers differ"; failed=1; }
}
is() { # WHAT CODE WANTED
    [ "$2" -eq "$3" ] || { echo "$1: exit code $2, not $3"; cat "$tmp/err"; failed=1; }
}
has() { # WHAT WORD: in the errors
    grep -q -- "$2" "$tmp/err" || { echo "$1: no '$2' in:"; cat "$tmp/err"; failed=1; }
}
ask() { # OUT OPTIONS...
    local out=$1
    shift
    timeout 60 "$GLMV" ask "${options[@]}" "$@" "$white" "What is this?" >"$tmp/$out" 2>"$tmp/err"
}

ask folder --model "$nano"; is folder $? 0
[ -s "$tmp/folder" ] || { echo "folder: nothing was said"; failed=1; }
has folder "GB of memory"
GLMV_MODEL=$nano ask variable; is variable $? 0
same variable "$tmp/folder" "$tmp/variable"
ask other --model "$nano" --seed 6; is seed $? 0
cmp -s "$tmp/folder" "$tmp/other" && { echo "seed: it changes nothing"; failed=1; }

ask nowhere --model "$nano" --device tpu; is device $? 2
has device "auto, cpu, cuda or cuda:N"
if ! ldconfig -p | grep -q 'libcuda\.so\.1'; then
    ask device --model "$nano" --device cuda; is "a device that is not there" $? 3
    has "a device that is not there" "no CUDA driver\|without CUDA kernels"
    ask auto --model "$nano" --device auto; is auto $? 0
    has auto "the model runs on the processor: "
    same auto "$tmp/folder" "$tmp/auto"
fi

ask missing --model glm-4.6v-flash; is missing $? 3
has missing "hf download"
mkdir -p "$tmp/hub/models--zai-org--GLM-4.6V-Flash/refs" "$tmp/hub/models--zai-org--GLM-4.6V-Flash/snapshots"
printf 0123abc >"$tmp/hub/models--zai-org--GLM-4.6V-Flash/refs/main"
ln -s "$nano" "$tmp/hub/models--zai-org--GLM-4.6V-Flash/snapshots/0123abc"
ask named --model glm-4.6v-flash; is name $? 0
same name "$tmp/folder" "$tmp/named"

for form in --int8 --int4 --int4=128; do
    ask "first$form" --model "$nano" $form; is "$form" $? 0
    ask "again$form" --model "$nano" $form; is "$form again" $? 0
    same "$form from the cache" "$tmp/first$form" "$tmp/again$form"
done
packs=("$tmp"/cache/glmv-replicate/*.pack)
[ ${#packs[@]} -eq 3 ] || { echo "packs: ${packs[*]}"; failed=1; }
for pack in "${packs[@]}"; do truncate -s -100 "$pack"; done
ask mended --model "$nano" --int4; is mended $? 0
same "a pack cut short" "$tmp/first--int4" "$tmp/mended"

# a checkpoint that fits nowhere: its file is one hole
python3 - "$nano" "$tmp/hole" <<'PYTHON' || exit 77
import json, os, struct, sys
src, out = sys.argv[1:]
os.mkdir(out)
for f in ("tokenizer.json", "preprocessor_config.json", "generation_config.json"):
    os.symlink(f"{src}/{f}", f"{out}/{f}")
c = json.load(open(f"{src}/config.json"))
t, v = c["text_config"], c["vision_config"]
old, oldv = t["hidden_size"], t["vocab_size"]
t["hidden_size"] = v["out_hidden_size"] = 65536
t["vocab_size"], t["head_dim"] = 1 << 22, 16
json.dump(c, open(f"{out}/config.json", "w"))
head, at = {}, 0
for shard in sorted(os.listdir(src)):
    if not shard.endswith(".safetensors"):
        continue
    b = open(f"{src}/{shard}", "rb")
    names = json.loads(b.read(struct.unpack("<Q", b.read(8))[0]))
    names.pop("__metadata__", None)
    for name, e in names.items():
        shape = [65536 if s == old else 1 << 22 if s == oldv else s for s in e["shape"]]
        if "q_proj" in name: shape[0] = 64
        if "o_proj" in name: shape[1] = 64
        size = 2
        for s in shape: size *= s
        head[name] = dict(dtype="BF16", shape=shape, data_offsets=[at, at + size])
        at += size
text = json.dumps(head).encode()
with open(f"{out}/model.safetensors", "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text)
    try:
        f.truncate(8 + len(text) + at)
    except OSError as e:
        print(f"skipped: no file of {at} bytes here: {e}")
        sys.exit(1)
PYTHON
ask vast --model "$tmp/hole"; is vast $? 3
has vast "weights need [0-9]*\.[0-9] GB of memory and [0-9.]* GB are free; try --int4"

"$GLMV" "$white" --model "$nano" "${options[@]}" --rounds 1 -o "$tmp/page.html" 2>"$tmp/quiet"
"$GLMV" "$white" --model "$nano" "${options[@]}" --rounds 1 --stream -o "$tmp/page.html" 2>"$tmp/err"
[ "$(wc -c <"$tmp/err")" -gt "$(wc -c <"$tmp/quiet")" ] || { echo "--stream shows nothing"; failed=1; }
exit $failed
