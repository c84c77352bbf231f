#!/usr/bin/env python3
"""regularity.py FOLDER [REFERENCES]: how regular the style sheets of made pages are.

Of every .html file in the folder and in the median: elements of the body, CSS rules per element, classes that only one
element has, distinct numbers in margins, letter-spacing and widths, margins per rule, gaps, paddings, and how many
kinds there are of a role (.card, .card-2: two kinds). Then the colours that the sheet names, those of texts, and the
sizes of type. REFERENCES is a folder of NAME.json files that say, for every block of text of the original, its "color"
and "font_size": how many of those an author had stands beside what was made of them.
"""
import json
import re
import statistics
import sys
from html.parser import HTMLParser
from pathlib import Path

SKIPPED = {"html", "head", "meta", "title", "style", "link", "script", "body", "br", "col", "colgroup"}
NUMBER = re.compile(r"-?\d*\.?\d+(?:px|%|em|rem)")


class Page(HTMLParser):
    """Counts the elements of the body and who has which class; keeps the style sheets."""

    def __init__(self, text):
        super().__init__()
        self.elements = 0
        self.users = {}
        self.sheet = ""
        self.in_style = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.in_style = tag == "style"
        names = (dict(attrs).get("class") or "").split()
        for name in names:
            self.users[name] = self.users.get(name, 0) + 1
        self.elements += tag not in SKIPPED

    def handle_endtag(self, tag):
        self.in_style = False

    def handle_data(self, data):
        if self.in_style:
            self.sheet += data


def rules_of(sheet):
    """Selectors and declarations, also of what stands inside of an @media."""
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)
    found = []
    for selector, block in re.findall(r"([^{}]+)\{([^{}]*)\}", sheet):
        pairs = []
        for one in re.split(r";(?![^(]*\))", block):
            name, colon, value = one.partition(":")
            if colon:
                pairs.append((name.strip(), value.strip()))
        found.append((selector.strip(), pairs))
    return found


def colors_and_sizes(rules):
    """The colours named, those that texts take, and the sizes of type."""
    variables = {name: value for _, block in rules for name, value in block if name.startswith("--")}

    def values(*names):
        found = [value for _, block in rules for name, value in block if name in names]
        return {variables.get(value[4:-1], value) if value.startswith("var(") else value for value in found}

    sizes = {value for value in values("font-size") if NUMBER.fullmatch(value)}
    named = {value for name, value in variables.items() if value.startswith("#")}
    return len(named), len(values("color") - {"inherit"}), len(sizes)


def reference(path):
    """The same of the original: text colours and sizes."""
    blocks = json.loads(path.read_text(encoding="utf-8"))["blocks"]
    return len({b["color"] for b in blocks}), len({round(b["font_size"], 1) for b in blocks})


def measure(text):
    page = Page(text)
    rules = rules_of(page.sheet)
    pairs = [pair for _, block in rules for pair in block]
    own = [p for p in pairs if not p[0].startswith("--")]

    def numbers(*names):
        return len({n for p in own if p[0] in names or p[0].rpartition("-")[0] in names for n in NUMBER.findall(p[1])})

    kinds = {}
    for name in page.users:
        role = re.sub(r"-\d+$", "", name)
        kinds[role] = kinds.get(role, 0) + 1
    return {
        "elements": page.elements,
        "rules/element": len(rules) / max(1, page.elements),
        "used once": sum(n == 1 for n in page.users.values()) / max(1, len(page.users)),
        "margin numbers": numbers("margin"),
        "spacing numbers": numbers("letter-spacing"),
        "width numbers": numbers("width", "max-width", "min-width", "flex"),
        "margins/rule": sum(p[0].startswith("margin") for p in own) / max(1, len(rules)),
        "gaps": sum(p[0] in ("gap", "row-gap", "column-gap") for p in own),
        "paddings": sum(p[0].startswith("padding") for p in own),
        "roles": len(kinds),
        "kinds/role": sum(kinds.values()) / max(1, len(kinds)),
        **dict(zip(("colours", "text colours", "sizes"), colors_and_sizes(rules))),
    }


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    files = sorted(Path(sys.argv[1]).glob("*.html"))
    if not files:
        sys.exit(f"{sys.argv[1]}: no .html file")
    pages = [measure(path.read_text(encoding="utf-8", errors="replace")) for path in files]
    if len(sys.argv) == 3:
        for path, page in zip(files, pages):
            of = Path(sys.argv[2]) / (path.stem + ".json")
            if not of.exists():
                sys.exit(f"{of}: not there; REFERENCES has one such file for every page of {sys.argv[1]}")
            page["its colours"], page["its sizes"] = reference(of)
    names = list(pages[0])
    print(f"{'':26}" + "".join(f"{name:>16}" for name in names))
    for path, page in list(zip(files, pages)) + [(Path("median"), {k: statistics.median(p[k] for p in pages) for k in names})]:
        print(f"{path.stem[:25]:26}" + "".join(f"{page[k]:16.2f}" if page[k] % 1 else f"{page[k]:16.0f}" for k in names))


if __name__ == "__main__":
    main()
