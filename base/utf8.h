/* Texts in UTF-8. */
#ifndef GLMV_BASE_UTF8_H
#define GLMV_BASE_UTF8_H

#include <stddef.h>

/* How many characters a text has: bytes that begin one. */
static inline size_t glmv_utf8_count(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

/* Bytes of the first character of a text that is not empty. */
static inline size_t glmv_utf8_first(const char *text)
{
    size_t len = 1;
    while (((unsigned char)text[len] & 0xc0) == 0x80) {
        len++;
    }
    return len;
}

#endif
