/* Boxes that show what others show already, or nothing. */
#include <math.h>

#include "model/tracer/boxes.h"

#define SHADE_SHARE 0.6 /* of a side that a line of its shadow is as long as, at least */

static bool has_edges(const struct glmv_scene_box *box)
{
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += box->border[i].width;
    }
    return sum > 0 || box->shadow.present;
}

static bool contains(struct glmv_box a, struct glmv_box b)
{
    return b.x >= a.x - 1 && b.y >= a.y - 1 && b.x + b.w <= a.x + a.w + 1 &&
           b.y + b.h <= a.y + a.h + 1;
}

/* A fill that equals what lies under it shows nothing. */
void model_boxes_drop_invisible(struct glmv_scene *scene)
{
    size_t kept = 0;
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        uint32_t under = scene->background;
        bool known = true;
        for (size_t k = kept; k-- > 0;) {
            const struct glmv_scene_box *holder = &scene->boxes[k];
            if (contains(holder->box, box->box)) {
                under = holder->color;
                known = holder->fill == GLMV_FILL_SOLID && holder->glow_count == 0;
                break;
            }
        }
        bool same = known && box->fill == GLMV_FILL_SOLID && box->glow_count == 0 &&
                    box->color == under;
        if (!same || has_edges(box)) {
            scene->boxes[kept++] = *box;
        }
    }
    scene->box_count = kept;
}

/* A line right outside of a box with a shadow, as long as its side, is the darkest of the shadow.
 */
static bool is_shade(const struct glmv_scene_box *line, const struct glmv_scene_box *box)
{
    const struct glmv_box *a = &line->box;
    const struct glmv_box *b = &box->box;
    bool upright = a->h > a->w;
    double gap = upright ? fmin(fabs(a->x + a->w - b->x), fabs(a->x - b->x - b->w))
                         : fmin(fabs(a->y + a->h - b->y), fabs(a->y - b->y - b->h));
    double from = upright ? fmax(a->y, b->y) : fmax(a->x, b->x);
    double to = upright ? fmin(a->y + a->h, b->y + b->h) : fmin(a->x + a->w, b->x + b->w);
    return box->shadow.present && box->shadow.blur > 0 && gap < 1 &&
           to - from >= SHADE_SHARE * (upright ? b->h : b->w);
}

void model_boxes_drop_shades(struct glmv_scene *scene)
{
    size_t kept = 0;
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        bool shade = false;
        for (size_t k = 0; k < scene->box_count && fmin(box->box.w, box->box.h) <= 2; k++) {
            shade = shade || (k != i && is_shade(box, &scene->boxes[k]));
        }
        if (!shade) {
            scene->boxes[kept++] = *box;
        }
    }
    scene->box_count = kept;
}

/* How much of a thin box's length the borders of another show already. */
static double covered_by(const struct glmv_box *rule, bool upright,
                         const struct glmv_scene_box *box)
{
    const struct glmv_box *b = &box->box;
    double from = upright ? fmax(rule->y, b->y) : fmax(rule->x, b->x);
    double to =
        upright ? fmin(rule->y + rule->h, b->y + b->h) : fmin(rule->x + rule->w, b->x + b->w);
    double at = upright ? rule->x : rule->y;
    double near = upright ? b->x : b->y;
    double far = upright ? b->x + b->w - 1 : b->y + b->h - 1;
    bool shown = (fabs(at - near) <= 1 && box->border[upright ? GLMV_LEFT : GLMV_TOP].width > 0) ||
                 (fabs(at - far) <= 1 && box->border[upright ? GLMV_RIGHT : GLMV_BOTTOM].width > 0);
    return shown && to > from ? to - from : 0;
}

/* A line along the borders of a table's rows is those borders. */
void boxes_drop_border_lines(struct glmv_scene *scene)
{
    enum { THIN = 2 };
    size_t kept = 0;
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_box *b = &scene->boxes[i].box;
        bool upright = b->w <= THIN && b->h > b->w;
        double covered = 0;
        for (size_t k = 0; (upright || b->h <= THIN) && k < scene->box_count; k++) {
            covered += k != i ? covered_by(b, upright, &scene->boxes[k]) : 0;
        }
        if (covered < 0.8 * (upright ? b->h : b->w)) {
            scene->boxes[kept++] = scene->boxes[i];
        }
    }
    scene->box_count = kept;
}

/* Neighbours that share a border: the upper and the left one give theirs up. */
void boxes_share_borders(struct glmv_scene *scene)
{
    enum { SHARED = 2 }; /* px */
    for (size_t i = 0; i < scene->box_count; i++) {
        struct glmv_scene_box *a = &scene->boxes[i];
        for (size_t k = 0; k < scene->box_count; k++) {
            const struct glmv_box *b = &scene->boxes[k].box;
            double down = a->box.y + a->box.h - b->y;
            double across = a->box.x + a->box.w - b->x;
            bool beside = fmin(a->box.x + a->box.w, b->x + b->w) - fmax(a->box.x, b->x) > SHARED;
            bool level = fmin(a->box.y + a->box.h, b->y + b->h) - fmax(a->box.y, b->y) > SHARED;
            if (i == k) {
                continue;
            }
            if (beside && down > 0 && down <= SHARED && a->box.y < b->y && a->box.h > 2 * SHARED) {
                a->box.h -= down;
                a->border[GLMV_BOTTOM].width = fmax(0, a->border[GLMV_BOTTOM].width - down);
            } else if (level && across > 0 && across <= SHARED && a->box.x < b->x &&
                       a->box.w > 2 * SHARED) {
                a->box.w -= across;
                a->border[GLMV_RIGHT].width = fmax(0, a->border[GLMV_RIGHT].width - across);
            }
        }
    }
}
