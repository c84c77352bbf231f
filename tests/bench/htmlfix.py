#!/usr/bin/env python3
"""htmlfix.py FOLDER [--seed N] [--pages N] [--pairs N] [--only NAME] [--show N]

Spoils every HTML page below FOLDER as models spoil pages, one way at a time and in random pairs, repairs it with
htmlfix and by the extraction rules of three other projects, and lets WebKit say whether the page is the same again.
Prints, for each way, how many came back: "keeps" means that the wanted and the repaired page give equal DOMs, "cut"
that every element before the cut is there. Needs the targets htmlfix_tool and htmlfix_dom, and xvfb-run.

A page of any folder will do; the packages of npm that hold templates are good ones: `npm pack NAME`, unpack, point here.
"""
import argparse, glob, html, json, os, random, re, struct, subprocess, sys

# -- pages ------------------------------------------------------------------------------------------------------------

RAW = re.compile(r"<!--.*?-->|<(script|style|textarea|title|pre|svg|math|template|noscript|iframe|xmp|code)\b.*?</\1\s*>", re.S | re.I)
TAG = re.compile(r"<[a-zA-Z][a-zA-Z0-9]*(?:\s+[^\s\"'<>/=]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?)*\s*/?>")


def markup(page, change):
    """Applies change to what is neither raw text, comment nor foreign."""
    out, at = [], 0
    for m in RAW.finditer(page):
        out += [change(page[at:m.start()]), m.group(0)]
        at = m.end()
    return "".join(out + [change(page[at:])])


def tags(page, change):
    return markup(page, lambda text: TAG.sub(lambda m: change(m.group(0)), text))


def places(page, pattern):
    """Matches of a pattern outside of raw text."""
    spans = [m.span() for m in RAW.finditer(page)]
    return [m for m in re.finditer(pattern, page) if not any(a <= m.start() < b for a, b in spans)]


def body_of(page):
    m = re.search(r"<body\b[^>]*>(.*)</body\s*>", page, re.S | re.I)
    return m.group(1) if m else None


def before_end(page, text):
    at = page.lower().rfind("</body")
    return page[:at] + text + page[at:] if at >= 0 else None


# -- ways to spoil a page: each gives (answer, wanted page) or None; cuts give (answer, wanted page, what is left) -------

FORMAT = "a|b|strong|em|i|small|code|u|s|font|big|tt"
BLOCK = "div|section|article|header|footer|main|nav|aside|ul|ol|form|figure|fieldset|table|button|span|h[1-6]|blockquote"


def jsx_names(page, rng):
    out = tags(page, lambda t: re.sub(r"(\s)for=", r"\1htmlFor=", re.sub(r"(\s)class=", r"\1className=", t)))
    return (out, page) if out != page else None


def jsx_closed(page, rng):
    out = markup(page, lambda s: re.sub(r"<(i|div|span|a|td|iframe|textarea)(\s[^<>]*[^<>/=])?></\1>", r"<\1\2 />", s))
    return (out, page) if out != page else None


def jsx_script(page, rng):
    hits = list(re.finditer(r"<script(\s[^<>]*\ssrc=[^<>]*[\"']|\ssrc=[\"'][^<>]*[\"'])></script>(?=\s*<)", page))
    if not hits:
        return None
    m = rng.choice(hits)
    return page[:m.start()] + "<script" + m.group(1) + " />" + page[m.end():], page


def curly_quotes(page, rng):
    swap = lambda t: t if re.search(r"[“”]", t) else re.sub(r'="([^"{}]*)"', "=“\\1”", t)
    out = tags(page, swap)
    return (out, page) if out != page else None


def unclosed_format(page, rng):
    hits = places(page, rf"</({FORMAT})>(?=\s*</({BLOCK}|p|li|td|th|dt|dd)>)")
    if not hits:
        return None
    m = rng.choice(hits)
    return page[:m.start()] + page[m.end():], page


