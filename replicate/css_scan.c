#include "replicate/css_scan.h"

#include <ctype.h>
#include <string.h>

bool css_is_name(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

/* Past a comment, a string or a bracketed part that begins at i; i itself when none does. */
static size_t css_skip_unit(const char *text, size_t i, size_t end)
{
    if (text[i] == '/' && i + 1 < end && text[i + 1] == '*') {
        for (i += 2; i < end && !(text[i - 1] == '*' && text[i] == '/'); i++) {
        }
        return i < end ? i + 1 : end;
    }
    if (text[i] == '"' || text[i] == '\'') {
        char quote = text[i++];
        while (i < end && text[i] != quote) {
            i += text[i] == '\\' ? 2 : 1;
        }
        return i < end ? i + 1 : end;
    }
    if (text[i] == '(') {
        int depth = 0;
        for (; i < end; i++) {
            depth += text[i] == '(';
            depth -= text[i] == ')';
            if (depth == 0) {
                return i + 1;
            }
        }
        return end;
    }
    return i;
}

size_t css_find_any(const char *text, size_t i, size_t end, const char *wanted)
{
    while (i < end && strchr(wanted, text[i]) == NULL) {
        size_t next = css_skip_unit(text, i, end);
        i = next > i ? next : i + 1;
    }
    return i < end ? i : end;
}

size_t css_skip_block(const char *text, size_t i, size_t end)
{
    int depth = 0;
    while (i < end) {
        i = css_find_any(text, i, end, "{}");
        if (i >= end) {
            break;
        }
        depth += text[i] == '{' ? 1 : -1;
        i++;
        if (depth == 0) {
            return i;
        }
    }
    return end;
}

struct replicate_span css_trim(const char *text, size_t from, size_t to)
{
    for (;;) {
        while (from < to && isspace((unsigned char)text[from])) {
            from++;
        }
        size_t next = from + 1 < to && text[from] == '/' ? css_skip_unit(text, from, to) : from;
        if (next == from) {
            break;
        }
        from = next;
    }
    while (to > from && isspace((unsigned char)text[to - 1])) {
        to--;
    }
    return (struct replicate_span){from, to - from};
}
