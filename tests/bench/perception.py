#!/usr/bin/python3
"""Compares what `glmv-replicate inspect --json` measures with the truth of a folder of pages.

usage: perception.py FOLDER [--glmv PROGRAM] [--only A,B] [-j N] [--misses]

FOLDER holds pairs NAME.png and NAME.json; the JSON lists "blocks" with "lines" (text, bbox), color, font_size,
font_weight, italic. Words count as found when they lie in the text of the lines that overlap their line's box
(contained) or equal one of their words (strict). Needs only the Python standard library.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor


def plain(text):
    text = unicodedata.normalize("NFKC", text)
    return text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"').replace("—", "-").replace("–", "-")


def overlap(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return w * h if w > 0 and h > 0 else 0


def edit_distance(a, b):
    if len(a) < len(b):
        a, b = b, a
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def rgb(color):
    return [int(color[i:i + 2], 16) for i in (1, 3, 5)]


def is_cjk(text):
    return bool(re.search("[\u3040-\u30ff\u3400-\u9fff]", text))


def tokens(text):
    """Words with a letter or a digit; CJK text counts by character."""
    out = []
    for word in plain(text).split():
        if is_cjk(word):
            out += re.findall("[\u3040-\u30ff\u3400-\u9fff]|[A-Za-z0-9]+", word)
        elif re.search(r"\w", word):
            out.append(word)
    return out


def compare(truth, scene):
    r = dict(words=0, contained=0, strict=0, cjk=0, cjk_found=0, chars=0, edits=0, color=[], size=[], weight=[],
             italic=[], misses=[], extra=0)
    lines = scene["lines"]
    used = set()
    for block in truth["blocks"]:
        for line in block["lines"]:
            hits = [(i, s) for i, s in enumerate(lines) if overlap(line["bbox"], s["ink"]) > 0.25 * min(
                s["ink"][2] * s["ink"][3], line["bbox"][2] * max(line["bbox"][3], 1))]
            hits.sort(key=lambda h: h[1]["ink"][0])
            used.update(i for i, _ in hits)
            read = plain(" ".join(s["text"] for _, s in hits))
            words = tokens(line["text"])
            have = read.split()
            cjk = is_cjk(line["text"])
            found = 0
            for word in words:
                contained = word in read
                found += contained
                r["cjk_found" if cjk else "contained"] += contained
                r["cjk" if cjk else "words"] += 1
                r["strict"] += not cjk and word in have
            if found < len(words):
                r["misses"].append((line["text"], read, line["bbox"]))
            if cjk or not words:
                continue
            text = plain(line["text"])
            r["chars"] += len(text)
            r["edits"] += min(edit_distance(text, read), len(text))
            if hits:
                s = max(hits, key=lambda h: overlap(line["bbox"], h[1]["ink"]))[1]
                r["color"].append(max(abs(a - b) for a, b in zip(rgb(block["color"]), rgb(s["color"]))))
                r["size"].append(abs(block["font_size"] - s["size"]))
                r["weight"].append((block["font_weight"] >= 600) == (s["weight"] >= 600))
                r["italic"].append(bool(block["italic"]) == s["italic"])
    r["extra"] = len([i for i in range(len(lines)) if i not in used])
    return r


def run(program, png):
    start = time.monotonic()
    done = subprocess.run([program, "inspect", str(png), "--json"], capture_output=True)
    if done.returncode != 0:
        print(f"{png.stem}: exit {done.returncode}: {done.stderr.decode()[:300]}", file=sys.stderr)
        return None, 0
    return json.loads(done.stdout), time.monotonic() - start


def share(a, b):
    return 100 * a / b if b else 100.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--glmv", default="build/release/replicate/glmv-replicate")
    parser.add_argument("--only", default="")
    parser.add_argument("-j", type=int, default=1)
    parser.add_argument("--misses", action="store_true", help="print the lines with words that were not found")
    args = parser.parse_args()
    only = [name for name in args.only.split(",") if name]
    pages = [p for p in sorted(args.folder.glob("*.png")) if not only or any(name in p.stem for name in only)]
    with ThreadPoolExecutor(args.j) as pool:
        scenes = list(pool.map(lambda p: run(args.glmv, p), pages))
    total = {}
    failed = 0
    print(f"{'page':26} words  found%  strict%  cjk%   CER%  colour  size  weight%  extra  boxes pics   s")
    for png, (scene, seconds) in zip(pages, scenes):
        if scene is None:
            failed += 1
            continue
        r = compare(json.loads(png.with_suffix(".json").read_text()), scene)
        for key, value in r.items():
            total[key] = total[key] + value if key in total else value
        print(f"{png.stem:26} {r['words']:5} {share(r['contained'], r['words']):7.1f} {share(r['strict'], r['words']):8.1f}"
              f" {share(r['cjk_found'], r['cjk']):5.1f} {share(r['edits'], r['chars']):6.2f}"
              f" {share(sum(c <= 8 for c in r['color']), len(r['color'])):7.1f}"
              f" {statistics.median(r['size'] or [0]):5.2f} {share(sum(r['weight']), len(r['weight'])):8.1f}"
              f" {r['extra']:6} {len(scene['boxes']):6} {len(scene['pictures']):4} {seconds:4.1f}")
        if args.misses:
            for want, got, box in r["misses"]:
                print(f"    {box} {want!r} read as {got!r}")
    r = total
    if r:
        print(f"\nwords {r['words']}: contained {share(r['contained'], r['words']):.2f} %, strict"
              f" {share(r['strict'], r['words']):.2f} %, CER {share(r['edits'], r['chars']):.2f} %;"
              f" CJK characters {r['cjk']}: {share(r['cjk_found'], r['cjk']):.2f} %")
        print(f"colour within 8 levels {share(sum(c <= 8 for c in r['color']), len(r['color'])):.1f} %,"
              f" size error median {statistics.median(r['size']):.2f} px, within 1 px"
              f" {share(sum(s <= 1 for s in r['size']), len(r['size'])):.1f} %,"
              f" bold or not {share(sum(r['weight']), len(r['weight'])):.1f} %,"
              f" italic or not {share(sum(r['italic']), len(r['italic'])):.1f} %, lines without truth {r['extra']}")
        times = [s for scene, s in scenes if scene]
        print(f"seconds per page: median {statistics.median(times):.2f}, largest {max(times):.2f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
