/*
 * Judges a page by what can be measured: the renderer draws it, diff compares it with the target.
 * Private to replicate.
 */
#ifndef GLMV_REPLICATE_REFEREE_H
#define GLMV_REPLICATE_REFEREE_H

#include "base/buf.h"
#include "diff/diff.h"
#include "model/tracer/scene.h"
#include "render/render.h"

/* Turns answers into pages and pages into scores. */
struct replicate_referee {
    /* Appends the page that an answer holds. false with GLMV_ERR_MODEL and the reason when it holds
     * none that is complete. */
    bool (*extract)(void *arg, const char *answer, size_t len, struct glmv_buf *html,
                    struct glmv_err *err);
    /* Renders and measures; the caller frees the render. NULL on failure. */
    struct glmv_render *(*measure)(void *arg, const char *html, size_t len,
                                   struct glmv_score *score, struct glmv_err *err);
    void *arg;
};

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
