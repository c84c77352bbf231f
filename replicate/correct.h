/*
 * Corrects the numbers in a page's own style sheet by what a render of it measured: colours, sizes
 * and weights of type, sizes of boxes, positions. What the author wrote stays his: a declaration is
 * changed where it stands when all that use it want the same, and only otherwise an element gets a
 * rule of its own. No model is asked, and nothing is judged here. Private to replicate.
 */
#ifndef GLMV_REPLICATE_CORRECT_H
#define GLMV_REPLICATE_CORRECT_H

#include "base/buf.h"
#include "base/err.h"
#include "model/tracer/scene.h"
#include "render/render.h"

enum replicate_correct_what {
    REPLICATE_CORRECT_PAINT = 1 << 0,  /* colours and type */
    REPLICATE_CORRECT_LAYOUT = 1 << 1, /* positions and sizes of boxes */
};

/*
 * Appends html with its numbers corrected. render is of html, scale is target px per CSS px, what
 * is of enum replicate_correct_what. changed receives how many declarations were changed or
 * written; with 0 nothing is appended.
 */
bool replicate_correct(const struct glmv_scene *target, const struct glmv_render *render,
                       double scale, const char *html, size_t len, unsigned what,
                       struct glmv_buf *out, int *changed, struct glmv_err *err);

#endif
