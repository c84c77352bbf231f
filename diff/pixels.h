/*
 * Counts the pixels of two pictures that differ, with thresholds that mean what they mean to
 * pixelmatch and odiff: the counts are pixelmatch's, with and without its detection of
 * anti-aliasing, also for translucent pixels. Sizes may differ; what only one picture has differs.
 */
#ifndef GLMV_DIFF_PIXELS_H
#define GLMV_DIFF_PIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/image.h"

struct glmv_pixel_options {
    double threshold;  /* 0..1, see glmv_diff_pixel */
    bool antialiasing; /* leave out pixels that differ by anti-aliasing only */
};

struct glmv_pixel_count {
    size_t differing;   /* with those outside, without the anti-aliased */
    size_t antialiased; /* left out; 0 unless asked for */
    size_t outside;     /* in one picture only */
    size_t total;       /* of the larger canvas */
};

enum glmv_mark { GLMV_MARK_SAME, GLMV_MARK_DIFFERENT, GLMV_MARK_ANTIALIASED };

/* marks: one byte for each pixel of the larger canvas, or NULL. */
void glmv_diff_count(const struct glmv_image *a, const struct glmv_image *b,
                     const struct glmv_pixel_options *options, struct glmv_pixel_count *count,
                     uint8_t *marks);

/* The same with marks that are zeros already: memory from calloc() is then touched only where the
 * pictures differ. */
void glmv_diff_mark(const struct glmv_image *a, const struct glmv_image *b,
                    const struct glmv_pixel_options *options, struct glmv_pixel_count *count,
                    uint8_t *zeros);
/* The same where only rows y with differs[y] can differ; the others are not looked at, but two
 * above and below each that can. differs: as long as the higher picture is high. */
void glmv_diff_mark_rows(const struct glmv_image *a, const struct glmv_image *b,
                         const uint8_t *differs, const struct glmv_pixel_options *options,
                         struct glmv_pixel_count *count, uint8_t *zeros);

#endif
