/* Whether two nodes are things of one sort. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/regular.h"

#define SAME_SIZE 0.04  /* relative; of type */
#define SAME_BOX 2.5    /* px; of painted boxes of one sort */
#define SAME_CHANNEL 14 /* levels by which one colour was measured differently */

static bool same_color(uint32_t a, uint32_t b)
{
    for (int shift = 0; shift < 32; shift += 8) {
        if (abs((int)(a >> shift & 255) - (int)(b >> shift & 255)) > SAME_CHANNEL) {
            return false;
        }
    }
    return true;
}

static bool texts_alike(const struct glmv_scene *s, const struct tracer_node *a,
                        const struct tracer_node *b)
{
    const struct glmv_scene_line *p = &s->lines[a->main];
    const struct glmv_scene_line *q = &s->lines[b->main];
    return p->family == q->family && (p->weight >= 600) == (q->weight >= 600) &&
           p->italic == q->italic && fabs(p->font_px - q->font_px) <= SAME_SIZE * p->font_px &&
           (a->row_count == 1) == (b->row_count == 1) && a->code == b->code;
}

static bool boxes_alike(const struct glmv_scene *s, const struct tracer_node *a,
                        const struct tracer_node *b)
{
    const struct glmv_scene_box *p = &s->boxes[a->scene_box];
    const struct glmv_scene_box *q = &s->boxes[b->scene_box];
    bool framed = (p->border[GLMV_TOP].width > 0) == (q->border[GLMV_TOP].width > 0);
    bool filled =
        p->fill == q->fill && (p->fill != GLMV_FILL_SOLID || same_color(p->color, q->color));
    return framed && filled && fabs(p->radius[0] - q->radius[0]) <= SAME_BOX &&
           fabs(p->box.h - q->box.h) <= SAME_BOX;
}

static bool pictures_alike(const struct tracer_node *a, const struct tracer_node *b)
{
    bool icons = fmax(fmax(a->box.w, a->box.h), fmax(b->box.w, b->box.h)) <= TRACER_ICON;
    double range = icons ? TRACER_ICON_RANGE : SAME_BOX;
    return fabs(a->box.w - b->box.w) <= range && fabs(a->box.h - b->box.h) <= range;
}

bool tracer_nodes_alike(const struct glmv_scene *scene, const struct tracer_node *a,
                        const struct tracer_node *b)
{
    if (a->kind != b->kind || (a->scene_box >= 0) != (b->scene_box >= 0) ||
        (a->scene_picture >= 0) != (b->scene_picture >= 0)) {
        return false;
    }
    if (a->kind == TRACER_TEXT) {
        return texts_alike(scene, a, b);
    }
    if (a->kind == TRACER_PICTURE) {
        return pictures_alike(a, b);
    }
    if (a->scene_box >= 0 && !boxes_alike(scene, a, b)) {
        return false;
    }
    if (a->kind == TRACER_LAYERS || abs(a->child_count - b->child_count) > 1 ||
        (a->child_count == 0) != (b->child_count == 0)) {
        return false;
    }
    int both = a->child_count < b->child_count ? a->child_count : b->child_count;
    for (int i = 0; i < both && i < 2; i++) {
        if (!tracer_nodes_alike(scene, a->children[i], b->children[i])) {
            return false;
        }
    }
    return a->child_count > 0 || fabs(a->box.w - b->box.w) <= SAME_BOX;
}
