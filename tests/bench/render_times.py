"""What render.sh runs: every way of drawing a page once a round, in turn, so that a busy moment hits all alike."""
import os
import statistics
import subprocess
import sys
import time

build, browser, playwright, rounds, work = sys.argv[1:6]
pages = [os.path.realpath(page) for page in sys.argv[6:]]
here = os.path.dirname(os.path.realpath(__file__))
script = os.path.join(here, "render_playwright.js")


def cold(command):
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - start


def open_warm(command):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)


def warm(process, page):
    print(page, file=process.stdin, flush=True)
    return [float(part) for part in process.stdout.readline().split()]


def height(png):
    with open(png, "rb") as file:
        return int.from_bytes(file.read(24)[20:24], "big")


ours = open_warm([build + "/tests/render/render_warm", work + "/warm.png"])
theirs = open_warm(["node", script, playwright, browser, "warm"]) if playwright else None
print(f"median of {rounds} rounds in turn, ms; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
for page in pages:
    subprocess.run([build + "/replicate/glmv-replicate", "render", page, "-o", work + "/size.png"], check=True,
                   capture_output=True)
    high = height(work + "/size.png")
    times = {}

    def add(name, seconds):
        times.setdefault(name, []).append(seconds)

    for turn in range(int(rounds) + 1):
        got = {}
        got["cold: ours"] = cold([build + "/replicate/glmv-replicate", "render", page, "-o", work + "/ours.png"])
        got["cold: chromium"] = cold([
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--user-data-dir=" + work + "/profile", f"--window-size=1280,{high}", "--screenshot=" + work + "/chromium.png",
            "file://" + page])
        got["warm: ours, pixels"], got["warm: ours, PNG"] = warm(ours, page)
        if theirs:
            got["cold: playwright"] = cold(["node", script, playwright, browser, "cold", page])
            got["warm: playwright, same page"], got["warm: playwright, new page"] = warm(theirs, page)
        for name, seconds in got.items():
            if turn > 0:
                add(name, seconds)
    middle = {name: statistics.median(values) for name, values in times.items()}
    print(f"\n{os.path.basename(page)}, 1280 x {high}")
    for name in sorted(middle):
        base = middle["cold: ours"] if name.startswith("cold") else middle["warm: ours, PNG"]
        print(f"  {name:30} {middle[name] * 1000:8.1f}  min {min(times[name]) * 1000:8.1f}  {middle[name] / base:6.2f} x ours")
for process in filter(None, (ours, theirs)):
    process.stdin.close()
    process.wait()
