"""A screenshot, a scripted model, the real perception, renderer and measurement: the whole way.

The scripted draft has its heading 36 px too low and lacks a card; the second answer is worse; the
third is right. What the model was told is read from the server's log.

  with_model.py [faults]    faults: every way in which a server can be bad, instead"""
import json
import os
import re
import subprocess
import sys
import tempfile

from kit import GLMV, Model, check, failures, finish, render


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


def more_answers(tmp, shot):
    """Answers that are cut off, that leave things out, that come as blocks."""
    folder, out = os.path.join(tmp, "more"), os.path.join(tmp, "more.html")

    def go(answers, *options):
        subprocess.run(["rm", "-rf", folder], check=True)
        os.mkdir(folder)
        for i, answer in enumerate(answers):
            open(os.path.join(folder, "%d.txt" % (i + 1)), "w").write(answer)
        with Model(folder) as model:
            done = subprocess.run([GLMV, shot, "-o", out, "--model", model.url(), "--no-corrections", *options],
                                  capture_output=True, text=True)
            log = model.log()
        return done.returncode, done.stderr, log

    right, wrong = page(), page(96)
    cut = right.index("Business")
    # Cut off at the limit of tokens, then the rest with some words repeated.
    code, said, log = go(["#length\n" + right[:cut], right[cut - 40:]], "--rounds", "0")
    check(code == 0 and open(out).read() == right, "joined: %d %s" % (code, said))
    check(len(log) == 2 and [m["role"] for m in log[1]["body"]["messages"]][-2:] == ["assistant", "user"]
          and "Go on exactly where" in json.dumps(log[1]["body"]["messages"][-1]), "asked to go on")
    # Left out: asked once more.
    elided = right[:cut] + "<!-- rest of the page remains the same --></body></html>"
    code, said, log = go([elided, right], "--rounds", "0")
    check(code == 0 and len(log) == 2 and "leaves parts of the page out" in said
          and open(out).read() == right, "elided: %d %s" % (code, said))
    # Looping until the limit, again and again: given up with a message.
    loop = "#length\n<!DOCTYPE html><html><body>" + "<div>again</div>" * 400
    code, said, log = go([loop], "--rounds", "0")
    check(code == 4 and len(log) <= 8, "looping: %d after %d requests: %s" % (code, len(log), said))
    # Blocks: one with other indentation; then one that fits nowhere, and whole pages from there on.
    broken_up = wrong.replace("h1{", "\nh1{").replace(".card{", "\n.card{", 1)
    old = [l for l in broken_up.split("\n") if l.startswith("h1{")][0]
    block = "Sure:\n<<<<<<< SEARCH\n    %s\n=======\n%s\n>>>>>>> REPLACE\n"
    code, said, log = go([broken_up, block % (old, old.replace("top:96px", "top:60px"))],
                         "--rounds", "1", "--blocks")
    check(code == 0 and "round 1: accepted" in said and "top:60px" in open(out).read()
          and "<<<" not in open(out).read(), "blocks: %d %s" % (code, said))
    check("SEARCH" in json.dumps(log[1]["body"]["messages"][-1]), "blocks are asked for")
    code, said, log = go([broken_up, block % ("nowhere", "x"), right], "--rounds", "2", "--blocks")
    check(code == 0 and "fits 0 places" in said and "round 2: accepted" in said
          and "SEARCH" not in json.dumps(log[2]["body"]["messages"][-1]), "fall back: %d %s" % (code, said))


FLOW = """*{margin:0;padding:0;box-sizing:border-box}
:root{--ink:%(ink)s}
body{background:#fff;font-family:'Liberation Sans';color:#111827}
.top{background:#0b1f3a;color:#fff;padding:%(pad)s 40px;font-size:18px}
.hero{padding:%(hero)s 40px 30px}
h1{font-size:%(h1)s;margin-bottom:%(gap)s}
.lead{font-size:17px;line-height:%(line)s;width:520px}
.cards{display:flex;gap:%(cards)s;padding:0 40px}
.card{width:%(card)s;height:200px;background:%(fill)s;padding:24px;border-radius:8px}
.card h2{font-size:22px;margin-bottom:16px;font-weight:%(weight)s}
.card p{font-size:16px;color:var(--ink)}
a{display:inline-block;margin:32px 40px;padding:12px 20px;color:#fff}
"""
MEANT = dict(ink="#4b5563", pad="16px", hero="40px", h1="40px", gap="16px", line="28px", cards="30px", card="280px",
             fill="#dbe4ff", weight="700", button="#1a73e8")


