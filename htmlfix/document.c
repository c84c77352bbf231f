/* One document from its start to its end. */
#include "htmlfix/chars.h"
#include "htmlfix/markers.h"
#include "htmlfix/outline.h"
#include "htmlfix/scan.h"
#include "htmlfix/tags.h"

bool htmlfix_document_starts(const char *text, size_t len, size_t at)
{
    return htmlfix_at(text, len, at, "<!doctype html") ||
           (htmlfix_at(text, len, at, "<html") && at + 5 < len &&
            (htmlfix_space(text[at + 5]) || text[at + 5] == '>'));
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The first tag that starts a line and can't be in a script. */
static size_t line_of_markup(const char *text, size_t len, size_t at)
{
    static const char *const words[] = {"</head>", "</body>", "</html>", "<body", "<div",
                                        "<script", "<style",  "<link",   "<meta", "</script"};
    for (; (at = htmlfix_byte(text, len, at, '<')) != HTMLFIX_NOWHERE; at++) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (htmlfix_at(text, len, at, words[i]) && htmlfix_starts_line(text, at, 0)) {
                return htmlfix_line_begin(text, at, 0);
            }
        }
    }
    return HTMLFIX_NOWHERE;
}

size_t htmlfix_raw_stop(const char *text, size_t len, size_t at, unsigned tag, unsigned *patience,
                        bool *missing)
{
    const char *name = htmlfix_tag_get(tag)->name;
    size_t end = htmlfix_raw_end(text, len, at, name);
    size_t stop = end == HTMLFIX_NOWHERE ? len : end;
    size_t other = HTMLFIX_NOWHERE;
    *missing = false;
    if (strcmp(name, "title") == 0 || strcmp(name, "style") == 0) {
        /* neither holds the end of the head; without an end tag, no tag at all */
        bool swallows =
            end == HTMLFIX_NOWHERE || (htmlfix_byte(text, stop, at, '<') != HTMLFIX_NOWHERE &&
                                       htmlfix_word(text, stop, at, "</head>") != HTMLFIX_NOWHERE);
        for (size_t i = at; swallows && (i = htmlfix_byte(text, stop, i, '<')) != HTMLFIX_NOWHERE;
             i++) {
            if (i + 1 < stop &&
                (htmlfix_letter(text[i + 1]) || text[i + 1] == '/' || text[i + 1] == '!')) {
                other = i;
                break;
            }
        }
    } else if (end == HTMLFIX_NOWHERE) {
        other = line_of_markup(text, len, at);
    }
    if (other == HTMLFIX_NOWHERE) {
        return end;
    }
    if (*patience == 0) {
        return HTMLFIX_NOWHERE;
    }
    *patience -= 1;
    *missing = true;
    return other;
}

size_t htmlfix_comment_stop(const char *text, size_t len, size_t at, unsigned *patience)
{
    if (*patience == 0) {
        return HTMLFIX_NOWHERE;
    }
    *patience -= 1;
    size_t line = htmlfix_byte(text, len, at, '\n');
    size_t next = line == HTMLFIX_NOWHERE ? line : htmlfix_skip_space(text, len, line);
    if (line == HTMLFIX_NOWHERE || next + 1 >= len || text[next] != '<') {
        return HTMLFIX_NOWHERE;
    }
    return line > at && text[line - 1] == '\r' ? line - 1 : line;
}

