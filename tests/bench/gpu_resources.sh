#!/bin/bash
# What the compiled kernels use, from the fatbins of a build with nvcc; needs cuobjdump and nvdisasm, no GPU.
#   tests/bench/gpu_resources.sh [BUILD] [ARCH...]        (build/release; every architecture in the fatbins)
# Columns: registers, bytes of static shared memory, bytes of stack, loads and stores of local memory (spills), loads of
# 16 bytes, other global loads, products of mma.sync, products of wgmma. Ends with 1 where a kernel spills.
set -euo pipefail
build=${1:-build/release}
shift || true
command -v cuobjdump >/dev/null || { echo "cuobjdump is not on the PATH: it comes with the CUDA toolkit" >&2; exit 2; }
ls "$build"/model/glm/cuda/*.fatbin >/dev/null 2>&1 || { echo "no kernels in $build: configure with -DGLMV_CUDA=ON" >&2; exit 2; }
archs=("$@")
if [ ${#archs[@]} = 0 ]; then
    mapfile -t archs < <(cuobjdump -lelf "$build"/model/glm/cuda/attend.fatbin | grep -o 'sm_[0-9a-z]*' | sort -u)
fi
spilled=0
for arch in "${archs[@]}"; do
    printf '%s\n%-30s %5s %7s %6s %6s %8s %6s %6s %6s\n' "$arch" kernel regs shared stack local LDG.128 LDG HMMA HGMMA
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
        / LDG\./ { if (/LDG\.E\.(NA\.)?128/) { wide[name]++ } else { narrow[name]++ } }
        / (LDL|STL)/ { local[name]++ }
        / HMMA\./ { hmma[name]++ }
        / HGMMA\./ { hgmma[name]++ }
        END {
            for (name in names) {
                printf "%-30s %5d %7d %6d %6d %8d %6d %6d %6d\n", name, use[name, "REG"], use[name, "SHARED"],
                       use[name, "STACK"], local[name], wide[name], narrow[name], hmma[name], hgmma[name]
            }
        }' | sort)
    echo "$table"
    awk '$5 > 0 && $1 != "rope" && $1 != "turn"' <<<"$table" | grep -q . && spilled=1
done
exit $spilled