def unclosed_block(page, rng):
    hits = places(page, rf"(?m)^[ \t]*</({BLOCK})>[ \t]*\r?$")
    if not hits:
        return None
    m = rng.choice(hits)
    return page[:m.start()] + page[m.end():], page


def unclosed_title(page, rng):
    m = re.search(r"</title>(?=\s*<)", page)
    return (page[:m.start()] + page[m.end():], page) if m else None


def fake_ends(page, rng):
    traps = ('<script>var end = "</body></html>";</script>', "<!-- </html> -->", '<iframe srcdoc="<p>a</p></html>"></iframe>',
             "<textarea></html></textarea>")
    out = before_end(page, rng.choice(traps))
    return ("Here it is:\n" + out + "\nDone, it ends with </html>.", out) if out else None


def nul_bytes(page, rng):
    at = sorted(rng.sample(range(len(page)), min(5, len(page))))
    return "".join(page[a:b] + "\0" for a, b in zip([0] + at, at)) + page[at[-1]:], page


def bad_utf8(page, rng):
    hits = places(page, r"</p>")
    if not hits:
        return None
    at = rng.choice(hits).start()
    return page[:at].encode() + b"\xff" + page[at:].encode(), page[:at] + "\ufffd" + page[at:]


def half_pairs(page, rng):
    hits = places(page, r"</p>")
    if not hits:
        return None
    at = rng.choice(hits).start()
    return page[:at].encode() + b"\xed\xa0\xbd\xed\xb8\x80" + page[at:].encode(), page[:at] + "\U0001f600" + page[at:]


def escape(page):
    return json.dumps(page)[1:-1]


