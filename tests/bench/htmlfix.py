#!/usr/bin/env python3
"""htmlfix.py FOLDER [--seed N] [--pages N] [--pairs N] [--peers N] [--only NAME] [--show N] [--build FOLDER]

Spoils HTML pages below FOLDER as models spoil pages, one way at a time and in random pairs, repairs them with htmlfix,
and lets WebKit's parser say whether the page is the same again. Prints for each way how many came back, and beside it
what the rules of three other projects make of the first --peers pages. htmlfix_pages.sh fetches pages.

A page is valid when html5lib, a parser that follows the standard and reports errors, finds none (an ampersand that
starts no entity is let pass). Needs the targets htmlfix_tool and htmlfix_dom, xvfb-run and python3-html5lib.
"""
import argparse, glob, os, random, re, struct, subprocess, sys

import htmlfix_spoil as spoil
from htmlfix_peers import PEERS

try:
    import html5lib
except ImportError:
    sys.exit("htmlfix.py: html5lib is missing (Debian: python3-html5lib, then /usr/bin/python3)")


class Tool:
    def __init__(self, command):
        self.run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def send(self, *texts):
        for text in texts:
            self.run.stdin.write(struct.pack("<Q", len(text)) + text)
        self.run.stdin.flush()

    def frame(self):
        size, = struct.unpack("<Q", self.run.stdout.read(8))
        return self.run.stdout.read(size)

    def line(self):
        return self.run.stdout.readline().decode("utf-8", "replace").strip()


def data(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


class Judge:
    def __init__(self, build):
        self.fixer = Tool([build + "/htmlfix_tool", "fix"])
        self.stream = Tool([build + "/htmlfix_tool", "stream"])
        self.streamed = self.alike = 0
        self.dom = Tool(["xvfb-run", "-a", build + "/htmlfix_dom"])

    def fix(self, answer):
        self.fixer.send(data(answer))
        self.stream.send(data(answer))
        page = self.fixer.frame()
        self.streamed += 1
        self.alike += self.stream.frame() == page
        return page

    def verdict(self, wanted, got, rest=""):
        """equal, prefix, or what differs first."""
        if not rest and data(wanted) == data(got):
            return "equal"
        self.dom.send(data(wanted), data(got), data(rest))
        return self.dom.line()

    def same(self, wanted, got, rest=""):
        return self.verdict(wanted, got, rest) in ("equal", "prefix")


def load(folder, rng):
    """Whole pages in UTF-8, in random order."""
    pages = []
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "**", "*.htm*"), recursive=True)):
        with open(path, "rb") as f:
            text = f.read()
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError:
            continue
        whole = re.match(r"\s*(<!--.*?-->\s*)*(<!doctype html|<html)", text, re.I | re.S) and re.search(r"</html\s*>\s*$", text, re.I)
        if whole and "\0" not in text and len(text) < 400000:
            pages.append((path, text))
    rng.shuffle(pages)
    return pages


def is_valid(page):
    parser = html5lib.HTMLParser()
    parser.parse(page)
    return all(code == "expected-named-entity" for _, code, _ in parser.errors)


