#!/usr/bin/env bash
# pages.sh FOLDER [PROGRAM]: rebuilds every screenshot of a folder and prints score, rounds, seconds and peak memory of
# the program (the renderer's processes not counted) for each page, and the means.
set -eu
folder=${1:?usage: pages.sh FOLDER [PROGRAM]}
program=${2:-build/release/replicate/glmv-replicate}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%-28s %8s %8s %8s %8s %6s\n' page score first seconds MB code
for shot in "$folder"/*.png; do
    name=$(basename "$shot" .png)
    python3 - "$program" "$shot" "$work" "$name" <<'PY'
import json, resource, subprocess, sys, time
program, shot, work, name = sys.argv[1:]
start = time.time()
code = subprocess.run([program, shot, "-q", "-o", work + "/page.html", "--json", work + "/page.json"]).returncode
seconds = time.time() - start
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
score = first = 0.0
if code == 0:
    report = json.load(open(work + "/page.json"))
    score, first = report["score"]["total"], report["rounds"][0]["score"]["total"]
print(f"{name:28} {score:8.4f} {first:8.4f} {seconds:8.2f} {memory:8.0f} {code:6d}")
PY
done | tee "$work/rows"
awk '{s += $2; f += $3; t += $4; if ($5 > m) m = $5; bad += $6 != 0; n++}
     END {printf "%-28s %8.4f %8.4f %8.2f %8.0f %6d\n", "mean (MB: largest, code: failed)", s/n, f/n, t/n, m, bad}' "$work/rows"
