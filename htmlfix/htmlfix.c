#include "htmlfix/htmlfix.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* What is still open where a scan stops, and what closes it. */
struct scan {
    size_t end;       /* after </html>, or the length */
    size_t keep;      /* bytes that are whole: a cut-off tag lies behind them */
    const char *open; /* text that closes what is open, or "" */
    bool complete;
};

static bool at_word(const char *text, size_t len, size_t at, const char *word)
{
    size_t size = strlen(word);
    return len - at >= size && strncasecmp(text + at, word, size) == 0;
}

static size_t find(const char *text, size_t len, size_t at, const char *word)
{
    while (at < len && !at_word(text, len, at, word)) {
        at++;
    }
    return at < len ? at : SIZE_MAX;
}

static bool name_ends(const char *text, size_t len, size_t at)
{
    return at < len && strchr(" \t\r\n\f/>", text[at]) != NULL && text[at] != '\0';
}

/* The place after the '>' that ends the tag at `at`; SIZE_MAX when it is cut off. Only a value
 * after '=' may be quoted. */
static size_t tag_end(const char *text, size_t len, size_t at)
{
    char quote = 0, before = 0;
    for (; at < len; at++) {
        char c = text[at];
        if (quote != 0) {
            quote = c == quote ? 0 : quote;
        } else if (c == '>') {
            return at + 1;
        } else if ((c == '"' || c == '\'') && before == '=') {
            quote = c;
        }
        before = strchr(" \t\r\n\f", c) != NULL ? before : c;
    }
    return SIZE_MAX;
}

static const char *const raw_close[] = {"</script", "</style", "</textarea", "</title"};
static const char *const raw_finish[] = {"</script>", "</style>", "</textarea>", "</title>"};

/* The raw text element whose start tag is at `at`, or -1. */
static int raw_element(const char *text, size_t len, size_t at)
{
    for (int i = 0; i < 4; i++) {
        const char *name = raw_close[i] + 2;
        if (at_word(text, len, at + 1, name) && name_ends(text, len, at + 1 + strlen(name))) {
            return i;
        }
    }
    return -1;
}

static struct scan scan_document(const char *text, size_t len, size_t at)
{
    struct scan scan = {len, len, "", false};
    while (at < len) {
        const char *next = memchr(text + at, '<', len - at);
        if (next == NULL) {
            break;
        }
        at = (size_t)(next - text);
        if (at_word(text, len, at, "<!--")) {
            size_t end = find(text, len, at + 4, "-->");
            if (end == SIZE_MAX) {
                scan.open = "-->";
                break;
            }
            at = end + 3;
            continue;
        }
        size_t end = tag_end(text, len, at + 1);
        if (end == SIZE_MAX) {
            scan.keep = at;
            break;
        }
        if (at_word(text, len, at, "</html") && name_ends(text, len, at + 6)) {
            scan.end = scan.keep = end;
            scan.complete = true;
            break;
        }
        int raw = raw_element(text, len, at);
        at = end;
        while (raw >= 0) {
            at = find(text, len, at, raw_close[raw]);
            if (at == SIZE_MAX) {
                scan.open = raw_finish[raw];
                return scan;
            }
            at += strlen(raw_close[raw]);
            raw = name_ends(text, len, at) ? -1 : raw;
        }
    }
    return scan;
}

static size_t find_start(const char *text, size_t len, size_t at)
{
    for (; at < len; at++) {
        if (at_word(text, len, at, "<!doctype html") ||
            (at_word(text, len, at, "<html") && name_ends(text, len, at + 5))) {
            return at;
        }
    }
    return SIZE_MAX;
}

bool glmv_html_fix(const char *text, size_t len, struct glmv_buf *out,
                   struct glmv_fix_report *report, struct glmv_err *err)
{
    *report = (struct glmv_fix_report){.no_html = true};
    size_t first = find_start(text, len, 0), from = 0;
    size_t opened = find(text, len, 0, "<think>"), closed = find(text, len, 0, "</think>");
    /* A document that comes before any of the marks is the answer, whatever it holds. */
    if (closed != SIZE_MAX && (opened < first || opened == SIZE_MAX)) {
        from = opened < first || closed < first ? closed + 8 : 0;
    } else if (opened < first) {
        report->unclosed_think = true;
        return true;
    }
    struct scan best = {0};
    int count = 0;
    for (size_t at = find_start(text, len, from); at != SIZE_MAX;) {
        struct scan scan = scan_document(text, len, at);
        count++;
        if (scan.complete || !best.complete) {
            best = scan;
            report->start = at;
            report->end = scan.end;
        }
        at = find_start(text, len, scan.end);
    }
    if (count == 0) {
        return true;
    }
    report->no_html = false;
    report->duplicate = count > 1;
    report->truncated = !best.complete;
    return glmv_buf_append(out, text + report->start, best.keep - report->start, err) &&
           glmv_buf_append_str(out, best.open, err);
}