LINES = "Sure! I made the page as you asked, with a <nav> and a footer.\n\n"
NAMES = [
    # phase 0: the page itself
    ("as it is", 0, lambda p, r: (p, p)),
    ("byte order mark", 0, lambda p, r: ("\ufeff" + p, p)),
    ("CRLF", 0, lambda p, r: (re.sub(r"\r?\n", "\r\n", p), p)),
    ("NUL bytes", 0, nul_bytes),
    ("bytes that are no UTF-8", 0, bad_utf8),
    ("surrogate halves in UTF-8", 0, half_pairs),
    ("className, htmlFor", 0, jsx_names),
    ("<i />", 0, jsx_closed),
    ("<script />", 0, jsx_script),
    ("curly quotes", 0, curly_quotes),
    ("unclosed formatting", 0, unclosed_format),
    ("unclosed title", 0, unclosed_title),
    ("ends that are none", 0, fake_ends),
    ("unclosed block, by indentation", 9, unclosed_block),
    # phase 1: escapes
    ("JSON object", 1, lambda p, r: (json.dumps({"title": "x", "html": p}), p)),
    ("JSON, in a list, not ASCII", 1, lambda p, r: (json.dumps([{"type": "text", "content": p}], ensure_ascii=False), p)),
    ("JSON in JSON", 1, lambda p, r: (json.dumps({"name": "w", "arguments": json.dumps({"code": p})}), p)),
    ("entities", 1, lambda p, r: (html.escape(p), p)),
    ("backslashes", 1, lambda p, r: (escape(p), p)),
    ("backslashes twice", 1, lambda p, r: (escape(escape(p)), p)),
    # phase 2: what stands around
    ("closed think with a draft", 2, lambda p, r: ("<think>\nA draft:\n```html\n" + p[: len(p) // 2] + "\n```\nNo.\n</think>\n" + p, p)),
    ("close of think alone", 2, lambda p, r: ("First <html><body><p>x</p></body></html>\n</think>\n\n" + p, p)),
    ("answer and box", 2, lambda p, r: ("<answer><|begin_of_box|>" + p + "<|end_of_box|></answer>", p)),
    ("tool call", 2, lambda p, r: ("<tool_call>write\n<arg_key>path</arg_key>\n<arg_value>a.html</arg_value>\n<arg_key>content</arg_key>\n<arg_value>" + p + "</arg_value>\n</tool_call>", p)),
    ("file", 2, lambda p, r: ('<file path="index.html">\n' + p + "\n</file>", p)),
    ("role tokens", 2, lambda p, r: ("<|assistant|>\n" + p + "<|user|>\nThanks!<|im_end|>", p)),
    ("fence", 2, lambda p, r: ("```html\n" + p + "\n```\n", p)),
    ("tildes", 2, lambda p, r: ("~~~html\n" + p + "\n~~~\n", p)),
    ("four backticks", 2, lambda p, r: ("````html\n" + p + "\n````\n", p)),
    ("fence in a list", 2, lambda p, r: ("1. Here:\n   ```html\n" + p + "\n   ```\n", p)),
    ("fence glued to prose", 2, lambda p, r: ("Here you are:```html\n" + p + "\n```Enjoy!", p)),
    ("info string", 2, lambda p, r: ('```html title="index.html" {1}\n' + p + "\n```", p)),
    ("unclosed fence", 2, lambda p, r: (LINES + "```html\n" + p, p)),
    ("prose around", 2, lambda p, r: (LINES + p + "\n\nI used flexbox. Tell me if the <footer> should be darker!", p)),
    ("a draft before, a start after", 2, lambda p, r: ("<html><body><p>draft</p></body></html>\n\nBetter:\n\n" + p + "\n\nOr:\n<html><body><p>or", p)),
]
CHANGES = {"bytes that are no UTF-8", "surrogate halves in UTF-8", "ends that are none"}
SIDES = [("css in its own fence", lambda p, r: side(p, "css", "p { color: red }", "style")),
         ("js in its own fence", lambda p, r: side(p, "js", 'f("a")', "script"))]


def side(page, language, code, tag):
    where = r"</head\s*>" if tag == "style" else r"</body\s*>"
    hits = places(page, "(?i)" + where)
    if not hits:
        return None
    at = hits[-1].start()
    return (f"```html\n{page}\n```\n```{language}\n{code}\n```\n", f"{page[:at]}<{tag}>\n{code}\n</{tag}>{page[at:]}")


def fragment(page, rng):
    inner = body_of(page)
    if not inner or not re.match(r"\s*<(div|nav|header|main|section)\b", inner):
        return None
    return inner, f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>{inner}</body></html>'


def left(page):
    """What a browser needs of a page that was cut off: up to the end of the last whole tag."""
    at = page.rfind("<")
    return page[:at] if page.find(">", at) < 0 else page


def cut(page, at, before="", after=""):
    return before + page[:at] + after, page, left(page[:at])


def cut_at(pattern, offset):
    def spoil(page, rng):
        hits = [m for m in re.finditer(pattern, page, re.S | re.I) if m.end() - m.start() > offset + 2 and m.start() > page.lower().find("<body") > 0]
        if not hits:
            return None
        m = rng.choice(hits)
        at = m.start() + rng.randrange(offset, m.end() - m.start() - 1)
        rest = page[:m.start()]
        inside = re.match(r"<(script|style|textarea)\b[^>]*>", page[m.start():at], re.I)
        return page[:at], page, rest + (inside.group(0) if inside else "")
    return spoil


def in_text(page, rng):
    hits = [m for m in places(page, r">[^<>]*[A-Za-z]{3}[^<>]*<") if m.start() > len(page) // 8]
    if not hits:
        return None
    m = rng.choice(hits)
    return m.start() + 1 + rng.randrange(1, m.end() - m.start() - 2)


def cut_text(before="", after=""):
    def spoil(page, rng):
        at = in_text(page, rng)
        return cut(page, at, before, after) if at else None
    return spoil


def cut_json(page, rng):
    at = in_text(page, rng)
    return ('{"html": "' + escape(page[:at]) + "\\u00", page, left(page[:at])) if at else None


def loop(page, rng):
    at = in_text(page, rng)
    return (page[:at] + '<li class="nav-item"><a href="#">Home</a></li>\n' * 90 + "<li cla", page, left(page[:at])) if at else None


def base64(page, rng):
    at = in_text(page, rng)
    noise = "".join(rng.choice("ABCDEFGHIJKLMNOPabcdefghijk0123456789+/") for _ in range(9000))
    return (page[:at] + '<img src="data:image/png;base64,' + noise, page, left(page[:at])) if at else None


CUTS = [
    ("cut in text", cut_text()),
    ("cut in a fence", cut_text("```html\n", "\n```\n")),
    ("cut in a box", cut_text("<|begin_of_box|>", "<|end_of_box|>")),
    ("cut in JSON, inside an escape", cut_json),
    ("cut in a tag", cut_at(r"<[a-z][a-z0-9]*\s[^<>]*>", 1)),
    ("cut in an attribute", cut_at(r'<[a-z][a-z0-9]*\s[^<>]*="[^"<>]{4,}">', 6)),
    ("cut in a comment", cut_at(r"<!--.*?-->", 5)),
    ("cut in a style", cut_at(r"<style\b[^>]*>.{20,}?</style>", 9)),
    ("cut in a script", cut_at(r"<script>.{20,}?</script>", 9)),
    ("a loop at the end", loop),
    ("base64 that never ends", base64),
]

# -- rules of others, in our own words and code ------------------------------------------------------------------------


def screenshot_to_code(text):
    m = re.search(r"<file path=[^>]*>(.*?)</file>", text, re.S)
    text = m.group(1) if m else text
    text = re.sub(r"(?m)^```\w*\s*$", "", text)
    m = re.search(r"<!doctype html.*?>.*?<html.*?</html>", text, re.S | re.I) or re.search(r"<html.*?>.*?</html>", text, re.S)
    return m.group(0) if m else text


def design2code(text):
    text = text.strip()
    text = text[3:] if text.startswith("```") else text
    text = text[:-3] if text.endswith("```") else text
    text = text.strip()
    text = text[4:] if text.startswith("html") else text
    start, end = text.find("<!DOCTYPE"), text.find("</html>")
    text = text[: end + 7] if end >= 0 else text
    return text[start:] if start >= 0 else text


def glm_detector(text):
    if "```" in text:  # taken as fenced: what a chat window then shows as code
        m = re.search(r"```\w*\n(.*?)(?:\n```|\Z)", text, re.S)
        return m.group(1) if m else text
    starts = [m.start() for m in re.finditer(r"(?i)<!doctype html|<(?:html|head|body|div|section|article|main|header|footer|nav)\b|<[a-z]", text)]
    if not starts:
        return text
    return text[min(starts):].replace("\\n", "\n").replace('\\"', '"').replace("\\'", "'")


PEERS = [("screenshot-to-code", screenshot_to_code), ("Design2Code", design2code), ("GLM-V detector", glm_detector)]

# -- the two programs --------------------------------------------------------------------------------------------------


class Tool:
    def __init__(self, command):
        self.run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def send(self, *texts):
        for text in texts:
            data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
            self.run.stdin.write(struct.pack("<Q", len(data)) + data)
        self.run.stdin.flush()

    def frame(self):
        size, = struct.unpack("<Q", self.run.stdout.read(8))
        return self.run.stdout.read(size)

    def line(self):
        return self.run.stdout.readline().decode("utf-8", "replace").strip()


def load(folder, limit, rng):
    pages = []
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "**", "*.htm*"), recursive=True)):
        with open(path, "rb") as f:
            data = f.read()
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        whole = re.match(r"\s*(<!--.*?-->\s*)*(<!doctype html|<html)", text, re.I | re.S) and re.search(r"</html\s*>\s*$", text, re.I)
        if whole and "\0" not in text and len(text) < 400000:
            pages.append((path, text))
    rng.shuffle(pages)
    return pages[:limit]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--pairs", type=int, default=2, help="random pairs for each page")
    parser.add_argument("--only", default="")
    parser.add_argument("--show", type=int, default=0, help="print so many failures of each way")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--build", default="build/release/tests/htmlfix")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    pages = load(args.folder, args.pages, rng)
    fixer = Tool([args.build + "/htmlfix_tool", "fix"])
    dom = Tool(["xvfb-run", "-a", args.build + "/htmlfix_dom"])

    def fix(answer):
        fixer.send(answer)
        return fixer.frame()

    def same(wanted, got, rest=""):
        dom.send(wanted, got, rest)
        return dom.line()

    # a page is valid when nothing is found in it; what is meant by a page with errors nobody knows
    valid = [p for p in pages if fix(p[1]) == p[1].encode()]
    table = {}

    def judge(group, name, path, case):
        answer, wanted, rest = case if len(case) == 3 else (*case, "")
        row = table.setdefault((group, name), [0] * (len(PEERS) + 2))
        row[0] += 1
        verdict = same(wanted, fix(answer), rest)
        if verdict in ("equal", "prefix"):
            row[1] += 1
        elif row[0] - row[1] <= args.show:
            print(f"  {name}: {path}: {verdict}")
        if not args.no_peers and group != "pairs":
            text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
            for i, (_, rule) in enumerate(PEERS):
                row[2 + i] += same(wanted, rule(text), rest) in ("equal", "prefix")

    print(f"{len(pages)} pages, seed {args.seed}; {len(valid)} come out byte for byte, "
          f"{sum(same(t, fix(t)) == 'equal' for _, t in pages)} with an equal DOM")
    ways = [("keeps", n, f) for n, _, f in NAMES] + [("keeps", n, f) for n, f in SIDES]
    ways += [("keeps", "fragment", fragment)] + [("cut", n, f) for n, f in CUTS]
    try:
        for path, page in valid:
            for group, name, spoil in ways:
                case = spoil(page, rng) if args.only in name else None
                if case is not None:
                    judge(group, name, path, case)
            for _ in range(args.pairs if args.only == "" or args.only == "pairs" else 0):
                # what changes the wanted page goes first, then the page's own faults, escapes, and what stands around
                two = sorted(rng.sample([w for w in NAMES[1:] if w[1] < 9], 2), key=lambda w: (w[1], w[0] not in CHANGES))
                case = two[0][2](page, rng)
                if case is None or (isinstance(case[0], bytes) and two[1][1] < 2):
                    continue
                first = case[0].decode("utf-8", "surrogateescape") if isinstance(case[0], bytes) else case[0]
                case2 = two[1][2](first, rng)
                if case2 is None:
                    continue
                wanted = case[1] if case2[1] == first else None
                if wanted is not None:
                    judge("pairs", "pairs", path + ": " + two[0][0] + " + " + two[1][0], (case2[0], wanted))
    except KeyboardInterrupt:
        print("interrupted: the tables hold what was done")
    head = ["way", "cases", "htmlfix"] + ([n for n, _ in PEERS] if not args.no_peers else [])
    for group in ("keeps", "cut", "pairs"):
        rows = [(n, r) for (g, n), r in table.items() if g == group]
        if not rows:
            continue
        total = [sum(r[i] for n, r in rows if "indentation" not in n) for i in range(len(PEERS) + 2)]
        print(f"\n| {' | '.join([group] + head[1:])} |\n|---|" + "---:|" * (len(head) - 1))
        for name, row in rows + ([("all" + (" but indentation" if group == "keeps" else ""), total)] if group != "pairs" else []):
            cells = [f"{100 * v / max(row[0], 1):.1f} %" for v in row[1:len(head) - 1]]
            print(f"| {name.replace('|', '')} | {row[0]} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
