/* Pictures of places, for models. Private to replicate. */
#ifndef GLMV_REPLICATE_CROPS_H
#define GLMV_REPLICATE_CROPS_H

#include "base/box.h"
#include "base/err.h"
#include "base/image.h"

/* Target and render of one place with a margin, side by side with a gap; of the top of the page
 * when the place is empty. NULL without memory. */
struct glmv_image *replicate_crop_pair(const struct glmv_image *target,
                                       const struct glmv_image *render, struct glmv_box box,
                                       struct glmv_err *err);

#endif
