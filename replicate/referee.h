/*
 * Judges a page by what can be measured: the renderer draws it, diff compares it with the target.
 * Private to replicate.
 */
#ifndef GLMV_REPLICATE_REFEREE_H
#define GLMV_REPLICATE_REFEREE_H

#include "replicate/rounds.h"

struct replicate_court {
    struct glmv_renderer *renderer;  /* borrowed */
    const struct glmv_image *target; /* borrowed, opaque */
    double scale;                    /* target px per CSS px */
    const struct glmv_scene *scene;  /* borrowed; of the target; NULL: pixels alone are measured */
};

/* Renders at the target's width and measures: six tenths pixels (diff), four tenths text. The
 * slices are of pixels. NULL on failure. */
struct glmv_render *replicate_measure(const struct replicate_court *court, const char *html,
                                      size_t len, struct glmv_score *score, struct glmv_err *err);

#endif
