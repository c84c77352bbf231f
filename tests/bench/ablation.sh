#!/usr/bin/env bash
# ablation.sh COMMAND...: what each stage of the tracer is worth. COMMAND scores a folder of pages with any evaluator; the
# words {options} in it are replaced by the options of the program that leave a stage out. Each variant's output follows its
# name. Example:
#   tests/bench/ablation.sh run_set.py PAGES --cmd 'glmv-replicate {png} -o {html} {options}'
set -eu
[ $# -gt 0 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
for options in '' '--rounds 0' '--without photos' '--without faces' '--without icons' '--without shadows'; do
    printf '== %s\n' "${options:-everything}"
    command=()
    for word in "$@"; do
        command+=("${word//\{options\}/$options}")
    done
    "${command[@]}"
done
