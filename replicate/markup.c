#include "replicate/markup.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

size_t replicate_find(const char *text, size_t len, size_t at, const char *word)
{
    size_t size = strlen(word);
    for (; at + size <= len; at++) {
        if (strncasecmp(text + at, word, size) == 0) {
            return at;
        }
    }
    return REPLICATE_NOWHERE;
}

size_t replicate_find_tag(const char *text, size_t len, size_t at, const char *tag)
{
    while ((at = replicate_find(text, len, at, tag)) != REPLICATE_NOWHERE) {
        size_t end = at + strlen(tag);
        if (end < len && !isalnum((unsigned char)text[end]) && text[end] != '-') {
            return at;
        }
        at = end;
    }
    return REPLICATE_NOWHERE;
}
