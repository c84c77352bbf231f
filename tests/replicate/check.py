#!/usr/bin/env python3
"""What `glmv-replicate check` promises, with a real renderer. Needs $GLMV, the program."""
import base64
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as xml

GLMV = os.path.abspath(os.environ.get("GLMV", "build/dev/replicate/glmv-replicate"))
WORK = pathlib.Path(tempfile.mkdtemp(prefix="glmv-check-"))
os.chmod(WORK, 0o755)
counts = {"checks": 0, "failed": 0}
PAGE = ("<!doctype html><style>body{{margin:0;font:16px 'Liberation Sans';background:#fff;color:#222}}"
        "@media(prefers-color-scheme:dark){{body{{background:#111;color:#eee}}}}"
        "#box{{width:120px;height:60px;background:#2255cc}}</style>"
        "<h1>{0}</h1><p id=clock>{1}</p><div id=box></div>")


def check(condition, what):
    counts["checks"] += 1
    if not condition:
        counts["failed"] += 1
        print(f"failed: {what} (line {sys._getframe(1).f_lineno})", file=sys.stderr)


def program_for_all():
    """The program in a folder that every user can enter."""
    folder = WORK / "bin"
    if not folder.exists():
        folder.mkdir()
        build = pathlib.Path(GLMV).parent
        for file in (build / "glmv-replicate", build / "glmv-replicate-main", build.parent / "render/glmv-render-worker"):
            shutil.copy(file, folder)
    return str(folder / "glmv-replicate")


class Folder:
    """A project: pages, a config, baselines."""

    def __init__(self, name, **config):
        self.path = WORK / name
        self.path.mkdir()
        self.config(**config)

    def config(self, **config):
        config.setdefault("viewports", ["400x300"])
        (self.path / "check.json").write_text(json.dumps(config))

    def page(self, name, title="Garden", clock="12:00", text=None):
        (self.path / name).write_text(text if text is not None else PAGE.format(title, clock))

    def run(self, *args, user=None):
        command = [GLMV, "check", *args]
        if user is not None:
            # The build may lie where only root can go.
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", program_for_all(), *command[1:]]
        return subprocess.run(command, cwd=self.path, capture_output=True, text=True, timeout=400)

    def report(self):
        return json.loads((self.path / "check-output/report.json").read_text())

    def statuses(self):
        return {r["name"]: r["status"] for r in self.report()["results"]}

    def baselines(self):
        folder = self.path / "baselines"
        return {f.name: f.read_bytes() for f in folder.iterdir()} if folder.is_dir() else {}


