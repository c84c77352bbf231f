#include "htmlfix/envelope.h"

#include "htmlfix/chars.h"
#include "htmlfix/scan.h"
#include "htmlfix/tags.h"

/* -- JSON ------------------------------------------------------------------------------------- */

static bool is_quote(char c)
{
    return c == '"' || c == '\''; /* Python prints the latter */
}

/* Whether a key and its colon stand at a place, or a value that is no string. */
static bool is_member(const char *text, size_t len, size_t at)
{
    enum { LONGEST = 64 };
    size_t end = len - at < LONGEST ? len : at + LONGEST;
    if (at == len || !is_quote(text[at])) {
        return at == len || strchr("{[0123456789-", text[at]) != NULL;
    }
    size_t close = htmlfix_byte(text, end, at + 1, text[at]);
    if (close == HTMLFIX_NOWHERE) {
        return end == len; /* cut off */
    }
    size_t colon = htmlfix_skip_space(text, len, close + 1);
    return colon == len || text[colon] == ':';
}

/* Whether JSON goes on, or ends, behind a quote. */
static bool json_follows(const char *text, size_t len, size_t at)
{
    at = htmlfix_skip_space(text, len, at);
    if (at == len || text[at] == ':') {
        return true;
    }
    if (text[at] == ',') {
        return is_member(text, len, htmlfix_skip_space(text, len, at + 1));
    }
    if (text[at] != '}' && text[at] != ']') {
        return false;
    }
    while (at < len && (text[at] == '}' || text[at] == ']' || htmlfix_space(text[at]))) {
        at++;
    }
    return at == len || (text[at] != '\0' && strchr(",`<\\\"'", text[at]) != NULL);
}

/* Where a string's content ends: its quote, or the end of the text. A quote behind which JSON does
 * not go on was not escaped, or was escaped once more than the rest. */
static size_t string_end(const char *text, size_t len, size_t at, char quote)
{
    for (; at < len; at += text[at] == '\\' ? 2 : 1) {
        if (text[at] == quote && json_follows(text, len, at + 1)) {
            return at;
        }
    }
    return len;
}

/* 2: holds the start of a document, 1: some markup, 0: neither. */
static int promise(const char *text, size_t begin, size_t end)
{
    static const char *const documents[] = {"<!doctype html", "<html", "\\u003c!doctype html",
                                            "\\u003chtml"};
    int best = 0;
    for (size_t at = begin; at < end; at++) {
        if (text[at] != '<' && text[at] != '\\') {
            continue;
        }
        for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
            if (htmlfix_at(text, end, at, documents[i])) {
                return 2;
            }
        }
        bool tag = text[at] == '<' && at + 1 < end && text[at + 1] == '/';
        best = tag || htmlfix_at(text, end, at, "<\\/") || htmlfix_at(text, end, at, "\\u003c/")
                   ? 1
                   : best;
    }
    return best;
}

/* The end of a string that holds a document: behind its </html>, where quotes may have been
 * forgotten to be escaped. */
static size_t document_end(const char *text, size_t len, struct htmlfix_span string, char quote,
                           unsigned *patience)
{
    static const char close[] = "</html";
    if (*patience == 0 || htmlfix_word(text, string.end, string.begin, close) != HTMLFIX_NOWHERE) {
        return string.end;
    }
    *patience -= 1;
    size_t end = htmlfix_word(text, len, string.end, close);
    return end == HTMLFIX_NOWHERE ? string.end : string_end(text, len, end, quote);
}

static bool may_be_json(char c)
{
    return htmlfix_space(c) ||
           (c != '\0' && strchr("{}[]:,+-.0123456789eEtrufalsnTFNo", c) != NULL);
}

