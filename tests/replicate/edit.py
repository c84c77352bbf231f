"""20 scripted edits of regions: those that stay inside are reported clean, every leak is found.

Every expectation is computed from the geometry of the page, not from the program's own report."""
import os
import re
import subprocess
import sys
import tempfile

from kit import GLMV, Model, check, finish

BOXES = [(40 + 240 * (i % 5), 80 + 180 * (i // 5), 200, 140) for i in range(10)]


def page(colours, moved=None, words=None):
    rows = "".join(
        "<div id='b%d' style='left:%dpx;top:%dpx;background:%s'>%s</div>\n" % (
            i, x + (7 if moved == i else 0), y, colours[i], (words or {}).get(i, "Box %d" % i))
        for i, (x, y, _, _) in enumerate(BOXES))
    return ("<!DOCTYPE html><html><head><style>body{margin:0;height:700px;font:16px 'Liberation Sans'}"
            "div{position:absolute;width:200px;height:140px;overflow:hidden}</style></head><body>\n"
            "<h1 style='margin:20px 40px'>Ten boxes</h1>\n" + rows + "</body></html>\n")


def run(*args):
    done = subprocess.run([GLMV, *args], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def main():
    tmp = tempfile.mkdtemp(prefix="glmv-edit-")
    colours = ["#dbe4ff"] * 10
    original = os.path.join(tmp, "page.html")
    open(original, "w").write(page(colours))
    edits, turn = [], 0
    for i in range(20):
        box = i % 10
        changed = list(colours)
        changed[box] = "#%02x4080" % (i * 12)
        leak = None
        if i % 4 == 3:
            leak = (box + 3) % 10  # the scripted answer also moves another box by 7 px
        elif i % 4 == 1:
            changed[box] = colours[box]  # only the words change
        answer = page(changed, leak, {box: "Edited %d" % i})
        for _ in range(2 if leak is not None else 1):  # a leak is told and asked once more
            turn += 1
            text = "Here it is:\n```html\n%s```\n" % answer
            open(os.path.join(tmp, "%d.txt" % turn), "w").write(text)
        edits.append((box, leak, answer))
    for text in ("I cannot do that.", "<!DOCTYPE html><html><body>half a p", page(colours)):
        for _ in range(2 if "</html>" not in text else 1):
            turn += 1
            open(os.path.join(tmp, "%d.txt" % turn), "w").write(text)
    with Model(tmp) as model:
        leaks = whole(tmp, original, edits, model.url())
    subprocess.run(["rm", "-rf", tmp], check=True)
    finish("20 edits, %d leaks found of %d" % (leaks, 5))


def whole(tmp, original, edits, url):
    out = os.path.join(tmp, "out.html")
    code, said = run("edit", original, "x", "--region", "#nope", "-o", out, "--model", url)
    if "no renderer" in said or "glmv-render-worker" in said:
        print("skipped: no renderer")
        sys.exit(77)
    check(code == 2 and "no element fits" in said, "unknown element: %d %s" % (code, said))
    code, said = run("edit", original, "x", "--region", "div", "-o", out, "--model", url)
    check(code == 2 and "several elements" in said, "many elements: %d %s" % (code, said))
    leaks = 0
    for i, (box, leak, answer) in enumerate(edits):
        x, y, w, h = BOXES[box]
        region = "#b%d" % box if i % 2 else "%d,%d,%d,%d" % (x, y, w, h)
        code, said = run("edit", original, "edit", "--region", region, "-o", out, "--model", url)
        found = re.search(r"(\d+) pixels changed inside the region, (\d+) outside", said)
        inside, outside = (int(found[1]), int(found[2])) if found else (-1, -1)
        check(open(out).read().strip() == answer.strip(), "edit %d: the page written" % i)
        check(inside > 0, "edit %d: %s" % (i, said))
        if leak is None:
            check(code == 0 and outside == 0, "edit %d is clean: %d %s" % (i, code, said))
            continue
        lx, ly, lw, lh = BOXES[leak]
        where = re.search(r"within x (\d+), y (\d+), (\d+) x (\d+) px", said)
        check(code == 1 and where is not None, "edit %d leaks: %d %s" % (i, code, said))
        # 7 px on either side of the moved box, and the letters in it
        check(outside >= 2 * 7 * lh, "edit %d: %d pixels" % (i, outside))
        if where:
            check([int(g) for g in where.groups()] == [lx, ly, lw + 7, lh], "edit %d: %s" % (i, said))
            leaks += 1
    os.remove(out)
    for words in ("holds no HTML page", "cut off"):
        code, said = run("edit", original, "edit", "-o", out, "--model", url)
        check(code == 4 and words in said, "%s: %d %s" % (words, code, said))
        check(not os.path.exists(out), "nothing is written after a failure")
    code, said = run("edit", original, "edit", "-o", out, "--model", url)
    check(code == 1 and "nothing changed" in said, "no change: %d %s" % (code, said))
    return leaks


if __name__ == "__main__":
    main()
