#!/bin/bash
# What the compiled kernels use, from the fatbins of a build with nvcc; needs cuobjdump and nvdisasm, no GPU.
#   tests/bench/gpu_resources.sh [BUILD] [ARCH...]        (build/release; every architecture in the fatbins)
# Columns: registers, bytes of static shared memory, bytes of stack, loads and stores of local memory (spills), loads of
# 16 bytes, other global loads, asynchronous copies of 16 bytes, products of mma.sync, products of wgmma, waits for them;
# from sm_90 on also loads of 16 bytes that stand ahead of the wait for the kernel before (ACQBULK).
# Ends with 1 and a sentence for each kernel that uses local memory, that streams weights without loads of 16 bytes, that
# asks for them, or for keys, only after that wait (ptxas may move them there), that stores anything ahead of it, or whose
# products by warpgroups (sm_90a) are missing or wait for one another.
set -euo pipefail
build=${1:-build/release}
shift || true
command -v cuobjdump >/dev/null || { echo "cuobjdump is not on the PATH: it comes with the CUDA toolkit" >&2; exit 2; }
ls "$build"/model/glm/cuda/*.fatbin >/dev/null 2>&1 || { echo "no kernels in $build: configure with -DGLMV_CUDA=ON" >&2; exit 2; }
archs=("$@")
if [ ${#archs[@]} = 0 ]; then
    mapfile -t archs < <(cuobjdump -lelf "$build"/model/glm/cuda/attend.fatbin | grep -o 'sm_[0-9a-z]*' | sort -u)
fi
wrong=0
for arch in "${archs[@]}"; do
    printf '%s\n%-30s %5s %7s %6s %6s %8s %6s %8s %6s %6s %6s %6s\n' "$arch" kernel regs shared stack local LDG.128 LDG LDGSTS \
        HMMA HGMMA waits ahead
    table=$(for file in "$build"/model/glm/cuda/*.fatbin; do
        cuobjdump -arch "$arch" -res-usage "$file" 2>&1
        cuobjdump -arch "$arch" -sass "$file"
    done | awk '
        /^ Function glm_cuda_/ { name = substr($2, 10); sub(/:$/, "", name) }
        /REG:[0-9]+ STACK:/ {
            for (i = 1; i <= NF; i++) { split($i, part, ":"); use[name, part[1]] = part[2] }
            names[name] = 1
        }
        /Function : glm_cuda_/ { name = substr($3, 10) }
        / ACQBULK/ { waited[name] = 1 }
        / LDG\./ { if (/LDG\.E\.(NA\.)?128/) { wide[name]++; ahead[name] += !waited[name] } else { narrow[name]++ } }
        / (STG|ATOMG|RED)\./ { early[name] += !waited[name] }
        / LDGSTS\..*128/ { copies[name]++ }
        / (LDL|STL)/ { local[name]++ }
        / HMMA\./ { hmma[name]++ }
        / HGMMA\./ { hgmma[name]++ }
        / WARPGROUP\.DEPBAR/ { waits[name]++ }
        END {
            for (name in names) {
                printf "%-30s %5d %7d %6d %6d %8d %6d %8d %6d %6d %6d %6d %s\n", name, use[name, "REG"], use[name, "SHARED"],
                       use[name, "STACK"], local[name], wide[name], narrow[name], copies[name], hmma[name], hgmma[name],
                       waits[name], waited[name] ? ahead[name] : 0, waited[name] && early[name] ? "stores-early" : ""
            }
        }' | sort)
    [ -n "$table" ] || { echo "no code for $arch in $build" >&2; exit 2; }
    echo "$table"
    awk -v arch="$arch" '
        function say(what) { printf "%s %s: %s\n", arch, $1, what; bad = 1 }
        $5 > 0 || $4 > 0 { say("uses local memory") }
        $1 ~ /^(linear|gate)[0-9]/ && $6 == 0 { say("no loads of 16 bytes") }
        $1 ~ /^(gemm|flash)/ && $1 !~ /wide/ && $8 == 0 { say("no copies of 16 bytes") }
        arch >= "sm_90" && $1 ~ /^(linear|gate|attend)[0-9]/ && $12 == 0 { say("its first loads wait for the kernel before") }
        $13 != "" { say("stores before it has waited for the kernel before") }
        $1 ~ /wide/ && arch == "sm_90a" {
            if ($10 == 0) { say("no products by warpgroups") }
            if ($10 > 0 && $11 >= $10) { say("every product waits for the one before it") }
            if ($9 > 0) { say("products of single warps") }
            if ($8 == 0) { say("no copies of 16 bytes") }
        }
        END { exit bad }' <<<"$table" >&2 || wrong=1
done
exit $wrong
