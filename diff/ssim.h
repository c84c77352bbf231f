/*
 * SSIM as published: grey, a Gaussian window of 11 x 11 (sigma 1.5), over the part that both
 * pictures have, times its share of the larger canvas; and MS-SSIM of Wang, Simoncelli and Bovik
 * (2003) on five scales, fewer for small pictures. diff.h has the quicker one with even windows.
 */
#ifndef GLMV_DIFF_SSIM_H
#define GLMV_DIFF_SSIM_H

#include <stdbool.h>

#include "base/err.h"
#include "base/image.h"

struct glmv_ssim {
    double ssim, quarter, multi; /* at full size, averaged over 4 x 4 px, on five scales; 0..1 */
    double pixels; /* share of the pixels of the larger canvas within glmv_diff_pixel's 0.1 */
};

/* Fails only without memory. */
bool glmv_diff_ssim(const struct glmv_image *a, const struct glmv_image *b, struct glmv_ssim *out,
                    struct glmv_err *err);

#endif
