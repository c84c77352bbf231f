"""A batch against a server that fails a third of the time, killed in the middle: nothing lost, nothing twice.

  batch.py [PAGES [JOBS]]    60 pages and 16 at a time by default; 1000 32 is the long run"""
import glob
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

from kit import GLMV, Model, check, finish, render

PAGES = int(sys.argv[1]) if len(sys.argv) > 1 else 60
JOBS = sys.argv[2] if len(sys.argv) > 2 else "16"
ANSWER = ("<!DOCTYPE html>\n<html><head><style>body{margin:0;background:#dbe4ff}</style></head>"
          "<body><p>Page</p></body></html>\n")


def png(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = (b"\0" + b"\xdb\xe4\xff" * width) * height
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def size_of(i):
    """Every page has a size of its own: the server's log tells pages apart by it."""
    return 100 + i % 40, 80 + i // 40


def requests(model):
    seen = {}
    for entry in model.log("faulty"):
        size = tuple(entry["pictures"][0])
        seen[size] = seen.get(size, 0) + 1
    return seen


def finished(out):
    return {os.path.basename(p)[:-5]: os.stat(p).st_mtime_ns for p in glob.glob(out + "/*.html")}


def run(args, stop_after=None):
    """JSON lines of one run; killed without warning after so many pages."""
    process = subprocess.Popen([GLMV, "batch", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    lines = []
    for line in process.stdout:
        lines.append(json.loads(line))
        if len(lines) == stop_after:
            os.kill(process.pid, signal.SIGKILL)
            break
    said = process.stderr.read()
    return process.wait(), lines, said


def main():
    tmp = tempfile.mkdtemp(prefix="glmv-batch-")
    shots, out = os.path.join(tmp, "shots"), os.path.join(tmp, "out")
    os.mkdir(shots)
    for i in range(PAGES):
        with open(os.path.join(shots, "page-%04d.png" % i), "wb") as file:
            file.write(png(*size_of(i)))
    open(os.path.join(tmp, "1.txt"), "w").write("Here:\n```html\n%s```\n" % ANSWER)
    open(os.path.join(tmp, "probe.html"), "w").write(ANSWER)
    render(os.path.join(tmp, "probe.html"), os.path.join(tmp, "probe.png"))
    with Model(tmp) as model:
        said = whole(tmp, shots, out, model)
    shutil.rmtree(tmp)
    finish(said)


def whole(tmp, shots, out, model):
    args = [shots, "-o", out, "-j", JOBS, "--rounds", "0", "--model", model.url("faulty")]
    started = time.monotonic()

    code, first, _ = run(args, PAGES // 3)
    check(code == -signal.SIGKILL, "killed: %d" % code)
    before = finished(out)
    said_done = {e["page"][:-4] for e in first if e["status"] == "done"}
    check(said_done <= set(before), "what was said to be done is there")
    check(len(before) < PAGES, "the run was stopped in the middle")

    code, second, said = run(args)
    check(code == 0, "exit %d: %s" % (code, said))
    total = second.pop()
    check(total["total"] == PAGES and total["left"] == 0 and total["failed"] == 0, str(total))
    check(total["skipped"] == len(before) and total["done"] == PAGES - len(before), str(total))
    names = [e["page"][:-4] for e in second]
    check(len(names) == len(set(names)), "no page twice")
    check(not set(names) & set(before), "what was there was left alone")
    after = finished(out)
    check(len(after) == PAGES, "%d of %d pages" % (len(after), PAGES))
    check(all(after[n] == t for n, t in before.items()), "earlier pages were not written again")
    for name in after:
        check(open("%s/%s.html" % (out, name)).read() == ANSWER, name + " is whole")
        facts = json.load(open("%s/%s.json" % (out, name)))
        check(facts["page"] == name + ".png" and 0 < facts["score"] <= 1, str(facts))
    seen = requests(model)
    check(len(seen) == PAGES, "every page was asked for")
    asked = sum(seen.values())

    code, third, _ = run(args)
    check(code == 0 and len(third) == 1 and third[0]["skipped"] == PAGES, str(third))
    check(sum(requests(model).values()) == asked, "a finished batch asks nothing")
    seconds = time.monotonic() - started

    # A page that cannot be read is named and the others are done; a server that is down ends it.
    open(os.path.join(shots, "page-0001.png"), "wb").write(b"no picture")
    os.remove(out + "/page-0002.html")
    code, lines, said = run(args)
    check(code == 4 and lines[-1]["failed"] == 1 and lines[-1]["done"] == 1, "%d %s" % (code, lines))
    failed = [e for e in lines[:-1] if e["status"] == "failed"]
    check(len(failed) == 1 and "page-0001.png" in failed[0]["problem"], str(failed))
    os.remove(os.path.join(shots, "page-0001.png"))
    away = os.path.join(tmp, "away")
    os.environ["GLMV_SERVER_FIRST_S"] = "5"
    code, lines, said = run([shots, "-o", away, "-j", JOBS, "--model", model.url("wrong-key"),
                             "--model-name", "m"])
    check(code == 4 and "wants a key" in said and not glob.glob(away + "/*.html"), "%d %s" % (code, said))
    check(lines[-1]["left"] > 0, "it gives up: %s" % lines[-1])
    # A bar on a terminal.
    done = subprocess.run(["script", "-qec", "%s batch %s -o %s -j 2 --rounds 0 --model %s" % (
        GLMV, shots, tmp + "/bar", model.url()), "/dev/null"], capture_output=True, text=True, timeout=300) \
        if shutil.which("script") and os.path.exists("/dev/pts/ptmx") and PAGES <= 60 else None
    if done is not None:
        check(done.returncode == 0 and re.search(r"#{6}\.* \d+/\d+  0 failed  ETA \d+:\d\d:\d\d",
                                                 done.stdout) is not None, done.stdout[-300:])
        check("%d done, 0 failed, 0 were there already, 0 left" % (PAGES - 1) in done.stdout,
              done.stdout[-300:])
    for words, code_wanted in ((["/nowhere", "-o", out], 3), ([tmp + "/away", "-o", out], 3), ([shots], 2),
                               ([shots, "-o", out, "-j", "0"], 2)):
        done = subprocess.run([GLMV, "batch", *words], capture_output=True, text=True)
        check(done.returncode == code_wanted, "%s: %d %s" % (words, done.returncode, done.stderr))
    # The tracer does the same without a server.
    few = os.path.join(tmp, "few")
    os.mkdir(few)
    for i in range(3):
        open(os.path.join(few, "%d.png" % i), "wb").write(png(*size_of(i)))
    code, lines, said = run([few, "-o", tmp + "/traced", "-j", "2"])
    check(code == 0 and lines[-1]["done"] == 3 and lines[0]["score"] > 0.95, "%d %s %s" % (code, lines, said))
    lost, twice = PAGES - len(after), len(names) - len(set(names) - set(before))
    return "%d pages, %d requests, killed after %d lines: %d pages before, %d after, %d lost, %d twice; %.0f s" % (
        PAGES, asked, PAGES // 3, len(before), len(second), lost, twice, seconds)


if __name__ == "__main__":
    main()
