#!/usr/bin/env bash
# render.sh PAGE.html [ROUNDS]: wall time of a cold render (process start to PNG) beside headless Chromium, in turn,
# medians in seconds and the ratio.
set -eu
page=$(realpath "${1:?usage: render.sh PAGE.html [ROUNDS]}")
rounds=${2:-7}
program=${GLMV:-build/release/replicate/glmv-replicate}
command -v chromium >/dev/null || { echo "render.sh: install the package chromium" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$page" "$rounds" "$program" "$work" <<'PY'
import statistics, subprocess, sys, time
page, rounds, program, work = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
commands = {
    "glmv-replicate": [program, "render", page, "-o", work + "/a.png"],
    "chromium": ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--user-data-dir=" + work + "/profile", "--window-size=1280,800", "--screenshot=" + work + "/b.png",
                 "file://" + page],
}
times = {name: [] for name in commands}
for _ in range(rounds + 1):
    for name, command in commands.items():
        start = time.time()
        subprocess.run(command, check=True, capture_output=True)
        times[name].append(time.time() - start)
middle = {name: statistics.median(values[1:]) for name, values in times.items()}
for name, value in middle.items():
    print(f"{name:16} {value:6.3f} s median of {rounds}")
print(f"chromium / ours  {middle['chromium'] / middle['glmv-replicate']:6.2f}")
PY
