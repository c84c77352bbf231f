#include "htmlfix/fine.h"

#include <stdlib.h>

#include "htmlfix/chars.h"
#include "htmlfix/decode.h"
#include "htmlfix/outline.h"
#include "htmlfix/scan.h"

/* -- comments and charsets -------------------------------------------------------------------- */

static bool any(const char *text, size_t end, size_t at, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (htmlfix_at(text, end, at, *words)) {
            return true;
        }
    }
    return false;
}

bool htmlfix_elides(const char *text, size_t begin, size_t end)
{
    static const char *const strong[] = {
        "rest of the",     "rest of your",     "remains the same",  "remain unchanged",
        "remain the same", "existing content", "unchanged content", NULL};
    static const char *const weak[] = {"rest of",    "remaining", "same as",
                                       "as above",   "as before", "other items",
                                       "more items", "etc.",      NULL};
    size_t stop = end - begin > 400 ? begin + 400 : end;
    bool dots = false, word = false;
    for (size_t at = begin; at < stop; at++) {
        switch (text[at]) {
        case '.':
            dots = dots || htmlfix_at(text, stop, at, "...");
            break;
        case '\xe2':
            dots = dots || htmlfix_at(text, stop, at, "\xe2\x80\xa6");
            break;
        case ' ':
        case '-':
            if (at + 1 < stop && any(text, stop, at + 1, strong)) {
                return true;
            }
            word = word || any(text, stop, at + 1, weak);
            break;
        default:
            break;
        }
        if (dots && (word || at < begin + 8)) {
            return true;
        }
    }
    return false;
}

bool htmlfix_other_charset(const char *text, size_t len)
{
    size_t head = len < 4096 ? len : 4096;
    size_t at = htmlfix_word(text, head, 0, "charset=");
    if (at == HTMLFIX_NOWHERE) {
        return false;
    }
    if (htmlfix_byte(text, len, 0, '\0') != HTMLFIX_NOWHERE) {
        return false; /* no text in any of the sets that pages use */
    }
    at += 8;
    at += at < head && (text[at] == '"' || text[at] == '\'') ? 1 : 0;
    return at < head && htmlfix_letter(text[at]) && !htmlfix_at(text, head, at, "utf-8") &&
           !htmlfix_at(text, head, at, "utf8") && !htmlfix_at(text, head, at, "us-ascii");
}

/* -- tags ------------------------------------------------------------------------------------- */

/* A name of up to eight bytes as a number; longer ones are hashed, with the high bit set. */
#define KEY1(a) ((uint64_t)(a))
#define KEY2(a, b) (KEY1(a) | (uint64_t)(b) << 8)
#define KEY3(a, b, c) (KEY2(a, b) | (uint64_t)(c) << 16)
#define KEY4(a, b, c, d) (KEY3(a, b, c) | (uint64_t)(d) << 24)
#define KEY5(a, b, c, d, e) (KEY4(a, b, c, d) | (uint64_t)(e) << 32)
#define KEY6(a, b, c, d, e, f) (KEY5(a, b, c, d, e) | (uint64_t)(f) << 40)
#define KEY8(a, b, c, d, e, f, g, h)                                                               \
    (KEY6(a, b, c, d, e, f) | (uint64_t)(g) << 48 | (uint64_t)(h) << 56)

enum sort { OTHER, VOID, RAW, OPTIONAL, FRAME, FOREIGN, CODE, SLOW };

static enum sort sort_of(uint64_t key)
{
    switch (key) {
    case KEY2('b', 'r'):
    case KEY2('h', 'r'):
    case KEY3('i', 'm', 'g'):
    case KEY3('c', 'o', 'l'):
    case KEY3('w', 'b', 'r'):
    case KEY4('m', 'e', 't', 'a'):
    case KEY4('l', 'i', 'n', 'k'):
    case KEY4('b', 'a', 's', 'e'):
    case KEY4('a', 'r', 'e', 'a'):
    case KEY5('i', 'n', 'p', 'u', 't'):
    case KEY5('e', 'm', 'b', 'e', 'd'):
    case KEY5('p', 'a', 'r', 'a', 'm'):
    case KEY5('t', 'r', 'a', 'c', 'k'):
    case KEY6('s', 'o', 'u', 'r', 'c', 'e'):
        return VOID;
    case KEY5('t', 'i', 't', 'l', 'e'):
    case KEY5('s', 't', 'y', 'l', 'e'):
    case KEY6('s', 'c', 'r', 'i', 'p', 't'):
    case KEY6('i', 'f', 'r', 'a', 'm', 'e'):
    case KEY8('t', 'e', 'x', 't', 'a', 'r', 'e', 'a'):
    case KEY8('n', 'o', 'f', 'r', 'a', 'm', 'e', 's'):
        return RAW;
    case KEY1('p'):
    case KEY2('l', 'i'):
    case KEY2('d', 't'):
    case KEY2('d', 'd'):
    case KEY2('t', 'r'):
    case KEY2('t', 'd'):
    case KEY2('t', 'h'):
    case KEY5('t', 'b', 'o', 'd', 'y'):
    case KEY5('t', 'h', 'e', 'a', 'd'):
    case KEY5('t', 'f', 'o', 'o', 't'):
    case KEY6('o', 'p', 't', 'i', 'o', 'n'):
    case KEY8('o', 'p', 't', 'g', 'r', 'o', 'u', 'p'):
        return OPTIONAL;
    case KEY4('h', 't', 'm', 'l'):
    case KEY4('h', 'e', 'a', 'd'):
    case KEY4('b', 'o', 'd', 'y'):
        return FRAME;
    case KEY3('s', 'v', 'g'):
    case KEY4('m', 'a', 't', 'h'):
        return FOREIGN;
    case KEY3('x', 'm', 'p'):
        return SLOW;
    default:
        return OTHER;
    }
}