def flow_page(**wrong):
    return ("<!DOCTYPE html><html><head><title>Plans</title><style>\n%s</style></head><body><div class=top>Northwind "
            "Traders</div><div class=hero><h1>Pricing plans</h1><p class=lead>Choose the plan that fits your team today. "
            "Every plan has the same features, and you can change or cancel it at any time you like.</p></div><div "
            "class=cards><div class=card><h2>Starter</h2><p>For small teams</p></div><div class=card><h2>Business</h2>"
            "<p>For growing teams</p></div><div class=card><h2>Enterprise</h2><p>For large companies</p></div></div>"
            "<a style='background:%s'>Start today</a></body></html>\n" % (
                FLOW % dict(MEANT, **wrong), dict(MEANT, **wrong)["button"]))


def corrections(tmp):
    """A draft with wrong numbers and nothing else wrong: they are put right in its own style sheet, and no
    second question is asked."""
    shot, source, out = (os.path.join(tmp, n) for n in ("flow.png", "flow.html", "corrected.html"))
    answers = os.path.join(tmp, "flow")
    os.mkdir(answers)
    open(source, "w").write(flow_page())
    subprocess.run([GLMV, "render", source, "-o", shot, "--viewport", "1000x640"], check=True, capture_output=True)
    drafts = (
        (dict(hero="76px", fill="#eef2ff", button="#2563eb", ink="#000000"), 0.995, (
            "background:#dbe4ff", "--ink:#")),
        (dict(hero="64px", h1="34px", line="24px", cards="16px", card="260px", fill="#eef2ff", button="#2563eb",
              ink="#000000", gap="8px", weight="400", pad="20px"), 0.97, ("font-size:40px", "line-height:28px")),
    )
    for wrong, least, words in drafts:
        open(os.path.join(answers, "1.txt"), "w").write(flow_page(**wrong))
        with Model(answers) as model:
            done = subprocess.run([GLMV, shot, "-o", out, "--rounds", "0", "--model", model.url()],
                                  capture_output=True, text=True)
            asked = len(model.log())
        scores = [float(s) for s in re.findall(r"(?:draft: |-> |^)score (0\.\d+|1\.0+)|-> (0\.\d+|1\.0+)", done.stderr, re.M)
                  for s in s if s]
        page_out = open(out).read()
        check(done.returncode == 0 and asked == 1, "%d, %d questions: %s" % (done.returncode, asked, done.stderr))
        check(scores[-1] >= least and scores[0] < scores[-1] - 0.1, "corrected: %s" % done.stderr)
        for word in words:
            check(word in page_out, "'%s' in %s" % (word, page_out))
        check("!important" not in page_out, page_out)
        print("numbers corrected: score %.3f -> %.3f" % (scores[0], scores[-1]))


