#include "htmlfix/attributes.h"

#include "htmlfix/chars.h"

enum { RUNAWAY = 4096 }; /* bytes of base64 that is not worth keeping when its end is missing */

struct tag {
    const char *text;
    size_t end; /* before its '>' */
    struct htmlfix_edits *edits;
    struct htmlfix_report *report;
};

static bool replace(struct tag *t, size_t begin, size_t end, const char *with, struct glmv_err *err)
{
    struct htmlfix_edit edit = {
        .at = begin, .cut = end - begin, .before = with, .after = "", .earlier = HTMLFIX_NOWHERE};
    return htmlfix_edit_add(t->edits, edit, err);
}

/* Bytes of a curly quote at a place; *single says of which kind. */
static size_t curly(const char *text, size_t end, size_t at, bool *single)
{
    static const char *const doubles[] = {"\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e",
                                          "\xe2\x80\x9f", "\xe2\x80\xb3", "\xef\xbc\x82"};
    static const char *const singles[] = {"\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9a",
                                          "\xe2\x80\xb2"};
    if (at >= end || (unsigned char)text[at] < 0xE2 || end - at < 3) {
        return 0;
    }
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++) {
        if (memcmp(text + at, doubles[i], 3) == 0) {
            *single = false;
            return 3;
        }
    }
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++) {
        if (memcmp(text + at, singles[i], 3) == 0) {
            *single = true;
            return 3;
        }
    }
    return 0;
}

/* class=“a b” becomes class="a b". *next: after it. */
static bool straighten(struct tag *t, size_t value, size_t *next, struct glmv_err *err)
{
    bool single = false, other;
    size_t size = curly(t->text, t->end, value, &single), at = value + size;
    if (size == 0) {
        return true;
    }
    bool straight = false;
    for (; at < t->end; at++) {
        straight = straight || t->text[at] == (single ? '\'' : '"');
        size_t close = curly(t->text, t->end, at, &other);
        if (close == 0 || other != single) {
            continue;
        }
        size_t after = at + close;
        if (after != t->end && !htmlfix_space(t->text[after]) && t->text[after] != '/') {
            continue;
        }
        const char *quote = single != straight ? "'" : "\"";
        htmlfix_note(t->report, GLMV_FIX_QUOTES, value, after,
                     "Curly quotes around an attribute value became straight.");
        *next = after;
        return replace(t, value, value + size, quote, err) && replace(t, at, after, quote, err);
    }
    return true;
}

/* class=\"a b\" becomes class="a b": an escaped quote opens no value. *next: after it. */
static bool unescape(struct tag *t, size_t value, size_t *next, struct glmv_err *err)
{
    size_t open = value;
    while (open < t->end && t->text[open] == '\\') {
        open++;
    }
    char quote = open < t->end ? t->text[open] : '\0';
    if (quote != '"' && quote != '\'') {
        return true;
    }
    size_t close = htmlfix_byte(t->text, t->end, open + 1, quote);
    if (close == HTMLFIX_NOWHERE || close <= open + 1 || t->text[close - 1] != '\\') {
        return true;
    }
    size_t end = close;
    while (end > open + 1 && t->text[end - 1] == '\\') {
        end--;
    }
    htmlfix_note(t->report, GLMV_FIX_UNESCAPED, value, close + 1,
                 "Quotes of an attribute were written with backslashes.");
    *next = close + 1;
    return replace(t, value, open, "", err) && replace(t, end, close, "", err);
}

/* {"a"}, {'a'}, {`a`} and {1} become "a" and "1"; anything else stays and is reported. */
static bool unbrace(struct tag *t, size_t value, size_t *next, struct glmv_err *err)
{
    size_t at = htmlfix_skip_space(t->text, t->end, value + 1), begin = at, end;
    char quote = at < t->end ? t->text[at] : '\0';
    if (quote == '"' || quote == '\'' || quote == '`') {
        begin = at + 1;
        end = htmlfix_byte(t->text, t->end, begin, quote);
        at = end == HTMLFIX_NOWHERE ? t->end : end + 1;
    } else {
        while (at < t->end && ((t->text[at] >= '0' && t->text[at] <= '9') || t->text[at] == '.')) {
            at++;
        }
        end = at;
    }
    size_t brace = htmlfix_skip_space(t->text, t->end, at);
    bool plain = end != HTMLFIX_NOWHERE && end > begin && brace < t->end && t->text[brace] == '}' &&
                 htmlfix_byte(t->text, end, begin, '"') == HTMLFIX_NOWHERE &&
                 htmlfix_byte(t->text, end, begin, '$') == HTMLFIX_NOWHERE;
    htmlfix_note(t->report, GLMV_FIX_JSX, value, plain ? brace + 1 : t->end,
                 plain ? "A value in braces became a quoted one."
                       : "A value in braces is no HTML and was left as it is.");
    if (!plain) {
        return true;
    }
    *next = brace + 1;
    return replace(t, value, begin, "\"", err) && replace(t, end, brace + 1, "\"", err);
}

static bool is_name(const char *text, const struct htmlfix_attr *attr, const char *name)
{
    size_t len = strlen(name);
    return attr->name_end - attr->name == len && memcmp(text + attr->name, name, len) == 0;
}

bool htmlfix_attributes_repair(const char *text, const struct htmlfix_token *token,
                               struct htmlfix_edits *edits, struct htmlfix_report *report,
                               struct glmv_err *err)
{
    struct tag t = {text, token->end - 1, edits, report};
    struct htmlfix_attr attr;
    size_t at = token->name + token->name_len;
    bool ok = true;
    while (ok && at < t.end && htmlfix_attr_next(text, t.end, &at, &attr)) {
        bool class_name = is_name(text, &attr, "className");
        if (class_name || is_name(text, &attr, "htmlFor")) {
            htmlfix_note(report, GLMV_FIX_JSX, attr.name, attr.name_end,
                         "An attribute's name in JSX became its name in HTML.");
            ok = replace(&t, attr.name, attr.name_end, class_name ? "class" : "for", err);
        }
        if (attr.quote != '\0' || attr.value == attr.value_end) {
            continue;
        }
        size_t next = at;
        if (ok && text[attr.value] == '{') {
            ok = unbrace(&t, attr.value, &next, err);
        } else if (ok && text[attr.value] == '\\') {
            ok = unescape(&t, attr.value, &next, err);
        } else if (ok) {
            ok = straighten(&t, attr.value, &next, err);
        }
        at = next;
    }
    return ok;
}

size_t htmlfix_attributes_base64(const char *text, size_t len, const struct htmlfix_token *token)
{
    struct htmlfix_attr attr = {0};
    size_t at = token->name + token->name_len;
    size_t found = HTMLFIX_NOWHERE;
    while (htmlfix_attr_next(text, len, &at, &attr)) {
        if (attr.value_end - attr.value > RUNAWAY && at >= len) {
            size_t head = htmlfix_word(text, attr.value + 128, attr.value, ";base64,");
            found = head == HTMLFIX_NOWHERE ? found : head + 8;
        }
    }
    return found;
}
