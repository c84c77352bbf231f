/*
 * Whether two pictures differ by more than rendering noise: other anti-aliasing, other hinting,
 * places off by a part of a pixel. Counts of pixels run the wrong way, for noise touches more
 * pixels than most changes do.
 *
 * Both pictures are blurred over 3 x 3 pixels (weights 1, 2, 1). A blurred value within the range
 * that the other picture has in the 3 x 3 values around that place is one that a shift of less than
 * a pixel explains; what lies outside adds up in tiles of 16 px, and the fullest tile is the score.
 */
#ifndef GLMV_DIFF_NOISE_H
#define GLMV_DIFF_NOISE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/image.h"

#define GLMV_NOISE_LIMIT 512 /* a score above it is a change */

/* score: 0 for equal pictures; compares the part that both have. Fails only without memory. */
bool glmv_diff_noise(const struct glmv_image *a, const struct glmv_image *b, double *score,
                     struct glmv_err *err);
/* The same where only rows y with differs[y] differ; three above and below each are looked at. */
bool glmv_diff_noise_in(const struct glmv_image *a, const struct glmv_image *b,
                        const uint8_t *differs, double *score, struct glmv_err *err);

#endif
