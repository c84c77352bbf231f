/* What the steps share that make boxes of regions. Private to boxes*.c and slants.c. */
#ifndef GLMV_MODEL_TRACER_BOXES_H
#define GLMV_MODEL_TRACER_BOXES_H

#include "model/tracer/perception.h"

enum { BOXES_BORDER_MAX = 8 }; /* px */

static inline int boxes_width(struct model_rect r)
{
    return r.x1 - r.x0;
}

static inline int boxes_height(struct model_rect r)
{
    return r.y1 - r.y0;
}

/* Thin shapes: rules, and rings whose inside belongs to others. */
static inline bool boxes_is_thin(const struct model_region *g)
{
    int w = boxes_width(g->r);
    int h = boxes_height(g->r);
    return model_min(w, h) <= BOXES_BORDER_MAX ||
           (g->area <= 0.35 * w * h && g->area <= 2 * BOXES_BORDER_MAX * (w + h) &&
            g->area + g->hole_area > 0.7 * w * h);
}

/* Radius of one corner, 0 for a square one: top left, top right, bottom right, bottom left. */
double boxes_corner_radius(const struct model_view *view, int label, struct model_rect r,
                           int corner);
/* Fills the border of a side in; returns how far inside of it the region ends, px. */
int boxes_find_border(const struct model_view *view, int label, struct model_rect r,
                      enum glmv_side side, struct glmv_scene_border *border);
/* Fills the slanted ends of a box in. Where the neighbour above shows a slanted end, r loses it. */
void boxes_find_slants(const struct model_view *view, int label, struct model_rect *r,
                       struct glmv_scene_box *box);

/* Drops lines that the borders of other boxes show. */
void boxes_drop_border_lines(struct glmv_scene *scene);
/* Gives a border that neighbours share to one of them. */
void boxes_share_borders(struct glmv_scene *scene);

#endif
