#!/bin/bash
# tests/bench/gpu.sh without a device, and with tiny sizes on the fake one: every line of the table is there, the ids with
# guesses are those without, a part that fails leaves the others alone. Once from a folder that gpu_folder.sh has made. Its
# numbers mean nothing here.
set -u
programs=$GLMV_BUILD/tests/model/glm/cuda failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export GPU_BUILD=$GLMV_BUILD GPU_BENCH=$programs/bench_gpu_tried GPU_TEST=/bin/true
wrong() { echo "$1"; cat "$tmp/out"; failed=1; }

if ! ldconfig -p | grep -q 'libcuda\.so\.1'; then
    bash tests/bench/gpu.sh >"$tmp/out" 2>&1
    [ $? = 77 ] && grep -q "no CUDA device: nothing was measured" "$tmp/out" &&
        grep -q "gpu_folder.sh build/release gpu-folder" "$tmp/out" || wrong "without a device"
    GPU_TEST=$programs/test_cuda_real bash tests/bench/gpu.sh test >"$tmp/out" 2>&1
    [ $? = 77 ] && grep -q "test: skipped" "$tmp/out" && grep -q "To go on" "$tmp/out" || wrong "the test alone, without a device"
fi

# the sanitizers, as far as the script looks at them
mkdir "$tmp/bin"
printf '#!/bin/bash\n[ "$2" = product ] && echo 700 || echo 2.5\n' >"$tmp/bin/python3" # as if torch were there
printf '#!/bin/bash\n[ $2 != racecheck ] || { echo "========= Race reported"; exit 9; }\n' >"$tmp/bin/compute-sanitizer"
chmod +x "$tmp/bin/"*
export GPU_SMALL=1 GPU_SECONDS=3000 LD_LIBRARY_PATH=$programs/driver
PATH=$tmp/bin:$PATH bash tests/bench/gpu.sh torch bf16 int4-g128 prompts pictures fp8 logits test load transformers memcheck \
    racecheck products nothing >"$tmp/out" 2>&1
code=$?
[ $code = 1 ] || wrong "exit code $code, not 1 for the parts that fail"
for line in "copy, read and written" "read-only sum" "8192.3 bf16" "bf16: decode at .* share of copy" \
    "int4-g128: decode at .* share of copy" "fp8: decode at .* share of copy" "bf16: 32 rows against one" \
    "int4-g128: 32 rows against one" "int4-g128: edit round" "prompt of .* share" "tower, .* share" \
    "screenshot, file to first token" "logits against floats" "int4-g128: gate, up, share of copy" "product 70 x 96 x 64" \
    "int4 files to first token" "-- test: [0-9]* s" "memcheck: clean" "racecheck: FAILED" "Race reported" "no part 'nothing'" \
    "8192.3 bf16, cuBLAS" \
    "int4-g128: against transformers in bf16 .*  6 " "bf16: against transformers in bf16 .*  2 " "must reached: [0-9]"; do
    grep -qe "$line" "$tmp/out" || wrong "no line '$line'"
done
[ "$(grep -c 'read-only sum' "$tmp/out")" = 1 ] || wrong "the ceilings were measured again"
[ "$(grep -c 'ids equal.* 100.000' "$tmp/out")" = 3 ] || wrong "ids differ"

# a call that has no time left says how to go on
GPU_SECONDS=20 bash tests/bench/gpu.sh bf16 logits >"$tmp/out" 2>&1
[ $? = 3 ] && grep -q "go on with: tests/bench/gpu.sh bf16 logits" "$tmp/out" || wrong "begun without time"

# a folder that can be carried away: nothing in it needs more than the C library
GPU_PROGRAMS=bench_gpu_tried tests/bench/gpu_folder.sh "$GLMV_BUILD" "$tmp/folder" >"$tmp/out" 2>&1 || wrong "no folder"
ldd "$tmp/folder/bin/bench_gpu_tried" |
    awk -v from="$tmp/folder/" '$2 == "=>" && index($3, from) != 1' |
    grep -Ev '/(libc|libm|libdl|libpthread|librt|libresolv|libasan|libubsan|libgcc_s)\.so' >"$tmp/out" && wrong "libraries from elsewhere"
mv "$tmp/folder/bin/bench_gpu_tried" "$tmp/folder/bin/bench_gpu"
(cd / && unset GPU_BENCH GPU_BUILD && "$tmp/folder/tests/bench/gpu.sh" load) >"$tmp/out" 2>&1 || wrong "from the folder"
grep -q "int4 files to first token" "$tmp/out" || wrong "no line from the folder"
exit $failed
