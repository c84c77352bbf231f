#include "replicate/json_place.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct cursor {
    const char *text;
    size_t len;
    size_t pos;
};

int replicate_text_line(const char *text, size_t len, size_t offset)
{
    int line = 1;
    for (size_t i = 0; i < len && i < offset; i++) {
        line += text[i] == '\n';
    }
    return line;
}

static char peek(const struct cursor *c)
{
    return c->pos < c->len ? c->text[c->pos] : '\0';
}

/* Every control character is space to cJSON, so it is to us. */
static bool is_space(char ch)
{
    return (unsigned char)ch <= ' ';
}

static void skip_space(struct cursor *c)
{
    while (c->pos < c->len && is_space(c->text[c->pos])) {
        c->pos++;
    }
}

static void skip_string(struct cursor *c)
{
    c->pos++;
    while (c->pos < c->len && c->text[c->pos] != '"') {
        c->pos += c->text[c->pos] == '\\' ? 2 : 1;
    }
    c->pos++;
}

/* Skips one value of any kind, without recursion: brackets are counted outside strings. */
static void skip_value(struct cursor *c)
{
    int depth = 0;
    do {
        skip_space(c);
        char ch = peek(c);
        if (ch == '"') {
            skip_string(c);
        } else if (ch == '{' || ch == '[') {
            depth++;
            c->pos++;
        } else if (ch == '}' || ch == ']') {
            depth--;
            c->pos++;
        } else if (ch == ',' || ch == ':') {
            c->pos++;
        } else {
            do {
                c->pos++;
            } while (c->pos < c->len && !is_space(c->text[c->pos]) &&
                     strchr("\"{[]},:", c->text[c->pos]) == NULL);
        }
    } while (depth > 0 && c->pos < c->len);
}

/* From the '{' of an object to the value of one of its keys. */
static bool enter_key(struct cursor *c, const char *key, size_t key_len)
{
    if (peek(c) != '{') {
        return false;
    }
    c->pos++;
    for (;;) {
        skip_space(c);
        if (peek(c) != '"') {
            return false;
        }
        size_t start = c->pos + 1;
        skip_string(c);
        size_t end = c->pos - 1;
        skip_space(c);
        c->pos++;
        skip_space(c);
        if (end - start == key_len && memcmp(c->text + start, key, key_len) == 0) {
            return true;
        }
        skip_value(c);
        skip_space(c);
        if (peek(c) != ',') {
            return false;
        }
        c->pos++;
    }
}

static bool enter_index(struct cursor *c, long index)
{
    if (peek(c) != '[') {
        return false;
    }
    c->pos++;
    for (long i = 0; i < index; i++) {
        skip_value(c);
        skip_space(c);
        if (peek(c) != ',') {
            return false;
        }
        c->pos++;
    }
    skip_space(c);
    return peek(c) != ']';
}

int replicate_json_line(const char *text, size_t len, const char *path)
{
    struct cursor c = {text, len, 0};
    skip_space(&c);
    size_t good = c.pos;
    const char *p = path;
    while (*p != '\0') {
        bool found;
        if (*p == '[') {
            char *end;
            found = enter_index(&c, strtol(p + 1, &end, 10));
            p = *end == ']' ? end + 1 : end;
        } else {
            size_t key_len = strcspn(p, ".[");
            found = enter_key(&c, p, key_len);
            p += key_len;
        }
        if (!found || c.pos >= len) {
            break;
        }
        good = c.pos;
        p += *p == '.';
    }
    return replicate_text_line(text, len, good);
}