bool htmlfix_envelope_json(const char *text, size_t len, size_t at, struct htmlfix_span *string)
{
    int best = 0;
    size_t depth = 0;
    unsigned patience = HTMLFIX_PATIENCE;
    if (at >= len || (text[at] != '{' && text[at] != '[' && !is_quote(text[at]))) {
        return false;
    }
    while (at < len) {
        char c = text[at];
        if (!is_quote(c)) {
            depth += c == '{' || c == '['                  ? 1
                     : (c == '}' || c == ']') && depth > 0 ? -(size_t)1
                                                           : 0;
            if (!may_be_json(c)) {
                break;
            }
            at++;
            continue;
        }
        struct htmlfix_span content = {at + 1, string_end(text, len, at + 1, c)};
        int value = promise(text, content.begin, content.end);
        if (value == 2) {
            content.end = document_end(text, len, content, c, &patience);
        }
        bool longer = content.end - content.begin > string->end - string->begin;
        if (value == 2 || (value == 1 && (best == 0 || (best == 1 && longer)))) {
            *string = content;
            best = value > best ? value : best;
        }
        at = content.end + 1;
        if (depth == 0) {
            break; /* a string alone ends where it ends */
        }
    }
    return best > 0;
}

bool htmlfix_envelope_string(const char *text, size_t len, size_t document,
                             struct htmlfix_span *string)
{
    size_t at = document;
    while (at > 0 && htmlfix_space(text[at - 1])) {
        at--;
    }
    while (at > 1 && text[at - 2] == '\\' && strchr("nrt", text[at - 1]) != NULL) {
        at -= 2;
    }
    if (at < 2 || !is_quote(text[at - 1])) {
        return false;
    }
    size_t quote = at - 1, before = quote;
    while (before > 0 && htmlfix_space(text[before - 1])) {
        before--;
    }
    if (before < 2 || text[before - 1] != ':') {
        return false;
    }
    before--;
    while (before > 0 && htmlfix_space(text[before - 1])) {
        before--;
    }
    if (before == 0 || !is_quote(text[before - 1])) {
        return false; /* no key */
    }
    unsigned patience = 1;
    *string = (struct htmlfix_span){at, string_end(text, len, at, text[quote])};
    string->end = document_end(text, len, *string, text[quote], &patience);
    return true;
}

/* -- entities --------------------------------------------------------------------------------- */

size_t htmlfix_envelope_entities(const char *text, size_t len, size_t from)
{
    static const char *const forms[] = {"&lt;", "&#60;", "&#x3c;", "&amp;lt;"};
    size_t tags = 0, first = HTMLFIX_NOWHERE;
    bool closing = false;
    for (size_t at = from; (at = htmlfix_byte(text, len, at, '&')) != HTMLFIX_NOWHERE; at++) {
        for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
            size_t name = at + strlen(forms[i]);
            if (!htmlfix_at(text, len, at, forms[i])) {
                continue;
            }
            if (htmlfix_at(text, len, name, "!doctype html") ||
                htmlfix_at(text, len, name, "html&") || htmlfix_at(text, len, name, "html ")) {
                return at;
            }
            size_t end = name;
            while (end < len && end - name < 16 &&
                   (htmlfix_letter(text[end]) || (text[end] >= '0' && text[end] <= '9'))) {
                end++;
            }
            bool known = end > name && htmlfix_tag_find(text + name, end - name) != 0;
            first = known && tags == 0 ? at : first;
            tags += known ? 1 : 0;
            closing = closing || (name < len && text[name] == '/');
        }
    }
    return tags >= 2 && closing ? first : HTMLFIX_NOWHERE;
}

/* -- backslashes ------------------------------------------------------------------------------ */

struct evidence {
    size_t escaped_lines, real_lines;   /* after a '>' */
    size_t escaped_quotes, real_quotes; /* of attribute values */
    size_t escaped_ends, real_ends;     /* "<\/" and "</" */
};

static bool is_escape(const char *text, size_t len, size_t at, const char *letters)
{
    size_t run = 0;
    while (at < len && text[at] == '\\') {
        at++;
        run++;
    }
    return run > 0 && at < len && text[at] != '\0' && strchr(letters, text[at]) != NULL;
}

