"""Ways in which models spoil pages. Each way takes (page, rng) and gives (answer, wanted page) or, for a page that was
cut off, (answer, whole page, what is left of it); None where the page has nothing that it could spoil."""
import html, json, re

RAW = re.compile(r"<!--.*?-->|<(script|style|textarea|title|pre|svg|math|template|noscript|iframe|xmp|code)\b.*?</\1\s*>", re.S | re.I)
TAG = re.compile(r"<[a-zA-Z][a-zA-Z0-9]*(?:\s+[^\s\"'<>/=]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?)*\s*/?>")

TEXTS = re.compile(r"<!--.*?-->|<(script|style|textarea|title|iframe|xmp)\b.*?</\1\s*>", re.S | re.I)


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


# -- what keeps all of the page ---------------------------------------------------------------------------------------

FORMAT = "a|b|strong|em|i|small|code|u|s|font|big|tt"
BLOCK = "div|section|article|header|footer|main|nav|aside|ul|ol|form|figure|fieldset|table|button|span|h[1-6]|blockquote"


def jsx_names(page, rng):
    out = tags(page, lambda t: re.sub(r"(\s)for=", r"\1htmlFor=", re.sub(r"(\s)class=", r"\1className=", t)))
    return (out, page) if out != page else None


def jsx_closed(page, rng):
    empty = re.compile(rf"({TAG.pattern})(</(i|div|span|a|td|iframe|textarea)>)?")
    close = lambda m: m.group(1)[:-1] + " />" if m.group(2) and m.group(1).startswith("<" + m.group(3)) else m.group(0)
    out = markup(page, lambda s: empty.sub(close, s))
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


def only_quotes(page, rng):
    """In every tag, or from one on."""
    if "\\" in page:
        return None
    left = rng.choice([0, rng.randrange(page.count("<"))])

    def change(m):
        nonlocal left
        left -= 1
        return m.group(0).replace('"', '\\"') if left < 0 and "'" not in m.group(0) else m.group(0)

    out, at = [], 0
    for m in TEXTS.finditer(page):
        out += [TAG.sub(change, page[at : m.start()]), TAG.sub(change, m.group(0), count=1) if m.group(1) else m.group(0)]
        at = m.end()
    out = "".join(out + [TAG.sub(change, page[at:])])
    return (out, page) if out != page else None


def only_lines(page, rng):
    return (re.sub(r"\r?\n", r"\\n", page), page) if "\\" not in page and page.count("\n") > 3 else None


def only_slashes(page, rng):
    return (page.replace("</", "<\\/"), page) if "<\\/" not in page else None


def no_end(page, rng):
    """Without </body> and </html>; what stands behind them in a page is not looked at."""
    m = re.search(r"</body\s*>\s*</html\s*>\s*$", page, re.I)
    return (page[: m.start()], page) if m else None


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


