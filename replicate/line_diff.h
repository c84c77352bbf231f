/* What changed between two texts, line by line. Private to replicate. */
#ifndef GLMV_REPLICATE_LINE_DIFF_H
#define GLMV_REPLICATE_LINE_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

/* Prints removed lines behind "-" and added ones behind "+", in the order of the texts; long lines
 * are cut. colour: red and green for a terminal. */
bool replicate_line_diff(const char *before, size_t before_len, const char *after, size_t after_len,
                         bool colour, FILE *out, struct glmv_err *err);

#endif