def png(path, width, height, colour):
    """A picture made elsewhere."""
    import struct
    import zlib
    chunk = lambda kind, data: (struct.pack(">I", len(data)) + kind + data +
                                struct.pack(">I", zlib.crc32(kind + data)))
    rows = (b"\0" + bytes(colour) * width) * height
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def baselines_are_told_apart():
    f = Folder("kinds", pages=["*.html"])
    for name in ("a", "b", "c", "d"):
        f.page(name + ".html", name)
    r = f.run()
    check(r.returncode == 1 and set(f.statuses().values()) == {"new"}, "pages without baselines are new")
    check(f.baselines() == {}, "a check writes no baseline")
    r = f.run("--update")
    check(r.returncode == 0 and f.report()["totals"]["updated"] == 4, "update writes new ones: " + r.stderr)
    check("The baselines are in ./baselines" in r.stderr, "and says where: " + r.stderr)
    check((f.path / "baselines/index.txt").read_text() == "".join(f"{n}.400x300\n" for n in "abcd"), "index")
    check(f.run().returncode == 0 and set(f.statuses().values()) == {"same"}, "then all are the same")
    f.page("b.html", "other")
    (f.path / "c.html").unlink()
    (f.path / "baselines/d.400x300.png").unlink()
    f.page("e.html")
    before = f.baselines()
    r = f.run()
    want = {"a.400x300": "same", "b.400x300": "changed", "c.400x300": "removed", "d.400x300": "missing",
            "e.400x300": "new"}
    check(r.returncode == 1 and f.statuses() == want, f"each by its name: {f.statuses()}")
    check(f.baselines() == before, "and no baseline was touched")
    check("Look at ./check-output/report.html\n" in r.stderr, "where to look: " + r.stderr)
    check("should look: glmv-replicate check --update\n" in r.stderr, "and how to keep it: " + r.stderr)
    check("To drop the baselines of removed pages: glmv-replicate check --update=removed\n" in r.stderr, "also of removed ones")
    check("pixels differ" in r.stdout and "changed   b.400x300" in r.stdout, "said on the terminal: " + r.stdout)
    r = f.run("--update", "e.*")
    check(r.returncode == 0 and set(f.baselines()) - set(before) == {"e.400x300.png"}, "only what was chosen")
    check(all(f.baselines()[n] == before[n] for n in before if n.endswith(".png")), "others stay as they are")
    r = f.run("--update=missing")
    check(r.returncode == 1 and "d.400x300.png" in f.baselines(), "only the kinds that were chosen")
    check(f.baselines()["b.400x300.png"] == before["b.400x300.png"], "a changed one stays then")
    r = f.run("--update")
    check("c.400x300.png" in f.baselines() and r.returncode == 1, "removed ones go only when named")
    r = f.run("--update=removed")
    check("c.400x300.png" not in f.baselines() and r.returncode == 0, "and then they go")
    check(f.run().returncode == 0, "all the same in the end")
    check(not (f.path / "baselines/.update").exists(), "nothing is left of the updates")
    check(f.run("--update=everything").returncode == 2, "an unknown kind is usage")
    r = f.run("nothing.*")
    check(r.returncode == 2 and "names are like 'a.400x300'" in r.stderr, "a name that nothing has is usage: " + r.stderr)


def pictures_of_pages_that_are_gone_go():
    f = Folder("gone", pages=["*.html"])
    f.page("a.html")
    f.page("b.html")
    f.run()
    out = f.path / "check-output"
    check(sorted(p.name for p in out.glob("*.png")) == ["a.400x300.actual.png", "b.400x300.actual.png"], "of both pages")
    (out / "notes.png").write_text("x")
    (f.path / "b.html").unlink()
    f.run("a.*")
    check(sorted(p.name for p in out.glob("*.png")) == ["a.400x300.actual.png", "notes.png"], "of the one that is left")
    elsewhere = f.path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.actual.png").write_text("x")
    f.run("--output", "elsewhere")
    check((elsewhere / "mine.actual.png").exists(), "a folder that held no report is not swept")


def faint_changes_are_told_and_count_where_asked_for():
    f = Folder("faint", pages=["*.html"])
    f.page("a.html")
    f.run("--update")
    f.page("a.html", text=PAGE.format("Garden", "12:00").replace("#2255cc", "#2a5fd0"))
    r = f.run()
    check(r.returncode == 0 and "by less than the threshold, from #2255cc to #2a5fd0" in r.stdout, "told: " + r.stdout)
    f.config(pages=["*.html"], faint=True)
    r = f.run()
    check(r.returncode == 1 and f.statuses() == {"a.400x300": "changed"}, f"counts: {f.statuses()}")
    check("different, by less than the threshold" in r.stdout and "In #box." in r.stdout, "named: " + r.stdout)
    f.config(pages=["*.html"], faint=True, masks=["#box"])
    check(f.run().returncode == 0, "not where it is masked")


