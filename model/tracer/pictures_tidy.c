/* Boxes that were seen in photos and in icons, and are parts of them. */
#include <math.h>

#include "model/tracer/pictures.h"

enum {
    CRISP_SIDE = 8,   /* px of the smaller side of a box that somebody drew */
    CRISP = 24,       /* levels across its sides */
    CRISP_SHARE = 80, /* per cent of each side */
    ICON_SIDE = 48,
};

#define PART 0.25 /* of a photo, at most, that one of its flat places covers */
#define BODY 0.4  /* of an icon, at least, that its body covers */

static bool holds(const struct glmv_box *a, const struct glmv_box *b)
{
    return b->x >= a->x - 1 && b->y >= a->y - 1 && b->x + b->w <= a->x + a->w + 1 &&
           b->y + b->h <= a->y + a->h + 1;
}

static bool has_text(const struct glmv_scene *scene, const struct glmv_box *box)
{
    for (size_t i = 0; i < scene->line_count; i++) {
        const struct glmv_box *ink = &scene->lines[i].ink;
        double x = ink->x + ink->w / 2;
        double y = ink->y + ink->h / 2;
        if (x >= box->x && y >= box->y && x <= box->x + box->w && y <= box->y + box->h) {
            return true;
        }
    }
    return false;
}

/* Whether px inside and outside of a side differ nearly all along it. */
static bool is_edge(const struct model_view *view, const struct glmv_box *b, enum glmv_side side)
{
    bool across = side == GLMV_TOP || side == GLMV_BOTTOM;
    int length = (int)(across ? b->w : b->h);
    int skip = length / 4; /* round corners */
    int seen = 0;
    for (int i = skip; i < length - skip; i++) {
        int x = across ? (int)b->x + i : side == GLMV_LEFT ? (int)b->x : (int)(b->x + b->w) - 1;
        int y = !across ? (int)b->y + i : side == GLMV_TOP ? (int)b->y : (int)(b->y + b->h) - 1;
        int ox = across ? x : side == GLMV_LEFT ? x - 2 : x + 2;
        int oy = !across ? y : side == GLMV_TOP ? y - 2 : y + 2;
        seen += ox >= 0 && oy >= 0 && ox < view->w && oy < view->h &&
                model_distance(model_px(view, x, y), model_px(view, ox, oy)) >= CRISP;
    }
    return seen * 100 >= CRISP_SHARE * (length - 2 * skip);
}

/* Whether a box in a photo was drawn there, such as a button without a text. */
static bool is_crisp(const struct model_view *view, const struct glmv_scene_box *box)
{
    const struct glmv_box *b = &box->box;
    double low = fmin(fmin(box->radius[0], box->radius[1]), fmin(box->radius[2], box->radius[3]));
    double high = fmax(fmax(box->radius[0], box->radius[1]), fmax(box->radius[2], box->radius[3]));
    bool ok = fmin(b->w, b->h) >= CRISP_SIDE && high - low <= 2;
    for (int side = 0; ok && side < 4; side++) {
        ok = is_edge(view, b, (enum glmv_side)side);
    }
    return ok;
}

static bool is_part(const struct model_view *view, const struct glmv_scene_box *box,
                    const struct glmv_scene_picture *picture)
{
    const struct glmv_box *b = &box->box;
    double share = b->w * b->h / (picture->box.w * picture->box.h);
    if (!holds(&picture->box, b)) {
        return false;
    }
    if (picture->kind == GLMV_PICTURE_PHOTO) {
        return share <= PART && !is_crisp(view, box);
    }
    bool small = picture->box.w <= ICON_SIDE && picture->box.h <= ICON_SIDE;
    return picture->kind == GLMV_PICTURE_ICON && small && share >= BODY && share < 1;
}

bool pictures_drop_parts(const struct model_view *view, struct glmv_scene *scene)
{
    size_t kept = 0;
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        bool part = false;
        for (size_t k = 0; k < scene->picture_count && !part; k++) {
            part = is_part(view, box, &scene->pictures[k]) && !has_text(scene, &box->box);
        }
        if (!part) {
            scene->boxes[kept++] = *box;
        }
    }
    bool dropped = kept < scene->box_count;
    scene->box_count = kept;
    return dropped;
}