def tools(tmp, shot):
    """A model that calls: pictures and numbers come back, wrong calls get a sentence, and it ends."""
    answers, out = os.path.join(tmp, "tools"), os.path.join(tmp, "tools.html")
    os.mkdir(answers)

    def go(steps, answer, *options):
        json.dump(steps, open(os.path.join(answers, "calls.json"), "w"))
        open(os.path.join(answers, "1.txt"), "w").write(answer)
        with Model(answers) as model:
            done = subprocess.run([GLMV, shot, "-o", out, "--tools", "--no-corrections", "--rounds", "0", "--model",
                                   model.url("tools"), *options], capture_output=True, text=True)
            log = model.log("tools")
        return done, log

    def parts(message):
        content = message["content"]
        return [content] if isinstance(content, str) else [p.get("text") or p["image_url"] for p in content]

    steps = [[["crop", {"box": [0, 0, 500, 250]}], ["compare", {}]],
             [["render_page", {"html": page(96)}]],
             [["compare", {}], ["crop", {"box": [0, 500, 1000, 1000], "of": "page"}]],
             [["crop", {"box": [9]}], ["paint", {}], ["render_page", "{broken"]],
             []]
    done, log = go(steps, "```html\n%s```\n" % page())
    check(done.returncode == 0 and open(out).read() == page(), "tools: %s" % done.stderr)
    names = [t["function"]["name"] for t in log[0]["body"]["tools"]]
    check(names == ["render_page", "compare", "crop"] and len(log) == 5, "%s %d" % (names, len(log)))
    told = [parts(m) for m in log[-1]["body"]["messages"] if m["role"] == "tool"]
    check(told[0] == ["x 0, y 0, 490 x 160 px of the screenshot", "490x160"], told[0])
    check(told[1] == ["no page was drawn yet: call render_page first"], told[1])
    check(told[2][0].startswith("drawn: 980 x 640 px (the screenshot has 980 x 640); score 0.9")
          and told[2][1] == "980x640", told[2])
    check("heading 'Pricing plans': 36 px too low" in told[3][0] and len(told[3]) == 2, told[3])
    check(told[4][1] == "980x320" and "of the page" in told[4][0], told[4])
    check("crop needs box" in told[5][0] and "no tool 'paint'" in told[6][0] and "not a JSON object" in told[7][0],
          told[5:])
    calls = [c for m in log[-1]["body"]["messages"] for c in m.get("tool_calls", [])]
    check([c["id"] for c in calls] == [m["tool_call_id"] for m in log[-1]["body"]["messages"] if m["role"] == "tool"],
          "every call is answered by its number")
    check("tools" not in log[-1]["body"], "after eight calls no more are offered")
    # A model that never stops calling, and has nothing to say in the end: the best page that it drew is taken.
    forever = [[["render_page", {"html": page(300, "none")}]], [["render_page", {"html": page(66)}]],
               [["render_page", {"html": page(200)}]]]
    done, log = go(forever, "The page is finished.")
    check(done.returncode == 0 and open(out).read() == page(66), "the best drawn: %s" % done.stderr)
    check(len(log) == 9 and "tools" not in log[8]["body"] and "tools" in log[7]["body"], "%d requests" % len(log))


