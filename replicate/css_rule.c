#include "replicate/css_rule.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "replicate/markup.h"

static size_t behind_tag(const char *text, size_t len, const char *tag)
{
    size_t at = replicate_find_tag(text, len, 0, tag);
    size_t end = at != REPLICATE_NOWHERE ? replicate_find(text, len, at, ">") : REPLICATE_NOWHERE;
    return end != REPLICATE_NOWHERE ? end + 1 : REPLICATE_NOWHERE;
}

static bool one_rule(const char *selector, const char *property, const char *value,
                     struct glmv_err *err)
{
    size_t name = strspn(property, "abcdefghijklmnopqrstuvwxyz-0123456789");
    if (property[0] == '\0' || property[name] != '\0') {
        return glmv_fail(err, GLMV_ERR_USAGE, "'%.60s' is not a CSS property", property);
    }
    if (selector[0] == '\0' || selector[0] == '@' || strpbrk(selector, "{};<\n") != NULL) {
        return glmv_fail(err, GLMV_ERR_USAGE, "'%.60s' is not a CSS selector", selector);
    }
    if (value[strspn(value, " ")] == '\0' || strpbrk(value, "{};<\n") != NULL ||
        strstr(value, "/*") != NULL) {
        return glmv_fail(err, GLMV_ERR_USAGE, "'%.60s' is not the value of one CSS property",
                         value);
    }
    return true;
}

/* Where the last style sheet of the head ends; REPLICATE_NOWHERE without one. */
static size_t end_of_style(const char *html, size_t len)
{
    size_t body = replicate_find_tag(html, len, 0, "<body");
    size_t limit = body != REPLICATE_NOWHERE ? body : len;
    size_t last = REPLICATE_NOWHERE, at = 0;
    while ((at = replicate_find(html, limit, at, "</style")) != REPLICATE_NOWHERE) {
        last = at++;
    }
    return last;
}

static size_t start_of_head(const char *html, size_t len)
{
    size_t at = behind_tag(html, len, "<head");
    at = at != REPLICATE_NOWHERE ? at : behind_tag(html, len, "<html");
    at = at != REPLICATE_NOWHERE ? at : behind_tag(html, len, "<!doctype");
    return at != REPLICATE_NOWHERE ? at : 0;
}

static size_t place_of_new_style(const char *html, size_t len)
{
    size_t at = replicate_find_tag(html, len, 0, "</head");
    return at != REPLICATE_NOWHERE ? at : start_of_head(html, len);
}

bool replicate_css_set(const char *html, size_t len, const char *selector, const char *property,
                       const char *value, struct glmv_buf *out, struct glmv_err *err)
{
    if (!one_rule(selector, property, value, err)) {
        return false;
    }
    char start[600];
    int size = snprintf(start, sizeof start, "%s { %s: ", selector, property);
    if (size < 0 || (size_t)size >= sizeof start) {
        return glmv_fail(err, GLMV_ERR_USAGE, "the selector is longer than 500 bytes");
    }
    size_t style = end_of_style(html, len);
    if (style == REPLICATE_NOWHERE) {
        size_t at = place_of_new_style(html, len);
        return glmv_buf_append(out, html, at, err) &&
               glmv_buf_appendf(out, err, "<style>\n%s%s; }\n</style>\n", start, value) &&
               glmv_buf_append(out, html + at, len - at, err);
    }
    size_t old = 0;
    while ((old = replicate_find(html, style, old, start)) != REPLICATE_NOWHERE) {
        size_t end = replicate_find(html, style, old, "; }\n");
        bool own_line = old == 0 || html[old - 1] == '\n';
        if (own_line && end != REPLICATE_NOWHERE && memchr(html + old, '\n', end - old) == NULL) {
            end += strlen("; }\n");
            return glmv_buf_append(out, html, old, err) &&
                   glmv_buf_appendf(out, err, "%s%s; }\n", start, value) &&
                   glmv_buf_append(out, html + end, len - end, err);
        }
        old++;
    }
    bool line = style > 0 && html[style - 1] == '\n';
    return glmv_buf_append(out, html, style, err) &&
           glmv_buf_appendf(out, err, "%s%s%s; }\n", line ? "" : "\n", start, value) &&
           glmv_buf_append(out, html + style, len - style, err);
}

bool replicate_css_base(const char *html, size_t len, const char *folder, struct glmv_buf *out,
                        struct glmv_err *err)
{
    size_t at = start_of_head(html, len);
    bool ok = glmv_buf_append(out, html, at, err) &&
              glmv_buf_append_str(out, "<base href=\"file://", err);
    for (const char *c = folder; ok && *c != '\0'; c++) {
        bool plain = isalnum((unsigned char)*c) || strchr("/-_.~", *c) != NULL;
        ok = plain ? glmv_buf_append(out, c, 1, err)
                   : glmv_buf_appendf(out, err, "%%%02X", (unsigned)(unsigned char)*c);
    }
    return ok && glmv_buf_append_str(out, "/\">", err) &&
           glmv_buf_append(out, html + at, len - at, err);
}
