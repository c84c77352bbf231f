/*
 * Finds rows of a page that moved up or down, as a line diff finds lines: a banner on top is one
 * insertion and not a page of differences. Only whole pixels are found.
 */
#ifndef GLMV_DIFF_SHIFT_H
#define GLMV_DIFF_SHIFT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/image.h"

/* Rows y .. y + h - 1 of the first picture that are rows y + dy .. of the second. */
struct glmv_band {
    int y, h, dy; /* px */
};

/*
 * The rows of a in bands of one offset, top to bottom; one band with dy 0 when nothing moved.
 * Returns a list that the caller frees with free(), or NULL without memory; *count receives its
 * length.
 */
struct glmv_band *glmv_diff_bands(const struct glmv_image *a, const struct glmv_image *b,
                                  size_t *count, struct glmv_err *err);

/* Rows that only one picture has, between bands. */
struct glmv_gap {
    bool inserted; /* in b; else removed from a */
    int y, h;      /* px; y counts in b when inserted, else in a */
};

/* The gaps that the bands leave; out holds count + 1. Returns how many there are. */
size_t glmv_diff_gaps(const struct glmv_band *bands, size_t count, int height_a, int height_b,
                      struct glmv_gap *out);

/*
 * The second picture with its rows where the first has them, as high as the first; rows that the
 * second has not are the first's own. What still differs then is more than a move. Free with
 * glmv_image_free; NULL without memory.
 */
struct glmv_image *glmv_diff_align(const struct glmv_image *a, const struct glmv_image *b,
                                   const struct glmv_band *bands, size_t band_count,
                                   const struct glmv_gap *gaps, size_t gap_count,
                                   struct glmv_err *err);

#endif
