"""A screenshot, a scripted model, the real perception, renderer and measurement: the whole way.

The scripted draft has its heading 36 px too low and lacks a card; the second answer is worse; the
third is right. What the model was told is read from the server's log."""
import json
import os
import subprocess
import sys
import tempfile
import urllib.request

GLMV = os.environ["GLMV"]


def page(top=60, third="block", ink="#111827"):
    card = "<div class=card style='left:%dpx;display:%s'><h2>%s</h2><p>%s</p></div>"
    return ("<!DOCTYPE html><html><head><style>*{margin:0;padding:0;box-sizing:border-box}"
            "body{height:640px;background:#fff;font-family:'Liberation Sans';position:relative;color:%s}"
            "h1{position:absolute;left:40px;top:%dpx;font-size:40px}"
            ".card{position:absolute;top:200px;width:280px;height:200px;background:#dbe4ff;padding:24px}"
            "h2{font-size:22px;margin-bottom:16px}p{font-size:16px}"
            "</style></head><body><h1>Pricing plans</h1>%s%s%s</body></html>\n" % (
                ink, top, card % (40, "block", "Starter", "For small teams"),
                card % (350, "block", "Business", "For growing teams"),
                card % (660, third, "Enterprise", "For large companies")))


def main():
    tmp = tempfile.mkdtemp(prefix="glmv-model-")
    shot, out = os.path.join(tmp, "shot.png"), os.path.join(tmp, "out.html")
    source = os.path.join(tmp, "right.html")
    open(source, "w").write(page())
    done = subprocess.run([GLMV, "render", source, "-o", shot, "--viewport", "980x640"],
                          capture_output=True, text=True)
    if done.returncode == 4:
        print("skipped: no renderer:", done.stderr)
        sys.exit(77)
    assert done.returncode == 0, done.stderr
    answers = [page(96, "none"), page(300, "none", "#ff0000"), page()]
    for i, answer in enumerate(answers):
        open(os.path.join(tmp, "%d.txt" % (i + 1)), "w").write("Sure!\n```html\n" + answer + "```\n")
    server = subprocess.Popen([sys.executable, "tests/model/server/scripted.py", "--answers", tmp],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    base = "http://127.0.0.1:%s" % server.stdout.readline().strip()
    bad = 0

    def check(ok, what):
        nonlocal bad
        if not ok:
            bad += 1
            print("failed:", what)

    done = subprocess.run([GLMV, shot, "-o", out, "--model", base + "/script/v1"],
                          capture_output=True, text=True)
    said = done.stderr
    check(done.returncode == 0, "exit %d: %s" % (done.returncode, said))
    check(open(out).read().strip() == page().strip(), "the best page is written")
    check("round 1: rejected" in said and "round 2: accepted" in said, said)
    log = json.load(urllib.request.urlopen(base + "/log/script"))
    check(len(log) == 3, "%d requests" % len(log))
    draft = log[0]["body"]["messages"][1]["content"]
    check(draft[0]["image_url"] == "980x640", draft[0])
    for words in ("Pricing plans", "Enterprise", "#dbe4ff", "980 x 640 px"):
        check(words in draft[1]["text"], "the draft prompt says " + words)
    told = log[1]["body"]["messages"]
    check([m["role"] for m in told] == ["system", "user", "assistant", "user"], "roles")
    check(told[2]["content"].strip() == page(96, "none").strip(), "the best page is shown")
    facts = told[3]["content"][-1]["text"]
    check("missing: the box at x 660, y 200, 280 x 200 px" in facts, facts)
    check("Enterprise" in facts and "For large companies" in facts, facts)
    check("heading 'Pricing plans': 36 px too low" in facts, facts)
    check("made it worse" in log[2]["body"]["messages"][3]["content"][-1]["text"], "told of the rejection")
    check(log[2]["body"]["messages"][2]["content"].strip() == page(96, "none").strip(),
          "after a rejection the best page is the start again")
    done = subprocess.run([GLMV, shot, "-o", out, "--model", base + "/wrong-key/v1",
                           "--model-name", "m"], capture_output=True, text=True)
    check(done.returncode == 4 and "wants a key" in done.stderr, done.stderr)
    server.stdin.close()
    server.wait()
    if bad:
        print(said, facts, sep="\n")
    subprocess.run(["rm", "-rf", tmp], check=True)
    print("with a model: %d checks failed" % bad)
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
