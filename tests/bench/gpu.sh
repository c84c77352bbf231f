#!/bin/bash
# What the CUDA back end reaches on this machine's card, in one table, and whether compute-sanitizer finds fault with it.
#     tests/bench/gpu.sh [PART...]
# Parts, in this order where none is named: device, test, torch, bf16, int4-g128, prompts, pictures, fp8, logits, load,
# transformers, memcheck, racecheck, synccheck, int8, products. Each is a program of its own with a time limit, whose lines
# are there at once; one that fails leaves the others alone. GPU.md has the minutes of each. A call ends after GPU_SECONDS:
# what would not fit any more is not begun, and the call that goes on is said at the end.
# Weights are random, of the published sizes, and made on the device. torch gives the ceiling of a product, transformers
# the engine to compare with, where python3 can import them.
#     GPU_BUILD=build/release   a release build with CUDA kernels; or the folder that gpu_folder.sh has made
#     GPU_LOAD=FOLDER           where "load" puts 8 GB of files, /tmp/glmv-gpu-load by default
#     GPU_SECONDS=570           what a call may take
#     GPU_LOG=FILE              keeps everything that was printed
# 77 where there is no device, or no part could be run: nothing was measured then. 1 where a part failed, 3 where some were not begun.
set -u
cd "$(dirname "$0")/../.." || exit 2
here=$PWD
if [ -d lib ] && [ -x bin/bench_gpu ]; then # a folder from gpu_folder.sh
    bin=$here/bin
else
    bin=${GPU_BUILD:-build/release}/tests/model/glm/cuda
fi
bench=${GPU_BENCH:-$bin/bench_gpu} check=${GPU_TEST:-$bin/test_cuda_real}
small=${GPU_SMALL:+--small} # tiny sizes, where a driver is emulated: nothing is to be slow there
slow=${GPU_SMALL:+20}
slow=${slow:-1}
[ -x "$bench" ] || { echo "no $bench: cmake --preset release && cmake --build --preset release"; exit 2; }
log=${GPU_LOG:-$(mktemp)}
: >"$log"
[ -n "${GPU_LOG:-}" ] || trap 'rm -f "$log"' EXIT
failed=0 ran=0 product=() ceilings=() later=() most=${GPU_SECONDS:-570}

say() { echo "$@" | tee -a "$log"; }

# seconds of a limit that this call still has
within() {
    local seconds=$(($1 * slow)) rest=$((most - SECONDS))
    [ $rest -gt 5 ] || rest=5
    echo $((seconds < rest ? seconds : rest))
}

# limited SECONDS COMMAND...: its exit code; what it prints is in the log as well
limited() {
    local seconds
    seconds=$(within "$1")
    shift
    timeout -k 5 "$seconds" "$@" 2>&1 | tee -a "$log"
    local code=${PIPESTATUS[0]}
    [ "$code" != 124 ] || say "| failed: not done after $seconds s: $*"
    return "$code"
}

measured() { # PART: lines of the table
    limited 150 "$bench" $small "${product[@]}" "${ceilings[@]}" "$1"
    local code=$? said
    [ $code != 77 ] || return 77
    said=$(sed -n 's/^-- ceilings: //p' "$log" | tail -1) # measured once, first of all
    [ -z "$said" ] || ceilings=(--ceilings "$said")
    return $code
}

# peers, their lines, and how much faster we are
transformers() {
    local peer
    peer=$(timeout -k 5 "$(within 180)" python3 tests/bench/gpu_peer.py decode ${small:+small} 2>>"$log") || return $?
    say "| transformers, bf16, tokens a second: $peer"
    awk -v peer="$peer" -F'|' '
        $2 ~ /decode at (512|16), tokens/ {
            form = $2; sub(/:.*/, "", form); gsub(/ /, "", form); split($3, value, " ")
            must = form == "bf16" ? 2 : form == "int4-g128" ? 6 : 0; stretch = 1.5 * must
            x = value[1] / peer; far = x >= stretch; near = x >= must
            printf("| %-46s | %9.3f %-8s | %7.3g | %7.3g | %-7s |\n", form ": against transformers in bf16", x, "x", must,
                   stretch, must == 0 ? "" : far ? "stretch" : near ? "met" : "missed")
        }' "$log" | sort -u | tee -a "$log"
}