def tall_page(tmp):
    """2,900 px in slices: cut between the blocks, written with class names that mean something else in every
    slice, joined, and measured as one page."""
    answers, out, shot = (os.path.join(tmp, n) for n in ("tall", "tall.html", "tall.png"))
    os.mkdir(answers)
    colours = ["#dbe4ff", "#fde2e2", "#d9f2e3", "#fff3cd", "#e2d9f3", "#d1ecf1", "#f8d7da", "#cce5ff", "#e2e3e5", "#fce4ec"]
    names = ["Starter", "Business", "Enterprise", "Support", "Security", "Pricing", "Contact", "Careers", "Partners", "Press"]

    def blocks(top, height, how):
        found = []
        for i, (colour, name) in enumerate(zip(colours, names)):
            y = 30 + 285 * i - top
            if -250 < y < height:
                found.append("<div class=card style='top:%dpx%s'><h2>%s plan</h2><p>Words about the %s of the company</p></div>"
                             % (y, ";background:" + colour if how is None else "", name, name.lower()))
        return "".join(found)

    def part(top, height, style, how=None):
        return ("<!DOCTYPE html><html lang=en><head><title>Tall</title><style>*{margin:0;padding:0;box-sizing:border-box}"
                "body{height:%dpx;position:relative;font-family:'Liberation Sans';color:#111827;overflow:hidden%s}"
                ".card{position:absolute;left:40px;width:700px;height:240px;padding:30px%s}"
                "h2{font-size:28px;margin-bottom:14px}p{font-size:17px}@media (min-width:300px){h2{color:#0b1f3a}}"
                "</style></head><body>%s</body></html>\n" % (height, style[0], style[1], blocks(top, height, how)))

    source = os.path.join(tmp, "tall-right.html")
    open(source, "w").write(part(0, 2900, ("", "")))
    subprocess.run([GLMV, "render", source, "-o", shot, "--viewport", "800x2900"], check=True, capture_output=True)

    def go(pages, *options):
        for i, answer in enumerate(pages):
            open(os.path.join(answers, "%d.txt" % (i + 1)), "w").write(answer)
        with Model(answers) as model:
            done = subprocess.run([GLMV, shot, "-o", out, "--slice", "1000", "--no-corrections", "--rounds", "0", "--model",
                                   model.url(), *options], capture_output=True, text=True)
            log = model.log()
        return done, log

    done, log = go([part(0, 900, ("", ""))])
    cuts = [(int(a), int(b)) for a, b in re.findall(r"slice \d of 3, y (\d+) to (\d+) px", done.stderr)]
    check(done.returncode == 0 and len(cuts) == 3 and cuts[0][0] == 0 and cuts[2][1] == 2900, done.stderr)
    for top, _ in cuts[1:]:
        check(all(not 30 + 285 * i < top < 270 + 285 * i for i in range(10)), "%d cuts a block" % top)
    # Every slice with a style of its own for body and .card; the last one has no background in its cards at all.
    styles = [("", ""), (";font-size:30px", ";font-weight:400"), ("", "")]
    done, log = go([part(a, b - a, style) for (a, b), style in zip(cuts, styles)])
    check(done.returncode == 0 and len(log) == 3, done.stderr)
    check([r["pictures"] for r in log] == [[[800, b - a]] for a, b in cuts], "one slice a question")
    told = [r["body"]["messages"][1]["content"][1]["text"] for r in log]
    check("part 2 of 3" in told[1] and ".card{position:absolute" in told[1] and ".card{" not in told[0], told[1][:600])
    score = float(re.search(r"score (\d\.\d+) after", done.stderr)[1])
    check(score > 0.99, "joined: %s" % done.stderr)
    joined = open(out).read()
    check(joined.count("<!DOCTYPE") == 1 and joined.count("<body") == 1 and joined.count("<style") == 1
          and ":where(.slice-2) .card" in joined and joined.count("box-sizing") == 1, joined[:900])
    # A model that fails at the second slice: the first one is kept, with a message and exit code 4.
    open(os.path.join(answers, "draft.txt"), "w").write(part(0, cuts[0][1], ("", "")))
    with Model(answers) as model:
        os.remove(out)
        done = subprocess.run([GLMV, shot, "-o", out, "-q", "--slice", "1000", "--rounds", "0", "--no-corrections", "--model",
                               model.url("then-down"), "--model-name", "m"], capture_output=True, text=True)
    check(done.returncode == 4 and os.path.exists(out) and "Starter" in open(out).read()
          and len(done.stderr.strip().split("\n")) == 1, "%d %s" % (done.returncode, done.stderr))
    print("three slices joined: score %.4f, cut at %s" % (score, [a for a, _ in cuts[1:]]))


