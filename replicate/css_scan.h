/* Reading style sheets piece by piece. Private to replicate. */
#ifndef GLMV_REPLICATE_CSS_SCAN_H
#define GLMV_REPLICATE_CSS_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* A part of a text. */
struct replicate_span {
    size_t at, len;
};

/* The first of some characters from i on, outside comments, strings and brackets; end when there is
 * none. */
size_t css_find_any(const char *text, size_t i, size_t end, const char *wanted);
/* Whether a character may stand in a name: of a tag, a class, an id. */
bool css_is_name(char c);
/* Behind the brace that closes the one at i. */
size_t css_skip_block(const char *text, size_t i, size_t end);
/* Without white space at both ends and comments before it. */
struct replicate_span css_trim(const char *text, size_t from, size_t to);

#endif
