/* Boxes that show what others show already, or nothing; and corners that are of one radius. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/boxes.h"

#define CORNER_ERROR 2.0 /* px by which radii of one kind were measured off each other */
#define CORNER_PART 0.15 /* or relative, where that is more */
#define KIN_HEIGHT 1.5   /* px by which boxes of one sort differ in height */
#define SHADE_SHARE 0.6  /* of a side that a line of its shadow is as long as, at least */

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
        bool same =
            known && box->fill == GLMV_FILL_SOLID && box->glow_count == 0 && box->color == under;
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

/* --- corners */

/* Makes the corners of a pair or of all four one that were measured a px or two apart. */
static void even_out(double *radius, const int *corners, int count)
{
    double low = 1e9;
    double high = 0;
    double sum = 0;
    for (int i = 0; i < count; i++) {
        low = fmin(low, radius[corners[i]]);
        high = fmax(high, radius[corners[i]]);
        sum += radius[corners[i]];
    }
    if (low <= 0 || high - low > fmax(CORNER_ERROR, CORNER_PART * high)) {
        return;
    }
    for (int i = 0; i < count; i++) {
        radius[corners[i]] = low == high ? high : round(sum / count);
    }
}

/* Things of one sort: as high as each other, round at the same corners, framed alike. */
static bool have_one_shape(const struct glmv_scene_box *a, const struct glmv_scene_box *b)
{
    bool same = fabs(a->box.h - b->box.h) <= KIN_HEIGHT &&
                (a->border[GLMV_TOP].width > 0) == (b->border[GLMV_TOP].width > 0) &&
                (a->fill == GLMV_FILL_NONE) == (b->fill == GLMV_FILL_NONE);
    for (int c = 0; same && c < 4; c++) {
        double error = fmax(CORNER_ERROR, CORNER_PART * a->radius[c]);
        same =
            (a->radius[c] > 0) == (b->radius[c] > 0) && fabs(a->radius[c] - b->radius[c]) <= error;
    }
    return same;
}

static bool have_same_corners(const struct glmv_scene_box *a, const struct glmv_scene_box *b)
{
    return a->radius[0] == b->radius[0] && a->radius[1] == b->radius[1] &&
           a->radius[2] == b->radius[2] && a->radius[3] == b->radius[3];
}

/* The box of a sort whose corners most others of it have. */
static const struct glmv_scene_box *most_usual(const struct glmv_scene *scene,
                                               const struct glmv_scene_box *one)
{
    const struct glmv_scene_box *best = one;
    int most = 0;
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_scene_box *other = &scene->boxes[i];
        int votes = 0;
        for (size_t k = 0; have_one_shape(one, other) && k < scene->box_count; k++) {
            votes +=
                have_same_corners(other, &scene->boxes[k]) && have_one_shape(one, &scene->boxes[k]);
        }
        if (votes > most) {
            most = votes;
            best = other;
        }
    }
    return best;
}

static bool is_round(const struct glmv_scene_box *box)
{
    return fmax(fmax(box->radius[0], box->radius[1]), fmax(box->radius[2], box->radius[3])) > 0;
}

bool model_boxes_agree_corners(struct glmv_scene *scene, struct glmv_err *err)
{
    static const int all[] = {0, 1, 2, 3};
    static const int pairs[][2] = {{0, 1}, {2, 3}, {0, 3}, {1, 2}};
    double(*agreed)[4] = calloc(scene->box_count + 1, sizeof *agreed);
    if (agreed == NULL) {
        return glmv_fail_memory(err);
    }
    for (size_t i = 0; i < scene->box_count; i++) {
        double *radius = scene->boxes[i].radius;
        even_out(radius, all, 4);
        for (size_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++) {
            even_out(radius, pairs[k], 2);
        }
    }
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        const struct glmv_scene_box *like = is_round(box) ? most_usual(scene, box) : box;
        memcpy(agreed[i], like->radius, sizeof agreed[i]);
    }
    for (size_t i = 0; i < scene->box_count; i++) {
        memcpy(scene->boxes[i].radius, agreed[i], sizeof agreed[i]);
    }
    free(agreed);
    return true;
}
