#!/bin/bash
# tests/bench/gpu.sh without a device, and with tiny sizes on the fake one: every line of the table is there, and the ids
# with guesses are those without. Its numbers mean nothing here.
set -u
folder=$GLMV_BUILD/tests/model/glm/cuda failed=0
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
if ! ldconfig -p | grep -q 'libcuda\.so\.1'; then
    GPU_BENCH=$folder/bench_gpu_tried bash tests/bench/gpu.sh "$GLMV_BUILD" >"$tmp" 2>&1
    [ $? = 77 ] && grep -q "no CUDA device: nothing was measured" "$tmp" || { echo "without a device:"; cat "$tmp"; failed=1; }
fi
LD_LIBRARY_PATH=$folder/driver GPU_SMALL=1 GPU_BENCH=$folder/bench_gpu_tried bash tests/bench/gpu.sh "$GLMV_BUILD" >"$tmp" 2>&1
code=$?
[ $code = 0 ] || { echo "exit code $code"; failed=1; }
for line in "copy, read and written" "read-only sum" "8192.3 bf16" "bf16: decode at .* share of copy" \
    "int4-g128: decode at .* share of copy" "fp8: decode at .* share of copy" "bf16: 32 rows against one" \
    "int4-g128: 32 rows against one" "int4-g128: edit round" "prompt of .* share" "tower, .* share" \
    "screenshot, file to first token" "logits against floats"; do
    grep -q "$line" "$tmp" || { echo "no line '$line'"; failed=1; }
done
[ "$(grep -c 'ids equal.* 100.000' "$tmp")" = 3 ] || { echo "ids differ"; failed=1; }
[ $failed = 0 ] || cat "$tmp"
exit $failed
