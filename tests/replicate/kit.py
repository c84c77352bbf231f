"""What the tests of the program share: a count of failed checks, the renderer's absence, and a scripted model."""
import json
import os
import subprocess
import sys
import urllib.request

GLMV = os.environ["GLMV"]
failures = []


def check(ok, what):
    if not ok:
        failures.append(what)
        print("failed:", what)


def finish(said):
    """Ends the test with what it has to say, and with the exit code of its checks."""
    print("%s; %d checks failed" % (said, len(failures)))
    sys.exit(bool(failures))


def render(page, shot, *options):
    """Without a renderer the test is skipped."""
    done = subprocess.run([GLMV, "render", page, "-o", shot, *options], capture_output=True, text=True)
    if done.returncode == 4:
        print("skipped: no renderer:", done.stderr)
        sys.exit(77)
    assert done.returncode == 0, done.stderr


class Model:
    """tests/model/server/scripted.py as long as the block lasts. Answers are N.txt in a folder; other names of its
    paths are other ways to answer."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "tests/model/server/scripted.py", "--answers", self.folder],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.base = "http://127.0.0.1:%s" % self.process.stdout.readline().strip()
        return self

    def __exit__(self, *failure):
        self.process.stdin.close()
        self.process.wait()

    def url(self, way="script"):
        return "%s/%s/v1" % (self.base, way)

    def log(self, way="script"):
        """The requests that came this way, oldest first."""
        return json.load(urllib.request.urlopen("%s/log/%s" % (self.base, way)))