def reports_say_the_same_in_every_form():
    f = Folder("reports", pages=["*.html"], color_schemes=["light", "dark"])
    f.page("a.html")
    f.page("b.html")
    f.run("--update")
    f.page("b.html", "Gardens <&> more")
    one = f.run("-j1", "--github")
    files = ("report.html", "report.json", "junit.xml", "summary.md")
    first = {n: (f.path / "check-output" / n).read_bytes() for n in files}
    four = f.run("-j4", "--github")
    check(one.stdout == four.stdout and one.returncode == four.returncode == 1, "output whatever -j")
    for name in files:
        check((f.path / "check-output" / name).read_bytes() == first[name], name + " whatever -j")
    check(one.stdout.count("::error file=b.html,title=changed b.400x300") == 2, "annotations: " + one.stdout)
    check(all("\n" not in line for line in one.stdout.split("\n") if line.startswith("::")), "one line each")
    suite = xml.fromstring(first["junit.xml"])
    check(suite.get("tests") == "4" and suite.get("failures") == "2" and suite.get("errors") == "0", "JUnit")
    check(len(suite.findall("testcase/failure")) == 2, "JUnit failures")
    data = json.loads(first["report.json"])
    changed = [r for r in data["results"] if r["status"] == "changed"]
    check(len(changed) == 2 and all(r["comparison"]["differing"] > 0 and r["comparison"]["regions"] for r in changed),
          "JSON holds the comparison")
    page = first["report.html"].decode()
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    check(len(pictures) == 6, f"HTML holds both pictures and the difference: {len(pictures)}")
    check(all(base64.b64decode(p).startswith(b"\x89PNG") for p in pictures), "as pictures")
    check(not re.search(r'(src|href)=(?!"data:)', page), "and asks for nothing else")
    check(all(word in page for word in ("Side by side", "Slider", "Blink")), "with its modes")
    check("**changed** `b.400x300`" in first["summary.md"].decode(), "Markdown")
    shutil.rmtree(f.path / "check-output")
    f.page("b.html")
    check(f.run().returncode == 0 and not list((f.path / "check-output").glob("*.png")), "nothing to show, no pictures")


def elements_are_named():
    f = Folder("elements", pages=["a.html"])
    f.page("a.html")
    f.run("--update")
    f.page("a.html", "Gardens")
    check("In body > h1." in f.run().stdout, "the element that changed")
    region = f.report()["results"][0]["comparison"]["regions"][0]
    check(region["selector"] == "body > h1", f"in JSON too: {region}")
    f.page("a.html", text=PAGE.format("Garden", "12:34").replace("<h1>", "<div style='height:40px;background:#fd0'></div><h1>"))
    r = f.run()
    check("40 px were inserted at y 0" in r.stdout and "In #clock." in r.stdout, "and below rows that moved: " + r.stdout)


def shards_cover_everything_once():
    f = Folder("shards", pages=["*.html"])
    for i in range(7):
        f.page(f"p{i}.html", str(i))
    seen = []
    for shard in (1, 2, 3):
        r = f.run("--update", "--shard", f"{shard}/3")
        check(r.returncode == 0, "a shard updates its own: " + r.stderr)
        seen += list(f.statuses())
    check(sorted(seen) == [f"p{i}.400x300" for i in range(7)], "each page in one shard")
    check((f.path / "baselines/index.txt").read_text().count("\n") == 7, "the index has all")
    check(f.run().returncode == 0, "together they are all")
    for wrong in ("0/3", "4/3", "x", "1/"):
        check(f.run("--shard", wrong).returncode == 2, "--shard " + wrong)


def rules_of_a_page():
    f = Folder("rules", pages=["a.html", {"file": "b.html", "masks": ["#clock"]},
                               {"file": "c.html", "masks": [{"x": 0, "y": 55, "w": 400, "h": 60}]},
                               {"file": "d.html", "max_diff": "5%"}, {"file": "e.html", "threshold": 1},
                               {"file": "g.html", "full_page": False}],
               viewports=["400x300", {"name": "phone", "width": 300, "height": 300, "scale": 2}])
    for name in "abcdeg":
        f.page(name + ".html")
    f.run("--update")
    for name in "abcde":
        f.page(name + ".html", clock="13:37")
    f.page("g.html", text=PAGE.format("Garden", "12:00") + "<div style='height:900px'></div><p>below")
    f.run()
    statuses = f.statuses()
    for size in ("400x300", "phone"):
        check(statuses["a." + size] == "changed", "a change counts: " + size)
        check(statuses["b." + size] == "same", "not under a selector: " + size)
        check(statuses["c." + size] == "same", "not under a box: " + size)
        check(statuses["d." + size] == "same", "not within max_diff: " + size)
        check(statuses["e." + size] == "same", "not within the threshold: " + size)
        check(statuses["g." + size] == "same", "not below the viewport: " + size)
    f.page("b.html", "Gardens", clock="13:37")
    f.run("b.*")
    check(set(f.statuses().values()) == {"changed"}, "a mask hides no more than it covers")
    header = (f.path / "baselines/b.phone.png").read_bytes()[16:24]
    check(int.from_bytes(header[:4], "big") == 600, "scale 2 gives twice the pixels")
    f.config(pages=["a.html", {"file": "b.html", "masks": ["#clock", "#clok"]}], masks=["#box", "#bx"])
    said = f.run().stderr
    check("masks: '#clok' is on none of the pages" in said and said.count("'#bx'") == 1, "masks that hide nothing: " + said)
    check("'#box'" not in said and "'#clock'" not in said, "those that do are not named")
    check("none of the pages" not in f.run("a.*").stderr, "a run of some pages cannot know")
    f.config(pages=[{"file": "a.html", "masks": ["p[["]}])
    r = f.run()
    check(r.returncode == 4 and "'p[[' is not a CSS selector" in r.stdout, "a wrong selector is named: " + r.stdout)