class Bench:
    def __init__(self, args):
        self.args = args
        self.judge = Judge(args.build)
        self.rng = random.Random(args.seed)
        self.table = {}

    def count(self, group, name, path, good, why):
        row = self.table.setdefault((group, name), [0, 0, 0] + [0] * len(PEERS))
        row[0] += 1
        row[1] += good
        if not good and row[0] - row[1] <= self.args.show:
            print(f"  {name}: {path}: {why}", flush=True)
        return row

    def try_case(self, group, name, path, case, peers=False):
        answer, wanted, rest = case if len(case) == 3 else (*case, "")
        verdict = self.judge.verdict(wanted, self.judge.fix(answer), rest)
        row = self.count(group, name, path, verdict in ("equal", "prefix"), verdict)
        if peers:
            row[2] += 1
            text = data(answer).decode("utf-8", "replace")
            for i, (_, rule) in enumerate(PEERS):
                row[3 + i] += self.judge.same(wanted, rule(text), rest)

    def unspoiled(self, pages):
        """What comes of pages as they are; returns the valid ones."""
        valid = [p for p in pages if is_valid(p[1])]
        others = [p for p in pages if p not in valid]
        for name, some in (("valid", valid), ("with errors", others)):
            fixed = [self.judge.fix(text) for _, text in some]
            bytewise = sum(out == text.encode() for out, (_, text) in zip(fixed, some))
            equal = sum(self.judge.same(text, out) for out, (_, text) in zip(fixed, some))
            print(f"{len(some)} pages {name}: {bytewise} come out byte for byte, {equal} with an equal DOM", flush=True)
        return valid

    def page(self, path, page, number):
        peers, only = number < self.args.peers, self.args.only
        ways = [("keeps", n, f) for n, _, f in spoil.KEEPS] + [("cut", n, f) for n, f in spoil.CUTS]
        for group, name, way in ways:
            case = way(page, self.rng) if only in name else None
            if case is not None:
                self.try_case(group, name, path, case, peers)
        for name, way in spoil.REFUSED:
            if only in name:
                out = self.judge.fix(way(page))
                self.count("refused", name, path, out == b"", out[:80])
        for _ in range(self.args.pairs if only in ("", "pairs") else 0):
            case = spoil.spoil_twice(spoil.KEEPS[1:], page, self.rng)
            if case is not None:
                self.try_case("pairs", "two that keep the page", f"{case[0]}: {path}", case[1:])
            inside = [w for w in spoil.KEEPS if w[1] >= spoil.ESCAPE and "own fence" not in w[0]]
            case = spoil.spoil_cut(self.rng.choice(spoil.CUTS), self.rng.choice(inside), page, self.rng)
            if case is not None:
                self.try_case("pairs", "one that cuts it, in another", f"{case[0]}: {path}", case[1:])

    def print(self, group):
        rows = [(n, r) for (g, n), r in self.table.items() if g == group]
        if rows and group in ("keeps", "cut"):
            rows.append(("all", [sum(r[i] for _, r in rows) for i in range(3 + len(PEERS))]))
        peers = any(r[2] for _, r in rows)
        head = [group, "cases", "htmlfix"] + [n for n, _ in PEERS if peers]
        print(f"\n| {' | '.join(head)} |\n|---|" + "---:|" * (len(head) - 1))
        for name, row in rows:
            rates = [100 * row[1] / row[0]] + [100 * v / max(row[2], 1) for v in row[3:] if peers]
            print(f"| {name} | {row[0]} | {' | '.join(f'{rate:.1f} %' for rate in rates)} |")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pages", type=int, default=400, help="at most")
    parser.add_argument("--pairs", type=int, default=2, help="of each kind for each page")
    parser.add_argument("--peers", type=int, default=40, help="pages for them")
    parser.add_argument("--only", default="", help="ways whose names hold this; pairs: those alone")
    parser.add_argument("--show", type=int, default=0, help="print so many failures of each way")
    parser.add_argument("--build", default="build/release/tests/htmlfix")
    args = parser.parse_args()
    bench = Bench(args)
    pages = load(args.folder, bench.rng)[: args.pages]
    print(f"seed {args.seed}: {len(pages)} pages")
    try:
        for number, (path, page) in enumerate(bench.unspoiled(pages)):
            bench.page(path, page, number)
    except KeyboardInterrupt:
        print("interrupted: the tables hold what was done")
    print(f"{bench.judge.alike} of {bench.judge.streamed} answers give the same page when fed byte by byte")
    for group in ("keeps", "cut", "pairs", "refused"):
        if any(g == group for g, _ in bench.table):
            bench.print(group)


if __name__ == "__main__":
    main()
