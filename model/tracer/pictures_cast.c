/*
 * Photos that cast shadows. What tells a photo from its shadow is its edge: px that are far from
 * explained end there all along a straight line. Shadows that are known do not pass for the sky of
 * a photo, and do not join it to the next.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/pictures.h"

enum {
    REACH = 3,     /* px between parts of one photo */
    EDGE = 60,     /* per cent of a side of a photo that stand out from what is beside it */
    STAND_OUT = 8, /* levels */
    BESIDE = 5,    /* px beside a side that are looked at */
    SNAP = 20,     /* px of a shadow that are as far from explained as the photo */
    ALIKE = 2,     /* px that photos of one size may differ by */
    RING = 24,     /* px around a photo where its shadow is looked at */
    STRIDE = 2,    /* px between those that are looked at */
};

#define SEEN 1.0   /* levels that a shadow changes the px around a photo by, at least */
#define BETTER 0.5 /* of what they were off, at most, when it is painted */

struct cast {
    struct model_rect r;
    struct glmv_scene_shadow shadow;
    double off;  /* levels that the px around it are off, in the mean */
    bool looked; /* for a shadow */
};

struct casts {
    struct cast at[PICTURES_CASTS];
    int count;
};

static bool stands_out(const struct model_view *view, struct model_rect r, enum glmv_side side)
{
    bool across = side == GLMV_TOP || side == GLMV_BOTTOM;
    int from = across ? r.x0 : r.y0;
    int to = across ? r.x1 : r.y1;
    int seen = 0;
    for (int i = from; i < to; i++) {
        int x = across ? i : side == GLMV_LEFT ? r.x0 : r.x1 - 1;
        int y = !across ? i : side == GLMV_TOP ? r.y0 : r.y1 - 1;
        int dx = side == GLMV_LEFT ? -1 : side == GLMV_RIGHT ? 1 : 0;
        int dy = side == GLMV_TOP ? -1 : side == GLMV_BOTTOM ? 1 : 0;
        /* Two px on either side, as the edge may lie within a px; a shadow goes on changing. */
        const uint8_t *beside = model_px(view, x + 2 * dx, y + 2 * dy);
        int slope = model_distance(beside, model_px(view, x + BESIDE * dx, y + BESIDE * dy));
        seen += model_distance(model_px(view, x - dx, y - dy), beside) >= STAND_OUT + 2 * slope;
    }
    return seen * 100 >= EDGE * (to - from);
}

/* Moves a side inwards to the first line that stands out from what is beside it: the darkest part
 * of a shadow is far from explained as well. */
static bool snap(const struct model_view *view, struct model_rect *r, enum glmv_side side)
{
    for (int n = 0; n <= SNAP; n++) {
        if (stands_out(view, *r, side)) {
            return true;
        }
        r->x0 += side == GLMV_LEFT;
        r->y0 += side == GLMV_TOP;
        r->x1 -= side == GLMV_RIGHT;
        r->y1 -= side == GLMV_BOTTOM;
    }
    return false;
}

/* Whether a part of the picture is a photo with four edges, none of them at the picture's; shrinks
 * it to those. */
static bool find_edges(const struct model_view *view, struct model_rect *r, int strong)
{
    bool ok = pictures_is_photo(*r, strong) && r->x0 >= BESIDE && r->y0 >= BESIDE &&
              r->x1 + BESIDE <= view->w && r->y1 + BESIDE <= view->h;
    for (int side = 0; ok && side < 4; side++) {
        ok = snap(view, r, (enum glmv_side)side);
    }
    return ok;
}

static void find_casts(struct leftovers *lo, struct casts *casts)
{
    const struct model_view *view = lo->view;
    size_t total = (size_t)view->w * (size_t)view->h;
    memcpy(lo->residual, lo->strong, total);
    pictures_grow(lo->residual, lo->wide, view->w, view->h, REACH);
    for (size_t i = 0; i < total && casts->count < PICTURES_CASTS; i++) {
        struct cast *cast = &casts->at[casts->count];
        int visited = 0;
        if (lo->wide[i]) {
            int strong = pictures_visit(lo, (int)i, &cast->r, &visited);
            casts->count += find_edges(view, &cast->r, strong);
        }
    }
}

static struct glmv_box box_of(struct model_rect r)
{
    return (struct glmv_box){r.x0, r.y0, r.x1 - r.x0, r.y1 - r.y0};
}

/* Photos of one size cast one shadow, whose sides are seen beside different ones. */
static void measure_shadows(const struct model_view *view, struct casts *casts)
{
    for (int i = 0; i < casts->count; i++) {
        struct glmv_box alike[PICTURES_CASTS];
        int members[PICTURES_CASTS];
        int n = 0;
        const struct glmv_box a = box_of(casts->at[i].r);
        for (int k = i; k < casts->count && !casts->at[i].looked; k++) {
            const struct glmv_box b = box_of(casts->at[k].r);
            if (fabs(a.w - b.w) <= ALIKE && fabs(a.h - b.h) <= ALIKE) {
                alike[n] = b;
                members[n++] = k;
            }
        }
        struct glmv_scene_shadow shadow = {0};
        bool found = n > 0 && model_shadow_around(view, alike, n, &shadow);
        for (int k = 0; k < n; k++) {
            casts->at[members[k]].looked = true;
            casts->at[members[k]].shadow = shadow;
            casts->at[members[k]].shadow.present = found;
        }
    }
}

