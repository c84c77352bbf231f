#!/bin/bash
# The tiny checkpoint through llama.cpp's own converter: SOURCE is its source (the package node-llama-cpp has it as a git
# bundle), PYTHON has torch, transformers and gguf, BUILD is a release build. Both pairs of files are read with ours, every
# weight unpacked: the last logits of 40 tokens agree to float.
#     tests/model/glm/llama_convert.sh SOURCE [PYTHON [BUILD]]
set -eu
source=${1:?the folder of llama.cpp} python=${2:-python3} build=${3:-build/release}
nano=tests/model/glm/golden/nano tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/gguf"
cat > "$tmp/convert.py" <<'PYTHON'
import runpy, sys
source = sys.argv[1]
sys.path[:0] = [source, source + "/gguf-py"]
import conversion.base
# the tiny tokenizer's hash is in nobody's table
conversion.base.TextModel.get_vocab_base_pre = lambda self, tokenizer: "glm4"
sys.argv = sys.argv[1:]
runpy.run_path(source + "/convert_hf_to_gguf.py", run_name="__main__")
PYTHON
"$python" "$tmp/convert.py" "$source" $nano --outfile "$tmp/gguf/nano.gguf" --outtype f32 > "$tmp/log" 2>&1 &&
    "$python" "$tmp/convert.py" "$source" $nano --mmproj --outfile "$tmp/gguf/mmproj-nano.gguf" --outtype f32 > "$tmp/log" 2>&1 ||
    { tail -5 "$tmp/log"; exit 1; }
for where in $nano "$tmp/gguf"; do
    printf 'logits 40 %s\nprefill 1\n' "$tmp/$(basename "$where").logits" |
        "$build/tests/model/glm/bench_engine_turns" "$where" floats 2 > /dev/null
done
"$python" - "$tmp/nano.logits" "$tmp/gguf.logits" <<'PYTHON'
import sys
import numpy as np
a, b = (np.fromfile(path, np.float32) for path in sys.argv[1:])
off = np.linalg.norm(a - b) / np.linalg.norm(a)
print(f"{a.size} logits, {off:.1e} apart")
sys.exit(a.size == 0 or a.size != b.size or not off < 1e-5)
PYTHON
