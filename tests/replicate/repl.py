"""The interactive mode in a real terminal (tmux): edit, undo, crash, resume, Ctrl-C; and in a pipe.

The model is tests/model/server/scripted.py; its answers are files."""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from kit import GLMV, Model, check, finish, render

TMP = tempfile.mkdtemp(prefix="glmv-repl-")
STATE = os.path.join(TMP, "state")
ENV = dict(os.environ, XDG_STATE_HOME=STATE, TERM="screen", LANG="C.UTF-8", LC_ALL="C.UTF-8")
ENV.pop("GLMV_MODEL", None)
ENV.pop("DISPLAY", None)


def page(buy="#dbe4ff", other="#eeeeee", title="Plans"):
    return ("<!DOCTYPE html>\n<html>\n<head>\n<style>\nbody { margin: 0; height: 400px }\n"
            "div { position: absolute; top: 100px; width: 200px; height: 80px }\n</style>\n</head>\n"
            "<body>\n<h1>%s</h1>\n<div id=\"buy\" style=\"left: 40px; background: %s\">Buy</div>\n"
            "<div id=\"other\" style=\"left: 300px; background: %s\">Other</div>\n</body>\n</html>\n"
            % (title, buy, other))


class Terminal:
    """One program in a window of 110 x 50 characters."""

    opened = []

    def __init__(self, *args):
        Terminal.opened.append("glmv-%d-%d" % (os.getpid(), len(Terminal.opened)))
        self.socket = Terminal.opened[-1]
        command = " ".join("'%s'" % a for a in (GLMV, "repl") + args)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "t", "-x", "110", "-y", "50",
                  command + "; echo END $?; sleep 100")

    def tmux(self, *args):
        done = subprocess.run(["tmux", "-L", self.socket, *args], env=ENV, capture_output=True,
                              text=True, timeout=20)
        return done.stdout

    def screen(self):
        return self.tmux("capture-pane", "-p", "-J", "-S", "-500", "-t", "t")

    def wait(self, pattern, since=0, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.screen()[since:]
            found = re.search(pattern, text, re.S)
            if found:
                return found
            time.sleep(0.05)
        check(False, "'%s' on the screen:\n%s" % (pattern, self.screen()))
        return None

    def say(self, line, pattern):
        """Types a line and waits for a pattern behind it."""
        before = len(self.screen().rstrip())
        self.tmux("send-keys", "-t", "t", "-l", line)
        self.tmux("send-keys", "-t", "t", "Enter")
        return self.wait(pattern + r".*> ?\s*$", before)

    def key(self, name):
        self.tmux("send-keys", "-t", "t", name)

    def pid(self):
        """Of the program, a child of the window's shell."""
        shell = self.tmux("display-message", "-p", "-t", "t", "#{pane_pid}").strip()
        for stat in glob.glob("/proc/[0-9]*/stat"):
            try:
                words = open(stat).read().rsplit(")", 1)[1].split()
                if words[1] == shell:
                    return int(stat.split("/")[2])
            except OSError:
                pass
        return -1

    def close(self):
        self.tmux("kill-server")


def piped(lines, *args):
    done = subprocess.run([GLMV, "repl", *args], input="".join(l + "\n" for l in lines), env=ENV,
                          capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def in_terminal(original, model):
    t = Terminal(original, "--model", model.url())
    t.wait(r"version 1 of 1, 1280 x 800 px.*> ?\s*$")
    t.say("make the button pink", r"1\d{4} pixels changed, within x 40, y 100, 200 x 80 px.*version 2")
    t.say("/set h1 color #1a73e8", r"pixels changed.*version 3")
    t.say("/diff", r"\+ h1 \{ color: #1a73e8; \}.*pixels differ from version 2")
    t.say("/undo", r"version 2 of 3")
    t.say("/undo", r"version 1 of 3")
    t.say("/undo", r"this is the first version")
    t.say("/redo", r"version 2 of 3")
    t.say("/region #buy", r"region: x 40, y 100, 200 x 80 px, .*buy")
    t.say("make it green", r"0 of them outside the region.*version 4")  # answer 2 stays inside
    t.say("make it blue", r"[1-9]\d* of them outside the region, within x 0, y 28, 500 x 152 px")
    t.say("/undo", r"version 4 of 5")
    t.say("/history", r"1  .*page.html.*2  make the button pink.*> +4  \(from 2\) make it green")
    t.say("/region off", r"the whole page")
    # Ctrl-C stops an answer, and at the prompt the line; the program goes on both times.
    t.say("/model " + model.url("slow"), r"model: .*slow")
    t.tmux("send-keys", "-t", "t", "-l", "take your time")
    t.key("Enter")
    t.wait(r"\.\.\. \d+ bytes; Ctrl-C stops")
    t.key("C-c")
    t.wait(r"stopped; the page is as it was\s+> ?\s*$")
    t.tmux("send-keys", "-t", "t", "-l", "half a line")
    t.wait("half a line")
    t.key("C-c")
    t.wait(r"\^C\s+> ?\s*$")
    t.say("/history", r"5  make it blue")
    # Only one program may write a session; then the program is killed without warning.
    code, said = piped([])
    check(code == 2 and "is open in another program" in said, said)
    pid = t.pid()
    check(pid > 0, "the program's process")
    os.kill(pid, signal.SIGKILL)
    t.wait(r"END 137")
    t.close()


def resumed(model):
    t = Terminal()
    t.wait(r"version 4 of 5, 1280 x 800 px.*> ?\s*$")
    t.key("Up")  # the history of lines is of earlier runs too
    t.wait(r"> /history")
    t.key("C-c")
    t.say("/redo", r"version 5 of 5")
    t.say("say something", r"an instruction needs a model")
    t.say("/nonsense", r"there is no /nonsense")
    saved = os.path.join(TMP, "saved.html")
    t.say("/save " + saved, r"saved.html: \d+ bytes")
    check(open(saved).read() == page("#0000ff", "#ff0000", "Blue"), "what was saved")
    t.key("C-d")
    t.wait(r"go on with: glmv-replicate repl --resume \S+page.*END 0")
    t.close()


def without_model(original):
    session = os.path.basename(sorted(glob.glob(STATE + "/glmv-replicate/sessions/*"))[-1])
    folder = os.path.join(STATE, "glmv-replicate/sessions", session)
    check(len(glob.glob(folder + "/0*.html")) == 5, "every version is a file")
    check(open(folder + "/0001.html").read() == page(), "the first version is the page")
    # Killed between the version and the journal: the version is found again.
    open(folder + "/0006.html", "w").write(page(title="Lost"))
    code, said = piped(["/history"], "--resume", session)
    check(code == 0 and re.search(r">   6  .*found after", said) is not None, said)
    shot, ring = os.path.join(TMP, "shot.png"), os.path.join(TMP, "ring.png")
    code, said = piped(["/render " + shot, "/score " + shot, "/score",
                        "/set .none color red", "/set h1 color", "/set h1 color red}", "/set @media x y",
                        "/set \"#buy\" background: #00ff00", "/set #buy background #00ff00",
                        "/set #buy background #00ff11 !important", "/think on", "/think show",
                        "/mark " + shot, "/mark /nowhere.png", "/mark", "/region nope", "/region 0,0,9,9",
                        "/open", "/history 99", "/history 1", "/save -", "/help", "/quit", "/never"],
                       original)
    check(code == 0, "%d %s" % (code, said))
    for words in ("score 1.0000", "/set SELECTOR PROPERTY VALUE", "is not the value of one",
                  "is not a CSS selector", "no pixel changed", "nothing changed", "thinking: on, shown",
                  "no red ring", "/nowhere.png", "/mark takes a picture", "no element fits",
                  "region: x 0, y 0, 9 x 9 px", "open.html", "there are versions 1 to ", "/save FILE",
                  "/undo", "the page looks as before"):
        check(words in said, "'%s' in:\n%s" % (words, said))
    check("/never" not in said, "/quit ends it")
    newest = sorted(glob.glob(STATE + "/glmv-replicate/sessions/*"))[-1]
    check("<base href=\"file://%s/\">" % TMP in open(newest + "/open.html").read(), "the base of /open")
    # A red ring on a render limits the edit to what it encloses.
    source = os.path.join(TMP, "ring.html")
    open(source, "w").write(page().replace("</body>", "<p style='position:absolute;margin:0;left:30px;"
                            "top:90px;width:214px;height:94px;border:3px solid red'></p></body>"))
    subprocess.run([GLMV, "render", source, "-o", ring], check=True, capture_output=True)
    code, said = piped(["/mark " + ring], original)
    check("region: x 30, y 90, 220 x 100 px, " in said, said)
    code, said = piped([], "--resume", "../x")
    check(code == 2 and "is not the name of a session" in said, said)
    code, said = piped([], "--resume", "nothing")
    check(code == 2 and "there is no session" in said, said)
    code, said = piped([], os.path.join(TMP, "nowhere.html"))
    check(code == 3, "%d %s" % (code, said))
    open(os.path.join(folder, "session.json"), "w").write("{")
    code, said = piped([], "--resume", session)
    check(code == 3 and "is damaged" in said, "%d %s" % (code, said))
    code, said = piped([], "--list")
    check(code == 0 and said.count("page.html") >= 2, said)


def with_screenshot(model):
    shot = os.path.join(TMP, "small.png")
    subprocess.run([GLMV, "render", os.path.join(TMP, "page.html"), "-o", shot, "--viewport", "600x400"],
                   check=True, capture_output=True)
    code, said = piped(["/set h1 color red", "/undo", "/score"], shot)
    check(code == 0 and "rebuilt by the tracer" not in said and "version 1 of 1" in said, said)
    scores = [float(s) for s in re.findall(r"score (0\.\d+|1\.0+)$", said, re.M)]
    check(len(scores) >= 2 and scores[-1] > 0.9, said)
    code, said = piped(["/history"], shot, "--model", model.url("plain"))
    check(code == 4 and "holds no HTML page" in said, "%d %s" % (code, said))


def main():
    if shutil.which("tmux") is None:
        print("skipped: no tmux")
        sys.exit(77)
    original = os.path.join(TMP, "page.html")
    open(original, "w").write(page())
    answers = [page("#ffc0cb"), page("#00ff00"), page("#0000ff", "#ff0000", "Blue"),
               page("#0000ff", "#ff0000", "Blue")]  # a leak is told and asked once more
    for i, answer in enumerate(answers):
        open(os.path.join(TMP, "%d.txt" % (i + 1)), "w").write("```html\n%s```\n" % answer)
    render(original, os.path.join(TMP, "probe.png"))
    try:
        with Model(TMP) as model:
            in_terminal(original, model)
            resumed(model)
            without_model(original)
            with_screenshot(model)
    finally:
        for socket in Terminal.opened:
            subprocess.run(["tmux", "-L", socket, "kill-server"], capture_output=True)
        shutil.rmtree(TMP)
    finish("repl: a terminal, a pipe")


if __name__ == "__main__":
    main()