/* Comments, white space, styles and scripts after </html> are the page's; anything else is not. */
static size_t tail(const char *text, size_t len, size_t end)
{
    for (size_t at = end; at < len;) {
        struct htmlfix_token token;
        at = htmlfix_skip_space(text, len, at);
        if (at == len || text[at] != '<') {
            break;
        }
        htmlfix_scan(text, len, at, &token);
        bool raw = token.kind == HTMLFIX_START && token.name_len > 0 &&
                   (htmlfix_at(text, len, token.name, "script") ||
                    htmlfix_at(text, len, token.name, "style")) &&
                   (htmlfix_tag_get(token.tag)->traits & HTMLFIX_RAW) != 0;
        bool closing = token.kind == HTMLFIX_END && (htmlfix_at(text, len, at, "</html>") ||
                                                     htmlfix_at(text, len, at, "</body>"));
        if (!token.whole || (token.kind != HTMLFIX_COMMENT && !raw && !closing)) {
            break;
        }
        at = token.end;
        if (raw) {
            size_t stop = htmlfix_raw_end(text, len, at, htmlfix_tag_get(token.tag)->name);
            size_t close = stop == HTMLFIX_NOWHERE ? stop : htmlfix_byte(text, len, stop, '>');
            if (close == HTMLFIX_NOWHERE) {
                break;
            }
            at = close + 1;
        }
        end = at;
    }
    return end;
}

struct reading {
    const char *text;
    size_t len;
    struct htmlfix_document *document;
    unsigned *patience;
    size_t stop;  /* first thing that can't be the page's, unless an end follows */
    bool body;    /* the document's own html or body tag was read */
    size_t depth; /* of a fragment's elements that need an end tag */
    bool ended;   /* the last tag ended a block of a fragment, outside of all others */
};

/* Lines of fences and role tokens in text. A second '<' may only be the token's own. */
static void look_at_text(struct reading *r, size_t begin, size_t end)
{
    for (size_t at = begin; at < end && r->stop == HTMLFIX_NOWHERE; at++) {
        char c = r->text[at];
        if ((c == '`' || c == '~') && (htmlfix_fence_line(r->text, r->len, at, begin) ||
                                       htmlfix_fence_glued(r->text, r->len, at, begin))) {
            r->stop = htmlfix_line_begin(r->text, at, begin);
        } else if ((c == '<' || c == '[') && htmlfix_role(r->text, r->len, at) > 0) {
            r->stop = at;
        }
    }
}

/* The last line of a fence in raw text that the answer never closed. */
static void look_at_cut_raw(struct reading *r, size_t begin)
{
    size_t end = r->len;
    while (end > begin && htmlfix_space(r->text[end - 1])) {
        end--;
    }
    size_t at = end;
    while (at > begin && r->text[at - 1] == '`') {
        at--;
    }
    if (end - at >= 3 && htmlfix_fence_line(r->text, r->len, at, begin) &&
        r->stop == HTMLFIX_NOWHERE) {
        r->stop = htmlfix_line_begin(r->text, at, begin);
    }
}

static void count_depth(struct reading *r, const struct htmlfix_token *token, unsigned traits)
{
    static const unsigned none = HTMLFIX_VOID | HTMLFIX_OPTIONAL | HTMLFIX_RAW;
    if ((traits & none) == 0 && token->kind == HTMLFIX_START && !token->closed) {
        r->depth++;
    } else if ((traits & none) == 0 && token->kind == HTMLFIX_END && r->depth > 0) {
        r->depth--;
    }
    r->ended = token->kind == HTMLFIX_END && r->depth == 0 && (traits & HTMLFIX_BLOCK) != 0;
}

/* Where prose starts that follows a fragment: words on a line of their own after the last block. */
static void look_for_prose(struct reading *r, size_t begin, size_t end)
{
    size_t word = htmlfix_skip_space(r->text, end, begin);
    if (!r->ended || r->stop != HTMLFIX_NOWHERE || word == end ||
        htmlfix_byte(r->text, word, begin, '\n') == HTMLFIX_NOWHERE) {
        return;
    }
    r->ended = false;
    for (size_t at = word; (at = htmlfix_byte(r->text, r->len, at, '<')) != HTMLFIX_NOWHERE; at++) {
        struct htmlfix_token token;
        if (htmlfix_starts_line(r->text, at, begin)) {
            htmlfix_scan(r->text, r->len, at, &token);
            if (token.kind == HTMLFIX_START &&
                (htmlfix_tag_get(token.tag)->traits & HTMLFIX_BLOCK) != 0) {
                return; /* more of it follows */
            }
        }
    }
    r->stop = word;
}

