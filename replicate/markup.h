/* Finding tags in the text of a page without parsing it. Private to replicate. */
#ifndef REPLICATE_MARKUP_H
#define REPLICATE_MARKUP_H

#include <stddef.h>

#define REPLICATE_NOWHERE ((size_t)-1)

/* First place of word in text from at on, letters of either case. */
size_t replicate_find(const char *text, size_t len, size_t at, const char *word);

/* The same for "<tag", which has to end there: <head is not <header. */
size_t replicate_find_tag(const char *text, size_t len, size_t at, const char *tag);

#endif
