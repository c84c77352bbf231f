/* A page under construction. Private to the tracer. */
#ifndef GLMV_MODEL_TRACER_DRAFT_H
#define GLMV_MODEL_TRACER_DRAFT_H

#include "model/tracer/tracer.h"
#include "model/tracer/tree.h"

/* The type of a line as the page will say it; starts as measured and is corrected by renders. */
struct tracer_type {
    double font_px;
    double letter_spacing;
    double wrap; /* px by which the width of its paragraph was corrected, so that it wraps as seen */
};

struct tracer_regular;

struct glmv_draft {
    const struct glmv_scene *scene; /* borrowed */
    struct glmv_emit_options options;
    char *assets_dir, *assets_href, *title; /* owned copies that options points to */
    struct tracer_type *types;              /* one for each line */
    struct tracer_shift *line_shift, *box_shift, *picture_shift;
    struct tracer_node *tree;
    bool texts_apart; /* texts of buttons and cells have elements of their own, without marks too */
    struct tracer_regular *regular; /* owned; NULL while things stand where they were measured */
};

/* Rebuilds the tree from the scene and the corrections. */
bool tracer_draft_arrange(struct glmv_draft *draft, struct glmv_err *err);

/* Appends the page, see glmv_draft_html. */
bool tracer_emit(const struct glmv_draft *draft, bool marks, struct glmv_buf *out,
                 struct glmv_err *err);

/* The name of a picture's file in the assets folder. */
void tracer_asset_name(const struct glmv_scene *scene, int picture, char name[32]);
/* Appends a picture: a drawing as SVG, what else as WebP, lossless for small ones, else at a quality
 * that a screenshot's photo bears. */
bool tracer_asset_bytes(const struct glmv_scene_picture *picture, struct glmv_buf *out,
                        struct glmv_err *err);

#endif
