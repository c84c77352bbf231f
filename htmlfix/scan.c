#include "htmlfix/scan.h"

#include "htmlfix/chars.h"
#include "htmlfix/tags.h"

/* Behind the curly quote that closes a value, where one opens it; else the place itself. */
static size_t curly_end(const char *text, size_t len, size_t at)
{
    enum { LONGEST = 1024 };
    size_t end = len - at < LONGEST ? len : at + LONGEST;
    if (end - at < 3 || memcmp(text + at, "\xe2\x80\x9c", 3) != 0) {
        return at;
    }
    for (size_t i = at + 3; i + 3 < end && text[i] != '<' && text[i] != '\n'; i++) {
        if (memcmp(text + i, "\xe2\x80\x9d", 3) == 0 &&
            (htmlfix_space(text[i + 3]) || text[i + 3] == '>' || text[i + 3] == '/')) {
            return i + 3;
        }
    }
    return at;
}

bool htmlfix_attr_next(const char *text, size_t len, size_t *at, struct htmlfix_attr *attr)
{
    size_t i = *at;
    while (i < len && (htmlfix_space(text[i]) || text[i] == '/')) {
        i++;
    }
    if (i >= len || text[i] == '>') {
        *at = i < len ? i + 1 : len;
        return false;
    }
    attr->name = i++; /* also a '=', as the standard says */
    while (i < len && text[i] != '=' && text[i] != '>' && text[i] != '/' &&
           !htmlfix_space(text[i])) {
        i++;
    }
    attr->name_end = attr->value = attr->value_end = i;
    attr->quote = '\0';
    size_t next = htmlfix_skip_space(text, len, i);
    if (next >= len || text[next] != '=') {
        *at = i;
        return true;
    }
    i = htmlfix_skip_space(text, len, next + 1);
    if (i < len && (text[i] == '"' || text[i] == '\'')) {
        attr->quote = text[i];
        attr->value = i + 1;
        size_t end = htmlfix_byte(text, len, i + 1, attr->quote);
        attr->value_end = end == HTMLFIX_NOWHERE ? len : end;
        *at = end == HTMLFIX_NOWHERE ? len : end + 1;
        return true;
    }
    attr->value = i;
    i = curly_end(text, len, i); /* a '>' between curly quotes is meant as text */
    while (i < len && text[i] != '>' && !htmlfix_space(text[i])) {
        i++;
    }
    attr->value_end = *at = i;
    return true;
}

/* Upper case in a name, a value that starts with '{' or a curly quote, a '<': worth a second look.
 */
static bool is_odd(const char *text, const struct htmlfix_attr *attr)
{
    for (size_t i = attr->name; i < attr->name_end; i++) {
        if ((text[i] >= 'A' && text[i] <= 'Z') || text[i] == '<') {
            return true;
        }
    }
    if (attr->value == attr->value_end || attr->quote != '\0') {
        return false;
    }
    char first = text[attr->value];
    return first == '{' || first == '\\' || (unsigned char)first == 0xE2;
}

static void scan_tag(const char *text, size_t len, struct htmlfix_token *token)
{
    size_t i = token->name;
    while (i < len && !htmlfix_space(text[i]) && text[i] != '>' && text[i] != '/') {
        i++;
    }
    token->name_len = i - token->name;
    token->tag = htmlfix_tag_find(text + token->name, token->name_len);
    struct htmlfix_attr attr = {0};
    bool cut = false;
    while (htmlfix_attr_next(text, len, &i, &attr)) {
        token->odd = token->odd || is_odd(text, &attr);
        cut = i >= len; /* an attribute that runs into the end leaves no room for the '>' */
    }
    token->end = i;
    token->whole = !cut && text[i - 1] == '>';
    token->closed = token->whole && text[i - 2] == '/' &&
                    !(attr.value < attr.value_end && attr.quote == '\0' && attr.value_end == i - 1);
}

