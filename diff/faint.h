/*
 * Flat areas whose colour changed by less than the threshold: no pixel counts there, but a person
 * sees the area change. Rendering noise is not flat: no two of its pixels change alike.
 */
#ifndef GLMV_DIFF_FAINT_H
#define GLMV_DIFF_FAINT_H

#include "diff/explain.h"

/*
 * One finding (a colour, faint) for each area, by the pixels that changed, at most max. differs: 1
 * for rows that can differ, or NULL; compares the part that both pictures have. Returns a list that
 * the caller frees with free(), or NULL without memory; *count receives its length.
 */
struct glmv_finding *glmv_diff_faint(const struct glmv_image *a, const struct glmv_image *b,
                                     const uint8_t *differs, double threshold, size_t max,
                                     size_t *count, struct glmv_err *err);

#endif
