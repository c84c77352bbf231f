/*
 * Whether a document is inside of something that escaped it. Decides on evidence only; decode.h
 * undoes it. Private to htmlfix.
 */
#ifndef GLMV_HTMLFIX_ENVELOPE_H
#define GLMV_HTMLFIX_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "htmlfix/outline.h"

/* The last JSON string that holds a document, or the longest that holds markup, in an answer whose
 * JSON starts at a place. The JSON may be cut off anywhere. */
bool htmlfix_envelope_json(const char *text, size_t len, size_t at, struct htmlfix_span *string);
/* The JSON string that a document starts in, when prose stands before the JSON. */
bool htmlfix_envelope_string(const char *text, size_t len, size_t document,
                             struct htmlfix_span *string);
/* Where a document starts whose tags are written as entities; HTMLFIX_NOWHERE: none does. */
size_t htmlfix_envelope_entities(const char *text, size_t len, size_t from);
/* What of a document's markup is written with backslashes. */
enum htmlfix_escapes {
    HTMLFIX_NO_ESCAPES,
    HTMLFIX_SLASHES_ESCAPED, /* those of end tags alone; other backslashes are the page's own */
    HTMLFIX_ALL_ESCAPED,     /* line ends or quotes */
};
enum htmlfix_escapes htmlfix_envelope_backslash(const char *text, size_t len);

#endif
