/*
 * The difference of two pictures as a PNG: the first paled to 14 greys, red where they differ,
 * amber where only anti-aliasing does. Sixteen colours and one pass: it costs a fraction of what
 * reading the pictures costs.
 */
#ifndef GLMV_DIFF_DIFFERENCE_H
#define GLMV_DIFF_DIFFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/image.h"

/* Appends the file. marks: enum glmv_mark for each of the width x height pixels of the larger
 * canvas. */
bool glmv_diff_encode_png(const struct glmv_image *a, const uint8_t *marks, int width, int height,
                          struct glmv_buf *out, struct glmv_err *err);

#endif
