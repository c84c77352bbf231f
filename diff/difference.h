/*
 * The difference of two pictures as a PNG: the first paled to 14 greys, red where they differ,
 * amber where only anti-aliasing does. Sixteen colours and one pass: it costs a fraction of what
 * reading the pictures costs.
 */
#ifndef GLMV_DIFF_DIFFERENCE_H
#define GLMV_DIFF_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/image.h"

/* Appends the file. marks: enum glmv_mark for each of the width x height pixels of the larger
 * canvas. */
bool glmv_diff_encode_png(const struct glmv_image *a, const uint8_t *marks, int width, int height,
                          struct glmv_buf *out, struct glmv_err *err);

/*
 * The same in two steps, for rows that come one after the other: two colours a byte, each row
 * glmv_diff_colours_step(width) bytes long.
 */
size_t glmv_diff_colours_step(int width);
/* Writes a row of width colours, of which the first picture has only those inside. */
void glmv_diff_colours_row(const uint8_t *rgba, int inside, int width, uint8_t *out);
/* Paints marks over a row. */
void glmv_diff_colours_mark(const uint8_t *marks, int width, uint8_t *colours);
bool glmv_diff_encode_colours(const uint8_t *colours, int width, int height, struct glmv_buf *out,
                              struct glmv_err *err);

#endif
