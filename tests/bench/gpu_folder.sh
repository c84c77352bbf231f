#!/bin/bash
# Everything that gpu.sh needs in one folder, for a machine with a card and nothing else: programs, the libraries they are
# linked with except the C library, scripts, the tests' tiny checkpoints.
#     tests/bench/gpu_folder.sh BUILD FOLDER          then there: tests/bench/gpu.sh
# The other machine needs x86-64 Linux, NVIDIA's driver and a C library as new as the one here (said at the end); python3
# for the parts load, torch and transformers, compute-sanitizer for its parts. Configure BUILD with
# -DGLMV_CUDA_ARCHS=90a to carry an H100's kernels alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:?the build folder} folder=${2:?the folder to make}
[ ! -e "$folder" ] || { echo "$folder is there already"; exit 2; }
programs=(${GPU_PROGRAMS:-bench_gpu test_cuda_real})
mkdir -p "$folder"/{bin,lib,tests/bench,tests/model/glm/golden}
for program in "${programs[@]}"; do
    strip -o "$folder/bin/$program" "$build/tests/model/glm/cuda/$program"
    ldd "$build/tests/model/glm/cuda/$program" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }'
done | sort -u | grep -Ev '/(libc|libm|libdl|libpthread|librt|libresolv|libcuda)\.so' | xargs -r cp -Lt "$folder/lib"
cp tests/bench/gpu.sh tests/bench/gpu_peer.py tests/bench/engine_load.py "$folder/tests/bench"
cp -r tests/model/glm/golden/nano "$folder/tests/model/glm/golden"
mkdir -p "$folder/tests/model/glm/golden/gguf"
cp -r tests/model/glm/golden/gguf/q8_0 "$folder/tests/model/glm/golden/gguf"
needed=$(cat "$folder"/bin/* "$folder"/lib/* | grep -aoE 'GLIBC_2\.[0-9]+' | sort -uV | tail -1)
echo "$folder: $(du -sh "$folder" | cut -f1), for a C library from ${needed#GLIBC_} on"
