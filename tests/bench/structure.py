#!/usr/bin/env python3
"""structure.py FOLDER_OF_PAIRS RESULTS [--pages]: what made pages consist of, against what the originals did.

FOLDER_OF_PAIRS has NAME.json with the tags of each original (structure.semantic_tags, and the tag of each text in
blocks); RESULTS has NAME.html. Per kind of element: how many the originals have, how many ours, on how many pages one
side has some and the other none, and the mean of min/max over the pages where either has any. The originals also count
what nobody sees (closed menus), so the second table counts only texts that are seen, by the element they stand in.
Then the number of .layers (things that share a place); --pages prints all of it for each page.
"""
import json
import sys
from html.parser import HTMLParser
from pathlib import Path

KINDS = {
    "header": ["header"], "nav": ["nav"], "main": ["main"], "footer": ["footer"],
    "section": ["section", "article", "aside"], "heading": ["h1", "h2", "h3", "h4", "h5", "h6"], "p": ["p"], "a": ["a"],
    "button": ["button"], "list": ["ul", "ol", "dl"], "table": ["table"], "form": ["form"],
    "field": ["input", "select", "textarea"], "label": ["label"], "img": ["img"],
}
SEEN = {
    "heading": ["h1", "h2", "h3", "h4", "h5", "h6"], "p": ["p"], "a": ["a"], "button": ["button"], "li": ["li"],
    "cell": ["td", "th"], "label": ["label"], "code": ["code", "tt", "kbd", "pre"], "sub, sup": ["sub", "sup"],
    "strong, em": ["strong", "b", "em", "i"], "field": ["input", "select", "textarea"],
}
VOID = {"meta", "link", "img", "br", "hr", "col", "input"}


class Page(HTMLParser):
    """Counts elements, those that a text stands right in, and layers."""

    def __init__(self, text):
        super().__init__()
        self.tags = {}
        self.seen = {}
        self.layers = 0
        self.open = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        attrs = dict(attrs)
        self.layers += "layers" in (attrs.get("class") or "").split()
        if tag not in VOID:
            self.open.append([tag, False])
        elif attrs.get("value") or attrs.get("placeholder"):
            self.seen[tag] = self.seen.get(tag, 0) + 1

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if data.strip() and self.open and not self.open[-1][1]:
            self.open[-1][1] = True
            self.seen[self.open[-1][0]] = self.seen.get(self.open[-1][0], 0) + 1


def counts(kinds, tags):
    return {kind: sum(tags.get(tag, 0) for tag in names) for kind, names in kinds.items()}


def ratio(a, b):
    return min(a, b) / max(a, b)


def compare(pairs):
    """Table of all pages: pairs of (original, ours). Returns the mean ratio over kinds and pages."""
    print(f"{'':12}{'original':>10}{'ours':>8}{'none here':>11}{'none there':>12}{'min/max':>9}")
    ratios = []
    for kind in pairs[0][1]:
        both = [(o[kind], m[kind]) for o, m in pairs]
        used = [ratio(o, m) for o, m in both if o or m]
        ratios += used
        mean = f"{sum(used) / len(used):9.3f}" if used else f"{'-':>9}"
        print(f"{kind:12}{sum(o for o, _ in both):10}{sum(m for _, m in both):8}"
              f"{sum(o > 0 and m == 0 for o, m in both):11}{sum(o == 0 and m > 0 for o, m in both):12}{mean}")
    print(f"{'mean':12}{'':41}{sum(ratios) / max(1, len(ratios)):9.3f}")


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["--pages"]):
        sys.exit(__doc__)
    pages = []
    for path in sorted(Path(sys.argv[1]).glob("*.json")):
        made = Path(sys.argv[2]) / f"{path.stem}.html"
        facts = json.loads(path.read_text(encoding="utf-8"))
        if not made.exists() or "semantic_tags" not in facts.get("structure", {}):
            continue
        page = Page(made.read_text(encoding="utf-8", errors="replace"))
        shown = {}
        for block in facts.get("blocks", []):
            shown[block["tag"]] = shown.get(block["tag"], 0) + 1
        pages.append((path.stem, {k: facts["structure"]["semantic_tags"].get(k, 0) for k in KINDS},
                      counts(KINDS, page.tags), counts(SEEN, shown), counts(SEEN, page.seen), page.layers))
    if not pages:
        sys.exit(f"{sys.argv[2]}: no page of {sys.argv[1]}")
    if len(sys.argv) == 4:
        for name, theirs, ours, their_seen, our_seen, layers in pages:
            print(f"{name}: {layers} layers")
            print("   elements " + "  ".join(f"{k} {theirs[k]}:{ours[k]}" for k in KINDS if theirs[k] or ours[k]))
            print("   texts    " + "  ".join(f"{k} {their_seen[k]}:{our_seen[k]}" for k in SEEN if their_seen[k] or our_seen[k]))
        print()
    print(f"{len(pages)} pages, elements:")
    compare([(page[1], page[2]) for page in pages])
    print("\ntexts that are seen, by the element they stand in:")
    compare([(page[3], page[4]) for page in pages])
    print(f"\nlayers: {sum(page[5] for page in pages)}, on {sum(page[5] > 0 for page in pages)} pages")


if __name__ == "__main__":
    main()
