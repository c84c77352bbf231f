/* Bytes and places in a text. Private to htmlfix. */
#ifndef GLMV_HTMLFIX_CHARS_H
#define GLMV_HTMLFIX_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HTMLFIX_NOWHERE SIZE_MAX

static inline bool htmlfix_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static inline bool htmlfix_letter(char c)
{
    return (unsigned char)((c | 32) - 'a') < 26;
}

static inline char htmlfix_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Whether a word in lower case stands at a place, in any case. */
static inline bool htmlfix_at(const char *text, size_t len, size_t at, const char *word)
{
    while (*word != '\0') {
        if (at >= len || htmlfix_lower(text[at++]) != *word++) {
            return false;
        }
    }
    return true;
}

/* Whether the name of size bytes at a place after '<' or '</' ends there. */
static inline bool htmlfix_name_ends(const char *text, size_t len, size_t at, size_t size)
{
    at += size;
    return at < len && (htmlfix_space(text[at]) || text[at] == '>' || text[at] == '/');
}

/* The next place of a byte, or HTMLFIX_NOWHERE. */
static inline size_t htmlfix_byte(const char *text, size_t len, size_t at, char byte)
{
    const char *found = at < len ? memchr(text + at, byte, len - at) : NULL;
    return found != NULL ? (size_t)(found - text) : HTMLFIX_NOWHERE;
}

static inline size_t htmlfix_skip_space(const char *text, size_t len, size_t at)
{
    while (at < len && htmlfix_space(text[at])) {
        at++;
    }
    return at;
}

/* The next place of a word in lower case, in any case, before len. */
static inline size_t htmlfix_word(const char *text, size_t len, size_t at, const char *word)
{
    for (; at < len; at++) {
        if (htmlfix_lower(text[at]) == word[0] && htmlfix_at(text, len, at, word)) {
            return at;
        }
    }
    return HTMLFIX_NOWHERE;
}

#endif