def scripts_waits_and_pages_that_never_rest():
    late = ("<body style=margin:0><script>setTimeout(() => document.body.innerHTML = "
            "'<div id=late style=\"height:50px;background:#a00\">', 500)</script>")
    noise = ("<body style=margin:0><script>for (let i = 0; i < 100; i++) document.body.insertAdjacentHTML('beforeend', "
             "`<div style=\"height:9px;background:hsl(${Math.random() * 360} 90% 50%)\">`)</script>")
    f = Folder("waits", scripts=True, retries=1, timeout=40,
               pages=[{"name": "for", "file": "late.html", "wait_for": "#late"},
                      {"name": "ms", "file": "late.html", "wait_ms": 1000}])
    f.page("late.html", text=late)
    check(f.run("--update").returncode == 0, "waiting pages get baselines")
    pictures = {v for n, v in f.baselines().items() if n.endswith(".png")}
    check(len(pictures) == 1, "both ways of waiting see the same")
    check(f.run().returncode == 0, "and see it again")
    f.page("noise.html", text=noise)
    f.page("hang.html", text="<p>x<script>while (true) {}</script>")
    f.page("good.html")
    before = f.baselines()
    f.config(scripts=True, retries=1, timeout=40,
             pages=["noise.html", {"file": "hang.html", "timeout": 2}, "good.html"])
    r = f.run("--update=all")
    check(r.returncode == 4, f"exit code 4: {r.returncode}")
    check(f.statuses() == {"for.400x300": "removed", "ms.400x300": "removed", "noise.400x300": "unstable",
                           "hang.400x300": "failed", "good.400x300": "new"}, f"told apart: {f.statuses()}")
    check("No two of 3 renders in a row agree" in r.stdout, "the page that moves: " + r.stdout)
    check(f.baselines() == before and "no baseline was updated" in r.stderr, "one failed, nothing was written")
    suite = xml.fromstring((f.path / "check-output/junit.xml").read_bytes())
    check(suite.get("errors") == "2" and len(suite.findall("testcase/error")) == 2, "JUnit errors")
    f.config(pages=[{"file": "late.html", "wait_for": "#nothing", "timeout": 1}])
    r = f.run("late.*")
    check(r.returncode == 4 and "not ready after 1 s" in r.stdout, "what never comes ends in time: " + r.stdout)
    check("It waits for '#nothing' to be visible." in r.stdout, "and what it waits for is said: " + r.stdout)


class Server(http.server.BaseHTTPRequestHandler):
    hits = {}

    def do_GET(self):
        n = Server.hits[self.path] = Server.hits.get(self.path, 0) + 1
        text = PAGE.format("Loading" if self.path == "/slow" and n == Server.late else "Garden", "12:00")
        body = b"#box{background:#a00!important}" if self.path == "/a.css" else (text + "<link rel=stylesheet href=/a.css>").encode()
        self.send_response(404 if self.path == "/gone" or (self.path == "/busy" and n == Server.fails) else 200)
        self.send_header("Content-Type", "text/css" if self.path == "/a.css" else "text/html")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

    late = -1
    fails = -1