static bool in_a_photo(const struct casts *casts, int x, int y)
{
    for (int i = 0; i < casts->count; i++) {
        const struct model_rect *r = &casts->at[i].r;
        if (x >= r->x0 && x < r->x1 && y >= r->y0 && y < r->y1) {
            return true;
        }
    }
    return false;
}

/* Levels that the px around a photo are off, in the mean. Ink is left out. */
static double ring_off(const struct leftovers *lo, const struct casts *casts,
                       const struct cast *cast)
{
    const struct model_view *view = lo->view;
    const struct model_rect *r = &cast->r;
    double sum = 0;
    int n = 0;
    for (int y = model_max(0, r->y0 - RING); y < model_min(view->h, r->y1 + RING); y += STRIDE) {
        for (int x = model_max(0, r->x0 - RING); x < model_min(view->w, r->x1 + RING);
             x += STRIDE) {
            size_t i = (size_t)y * (size_t)view->w + (size_t)x;
            bool beside = x < r->x0 - 1 || x > r->x1 || y < r->y0 - 1 || y > r->y1;
            if (!beside) {
                x = model_max(x, r->x1 - STRIDE + 1); /* goes on at the other side */
            } else if (!lo->strong[i] && !view->text_mask[i] && !in_a_photo(casts, x, y)) {
                sum += model_distance(model_px(view, x, y), lo->canvas->rgba + i * 4);
                n++;
            }
        }
    }
    return n > 0 ? sum / n : 0;
}

static bool add_box(const struct cast *cast, struct glmv_scene *scene, struct glmv_err *err)
{
    const struct glmv_scene_box box = {
        .box = box_of(cast->r), .fill = GLMV_FILL_NONE, .shadow = cast->shadow};
    return model_scene_insert_box(scene, &box, err);
}

static void remove_box(struct glmv_scene *scene, struct model_rect r)
{
    size_t kept = 0;
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        bool same = box->fill == GLMV_FILL_NONE && box->shadow.present && box->box.x == r.x0 &&
                    box->box.y == r.y0 && box->box.w == r.x1 - r.x0 && box->box.h == r.y1 - r.y0;
        if (!same) {
            scene->boxes[kept++] = *box;
        }
    }
    scene->box_count = kept;
}

/* Keeps the shadows that explain what is around their photos. */
static void keep_good(const struct leftovers *lo, struct casts *casts, struct glmv_scene *scene,
                      struct glmv_image *canvas)
{
    bool dropped = false;
    for (int i = 0; i < casts->count; i++) {
        struct cast *cast = &casts->at[i];
        if (cast->shadow.present &&
            (cast->off < SEEN || ring_off(lo, casts, cast) > BETTER * cast->off)) {
            remove_box(scene, cast->r);
            cast->shadow.present = false;
            dropped = true;
        }
    }
    if (dropped) {
        model_paint_boxes(scene, canvas);
    }
}

static void keep(const struct casts *casts, struct pictures_casts *out)
{
    out->known = true;
    out->count = casts->count;
    for (int i = 0; i < casts->count; i++) {
        const struct glmv_scene_shadow *s = &casts->at[i].shadow;
        out->r[i] = casts->at[i].r;
        out->far[i] =
            s->present ? (int)ceil(s->blur + s->spread + fmax(fabs(s->dx), fabs(s->dy))) : 0;
    }
}

bool pictures_cast(struct leftovers *lo, struct glmv_scene *scene, struct glmv_image *canvas,
                   struct glmv_err *err)
{
    struct casts *casts = calloc(1, sizeof *casts);
    if (casts == NULL) {
        return glmv_fail_memory(err);
    }
    find_casts(lo, casts);
    measure_shadows(lo->view, casts);
    bool ok = true;
    bool any = false;
    for (int i = 0; ok && i < casts->count; i++) {
        struct cast *cast = &casts->at[i];
        cast->off = ring_off(lo, casts, cast);
        any = any || cast->shadow.present;
        ok = !cast->shadow.present || add_box(cast, scene, err);
    }
    if (ok && any) {
        model_paint_boxes(scene, canvas);
        keep_good(lo, casts, scene, canvas);
    }
    keep(casts, lo->casts);
    free(casts);
    return ok;
}

void pictures_mark_shade(const struct leftovers *lo)
{
    const struct model_view *view = lo->view;
    const struct pictures_casts *casts = lo->casts;
    for (int pass = 0; pass < 2; pass++) { /* the shadows, then the photos */
        for (int i = 0; i < casts->count; i++) {
            int far = pass == 0 ? casts->far[i] : 0;
            const struct model_rect *r = &casts->r[i];
            int x1 = model_min(view->w, r->x1 + far);
            int y1 = model_min(view->h, r->y1 + far);
            for (int y = model_max(0, r->y0 - far); y < y1 && (far > 0 || pass == 1); y++) {
                for (int x = model_max(0, r->x0 - far); x < x1; x++) {
                    lo->shade[(size_t)y * (size_t)view->w + (size_t)x] = pass == 0;
                }
            }
        }
    }
}