sanitize() { # TOOL
    if ! command -v compute-sanitizer >/dev/null; then
        say "no compute-sanitizer: $1 was not run"
        return 77
    fi
    local out
    out=$(mktemp)
    local seconds
    seconds=$(within 150)
    timeout -k 5 "$seconds" compute-sanitizer --tool "$1" --error-exitcode 9 "$check" real >"$out" 2>&1
    local code=$?
    if [ $code = 0 ]; then
        say "compute-sanitizer $1: clean"
    elif [ $code = 77 ]; then
        say "compute-sanitizer $1: $(grep -m1 '^skipped' "$out")"
    elif [ $code = 124 ]; then
        say "compute-sanitizer $1: not done after $seconds s; until then: $(grep -c '=========.*\(Invalid\|Race\|ERROR\|hazard\)' "$out") findings"
    else
        say "compute-sanitizer $1: FAILED ($code)"
        tail -40 "$out" | tee -a "$log"
    fi
    rm -f "$out"
    return $code
}

loading() {
    local folder=${GPU_LOAD:-/tmp/glmv-gpu-load}
    if [ -n "$small" ]; then
        limited 60 "$bench" tests/model/glm/golden/nano int4
        return
    fi
    say "packed int4-g128: made, then four times from files to a token; in memory from the second on"
    limited 200 python3 tests/bench/engine_load.py "$bench" "$folder" int4-g128
    local code=$?
    [ -n "${GPU_LOAD:-}" ] || rm -rf "$folder"
    return $code
}

part() {
    case $1 in
    device) nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,power.limit,mig.mode.current --format=csv 2>/dev/null |
        tee -a "$log"; return 0 ;;
    torch)
        local found
        found=$(timeout -k 5 "$(within 90)" python3 tests/bench/gpu_peer.py product ${small:+small} 2>>"$log") || return $?
        product=(--product "$(head -1 <<<"$found")")
        say "$(tail -n +2 <<<"$found")" ;;
    bf16 | int4-g128 | fp8 | int8 | prompts | pictures | logits | products) measured "$1" ;;
    test) limited 120 "$check" real ;;
    load) loading ;;
    transformers) transformers ;;
    memcheck | racecheck | synccheck) sanitize "$1" ;;
    *) say "there is no part '$1'"; return 2 ;;
    esac
}

parts=("$@")
[ $# -gt 0 ] || parts=(device test torch bf16 int4-g128 prompts pictures fp8 logits load transformers memcheck racecheck
    synccheck int8 products)
for name in "${parts[@]}"; do
    if [ $((most - SECONDS)) -lt 30 ]; then
        later+=("$name")
        continue
    fi
    start=$SECONDS
    part "$name"
    code=$?
    case $code in
    0) say "-- $name: $((SECONDS - start)) s"; [ "$name" = device ] || ran=1 ;;
    77) say "-- $name: skipped"
        # without a device no other part can do anything either
        ! grep -q '^no CUDA device' "$log" || break ;;
    *) failed=1; say "-- $name: FAILED ($code) after $((SECONDS - start)) s" ;;
    esac
done
if grep -q '^no CUDA device' "$log" || [ "$ran$failed${#later[@]}" = 000 ]; then
    say "nothing was measured here. To go on: on a machine with a card, this again; or, for one where nothing is built,"
    say "    tests/bench/gpu_folder.sh build/release gpu-folder"
    say "and there gpu-folder/tests/bench/gpu.sh; tests/bench/GPU.md says what to look at first"
    exit 77
fi
echo "must reached: $(grep -c '| \(met\|stretch\) *|$' "$log"), missed: $(grep -c '| missed *|$' "$log")"
if [ ${#later[@]} -gt 0 ]; then
    say "not begun, since $SECONDS s are over; go on with: tests/bench/gpu.sh ${later[*]}"
    [ $failed = 1 ] || failed=3
fi
exit $failed
