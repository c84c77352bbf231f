/*
 * Measures how far two pictures of a page are apart. It knows pictures only: nothing of HTML,
 * models or renderers. Both pictures are opaque (flatten them first); their sizes may differ, and
 * what only one of them has is different.
 *
 *     struct glmv_score score;
 *     if (glmv_diff_score(target, render, &score, &err)) {
 *         printf("%.4f\n", score.total);
 *     }
 */
#ifndef GLMV_DIFF_DIFF_H
#define GLMV_DIFF_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/image.h"

#define GLMV_DIFF_SLICES 64
#define GLMV_DIFF_SLICE_PX                                                                         \
    200 /* height of a slice until there would be more than GLMV_DIFF_SLICES */
#define GLMV_DIFF_THRESHOLD 0.1

/* Every number is 0..1, 1 for equal pictures. */
struct glmv_score {
    double total; /* mean of pixel, ssim and ssim_quarter, times size */
    double pixel; /* share of the pixels of the overlap whose colours agree, see glmv_diff_pixel */
    double
        ssim; /* mean SSIM on grey, uniform window of 7 px (Wang et al. 2004), over the overlap */
    double ssim_quarter; /* the same after averaging 4 x 4 px: forgives a shift of a pixel */
    double size;         /* area of the overlap over the area of the larger canvas */
    double slices[GLMV_DIFF_SLICES]; /* mean of pixel and ssim for each horizontal slice, from the
                                        top */
    int slice_count;
    int slice_px; /* height of a slice */
};

/* Fails only without memory. */
bool glmv_diff_score(const struct glmv_image *a, const struct glmv_image *b,
                     struct glmv_score *score, struct glmv_err *err);

/*
 * Charges a page that is wider than what its picture shows, as pages that scroll sideways are: what
 * lies beyond counts as area that differs, in size and total. Both widths in the same px; nothing
 * changes where the page is not wider.
 */
void glmv_score_charge_width(struct glmv_score *score, int shown, int whole);

/*
 * Whether two colours (R, G, B in memory) differ by more than the threshold 0..1: squared YIQ
 * distance against 35215 * threshold^2 (Kotsarenko and Ramos 2010), as pixelmatch and odiff count
 * it.
 */
bool glmv_diff_pixel(const uint8_t *a, const uint8_t *b, double threshold);

/* A part of the page that differs. */
struct glmv_region {
    int x, y, w, h; /* px */
    size_t pixels;  /* that differ inside */
};

/*
 * The parts that differ, merged from tiles of 16 px and ranked by their differing pixels, at most
 * max of them. Returns a list that the caller frees with free(), or NULL without memory; *count
 * receives its length.
 */
struct glmv_region *glmv_diff_regions(const struct glmv_image *a, const struct glmv_image *b,
                                      double threshold, size_t max, size_t *count,
                                      struct glmv_err *err);

/* The same where only rows y with differs[y] can differ; NULL: all of them. */
struct glmv_region *glmv_diff_regions_in(const struct glmv_image *a, const struct glmv_image *b,
                                         const uint8_t *differs, double threshold, size_t max,
                                         size_t *count, struct glmv_err *err);

/* The first picture paled, with differing pixels in red; as large as the larger of both. Free with
 * glmv_image_free. */
struct glmv_image *glmv_diff_picture(const struct glmv_image *a, const struct glmv_image *b,
                                     double threshold, struct glmv_err *err);

#endif
