#include "replicate/blocks.h"

#include <string.h>

#define MARK 7 /* characters of a marker, as in a merge conflict */

struct slice {
    const char *text;
    size_t len;
};

/* Takes the first line off text, without its end. false at the end of the text. */
static bool next_line(struct slice *text, struct slice *line)
{
    if (text->len == 0) {
        return false;
    }
    const char *end = memchr(text->text, '\n', text->len);
    size_t len = end != NULL ? (size_t)(end - text->text) : text->len;
    *line = (struct slice){text->text, len};
    size_t used = end != NULL ? len + 1 : len;
    text->text += used;
    text->len -= used;
    return true;
}

static bool is_marker(struct slice line, char c)
{
    size_t n = 0;
    while (n < line.len && line.text[n] == c) {
        n++;
    }
    return n == MARK;
}

/* The lines up to a marker. */
static bool take_until(struct slice *answer, char marker, struct slice *lines)
{
    struct slice line;
    lines->text = answer->text;
    while (next_line(answer, &line)) {
        if (is_marker(line, marker)) {
            lines->len = (size_t)(line.text - lines->text);
            return true;
        }
    }
    return false;
}

static bool next_block(struct slice *answer, struct slice *search, struct slice *replace,
                       bool *complete)
{
    struct slice line;
    while (next_line(answer, &line)) {
        if (is_marker(line, '<')) {
            *complete = take_until(answer, '=', search) && take_until(answer, '>', replace);
            return true;
        }
    }
    return false;
}

static struct slice trim(struct slice s)
{
    while (s.len > 0 && strchr(" \t\r\n", s.text[0]) != NULL) {
        s.text++;
        s.len--;
    }
    while (s.len > 0 && strchr(" \t\r\n", s.text[s.len - 1]) != NULL) {
        s.len--;
    }
    return s;
}

/* How often the search occurs byte for byte; the place of the first. */
static int find_exact(struct slice page, struct slice search, struct slice *place)
{
    int count = 0;
    for (size_t at = 0; at + search.len <= page.len; at++) {
        if (memcmp(page.text + at, search.text, search.len) == 0) {
            if (count++ == 0) {
                *place = (struct slice){page.text + at, search.len};
            }
            at += search.len - 1;
        }
    }
    return count;
}

/* Whether the lines of the search follow here; rest is what lies behind them. */
static bool follows(struct slice page, struct slice search, struct slice *rest)
{
    struct slice wanted, line;
    while (next_line(&search, &wanted)) {
        wanted = trim(wanted);
        bool found = wanted.len == 0;
        while (!found && next_line(&page, &line)) {
            line = trim(line);
            if (line.len > 0) {
                found = line.len == wanted.len && memcmp(line.text, wanted.text, line.len) == 0;
                if (!found) {
                    return false;
                }
            }
        }
        if (!found) {
            return false;
        }
    }
    *rest = page;
    return true;
}

static int find_loose(struct slice page, struct slice search, struct slice *place)
{
    int count = 0;
    struct slice line, rest, from = page;
    while (from.len > 0) {
        struct slice start = from;
        next_line(&from, &line);
        if (trim(line).len > 0 && follows(start, search, &rest)) {
            if (count++ == 0) {
                *place = (struct slice){start.text, (size_t)(rest.text - start.text)};
            }
        }
    }
    return count;
}

static bool replace_once(struct glmv_buf *page, struct slice search, struct slice replace,
                         int number, struct glmv_err *err)
{
    struct slice text = {page->data, page->len}, place = {0};
    if (trim(search).len == 0) {
        return glmv_fail(err, GLMV_ERR_MODEL, "block %d searches for nothing", number);
    }
    int count = find_exact(text, search, &place);
    count = count > 0 ? count : find_loose(text, search, &place);
    if (count != 1) {
        struct slice said = trim(search);
        return glmv_fail(err, GLMV_ERR_MODEL, "block %d fits %d places of the page: '%.*s'", number,
                         count, (int)(said.len < 80 ? said.len : 80), said.text);
    }
    struct glmv_buf next;
    glmv_buf_init(&next, page->max);
    size_t before = (size_t)(place.text - page->data), after = before + place.len;
    bool ok = glmv_buf_append(&next, page->data, before, err) &&
              glmv_buf_append(&next, replace.text, replace.len, err) &&
              glmv_buf_append(&next, page->data + after, page->len - after, err);
    if (!ok) {
        glmv_buf_release(&next);
        return false;
    }
    glmv_buf_release(page);
    *page = next;
    return true;
}

bool replicate_blocks_found(const char *answer, size_t len)
{
    struct slice text = {answer, len}, line;
    while (next_line(&text, &line)) {
        if (is_marker(line, '<')) {
            return true;
        }
    }
    return false;
}

bool replicate_blocks_apply(const char *html, size_t html_len, const char *answer, size_t len,
                            struct glmv_buf *out, struct glmv_err *err)
{
    struct slice text = {answer, len}, search, replace;
    struct glmv_buf page;
    bool complete = true;
    int number = 0;
    glmv_buf_init(&page, out->max);
    bool ok = glmv_buf_append(&page, html, html_len, err);
    while (ok && next_block(&text, &search, &replace, &complete)) {
        number++;
        ok = complete ? replace_once(&page, search, replace, number, err)
                      : glmv_fail(err, GLMV_ERR_MODEL, "block %d has no end", number);
    }
    if (ok && number == 0) {
        ok = glmv_fail(err, GLMV_ERR_MODEL, "the answer holds no search/replace block");
    }
    ok = ok && glmv_buf_append(out, page.data, page.len, err);
    glmv_buf_release(&page);
    return ok;
}