def addresses_only_when_asked_for():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"
    f = Folder("urls", pages=[{"name": "home", "url": host + "/"}, {"name": "slow", "url": host + "/slow"}])
    r = f.run()
    check(r.returncode == 2 and "--urls" in r.stderr and not Server.hits, "not by itself: " + r.stderr)
    check(f.run("--urls", "--update").returncode == 0 and Server.hits["/a.css"] > 0, "with --urls, styles too")
    Server.late = Server.hits["/slow"] + 1
    r = f.run("--urls")
    slow = [x for x in f.report()["results"] if x["name"].startswith("slow")][0]
    check(r.returncode == 0 and slow["status"] == "same" and slow["renders"] == 2, f"drawn again until it matches: {slow}")
    check("matched at render 2 only" in r.stdout, "and that is said")
    f.config(pages=[{"name": "gone", "url": host + "/gone"}, {"name": "busy", "url": host + "/busy"}])
    r = f.run("--urls", "gone.*")
    check(r.returncode == 4 and "status 404" in r.stdout, "an error page is no page: " + r.stdout)
    check(Server.hits["/gone"] == 2, f"a failed render is tried once more, and no more: {Server.hits}")
    check(f.run("--urls", "--update", "busy.*").returncode == 0, "a baseline of a page that will fail once")
    Server.fails = Server.hits["/busy"] + 1
    r = f.run("--urls", "busy.*")
    check(r.returncode == 0 and f.statuses() == {"busy.400x300": "same"}, "one failure is no verdict: " + r.stdout)
    check(Server.hits["/busy"] == Server.fails + 1, f"the second try was drawn: {Server.hits}")
    f.config(pages=["a.html"])
    f.page("a.html", text=f"<p>x<img src='{host}/seen.png'>")
    f.run("--urls", "a.*")
    check("/seen.png" not in Server.hits, "a page from a file has no network, --urls or not")
    server.shutdown()