def bad_servers(model, tmp, shot):
    # The way out of each fault: exit code 4, one message, the best page so far kept.
    faults = (("down", "CUDA error"), ("no-vision", "picture"), ("context", "context"), ("garbage", ""),
              ("html", ""), ("half", ""), ("empty", "empty answer"), ("only-thoughts", "thinking"),
              ("huge", ""), ("huge-event", ""), ("not-found", "does not exist"), ("credit", ""),
              ("elsewhere", ""), ("plain", "holds no HTML page"))
    for name, words in faults:
        missing = os.path.join(tmp, "missing.html")
        done = subprocess.run([GLMV, shot, "-o", missing, "-q", "--model", model.url(name),
                               "--model-name", "m"], capture_output=True, text=True, timeout=300,
                              env=dict(os.environ, GLMV_SERVER_FIRST_S="10", GLMV_SERVER_IDLE_S="3"))
        lines = [l for l in done.stderr.strip().split("\n") if l]
        check(done.returncode == 4 and len(lines) == 1 and words in lines[0],
              "%s: exit %d: %s" % (name, done.returncode, done.stderr))
        check(not os.path.exists(missing), name + ": nothing is written")
        if name not in ("down", "no-vision", "context", "garbage", "half", "huge-event", "plain"):
            continue
        best = os.path.join(tmp, "best.html")
        open(os.path.join(tmp, "draft.txt"), "w").write(page(96, "none"))
        done = subprocess.run([GLMV, shot, "-o", best, "-q", "--no-corrections", "--model",
                               model.url("then-" + name), "--model-name", "m"], capture_output=True, text=True, timeout=300,
                              env=dict(os.environ, GLMV_SERVER_FIRST_S="10", GLMV_SERVER_IDLE_S="3"))
        kept = os.path.exists(best) and open(best).read().strip() == page(96, "none").strip()
        # An answer without a page is a rejected round, not a failure of the model.
        wanted = 0 if name in ("plain", "half") else 4
        check(done.returncode == wanted and kept, "then %s: exit %d, kept %s: %s" % (
            name, done.returncode, kept, done.stderr))
        if os.path.exists(best):
            os.remove(best)


def main():
    tmp = tempfile.mkdtemp(prefix="glmv-model-")
    shot, out = os.path.join(tmp, "shot.png"), os.path.join(tmp, "out.html")
    source = os.path.join(tmp, "right.html")
    open(source, "w").write(page())
    render(source, shot, "--viewport", "980x640")
    answers = [page(96, "none"), page(300, "none", "#ff0000"), page()]
    for i, answer in enumerate(answers):
        open(os.path.join(tmp, "%d.txt" % (i + 1)), "w").write("Sure!\n```html\n" + answer + "```\n")
    faults = sys.argv[1:] == ["faults"]
    with Model(tmp) as model:
        if faults:
            bad_servers(model, tmp, shot)
        else:
            rounds(model, tmp, shot, out)
    if not faults:
        more_answers(tmp, shot)
        corrections(tmp)
        tools(tmp, shot)
        tall_page(tmp)
    subprocess.run(["rm", "-rf", tmp], check=True)
    finish("faults" if faults else "with a model")


def rounds(model, tmp, shot, out):
    done = subprocess.run([GLMV, shot, "-o", out, "--no-corrections", "--model", model.url()],
                          capture_output=True, text=True)
    said = done.stderr
    check(done.returncode == 0, "exit %d: %s" % (done.returncode, said))
    check(open(out).read().strip() == page().strip(), "the best page is written")
    check("round 1: rejected" in said and "round 2: accepted" in said, said)
    log = model.log()
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
    # The same files as from the tracer: report, JSON, pictures.
    report, facts_file, assets = (os.path.join(tmp, n) for n in ("report.html", "facts.json", "pictures"))
    done = subprocess.run([GLMV, shot, "-o", out, "--report", report, "--json", facts_file, "--assets", assets,
                           "--rounds", "1", "--model", model.url()], capture_output=True, text=True)
    check(done.returncode == 0, done.stderr)
    told_json = json.load(open(facts_file))
    check(told_json["score"]["total"] > 0.95 and len(told_json["rounds"]) >= 1 and told_json["rounds"][0]["kept"],
          json.dumps(told_json)[:300])
    check(open(report).read().count("data:image/png") == 3, "the report holds each of its pictures once")
    check(os.path.isdir(assets), "the folder of pictures is there")
    done = subprocess.run([GLMV, shot, "-o", out, "-q", "--model", "http://127.0.0.1:1/v1", "--model-name", "m"],
                          capture_output=True, text=True, timeout=120)
    check(done.returncode == 4 and "127.0.0.1:1" in done.stderr, "server down: " + done.stderr)
    done = subprocess.run([GLMV, shot, "-o", out, "--model", model.url("wrong-key"),
                           "--model-name", "m"], capture_output=True, text=True)
    check(done.returncode == 4 and "wants a key" in done.stderr, done.stderr)
    if failures:
        print(said, facts, sep="\n")


if __name__ == "__main__":
    main()
