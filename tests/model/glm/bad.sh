#!/bin/bash
# Damaged checkpoints: each ends in the exit code of bad input, with an error that names the file
# and what is wrong with it, and never in a crash. The damages are made from the tiny checkpoint.
set -u
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
nano=tests/model/glm/golden/nano-old
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0 count=0

damage() { # NAME PYTHON: a copy in $tmp/NAME, changed by PYTHON, which sees d and the helpers below
    rm -rf "${tmp:?}/$1" && cp -r "$nano" "$tmp/$1" && python3 - "$tmp/$1" "$2" <<'PYTHON'
import json, os, struct, sys
d = sys.argv[1]
F = d + "/model.safetensors"
def js(name, change):
    with open(f"{d}/{name}") as f: v = json.load(f)
    change(v)
    with open(f"{d}/{name}", "w") as f: json.dump(v, f)
def head(change):
    b = open(F, "rb").read()
    n = struct.unpack("<Q", b[:8])[0]
    h = json.loads(b[8:8 + n])
    change(h)
    t = json.dumps(h).encode()
    open(F, "wb").write(struct.pack("<Q", len(t)) + t + b[8 + n:])
def cut(name, size): os.truncate(f"{d}/{name}", size)
def write(name, text): open(f"{d}/{name}", "w").write(text)
L = "model.language_model.layers.1.mlp.down_proj.weight"
exec(sys.argv[2])
PYTHON
}

expect() { # NAME CODES WORDS...: model-info on it
    local name=$1 codes=$2 out code
    shift 2
    out=$(timeout 600 "$GLMV" model-info "$tmp/$name" 2>&1 >/dev/null)
    code=$?
    count=$((count + 1))
    [[ " $codes " == *" $code "* ]] || { echo "$name: exit code $code, wanted $codes: $out"; failed=1; }
    for word in "$@"; do
        [[ "$out" == *"$word"* ]] || { echo "$name: no '$word' in: $out"; failed=1; }
    done
    [ "$(wc -l <<<"$out")" -le 2 ] || { echo "$name: more than one error: $out"; failed=1; }
}

try() { # NAME PYTHON WORDS...
    local name=$1
    damage "$name" "$2"
    shift 2
    expect "$name" "3 4" "$@"
}

try cut_header 'cut("model.safetensors", 900)' model.safetensors "download"
try cut_data 'cut("model.safetensors", 300000)' model.safetensors "outside the file"
try empty 'cut("model.safetensors", 0)' model.safetensors
try not_json 'b = bytearray(open(F, "rb").read()); b[8] = 0; open(F, "wb").write(b)' model.safetensors
try huge_header 'open(F, "r+b").write(b"\xff" * 8)' model.safetensors
try lying_offsets 'head(lambda h: h[L].update(data_offsets=[0, 99999999]))' "$(basename model.safetensors)" mlp.down_proj.weight
try negative_offsets 'head(lambda h: h[L].update(data_offsets=[-8, 8]))' mlp.down_proj.weight
try wrong_shape 'head(lambda h: h[L].update(shape=h[L]["shape"][::-1]))' layers.1.mlp.down_proj.weight "96 64" "64 96"
try wrong_size 'head(lambda h: h[L].update(shape=[64, 97]))' mlp.down_proj.weight "bytes"
try huge_shape 'head(lambda h: h[L].update(shape=[2**40, 2**40]))' mlp.down_proj.weight
try missing_tensor 'head(lambda h: h.pop(L))' layers.1.mlp.down_proj.weight missing
try unknown_type 'head(lambda h: h[L].update(dtype="F8_E4M3"))' F8_E4M3 "not supported yet" mlp.down_proj.weight
try missing_shard 'write("model.safetensors.index.json", json.dumps(dict(weight_map={"a": "model-00001-of-00002.safetensors"})))' model-00001-of-00002.safetensors missing
try shard_outside 'write("model.safetensors.index.json", json.dumps(dict(weight_map={"a": "../../etc/passwd"})))' outside
try bad_index 'write("model.safetensors.index.json", "[]")' model.safetensors.index.json
try no_weights 'os.remove(F)' model.safetensors
try no_config 'os.remove(d + "/config.json")' config.json
try bad_config 'write("config.json", "{")' config.json
try other_model 'js("config.json", lambda c: c.update(model_type="llama"))' llama config.json
try no_theta 'js("config.json", lambda c: (c["text_config"].pop("rope_theta", 0), c.pop("rope_theta", 0)))' rope_theta
try yarn 'js("config.json", lambda c: c["text_config"]["rope_scaling"].update(rope_type="yarn"))' yarn "not supported yet"
try many_layers 'js("config.json", lambda c: c["text_config"].update(num_hidden_layers=10**9))' num_hidden_layers
try more_layers 'js("config.json", lambda c: c["text_config"].update(num_hidden_layers=3))' layers.2. missing
try zero_heads 'js("config.json", lambda c: c["text_config"].update(num_attention_heads=0))' num_attention_heads
try odd_heads 'js("config.json", lambda c: c["text_config"].update(num_key_value_heads=3))' heads
try broken_number 'js("config.json", lambda c: c["text_config"].update(hidden_size=64.5))' hidden_size
try text_number 'js("config.json", lambda c: c["text_config"].update(hidden_size="64"))' hidden_size
try awq 'js("config.json", lambda c: c.update(quantization_config=dict(quant_method="awq")))' "not supported yet"
try bad_areas 'js("preprocessor_config.json", lambda c: c["size"].update(shortest_edge=10**8, longest_edge=5))' preprocessor_config.json
try other_patches 'js("preprocessor_config.json", lambda c: c.update(patch_size=16))' preprocessor_config.json patch_size "another model"
try other_resize 'js("preprocessor_config.json", lambda c: c.update(resample=2))' resample
try other_act 'js("config.json", lambda c: c.get("text_config", c).update(hidden_act="gelu"))' hidden_act
try nested_std 'os.rename(d + "/preprocessor_config.json", d + "/processor_config.json"); js("processor_config.json", lambda c: (c.update(image_processor=dict(c, image_std=[0, 1, 1])), c.pop("image_std")))' image_std
try bad_std 'js("preprocessor_config.json", lambda c: c.update(image_std=[0, 1, 1]))' image_std
try bad_generation 'write("generation_config.json", "nothing")' generation_config.json

# what only opening a conversation looks at
ask() { # NAME PYTHON WORDS...
    local name=$1 out code
    damage "$name" "$2"
    shift 2
    out=$(timeout 600 "$GLMV" ask --model "$tmp/$name" tests/model/glm/white.png hi 2>&1 >/dev/null)
    code=$?
    count=$((count + 1))
    [ $code -eq 3 ] || [ $code -eq 4 ] || { echo "$name: exit code $code: $out"; failed=1; }
    for word in "$@"; do
        [[ "$out" == *"$word"* ]] || { echo "$name: no '$word' in: $out"; failed=1; }
    done
}
ask no_tokenizer 'os.remove(d + "/tokenizer.json")' tokenizer.json
ask bad_tokenizer 'write("tokenizer.json", "{}")' tokenizer.json
ask cut_tokenizer 'cut("tokenizer.json", 20000)' tokenizer.json
ask big_tokenizer 'js("tokenizer.json", lambda t: t["added_tokens"].append(dict(t["added_tokens"][0], id=5000, content="<x>")))' tokenizer.json
ask other_tokenizer 'js("config.json", lambda c: c.update(image_token_id=3))' "another model" image_token_id
ask bad_merges 'js("tokenizer.json", lambda t: t["model"].update(merges=["no such"]))' tokenizer.json

echo "$count damaged checkpoints"
exit $failed
