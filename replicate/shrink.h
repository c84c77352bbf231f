/* Screenshots taken at several device px per CSS px. Private to replicate. */
#ifndef GLMV_REPLICATE_SHRINK_H
#define GLMV_REPLICATE_SHRINK_H

#include "base/image.h"
#include "model/tracer/scene.h"

/* The screenshot at one px per CSS px: means over the area of each. scale: 1 and above. Free with
 * glmv_image_free; NULL without memory. */
struct glmv_image *replicate_shrink(const struct glmv_image *shot, double scale,
                                    struct glmv_err *err);

/*
 * Gives the scene's pictures, which were cut out of small, the px of the screenshot that small was
 * made from. One that is no plain cut any more, because text was taken out of it, stays as it is.
 */
bool replicate_sharpen(struct glmv_scene *scene, const struct glmv_image *small,
                       const struct glmv_image *shot, double scale, struct glmv_err *err);

#endif