def pictures_made_elsewhere():
    f = Folder("pictures", pages=["shots/*.png"])
    (f.path / "shots").mkdir()
    shot = f.path / "shots/home.png"
    png(shot, 60, 40, (10, 120, 200))
    check(f.run("--update").returncode == 0 and f.run().returncode == 0, "pictures are compared too")
    png(shot, 60, 44, (10, 120, 200))
    r = f.run()
    check(r.returncode == 1 and "60 x 40 to 60 x 44 px" in r.stdout, "a baseline of another size: " + r.stdout)
    shot.write_bytes(b"\x89PNG\r\n\x1a\nhalf")
    before = f.baselines()
    r = f.run("--update")
    check(r.returncode == 3 and f.baselines() == before, "a broken picture is input")
    png(shot, 60, 40, (10, 120, 200))
    (f.path / "baselines/shots-home.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    r = f.run("--update")
    check(r.returncode == 3 and "git lfs pull" in r.stdout, "an LFS pointer is named: " + r.stdout)


def wait_for_update(folder, process):
    """Until the process holds the folder for its update, which it does until it ends."""
    while process.poll() is None and not (folder / "baselines/.update").exists():
        time.sleep(0.02)


def folders_are_safe():
    f = Folder("locks", pages=["hold.html"], scripts=True, timeout=60)
    f.page("hold.html", text="<p>x<script>const end = Date.now() + 5000; while (Date.now() < end);</script>")
    first = subprocess.Popen([GLMV, "check", "--update"], cwd=f.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for_update(f.path, first)
    second = f.run()
    check(second.returncode == 3 and "another check works in this folder" in second.stderr, "locked: " + second.stderr)
    third = f.run("--output", "elsewhere")
    check(third.returncode == 3 and "baselines: another check" in third.stderr, "baselines are held by an update")
    first.communicate()
    check(first.returncode == 0, "the first goes on")
    both = [subprocess.Popen([GLMV, "check", "-q", "--output", o], cwd=f.path) for o in ("o1", "o2")]
    check([p.wait() for p in both] == [0, 0], "two that only compare may share baselines")

    before = f.baselines()
    f.page("hold.html", text=(f.path / "hold.html").read_text().replace("x", "other"))
    stop = subprocess.Popen([GLMV, "check", "--update"], cwd=f.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for_update(f.path, stop)
    stop.send_signal(signal.SIGINT)
    said = stop.communicate()[1].decode()
    check(stop.returncode == 130, f"interrupted: {stop.returncode}")
    check("interrupted; no baseline was updated" in said, "and says so: " + said)
    check(f.baselines() == before, "an interrupt writes nothing")

    g = Folder("readonly", pages=["a.html"])
    g.page("a.html")
    check(g.run("--update").returncode == 0, "a baseline")
    before = g.baselines()
    g.page("a.html", "Other")
    if os.geteuid() == 0 and shutil.which("setpriv"):
        (g.path / "check-output").chmod(0o777)
        for old in (g.path / "check-output").iterdir():
            old.unlink()
        r = g.run("--update", user=65534)
        check(r.returncode == 3 and "cannot be written" in r.stderr, f"read-only baselines: {r.returncode} {r.stderr}")
        r = g.run(user=65534)
        check(r.returncode == 1, f"comparing needs no right to write them: {r.returncode} {r.stderr}{r.stdout}")
        (g.path / "check-output").chmod(0o755)
        r = g.run(user=65534)
        check(r.returncode == 3 and "cannot be written" in r.stderr, "a read-only output folder: " + r.stderr)
    check(g.baselines() == before, "and nothing is lost")
    (g.path / "file").write_text("x")
    r = g.run("--output", "file")
    check(r.returncode == 3 and "folder cannot be made" in r.stderr, "a file in the folder's place: " + r.stderr)


def configs_that_are_wrong():
    f = Folder("wrong", pages=["a.html"], treshold=1)
    f.page("a.html")
    r = f.run()
    check(r.returncode == 3 and "check.json:1: treshold: unknown key" in r.stderr, "unknown keys: " + r.stderr)
    r = f.run("absent.json")
    check(r.returncode == 3 and "absent.json" in r.stderr and '{"pages":' in r.stderr, "no config: " + r.stderr)
    check(f.run("-j0").returncode == 2 and f.run("--nonsense").returncode == 2, "usage")
    f.config(pages=["a.html"], output="baselines")
    check(f.run().returncode == 3, "output in the baselines")


def fix_proposes_a_page():
    f = Folder("fix", pages=["a.html"])
    f.page("a.html")
    f.run("--update")
    f.page("a.html", text="<!doctype html><p>everything is gone")
    page = (f.path / "a.html").read_text()
    r = f.run("--fix")
    result = f.report()["results"][0]
    check(r.returncode == 1 and "proposal" in result, f"a proposal: {r.returncode} {r.stderr}{r.stdout}")
    if "proposal" in result:
        proposal = f.path / result["proposal"]
        check("Garden" in proposal.read_text(), "it says what the baseline says")
        check(result["proposal_score"] > result["page_score"], f"and is nearer: {result}")
        check("is proposed in" in (f.path / "check-output/summary.md").read_text(), "and is reported")
        check("proposed  a.400x300\n          A page that looks like the baseline is proposed in" in r.stdout, "and said: " + r.stdout)
    check((f.path / "a.html").read_text() == page, "the page itself is not touched")


def main():
    try:
        for test in (baselines_are_told_apart, pictures_of_pages_that_are_gone_go, faint_changes_are_told_and_count_where_asked_for, reports_say_the_same_in_every_form, elements_are_named, shards_cover_everything_once,
                     rules_of_a_page, scripts_waits_and_pages_that_never_rest, addresses_only_when_asked_for,
                     pictures_made_elsewhere, folders_are_safe, configs_that_are_wrong, fix_proposes_a_page):
            test()
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    print(f"{counts['checks']} checks, {counts['failed']} failed")
    return 1 if counts["failed"] or not counts["checks"] else 0


if __name__ == "__main__":
    sys.exit(main())
