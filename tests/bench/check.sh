#!/usr/bin/env bash
# glmv-replicate check beside Playwright's toHaveScreenshot: 200 pages ($PAGES) at 2 viewports, whole documents, every page
# like its baseline, as many workers for both ($JOBS, 4). Whole commands are timed, start and reports included. A round is four
# shards, ours and theirs in turn, so that a busy machine is busy for both; the median pages per second and the median of the
# ratios per shard are printed. Then check runs FLAKY_RUNS times more, and results that are not "same at the first render" are
# counted and told. With $FOLDER the pages and baselines are made there and kept: "check.sh 0" makes them, and later runs are
# parts; $ONLY chooses among the shards.
# Usage: [GLMV=path] [FOLDER=path] tests/bench/check.sh [ROUNDS] [FLAKY_RUNS]
set -eu
glmv=$(realpath "${GLMV:-build/release/replicate/glmv-replicate}")
rounds=${1:-3}
flaky=${2:-0}
jobs=${JOBS:-4}
pages=${PAGES:-200}
command -v chromium >/dev/null || { echo "check.sh: install the package chromium" >&2; exit 1; }
if [ -n "${FOLDER:-}" ]; then
    mkdir -p "$FOLDER"
    cd "$FOLDER"
else
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    cd "$tmp"
fi
if [ ! -d node_modules/@playwright ]; then
    npm init -y >/dev/null 2>&1
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm install --silent @playwright/test@1 >/dev/null 2>&1
fi
mkdir -p pages
cat >pages.py <<'PY'
import random, sys
words = ("garden seeds soil water spring order basket delivery table chair light price Monday field apple river stone paper "
         "window morning coffee letter market yellow quiet harbour").split()
random.seed(7)
text = lambda n: " ".join(random.choice(words) for _ in range(n)).capitalize() + "."
def card():
    return (f"<article><h3>{text(3)}</h3><p>{text(random.randint(12, 40))}</p><a class=b href=#>{text(1)}</a></article>")
def table():
    rows = "".join("<tr>" + "".join(f"<td>{random.randint(1, 9999)}</td>" for _ in range(5)) + "</tr>" for _ in range(random.randint(5, 15)))
    return f"<table><tr>{''.join(f'<th>{text(1)}</th>' for _ in range(5))}</tr>{rows}</table>"
for i in range(int(sys.argv[1])):
    hue = random.randint(0, 359)
    parts = [f"<div class=grid>{''.join(card() for _ in range(random.randint(3, 9)))}</div>", table(),
             f"<p>{text(80)}</p>", f"<form><input placeholder='{text(2)}'><button class=b>{text(1)}</button></form>",
             f"<svg width=300 height=120>{''.join(f'<rect x={x * 30} y={random.randint(0, 90)} width=20 height=90 fill=hsl({hue},60%,50%) />' for x in range(10))}</svg>"]
    random.shuffle(parts)
    open(f"pages/p{i:03}.html", "w").write(f"""<!doctype html><meta charset=utf-8><title>{i}</title>
<meta name=viewport content="width=device-width"><style>*{{box-sizing:border-box}}body{{margin:0;font:15px/1.5 'Liberation Sans',sans-serif;color:#222}}
header{{background:linear-gradient(90deg,hsl({hue},60%,40%),hsl({hue + 40},60%,50%));color:#fff;padding:24px}}main{{padding:24px;max-width:1100px;margin:auto}}
.grid{{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:16px}}article{{border:1px solid #ddd;border-radius:8px;padding:16px;box-shadow:0 1px 4px #0002}}
.b{{background:hsl({hue},60%,40%);color:#fff;padding:6px 12px;border-radius:4px;text-decoration:none;border:0}}table{{border-collapse:collapse;width:100%;margin:16px 0}}
td,th{{border-bottom:1px solid #ddd;padding:6px;text-align:left}}</style><header><h1>{text(4)}</h1></header><main>{''.join(parts)}</main>""")
PY
python3 pages.py "$pages"
echo '{"pages": ["pages/*.html"], "viewports": ["1280x800", "390x844"], "timeout": 300}' >check.json
cat >playwright.config.js <<JS
module.exports = {
  testDir: '.', fullyParallel: true, workers: $jobs, retries: 0, reporter: [['html', {open: 'never'}], ['junit', {outputFile: 'junit.xml'}]],
  use: {launchOptions: {executablePath: '/usr/bin/chromium', args: ['--no-sandbox']}},
  projects: [{name: 'desktop', use: {viewport: {width: 1280, height: 800}}}, {name: 'phone', use: {viewport: {width: 390, height: 844}}}],
};
JS
cat >pages.spec.js <<'JS'
const {test, expect} = require('@playwright/test');
const fs = require('fs');
for (const name of fs.readdirSync('pages').sort()) {
  test(name, async ({page}) => {
    await page.goto('file://' + process.cwd() + '/pages/' + name);
    await expect(page).toHaveScreenshot(name + '.png', {fullPage: true});
  });
}
JS
cat >rounds.py <<'PY'
import json, os, statistics, subprocess, sys, time
SHARDS = 4
CHOSEN = [int(n) for n in os.environ.get("ONLY", "1 2 3 4").split()]
glmv, jobs, rounds, flaky, total = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), 2 * int(sys.argv[5])
ours = [glmv, "check", "-q", "-j", jobs]
theirs = ["node_modules/.bin/playwright", "test"]
def run(command, codes=(0,)):
    start = time.perf_counter()
    r = subprocess.run(command, capture_output=True, text=True)
    if r.returncode not in codes:
        sys.exit(f"{command}: exit code {r.returncode}\n{r.stdout[-2000:]}{r.stderr[-2000:]}")
    return time.perf_counter() - start
def odd(results):
    report = json.load(open("check-output/report.json"))
    assert len(report["results"]) in results
    found = [r for r in report["results"] if r["status"] != "same" or r["renders"] != 1]
    for result in found:
        print(result["name"], result["status"], result["renders"], "renders:", result.get("message", "").strip())
    return len(found)
if not os.path.exists("made"):
    run(ours + ["--update"])
    if subprocess.run(theirs + ["--update-snapshots"], capture_output=True).returncode:
        run(theirs + ["--update-snapshots", "--last-failed"])  # pages that a busy machine let run out of time
    open("made", "w").close()
times, bad = ([], []), 0
for _ in range(rounds):
    for shard in CHOSEN:
        times[0].append(run(ours + ["--shard", f"{shard}/{SHARDS}"]))
        bad += odd((total // SHARDS, total // SHARDS + 1))
        times[1].append(run(theirs + [f"--shard={shard}/{SHARDS}"], (0, 1)))
if rounds > 0:
    for name, list_ in zip(("glmv-replicate check", "Playwright"), times):
        print(f"{name:21} {total / SHARDS / statistics.median(list_):6.1f} pages a second, median of {len(list_)} shards")
    print(f"ratio {statistics.median(p / g for g, p in zip(*times)):.2f}")
for _ in range(flaky):
    run(ours, (0, 1, 4))
    bad += odd((total,))
if rounds + flaky > 0:
    results = total * flaky + total // SHARDS * len(CHOSEN) * rounds
    print(f"{bad} results of {results} in {rounds + flaky} runs were not the same at the first render")
PY
python3 -u rounds.py "$glmv" "$jobs" "$rounds" "$flaky" "$pages"
