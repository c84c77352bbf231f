#include "htmlfix/htmlfix.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define NOWHERE SIZE_MAX

static bool starts(const char *text, size_t len, size_t at, const char *word)
{
    size_t size = strlen(word);
    return at <= len && size <= len - at && strncasecmp(text + at, word, size) == 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* Place of a word at or after from, upper and lower case alike. */
static size_t find(const char *text, size_t len, size_t from, const char *word)
{
    for (size_t at = from; at < len; at++) {
        if (text[at] == word[0] && starts(text, len, at, word)) {
            return at;
        }
    }
    return NOWHERE;
}

static bool document_starts(const char *text, size_t len, size_t at)
{
    if (starts(text, len, at, "<!doctype html")) {
        return true;
    }
    return starts(text, len, at, "<html") && at + 5 < len &&
           (is_space(text[at + 5]) || text[at + 5] == '>');
}

/* What a scan of one document found. */
struct document {
    size_t start, end; /* end: after </html>, or of the text */
    bool complete;
    size_t last;       /* end of the last whole token */
    const char *close; /* what an unfinished raw text or comment needs; "" */
};

/* After the '>' of a tag that starts at from, or NOWHERE: quotes hide a '>'. */
static size_t tag_end(const char *text, size_t len, size_t from)
{
    char quote = '\0';
    for (size_t at = from; at < len; at++) {
        char c = text[at];
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if ((c == '"' || c == '\'') && text[at - 1] == '=') {
            quote = c;
        } else if (c == '>') {
            return at + 1;
        }
    }
    return NOWHERE;
}

/* Elements whose content is no markup. */
static const char *const raw[][2] = {{"<script", "</script>"},
                                     {"<style", "</style>"},
                                     {"<textarea", "</textarea>"},
                                     {"<title", "</title>"}};

/* The end tag that a raw element at a '<' waits for, or NULL. */
static const char *raw_end(const char *text, size_t len, size_t at)
{
    for (size_t i = 0; i < sizeof raw / sizeof raw[0]; i++) {
        size_t size = strlen(raw[i][0]);
        if (starts(text, len, at, raw[i][0]) && at + size < len &&
            (is_space(text[at + size]) || text[at + size] == '>' || text[at + size] == '/')) {
            return raw[i][1];
        }
    }
    return NULL;
}

/* Reads from the start of a document to its end, past comments, raw text and attribute values. */
static struct document scan(const char *text, size_t len, size_t start)
{
    struct document d = {start, len, false, len, ""};
    size_t at = start;
    while (at < len) {
        const char *next = memchr(text + at, '<', len - at);
        if (next == NULL) {
            return d;
        }
        at = (size_t)(next - text);
        d.last = at;
        if (starts(text, len, at, "<!--")) {
            size_t end = find(text, len, at + 4, "-->");
            if (end == NOWHERE) {
                d.last = len;
                d.close = "-->";
                return d;
            }
            at = end + 3;
        } else if (at > start && starts(text, len, at, "<!doctype html")) {
            d.end = d.last =
                at; /* what came before was a mention or a draft: here starts the page */
            return d;
        } else if (starts(text, len, at, "</html")) {
            size_t end = tag_end(text, len, at + 6);
            if (end != NOWHERE) {
                d.end = d.last = end;
                d.complete = true;
            }
            return d;
        } else {
            char c = at + 1 < len ? text[at + 1] : '\0';
            bool tag = c == '/' || c == '!' || ((c | 32) >= 'a' && (c | 32) <= 'z');
            size_t end = tag ? tag_end(text, len, at + 1) : at + 1;
            if (end == NOWHERE) {
                return d; /* an unfinished tag: it ends before */
            }
            const char *wait = raw_end(text, len, at);
            size_t closed = wait == NULL ? end : find(text, len, end, wait);
            if (closed == NOWHERE) {
                d.last = len;
                d.close = wait;
                return d;
            }
            at = wait == NULL ? end : closed + strlen(wait);
        }
        d.last = len;
    }
    return d;
}

/* The last complete document, else the longest. Counts them. */
static struct document choose(const char *text, size_t len, size_t from, int *count)
{
    struct document best = {NOWHERE, 0, false, 0, ""};
    *count = 0;
    for (size_t at = from; at < len;) {
        const char *next = memchr(text + at, '<', len - at);
        if (next == NULL) {
            break;
        }
        at = (size_t)(next - text);
        if (!document_starts(text, len, at)) {
            at++;
            continue;
        }
        struct document d = scan(text, len, at);
        *count += 1;
        bool longer =
            !best.complete && (best.start == NOWHERE || d.end - d.start > best.end - best.start);
        if (d.complete || longer) {
            best = d;
        }
        at = d.end;
    }
    return best;
}

/* Where the answer starts after thinking; NOWHERE when it never left it. */
static size_t skip_thinking(const char *text, size_t len, size_t from, unsigned *flags)
{
    if (from < len && document_starts(text, len, from)) {
        return from;
    }
    size_t close = find(text, len, from, "</think>");
    if (close != NOWHERE) {
        *flags |= GLMV_FIX_THINKING;
        return close + 8;
    }
    return starts(text, len, from, "<think>") ? NOWHERE : from;
}

static size_t skip_space(const char *text, size_t len, size_t at)
{
    while (at < len && is_space(text[at])) {
        at++;
    }
    return at;
}

/* An unfinished document may end in the closing line of a fence. */
static size_t without_fence(const char *text, size_t start, size_t end)
{
    size_t at = end;
    while (at > start && is_space(text[at - 1])) {
        at--;
    }
    size_t ticks = at;
    while (ticks > start && text[ticks - 1] == '`') {
        ticks--;
    }
    return at - ticks >= 3 && ticks > start && text[ticks - 1] == '\n' ? ticks : end;
}

const char *glmv_fix_name(enum glmv_fix_flag flag)
{
    switch (flag) {
    case GLMV_FIX_AROUND:
        return "around";
    case GLMV_FIX_THINKING:
        return "thinking";
    case GLMV_FIX_DUPLICATE:
        return "duplicate";
    case GLMV_FIX_TRUNCATED:
        return "truncated";
    case GLMV_FIX_NO_HTML:
        return "no_html";
    default:
        return "unclosed_think";
    }
}

bool glmv_html_fix(const char *text, size_t len, struct glmv_buf *out, struct glmv_fix *fix,
                   struct glmv_err *err)
{
    *fix = (struct glmv_fix){0};
    size_t mark = starts(text, len, 0, "\xef\xbb\xbf") ? 3 : 0;
    size_t first = skip_space(text, len, mark);
    size_t from = skip_thinking(text, len, first, &fix->flags);
    if (from == NOWHERE) {
        fix->flags |= GLMV_FIX_UNCLOSED_THINK | GLMV_FIX_NO_HTML;
        return glmv_fail(err, GLMV_ERR_FORMAT, "the answer is all thinking and holds no page");
    }
    int count;
    struct document d = choose(text, len, from, &count);
    if (d.start == NOWHERE ||
        (!d.complete && d.last <= d.start)) { /* a lone, unfinished start is none */
        fix->flags |= GLMV_FIX_NO_HTML;
        return glmv_fail(err, GLMV_ERR_FORMAT, "there is no HTML document in it");
    }
    fix->flags |= count > 1 ? GLMV_FIX_DUPLICATE : 0;
    if (d.complete) {
        bool alone = d.start == first && count == 1 && skip_space(text, len, d.end) == len;
        fix->start = alone ? 0 : d.start;
        fix->end = alone ? len : d.end;
        fix->flags |= alone ? 0 : GLMV_FIX_AROUND;
        return glmv_buf_append(out, text + fix->start, fix->end - fix->start, err);
    }
    fix->flags |= GLMV_FIX_TRUNCATED | (d.start != first ? GLMV_FIX_AROUND : 0);
    fix->start = d.start;
    fix->end = d.close[0] != '\0' ? d.last : without_fence(text, d.start, d.last);
    return glmv_buf_append(out, text + fix->start, fix->end - fix->start, err) &&
           glmv_buf_append_str(out, d.close, err);
}