static void scan_comment(const char *text, size_t len, struct htmlfix_token *token)
{
    size_t at = token->begin;
    token->kind = HTMLFIX_COMMENT;
    size_t end = HTMLFIX_NOWHERE;
    if (htmlfix_at(text, len, at, "<!--")) {
        at += 4;
        if (at < len && text[at] == '>') {
            end = at + 1;
        } else if (htmlfix_at(text, len, at, "->")) {
            end = at + 2;
        }
        while (end == HTMLFIX_NOWHERE && (at = htmlfix_byte(text, len, at, '-')) != SIZE_MAX) {
            size_t dash = at;
            while (at < len && text[at] == '-') {
                at++;
            }
            if (at - dash >= 2 && at < len && text[at] == '>') {
                end = at + 1;
            } else if (at - dash >= 2 && htmlfix_at(text, len, at, "!>")) {
                end = at + 2;
            }
        }
    } else {
        end = htmlfix_byte(text, len, at, '>');
        end = end == HTMLFIX_NOWHERE ? end : end + 1;
        if (htmlfix_at(text, len, at, "<!doctype")) {
            token->kind = HTMLFIX_DOCTYPE;
        }
    }
    token->whole = end != HTMLFIX_NOWHERE;
    token->end = token->whole ? end : len;
}

void htmlfix_scan(const char *text, size_t len, size_t at, struct htmlfix_token *token)
{
    *token = (struct htmlfix_token){.kind = HTMLFIX_TEXT, .begin = at, .whole = true};
    if (text[at] == '<' && at + 1 < len) {
        char c = text[at + 1];
        if (htmlfix_letter(c)) {
            token->kind = HTMLFIX_START;
            token->name = at + 1;
            scan_tag(text, len, token);
            return;
        }
        if (c == '/' && at + 2 < len && htmlfix_letter(text[at + 2])) {
            token->kind = HTMLFIX_END;
            token->name = at + 2;
            scan_tag(text, len, token);
            return;
        }
        if (c == '!' || c == '?' || (c == '/' && at + 2 < len)) {
            scan_comment(text, len, token);
            return;
        }
    }
    do {
        at = htmlfix_byte(text, len, at + 1, '<');
    } while (at != HTMLFIX_NOWHERE && at + 1 < len && !htmlfix_letter(text[at + 1]) &&
             text[at + 1] != '/' && text[at + 1] != '!' && text[at + 1] != '?');
    token->end = at == HTMLFIX_NOWHERE ? len : at;
}

static bool end_tag_at(const char *text, size_t len, size_t at, const char *name, size_t size)
{
    return at + 2 < len && text[at + 1] == '/' && htmlfix_at(text, len, at + 2, name) &&
           htmlfix_name_ends(text, len, at + 2, size);
}

/* A script may hold "<!-- <script> </script> -->", and its end tag does not count then. */
static size_t script_end(const char *text, size_t len, size_t at)
{
    enum { PLAIN, ESCAPED, TWICE } state = PLAIN;
    for (;;) {
        size_t next = htmlfix_byte(text, len, at, '<');
        if (state != PLAIN) {
            size_t stop = next == HTMLFIX_NOWHERE ? len : next;
            size_t dash = at;
            while ((dash = htmlfix_byte(text, stop, dash, '-')) != HTMLFIX_NOWHERE) {
                if (htmlfix_at(text, stop, dash, "-->")) {
                    state = PLAIN;
                    break;
                }
                dash++;
            }
        }
        if (next == HTMLFIX_NOWHERE) {
            return HTMLFIX_NOWHERE;
        }
        at = next + 1;
        if (end_tag_at(text, len, next, "script", 6)) {
            if (state != TWICE) {
                return next;
            }
            state = ESCAPED;
        } else if (state == PLAIN && htmlfix_at(text, len, next, "<!--")) {
            state = ESCAPED;
            at = next + 2; /* "<!-->" ends it at once */
        } else if (state == ESCAPED && htmlfix_at(text, len, next, "<script") &&
                   htmlfix_name_ends(text, len, next, 7)) {
            state = TWICE;
        }
    }
}

size_t htmlfix_raw_end(const char *text, size_t len, size_t at, const char *name)
{
    size_t size = strlen(name);
    if (strcmp(name, "script") == 0) {
        return script_end(text, len, at);
    }
    for (at = htmlfix_byte(text, len, at, '<'); at != HTMLFIX_NOWHERE;
         at = htmlfix_byte(text, len, at + 1, '<')) {
        if (end_tag_at(text, len, at, name, size)) {
            return at;
        }
    }
    return HTMLFIX_NOWHERE;
}
