/* Pages that need nothing, told apart quickly. Private to htmlfix. */
#ifndef GLMV_HTMLFIX_FINE_H
#define GLMV_HTMLFIX_FINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True for a text that is one document whose tags match and that has nothing the repairs look for.
 * False means only that a closer look is needed. One pass, a few bytes of memory for every open
 * element.
 */
bool htmlfix_is_fine(const char *text, size_t len);

/* Whether a comment from begin to end stands for content that was left out. */
bool htmlfix_elides(const char *text, size_t begin, size_t end);

/* Whether a page says that it is not in UTF-8: its bytes are then left as they are. */
bool htmlfix_other_charset(const char *text, size_t len);

#endif
