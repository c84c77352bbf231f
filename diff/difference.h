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

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/image.h"

/* Appends the file. marks: enum glmv_mark for each of the width x height pixels of the larger
 * canvas. */
bool glmv_diff_encode_png(const struct glmv_image *a, const uint8_t *marks, int width, int height,
                          struct glmv_buf *out, struct glmv_err *err);

/*
 * The same in steps, for rows that come one after the other: add all of them, then mark, then ask
 * for the file.
 */
struct glmv_difference;

/* NULL without memory. It lives in the arena. */
struct glmv_difference *glmv_difference_new(int width, int height, struct glmv_arena *memory);
/* Adds count rows of the first picture that follow each other in memory. It has only the pixels
 * inside, the canvas may be wider. above: the pixels of the row before, NULL where they are not at
 * hand. False without memory. */
bool glmv_difference_add(struct glmv_difference *d, const uint8_t *rgba, const uint8_t *above,
                         int inside, int count);
/* Paints the marks of row y. */
void glmv_difference_mark(struct glmv_difference *d, int y, const uint8_t *marks);
bool glmv_difference_png(struct glmv_difference *d, struct glmv_buf *out, struct glmv_err *err);

#endif
