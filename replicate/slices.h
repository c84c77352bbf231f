/*
 * Tall screenshots in slices: where to cut, and the measured scenes of the slices as one again.
 * Private to replicate.
 */
#ifndef GLMV_REPLICATE_SLICES_H
#define GLMV_REPLICATE_SLICES_H

#include "base/err.h"
#include "base/image.h"
#include "model/tracer/scene.h"

/*
 * Cuts an opaque picture into slices of at most about `most` px: at rows of one colour where there
 * are any nearby, else between rows that are equal, else where two rows differ least. tops receives
 * the first row of every slice, 0 first; returns how many there are, at most max.
 */
size_t replicate_slices_cut(const struct glmv_image *image, int most, int *tops, size_t max);

/* One scene of slices that lie below each other; the slices' scenes are used up. NULL without
 * memory, when they stay as they were. height: of the whole. */
struct glmv_scene *replicate_slices_scene(struct glmv_scene **scenes, const int *tops, size_t count,
                                          int height, struct glmv_err *err);

#endif