struct check {
    const char *p, *end;
    uint64_t *stack; /* owned */
    size_t depth, room, foreign;
    bool html;
};

static uint64_t read_name(struct check *c)
{
    uint64_t key = 0;
    unsigned n = 0;
    const char *p = c->p;
    for (; p < c->end && (unsigned char)*p > ' ' && *p != '>' && *p != '/'; p++, n++) {
        uint64_t byte = (unsigned char)(*p | 0x20);
        key = n < 8 ? key | byte << (8 * n) : (key << 7 ^ key >> 57 ^ byte) | (uint64_t)1 << 63;
    }
    c->p = p;
    return key;
}

enum { PLAIN, CLOSE, QUOTE, ODD, UPPER };
/* clang-format off */
static const unsigned char kinds[256] = {
    ['>'] = CLOSE, ['"'] = QUOTE, ['\''] = QUOTE, ['{'] = ODD, ['<'] = ODD, ['\\'] = ODD, ['`'] = ODD,
    ['N'] = UPPER, ['F'] = UPPER, [0] = ODD,
};
/* clang-format on */

/* To behind the '>' of a start tag; false: something needs a closer look. */
static bool pass_attributes(struct check *c, bool *closed)
{
    const char *p = c->p, *end = c->end;
    for (;;) {
        while (p < end && kinds[(unsigned char)*p] == PLAIN && (signed char)*p >= 0) {
            p++;
        }
        if (p == end) {
            return false;
        }
        if (*p == '>') {
            *closed = p[-1] == '/';
            c->p = p + 1;
            return true;
        }
        if (kinds[(unsigned char)*p] == UPPER) {
            if (p[-1] == 's' || p[-1] == 'l') { /* className, htmlFor */
                return false;
            }
            p++;
            continue;
        }
        if (kinds[(unsigned char)*p] != QUOTE) {
            return false;
        }
        const char *before = p - 1;
        while (htmlfix_space(*before)) {
            before--;
        }
        const char *close = *before == '=' ? memchr(p + 1, *p, (size_t)(end - p - 1)) : NULL;
        if (close == NULL) {
            return false;
        }
        p = close + 1;
    }
}