/* Past the content of raw text, however its end tag is written. */
static size_t skip_raw(const char *text, size_t len, size_t at, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = at; (i = htmlfix_byte(text, len, i, '<')) != HTMLFIX_NOWHERE; i++) {
        size_t slash = i + 1;
        while (slash < len && text[slash] == '\\') {
            slash++;
        }
        if (slash < len && text[slash] == '/' && htmlfix_at(text, len, slash + 1, name) &&
            htmlfix_name_ends(text, len, slash + 1, size)) {
            return i;
        }
    }
    return len;
}

/* Reads a start tag from its name to its '>'. */
static size_t read_tag(const char *text, size_t len, size_t at, struct evidence *e)
{
    while (at < len && text[at] != '>') {
        if (text[at] != '=' || at + 1 == len) {
            at++;
        } else if (text[at + 1] == '"' || text[at + 1] == '\'') {
            e->real_quotes++;
            size_t end = htmlfix_byte(text, len, at + 2, text[at + 1]);
            at = end == HTMLFIX_NOWHERE ? len : end + 1;
        } else {
            e->escaped_quotes += is_escape(text, len, at + 1, "\"'") ? 1 : 0;
            at++;
        }
    }
    return at;
}

static void count_line(const char *text, size_t len, size_t at, struct evidence *e)
{
    while (at < len && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r')) {
        at++;
    }
    if (at < len && text[at] == '\n') {
        e->real_lines++;
    } else if (is_escape(text, len, at, "nrt")) {
        e->escaped_lines++;
    }
}

enum htmlfix_escapes htmlfix_envelope_backslash(const char *text, size_t len)
{
    static const char *const raw[] = {"script", "style", "textarea", "pre", "title", NULL};
    struct evidence e = {0};
    if (htmlfix_byte(text, len, 0, '\\') == HTMLFIX_NOWHERE) {
        return HTMLFIX_NO_ESCAPES;
    }
    for (size_t at = 0;
         (at = htmlfix_byte(text, len, at, '<')) != HTMLFIX_NOWHERE && at + 1 < len;) {
        if (htmlfix_at(text, len, at, "<!--")) {
            struct htmlfix_token token;
            htmlfix_scan(text, len, at, &token);
            at = token.end;
            continue;
        }
        e.real_ends += text[at + 1] == '/' ? 1 : 0;
        e.escaped_ends += is_escape(text, len, at + 1, "/") ? 1 : 0;
        if (!htmlfix_letter(text[at + 1]) && text[at + 1] != '!' && text[at + 1] != '/') {
            at++;
            continue;
        }
        size_t end = htmlfix_letter(text[at + 1]) ? read_tag(text, len, at + 1, &e)
                                                  : htmlfix_byte(text, len, at, '>');
        if (end == HTMLFIX_NOWHERE || end >= len) {
            break;
        }
        count_line(text, len, end + 1, &e);
        for (const char *const *name = raw; *name != NULL; name++) {
            if (htmlfix_at(text, len, at + 1, *name) &&
                htmlfix_name_ends(text, len, at + 1, strlen(*name))) {
                size_t close = skip_raw(text, len, end + 1, *name);
                end = close == len && strcmp(*name, "title") == 0 ? end : close;
                break;
            }
        }
        at = end;
    }
    if (e.escaped_quotes > e.real_quotes ||
        (e.escaped_lines > e.real_lines && e.escaped_quotes >= e.real_quotes / 2) ||
        (e.escaped_lines > 1 && e.escaped_lines > 4 * e.real_lines)) {
        return HTMLFIX_ALL_ESCAPED;
    }
    return e.escaped_ends > e.real_ends ? HTMLFIX_SLASHES_ESCAPED : HTMLFIX_NO_ESCAPES;
}
