#!/usr/bin/env bash
# ablation.sh [--every N FOLDER] COMMAND...: what each stage of the tracer is worth. COMMAND scores a folder of pages with
# any evaluator; the words {options} in it are replaced by the options of the program that leave a stage out, and {pages} by
# the names of every N-th screenshot of FOLDER, by name, with commas between them. Each variant's output follows its name.
# Example:
#   tests/bench/ablation.sh --every 3 PAGES run_set.py PAGES --only {pages} --cmd 'glmv-replicate {png} -o {html} {options}'
set -eu
pages=
if [ "${1:-}" = --every ] && [ $# -ge 3 ]; then
    case $2 in '' | 0 | *[!0-9]*) echo "ablation.sh: --every wants a number from 1, not '$2'" >&2 && exit 2 ;; esac
    pages=$(find "$3" -maxdepth 1 -name '*.png' -exec basename {} .png ';' | LC_ALL=C sort | awk -v n="$2" 'NR % n == 1 || n == 1' |
        paste -sd,)
    [ -n "$pages" ] || { echo "ablation.sh: no screenshot (*.png) in $3" >&2 && exit 3; }
    shift 3
fi
[ $# -gt 0 ] || { sed -n '2,6s/^# //p' "$0" >&2; exit 2; }
for options in '' '--rounds 0' '--without photos' '--without faces' '--without icons' '--without shadows'; do
    printf '== %s\n' "${options:-everything}"
    command=()
    for word in "$@"; do
        word=${word//\{options\}/$options}
        command+=("${word//\{pages\}/$pages}")
    done
    "${command[@]}"
done