static bool push(struct check *c, uint64_t key)
{
    if (c->depth == c->room) {
        size_t room = c->room == 0 ? 256 : c->room * 2;
        uint64_t *grown = realloc(c->stack, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        c->stack = grown;
        c->room = room;
    }
    c->stack[c->depth++] = key;
    return true;
}

static void drop_optional(struct check *c)
{
    while (c->depth > 0 && sort_of(c->stack[c->depth - 1]) == OPTIONAL) {
        c->depth--;
    }
}

static bool start_tag(struct check *c)
{
    uint64_t key = read_name(c);
    bool closed;
    if (!pass_attributes(c, &closed)) {
        return false;
    }
    enum sort sort = sort_of(key);
    if (sort == VOID) {
        return c->foreign == 0;
    }
    if (c->foreign > 0) {
        if (sort == FRAME || sort == OPTIONAL || sort == FOREIGN || key == KEY3('d', 'i', 'v')) {
            return false;
        }
        return closed || push(c, key);
    }
    if (closed) {
        return false;
    }
    if (sort == OTHER || sort == OPTIONAL) {
        return push(c, key);
    }
    if (sort == FOREIGN) {
        c->foreign = c->depth + 1;
        return push(c, key);
    }
    if (sort == FRAME) {
        bool again = key == KEY4('h', 't', 'm', 'l') && c->html;
        c->html = true;
        return !again;
    }
    if (sort == SLOW) {
        return false;
    }
    /* raw text: its end tag must be the first '<' that could be one, or a closer look is due */
    static const char *const names[] = {"script", "textarea", "iframe", "noframes"};
    const char *open = c->p;
    const char *next = memchr(open, '<', (size_t)(c->end - open));
    if (next == NULL) {
        return false;
    }
    size_t len = (size_t)(c->end - open);
    if (next + 1 < c->end && next[1] == '/') {
        struct check end_tag = {.p = next + 2, .end = c->end};
        if (read_name(&end_tag) == key && end_tag.p < c->end && *end_tag.p == '>') {
            c->p = end_tag.p + 1;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct check name = {.p = names[i], .end = names[i] + strlen(names[i])};
        if (read_name(&name) == key) {
            size_t stop = htmlfix_raw_end(open, len, 0, names[i]);
            const char *close =
                stop == HTMLFIX_NOWHERE ? NULL : memchr(open + stop, '>', len - stop);
            c->p = close != NULL ? close + 1 : c->p;
            return close != NULL;
        }
    }
    return false; /* a title or a style with a '<' */
}

static bool end_tag(struct check *c, bool *done)
{
    uint64_t key = read_name(c);
    while (c->p < c->end && htmlfix_space(*c->p)) {
        c->p++;
    }
    if (c->p == c->end || *c->p != '>') {
        return false;
    }
    c->p++;
    if (c->depth > 0 && c->stack[c->depth - 1] == key) {
        c->depth--;
        c->foreign = c->depth < c->foreign ? 0 : c->foreign;
        return true;
    }
    if (sort_of(key) == FRAME) {
        drop_optional(c);
        *done = key == KEY4('h', 't', 'm', 'l');
        return c->depth == 0;
    }
    while (c->depth > 0 && c->stack[c->depth - 1] != key &&
           sort_of(c->stack[c->depth - 1]) == OPTIONAL) {
        c->depth--;
    }
    if (c->depth == 0 || c->stack[c->depth - 1] != key) {
        return false;
    }
    c->depth--;
    c->foreign = c->depth < c->foreign ? 0 : c->foreign;
    return true;
}

static bool comment(struct check *c, const char *at)
{
    struct htmlfix_token token;
    size_t len = (size_t)(c->end - at);
    htmlfix_scan(at, len, 0, &token);
    c->p = at + token.end;
    return token.kind == HTMLFIX_COMMENT && token.whole && !htmlfix_elides(at, 0, token.end);
}

static bool blank_or_comments(struct check *c)
{
    while (c->p < c->end) {
        if (htmlfix_space(*c->p)) {
            c->p++;
        } else if (*c->p != '<' || c->end - c->p < 4 || c->p[1] != '!' || !comment(c, c->p)) {
            return false;
        }
    }
    return true;
}

/* To behind the doctype or before <html; false: no document starts here. */
static bool pass_start(struct check *c)
{
    if (c->end - c->p >= 3 && memcmp(c->p, "\xef\xbb\xbf", 3) == 0) {
        c->p += 3;
    }
    while (c->p < c->end) {
        size_t len = (size_t)(c->end - c->p);
        if (htmlfix_space(*c->p)) {
            c->p++;
        } else if (htmlfix_at(c->p, len, 0, "<!doctype html")) {
            const char *close = memchr(c->p, '>', len);
            c->p = close != NULL ? close + 1 : c->p;
            return close != NULL;
        } else if (htmlfix_document_starts(c->p, len, 0)) {
            return true;
        } else if (len < 4 || c->p[0] != '<' || c->p[1] != '!' || !comment(c, c->p)) {
            return false;
        }
    }
    return false;
}

static bool check(struct check *c)
{
    bool done = false;
    while (!done) {
        const char *open = memchr(c->p, '<', (size_t)(c->end - c->p));
        if (open == NULL || open + 2 >= c->end) {
            return false;
        }
        bool ok = true;
        if (htmlfix_letter(open[1])) {
            c->p = open + 1;
            ok = start_tag(c);
        } else if (open[1] == '/' && htmlfix_letter(open[2])) {
            c->p = open + 2;
            ok = end_tag(c, &done);
        } else if (open[1] == '!') {
            ok = comment(c, open);
        } else {
            c->p = open + 1;
        }
        if (!ok || (c->p < c->end && *c->p == '\\')) { /* a '\\' after a tag: escaped, perhaps */
            return false;
        }
    }
    return blank_or_comments(c);
}

bool htmlfix_is_fine(const char *text, size_t len)
{
    struct check c = {.p = text, .end = text + len};
    bool fine = pass_start(&c) && check(&c) &&
                (htmlfix_is_plain(text, len) || htmlfix_other_charset(text, len));
    free(c.stack);
    return fine;
}
