/* What stands around documents and is no HTML. Private to htmlfix. */
#ifndef GLMV_HTMLFIX_MARKERS_H
#define GLMV_HTMLFIX_MARKERS_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the role token at a place; 0 when there is none. */
size_t htmlfix_role(const char *text, size_t len, size_t at);
/* How often the byte at a place is repeated, itself included. */
size_t htmlfix_run(const char *text, size_t len, size_t at);
/* Back over blanks, at most to floor. */
size_t htmlfix_line_begin(const char *text, size_t at, size_t floor);
bool htmlfix_starts_line(const char *text, size_t at, size_t floor);
bool htmlfix_ends_line(const char *text, size_t len, size_t at);
/* A line of nothing but three or more backticks or tildes. */
bool htmlfix_fence_line(const char *text, size_t len, size_t at, size_t floor);
/* Three or more backticks that start a line, and a sentence right behind them: no info string
 * starts with a capital letter. */
bool htmlfix_fence_glued(const char *text, size_t len, size_t at, size_t floor);

#endif
