"""20 scripted edits of real pages: nothing is reported outside the region when nothing changed there, and every leak is found.

What an edit does is known from the rule that it adds; where things lie is what the renderer says about the page."""
import json
import os
import re
import shutil
import subprocess
import tempfile

from kit import GLMV, Model, check, finish, render

PAGES = ["examples/pages/garden.html", "tests/model/glm/pages/resume.html", "tests/model/glm/pages/shop.html",
         "tests/model/glm/pages/agency.html", "tests/model/glm/pages/admin.html"]


def facts(page, tmp):
    dom = os.path.join(tmp, "dom.json")
    render(page, os.path.join(tmp, "page.png"), "--dom", dom, "--viewport", "1280x800")
    return json.load(open(dom))


def apart(a, b):
    return a[0] + a[2] + 2 < b[0] or b[0] + b[2] + 2 < a[0] or a[1] + a[3] + 2 < b[1] or b[1] + b[3] + 2 < a[1]


def leaves(dom):
    """Elements with text and nothing else in them, of a size that can be seen, evenly over the page."""
    elements = dom["elements"]
    parents = {e["parent"] for e in elements}
    with_text = {t["element"] for t in dom["texts"]}
    found = [e for i, e in enumerate(elements) if i in with_text and i not in parents and e["box"][2] >= 30
             and e["box"][3] >= 14 and e["box"][0] >= 0 and e["box"][0] + e["box"][2] <= 1280]
    return [found[i * (len(found) - 1) // 11] for i in range(12)] if len(found) >= 12 else found


def answer(source, rules):
    return source.replace("</head>", "<style>%s</style></head>" % "".join(rules), 1)


def edits(page, tmp):
    """[(region, rules, kind, where)] of one page: three that stay inside or leak, and one that pushes what follows down."""
    dom, source = facts(page, tmp), open(page).read()
    spots = leaves(dom)
    made = []
    for i in range(3):
        spot = spots[i * 3]
        rule = "%s{background:#%02x40c0!important;color:#ffe08a!important}" % (spot["path"], 60 * i + 20)
        if i < 2:
            made.append((spot, [rule], "clean", None))
            continue
        other = next(s for s in spots[::-1] if apart(s["box"], spot["box"]))
        made.append((spot, [rule, "%s{background:#ff00ff!important;color:#ff00ff!important}" % other["path"]], "leak",
                     other["box"]))
    for spot in spots:
        rule = "%s{display:block!important;padding-bottom:37px!important}" % spot["path"]
        changed = os.path.join(tmp, "changed.html")
        open(changed, "w").write(answer(source, [rule]))
        after = facts(changed, tmp)
        region = spot["box"]
        moved = [t["box"] for t, u in zip(dom["texts"], after["texts"])
                 if t["box"] != u["box"] and t["text"] == u["text"] and apart(t["box"], region)]
        if moved and len(dom["texts"]) == len(after["texts"]):
            made.append((spot, [rule, "%s{color:#c00040!important}" % spot["path"]], "push", moved[0]))
            break
    return made, source


def edit(page, spot, text, tmp):
    """One edit with one scripted answer; the same once more when it leaks."""
    open(os.path.join(tmp, "1.txt"), "w").write("Done.\n```html\n%s\n```\n" % text)
    with Model(tmp) as model:
        done = subprocess.run([GLMV, "edit", page, "change it", "--region", spot["path"], "-o",
                               os.path.join(tmp, "out.html"), "--model", model.url()], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def main():
    tmp = tempfile.mkdtemp(prefix="glmv-edits-")
    count = {"clean": 0, "leak": 0, "push": 0}
    reported = found = 0
    for page in PAGES:
        made, source = edits(page, tmp)
        for spot, rules, kind, where in made:
            code, said = edit(page, spot, answer(source, rules), tmp)
            pixels = re.search(r"(\d+) pixels changed inside the region, (\d+) outside", said)
            inside, outside = (int(pixels[1]), int(pixels[2])) if pixels else (-1, -1)
            what = "%s %s %s: %s" % (kind, page, spot["path"], said.strip()[-200:])
            count[kind] += 1
            check(inside > 0, what)
            if kind == "clean":
                check(code == 0 and outside == 0, what)
                reported += max(outside, 0)
                continue
            box = re.search(r"within x (\d+), y (\d+), (\d+) x (\d+) px", said)
            check(code == 1 and outside > 0 and box is not None, what)
            found += outside > 0
            x, y, w, h = (int(g) for g in box.groups()) if box else (-9, -9, 0, 0)
            if kind == "leak":  # the box of the other element, to the pixel that it begins or ends in
                check(abs(x - where[0]) <= 1 and abs(y - where[1]) <= 1 and abs(w - where[2]) <= 2
                      and abs(h - where[3]) <= 2, what)
            else:
                check(y <= where[1] + where[3] and y + h >= where[1], what)
    shutil.rmtree(tmp)
    total = sum(count.values())
    check(total == 20, "%d edits" % total)
    finish("%d edits of %d pages: %d clean with %d pixels reported outside, %d of %d leaks found" % (
        total, len(PAGES), count["clean"], reported, found, count["leak"] + count["push"]))


if __name__ == "__main__":
    main()
