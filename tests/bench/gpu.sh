#!/bin/bash
# What the CUDA back end reaches on this machine's card, in one table, and whether compute-sanitizer finds fault with it.
#     tests/bench/gpu.sh [BUILD]        BUILD: a release build with CUDA kernels, build/release by default
# Weights are random, of the published sizes, and made on the device. torch gives the ceiling of a product, transformers
# the engine to compare with, where they can be imported; GPU_LOAD=FOLDER adds the time from a packed int4 file to the
# first token (8 GB of disk). 77 where there is no device: nothing was measured then.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${1:-build/release}
bench=${GPU_BENCH:-$build/tests/model/glm/cuda/bench_gpu}
small=${GPU_SMALL:-}
[ -x "$bench" ] || { echo "no $bench: cmake --preset release && cmake --build --preset release"; exit 2; }
[ -n "$small" ] || nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,power.limit --format=csv 2>/dev/null

args=()
product=$(python3 tests/bench/gpu_peer.py product 2>/dev/null) && args+=(--product "$product")
peer=$(python3 tests/bench/gpu_peer.py decode 2>/dev/null) && args+=(--peer "$peer")
[ ${#args[@]} -gt 0 ] || echo "no torch with CUDA: neither cuBLAS nor transformers beside it"
"$bench" ${small:+--small} "${args[@]}"
code=$?
[ $code = 77 ] && exit 77

if [ -n "${GPU_LOAD:-}" ]; then
    echo "from a packed int4 file to the first token, four times; the file is in memory from the second on:"
    python3 tests/bench/engine_load.py "$bench" "$GPU_LOAD" || code=1
fi
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck; do
        log=$(mktemp)
        if compute-sanitizer --tool $tool --error-exitcode 9 "$build/tests/model/glm/cuda/test_cuda_real" real >"$log" 2>&1; then
            echo "compute-sanitizer $tool: clean"
        else
            echo "compute-sanitizer $tool: FAILED"; tail -20 "$log"; code=1
        fi
        rm -f "$log"
    done
else
    echo "no compute-sanitizer: memory and races were not looked at"
fi
exit $code
