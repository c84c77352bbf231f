#!/usr/bin/env bash
# glmv-replicate diff beside odiff on a 4K pair that Chromium makes: cold processes, files in the page cache.
# Prints the median of each and the median of the ratios per round. Usage: GLMV=path tests/bench/diff.sh [ROUNDS]
set -eu
glmv=$(realpath "${GLMV:-build/release/replicate/glmv-replicate}")
rounds=${1:-9}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm init -y >/dev/null 2>&1
npm install --silent odiff-bin@4 >/dev/null 2>&1
page() {
    { echo '<!doctype html><meta charset=utf-8><body style="font:14px DejaVu Sans;columns:3;margin:24px">'
      for i in $(seq 150); do echo "<p><b style=\"background:$2;color:#fff;padding:2px 8px\">Item $i</b> Deliveries start on Monday at half past nine."; done; } >"$1.html"
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=2 \
        --window-size=1920,1080 --screenshot="$1.png" "$1.html" >/dev/null 2>&1
}
page a '#2255cc'
page b '#1a9c5b'
cp a.png same.png
cat >rounds.py <<'PY'
import random, statistics, subprocess, sys, time
glmv, rounds = sys.argv[1], int(sys.argv[2])
odiff = 'node_modules/@odiff/linux-x64/odiff'
pairs = {'verdict': ([glmv, 'diff', 'a.png', 'b.png', '--json'], [odiff, 'a.png', 'b.png']),
         'with picture': ([glmv, 'diff', 'a.png', 'b.png', '-o', 'd.png'], [odiff, 'a.png', 'b.png', 'e.png']),
         'same bytes': ([glmv, 'diff', 'a.png', 'same.png'], [odiff, 'a.png', 'same.png'])}
def once(cmd):
    start = time.perf_counter()
    code = subprocess.run(cmd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    if code not in (0, 1, 22):
        sys.exit(f'{cmd}: exit code {code}')
    return (time.perf_counter() - start) * 1000
for name, cmds in pairs.items():
    times = ([], [])
    for _ in range(rounds):
        for k in random.sample((0, 1), 2):
            times[k].append(once(cmds[k]))
    ratio = statistics.median(o / g for g, o in zip(*times))
    print(f'{name}: ours {statistics.median(times[0]):.1f} ms, odiff {statistics.median(times[1]):.1f} ms, odiff / ours {ratio:.2f}')
PY
python3 rounds.py "$glmv" "$rounds"