LINES = "Sure! I made the page as you asked, with a <nav> and a footer.\n\n"
# Phases: pairs go from the page itself to what stands around it.
PAGE, PIECE, ESCAPE, AROUND = range(4)
KEEPS = [
    ("as it is", PAGE, lambda p, r: (p, p)),
    ("byte order mark", PAGE, lambda p, r: ("\ufeff" + p, p)),
    ("CRLF", PAGE, lambda p, r: (re.sub(r"\r?\n", "\r\n", p), p)),
    ("NUL bytes", PAGE, nul_bytes),
    ("bytes that are no UTF-8", PAGE, bad_utf8),
    ("surrogate halves in UTF-8", PAGE, half_pairs),
    ("className, htmlFor", PAGE, jsx_names),
    ("`<i />`", PAGE, jsx_closed),
    ("`<script />`", PAGE, jsx_script),
    ("curly quotes", PAGE, curly_quotes),
    ("unclosed formatting", PAGE, unclosed_format),
    ("unclosed title", PAGE, unclosed_title),
    ("unclosed block, indented", PAGE, unclosed_block),
    ("ends that are none", PAGE, fake_ends),
    ("no `</body></html>`", PIECE, no_end),
    ("fragment", PIECE, fragment),
    ("JSON object", ESCAPE, lambda p, r: (json.dumps({"title": "x", "html": p}), p)),
    ("JSON, in a list, not ASCII", ESCAPE, lambda p, r: (json.dumps([{"type": "text", "content": p}], ensure_ascii=False), p)),
    ("JSON, quotes forgotten", ESCAPE, lambda p, r: ('{"html": "' + p.replace("\\", "\\\\").replace("\n", "\\n") + '", "n": 1}', p)),
    ("JSON in JSON", ESCAPE, lambda p, r: (json.dumps({"name": "w", "arguments": json.dumps({"code": p})}), p)),
    ("Python's repr", ESCAPE, lambda p, r: (repr({"html": p}), p)),
    ("entities", ESCAPE, lambda p, r: (html.escape(p), p)),
    ("entities in a pre", ESCAPE, lambda p, r: ("<pre><code>" + html.escape(p) + "</code></pre>", p)),
    ("backslashes", ESCAPE, lambda p, r: (escape(p), p)),
    ("backslashes twice", ESCAPE, lambda p, r: (escape(escape(p)), p)),
    ("backslashes, quotes of tags only", ESCAPE, only_quotes),
    ("backslashes, line ends only", ESCAPE, only_lines),
    ("backslashes, slashes only", ESCAPE, only_slashes),
    ("closed think with a draft", AROUND, lambda p, r: ("<think>\nA draft:\n```html\n" + p[: len(p) // 2] + "\n```\nNo.\n</think>\n" + p, p)),
    ("close of think alone", AROUND, lambda p, r: ("First <html><body><p>x</p></body></html>\n</think>\n\n" + p, p)),
    ("answer and box", AROUND, lambda p, r: ("<answer><|begin_of_box|>" + p + "<|end_of_box|></answer>", p)),
    ("tool call", AROUND, lambda p, r: ("<tool_call>write\n<arg_key>path</arg_key>\n<arg_value>a.html</arg_value>\n<arg_key>content</arg_key>\n<arg_value>" + p + "</arg_value>\n</tool_call>", p)),
    ("file", AROUND, lambda p, r: ('<file path="index.html">\n' + p + "\n</file>", p)),
    ("artifact", AROUND, lambda p, r: ('Done.\n<boltArtifact id="a" title="b">\n<boltAction type="file" filePath="index.html">\n' + p + "\n</boltAction>\n</boltArtifact>\nEnjoy", p)),
    ("role tokens", AROUND, lambda p, r: ("<|assistant|>\n" + p + "<|user|>\nThanks!<|im_end|>", p)),
    ("fence", AROUND, lambda p, r: ("```html\n" + p + "\n```\n", p)),
    ("tildes", AROUND, lambda p, r: ("~~~html\n" + p + "\n~~~\n", p)),
    ("four backticks", AROUND, lambda p, r: ("````html\n" + p + "\n````\n", p)),
    ("fence in a list", AROUND, lambda p, r: ("1. Here:\n   ```html\n" + p + "\n   ```\n", p)),
    ("fence glued to prose", AROUND, lambda p, r: ("Here you are:```html\n" + p + "\n```Enjoy!", p)),
    ("info string", AROUND, lambda p, r: ('```html title="index.html" {1}\n' + p + "\n```", p)),
    ("unclosed fence", AROUND, lambda p, r: (LINES + "```html\n" + p, p)),
    ("prose around", AROUND, lambda p, r: (LINES + p + "\n\nI used flexbox. Tell me if the <footer> should be darker!", p)),
    ("a draft before, a start after", AROUND, lambda p, r: ("<html><body><p>draft</p></body></html>\n\nBetter:\n\n" + p + "\n\nOr:\n<html><body><p>or", p)),
    ("css in its own fence", AROUND, lambda p, r: side(p, "css", "p { color: red }", "style")),
    ("js in its own fence", AROUND, lambda p, r: side(p, "js", 'f("a")', "script")),
]


# -- what cuts it off -------------------------------------------------------------------------------------------------


def left(page):
    """What a browser needs of a page that was cut off: up to the end of the last whole tag."""
    at = page.rfind("<")
    return page[:at] if page.find(">", at) < 0 else page


def cut(page, at, before="", after=""):
    return before + page[:at] + after, page, left(page[:at])


def cut_at(pattern, offset, floor=lambda page: page.lower().find("<body") % len(page)):
    def spoil(page, rng):
        hits = [m for m in re.finditer(pattern, page, re.S | re.I) if m.end() - m.start() > offset + 2 and m.start() > floor(page)]
        if not hits:
            return None
        m = rng.choice(hits)
        at = m.start() + rng.randrange(offset, m.end() - m.start() - 1)
        rest = page[:m.start()]
        inside = re.match(r"<(script|style|textarea)\b[^>]*>", page[m.start():at], re.I)
        return page[:at], page, rest + (inside.group(0) if inside else "")
    return spoil


def head(page):
    return 0


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
    return (page[:at] + '<li class="nav-item">Home again and again</li>\n' * 90 + "<li cla", page, left(page[:at])) if at else None


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
    ("cut in a style", cut_at(r"<style\b[^>]*>.{20,}?</style>", 9, head)),
    ("cut in a script", cut_at(r"<script>.{20,}?</script>", 9, head)),
    ("a loop at the end", loop),
    ("base64 that never ends", base64),
]

# -- what holds no page ------------------------------------------------------------------------------------------------


def words(page):
    """What a page says, as prose: nothing in it is a page."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", RAW.sub(" ", page)))
    return re.sub(r"[<>&]", " ", text).strip()


REFUSED = [
    ("thinking that never ends", lambda p: "<think>\n" + p),
    ("the words of the page", words),
    ("words, with tags named", lambda p: "Use a <div> in the `<body>`, then </html>.\n" + words(p)),
]

# -- two at once -------------------------------------------------------------------------------------------------------

CHANGES = {"bytes that are no UTF-8", "surrogate halves in UTF-8", "ends that are none"}  # a wanted page of their own


DRAFTS = "a draft before, a start after"


def fit(first, second):
    """Whether two ways, first the one nearer to the page, can happen to one answer."""
    if second[0].endswith("own fence"):
        return first[1] == PAGE  # a fence of its own stands beside a page, not beside an envelope
    if first[0].startswith("entities") and second[0] == DRAFTS:
        return False  # of a real page and one in entities the real one counts
    if second[0] == DRAFTS and first[1] == PIECE:
        return False  # and of a whole one and a piece the whole one
    if first[0] == "no `</body></html>`" and second[0] == "prose around":
        return False  # nothing says where the page ends
    if "think" in first[0] and "think" in second[0]:
        return False  # the first end of thinking counts
    partly = {"backslashes, quotes of tags only", "backslashes, line ends only", "backslashes, slashes only"}
    return first[1] != second[1] or (first[1] != PIECE and not {first[0], second[0]} & partly)


def spoil_twice(ways, page, rng):
    """(names, answer, wanted) of two random ways that fit; None where one of them finds nothing to spoil."""
    two = sorted(rng.sample(ways, 2), key=lambda w: (w[1], w[0] not in CHANGES))
    one = two[0][2](page, rng) if fit(*two) and not {two[0][0], two[1][0]} <= CHANGES else None
    if one is None or (isinstance(one[0], bytes) and two[1][1] == ESCAPE):
        return None  # who writes escapes has characters, not bytes
    text = one[0].decode("utf-8", "surrogateescape") if isinstance(one[0], bytes) else one[0]
    seed = rng.random()
    answer = two[1][2](text, type(rng)(seed))
    wanted = two[1][2](one[1], type(rng)(seed))
    if not answer or not wanted:
        return None
    return f"{two[0][0]} + {two[1][0]}", answer[0], wanted[1]


MARK = "QZcutQZ"  # letters only: no envelope writes them otherwise


def spoil_cut(cut, way, page, rng):
    """A page that was cut off inside of something else, which is cut off at the same place."""
    case = cut[1](page, rng)
    if way[0] == DRAFTS:
        return None  # a complete draft counts more than a page that was cut off
    wrapped = case and way[2](case[0] + MARK, rng)
    if not wrapped or MARK not in wrapped[0]:
        return None
    return f"{cut[0]} + {way[0]}", wrapped[0][: wrapped[0].rindex(MARK)], page, case[2]
