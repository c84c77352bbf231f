/* Finds where a value stands in a JSON text, so that a message can point at it. Private to
 * replicate. */
#ifndef GLMV_REPLICATE_JSON_PLACE_H
#define GLMV_REPLICATE_JSON_PLACE_H

#include <stddef.h>

/*
 * The line (from 1) of the value at path in a well-formed JSON text. A path is a chain such as
 * "pages[2].masks[0].x";
 * "" is the whole. Where a part of the path is missing, the line of the last part that exists. Keys
 * that hold '.' or
 * '[' are not found.
 */
int replicate_json_line(const char *text, size_t len, const char *path);

/* The line of a byte offset. */
int replicate_text_line(const char *text, size_t len, size_t offset);

#endif