/* True: the document ends, and the reading goes on at *next. */
static bool take_tag(struct reading *r, const struct htmlfix_token *token, size_t *next)
{
    unsigned traits = htmlfix_tag_get(token->tag)->traits;
    const char *name = htmlfix_tag_get(token->tag)->name;
    if (token->kind == HTMLFIX_START && strcmp(name, "html") == 0) {
        bool again = r->body && (r->document->elements == 0 || r->stop != HTMLFIX_NOWHERE);
        r->body = true;
        if (again) {
            *next = token->begin;
            return true;
        }
        return false;
    }
    if (token->kind == HTMLFIX_START) {
        r->document->elements += r->stop == HTMLFIX_NOWHERE ? 1 : 0;
        return false;
    }
    if (strcmp(name, "html") == 0) {
        r->document->complete = true;
        r->document->end = tail(r->text, r->len, token->end);
        *next = r->document->end;
        return true;
    }
    if ((traits & HTMLFIX_WRAPPER) != 0) {
        r->stop = smaller(r->stop, token->begin);
        if (name[0] == 't' && name[1] == 'h') { /* it was a draft: thinking ends here */
            *next = token->begin;
            return true;
        }
    }
    return false;
}

/* Past the content of raw text that follows a start tag; false at the end of the text. */
static bool skip_raw(struct reading *r, const struct htmlfix_token *token, size_t *at)
{
    bool missing;
    size_t begin = *at,
           stop = htmlfix_raw_stop(r->text, r->len, begin, token->tag, r->patience, &missing);
    if (stop == HTMLFIX_NOWHERE) {
        look_at_cut_raw(r, begin);
        return false;
    }
    *at = stop;
    return true;
}

void htmlfix_document_scan(const char *text, size_t len, size_t begin, bool fragment,
                           unsigned *patience, struct htmlfix_document *document, size_t *next)
{
    *document = (struct htmlfix_document){.begin = begin, .end = len};
    struct reading r = {.text = text,
                        .len = len,
                        .document = document,
                        .patience = patience,
                        .stop = HTMLFIX_NOWHERE,
                        .body = fragment};
    size_t at = begin, foreign = 0;
    *next = len;
    while (at < len) {
        struct htmlfix_token token;
        htmlfix_scan(text, len, at, &token);
        at = token.end;
        if (token.kind == HTMLFIX_TEXT) {
            look_at_text(&r, token.begin, token.end);
            if (fragment) {
                look_for_prose(&r, token.begin, token.end);
            }
        } else if (token.kind == HTMLFIX_DOCTYPE && token.begin > begin) {
            *next = token.begin;
            document->end = smaller(r.stop, token.begin);
            return;
        } else if (token.kind == HTMLFIX_COMMENT && !token.whole) {
            size_t stop = htmlfix_comment_stop(text, len, token.begin, patience);
            at = stop == HTMLFIX_NOWHERE ? len : stop;
        } else if ((token.kind == HTMLFIX_START || token.kind == HTMLFIX_END) && token.whole) {
            if (htmlfix_role(text, len, token.begin) > 0) {
                r.stop = smaller(r.stop, token.begin);
            }
            if (take_tag(&r, &token, next)) {
                document->end = document->complete ? document->end : smaller(r.stop, *next);
                return;
            }
            unsigned traits = htmlfix_tag_get(token.tag)->traits;
            count_depth(&r, &token, traits);
            if ((traits & HTMLFIX_FOREIGN) != 0 && !token.closed) {
                foreign += token.kind == HTMLFIX_START ? 1 : foreign > 0 ? -(size_t)1 : 0;
            }
            if (token.kind == HTMLFIX_START && (traits & HTMLFIX_RAW) != 0 && foreign == 0 &&
                !token.closed && !skip_raw(&r, &token, &at)) {
                break;
            }
        }
    }
    document->end = r.stop != HTMLFIX_NOWHERE ? r.stop : len;
    document->cut = r.stop == HTMLFIX_NOWHERE;
}
