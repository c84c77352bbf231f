/*
 * Glows: what changes the colour of a surface so slowly that no region ends there. Cells of px that
 * are smooth, and off what boxes explain, are joined; such a field is one gradient that fades into
 * the surface, or soft spots over each other, as blurred discs are.
 */
#include "model/tracer/glows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELL = 8,          /* px */
    LEAST_CELLS = 150, /* of a glow */
    BEND_REACH = 2,    /* px */
    BEND = 4,          /* levels that a px is off the mean of those at that reach */
    ROUGH = 4,         /* px of a cell that bend, from which on it is not smooth */
    STEP = 3,          /* levels between px beside each other at the end of a glow */
    STAYS = 10,        /* per cent of a side where it may go on */
    STRONG = 16,       /* levels that a glow is off somewhere: what is left of shadows is not */
    STRONG_SHARE = 20, /* one of so many of its cells, at least */
    EDGE_SIDE = 24,    /* px, at an edge of the picture */
    SIDE = 96,         /* px of a glow's smaller side */
};

#define OFF 1.2           /* levels, in the mean, that a cell of a glow is off */
#define SHOWN 3.0         /* levels, in the mean, that a cell is off which a glow shows */
#define MOST 0.5          /* of the cells of a box */
#define FILLED 0.6        /* of the cells of its rectangle that a glow takes */
#define AGREE 0.93        /* share of the px of a glow that are on its gradient */
#define AGREE_SHADED 0.89 /* where something else casts a shadow on it */

enum kind { PLAIN, GLOW, TEXT, OTHER };

struct field {
    const struct model_view *view;
    const struct glmv_image *canvas;
    struct glmv_image *trial; /* to see what one box shows */
    int w, h;                 /* cells */
    uint8_t *kind;            /* of each cell */
    int *owner;               /* the box that each lies in, -1 for the page */
    uint8_t *seen;
    uint8_t *near; /* for a second look */
    int *queue;
    int32_t *label; /* 0 for px that are looked at, else -1 */
};

/* Whether a px is off the mean of two that lie at both sides of it. */
static bool bends(const struct model_view *view, int x, int y, ptrdiff_t step)
{
    const uint8_t *p = model_px(view, x, y);
    for (int c = 0; c < 3; c++) {
        if (abs(2 * p[c] - p[c - BEND_REACH * step] - p[c + BEND_REACH * step]) > BEND) {
            return true;
        }
    }
    return false;
}

static bool is_smooth(const struct model_view *view, int cx, int cy)
{
    int rough = 0;
    for (int y = cy * CELL; y < (cy + 1) * CELL; y++) {
        for (int x = cx * CELL; x < (cx + 1) * CELL; x++) {
            bool inner = x >= BEND_REACH && y >= BEND_REACH && x + BEND_REACH < view->w &&
                         y + BEND_REACH < view->h;
            rough += inner && (bends(view, x, y, 4) || bends(view, x, y, (ptrdiff_t)view->w * 4));
        }
    }
    return rough <= ROUGH;
}

static enum kind kind_of(const struct field *f, int cx, int cy)
{
    const struct model_view *view = f->view;
    int off = 0;
    for (int y = cy * CELL; y < (cy + 1) * CELL; y++) {
        for (int x = cx * CELL; x < (cx + 1) * CELL; x++) {
            size_t i = (size_t)y * (size_t)view->w + (size_t)x;
            if (view->text_mask[i]) {
                return TEXT;
            }
            off += model_distance(model_px(view, x, y), f->canvas->rgba + i * 4);
        }
    }
    return off <= OFF * CELL * CELL ? PLAIN : is_smooth(view, cx, cy) ? GLOW : OTHER;
}

/* The box that a cell lies in, the innermost one that hides what is under it. */
static int owner_of(const struct glmv_scene *scene, int cx, int cy)
{
    double x = cx * CELL + CELL / 2.0;
    double y = cy * CELL + CELL / 2.0;
    for (size_t i = scene->box_count; i-- > 0;) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        const struct glmv_box *b = &box->box;
        if (box->fill != GLMV_FILL_NONE && x >= b->x && y >= b->y && x < b->x + b->w &&
            y < b->y + b->h) {
            return (int)i;
        }
    }
    return -1;
}

/* Whether a glow may go on in a cell: text lies on it, the edge of something else ends it. */
static bool goes_on(const struct field *f, int i, bool plain)
{
    return f->kind[i] == GLOW || f->kind[i] == TEXT || (plain && f->kind[i] == PLAIN);
}

/* Marks the cells of a rectangle that hang together with one of them and have its owner as seen;
 * the queue has them. plain: those count that are not off as well. */
static int join(struct field *f, struct model_rect r, int start, bool plain)
{
    int head = 0;
    int tail = 0;
    f->seen[start] = 1;
    f->queue[tail++] = start;
    while (head < tail) {
        int i = f->queue[head++];
        int x = i % f->w;
        int y = i / f->w;
        const int beside[4] = {x > r.x0 ? i - 1 : i, x + 1 < r.x1 ? i + 1 : i,
                               y > r.y0 ? i - f->w : i, y + 1 < r.y1 ? i + f->w : i};
        for (int k = 0; k < 4; k++) {
            int n = beside[k];
            if (!f->seen[n] && goes_on(f, n, plain) && f->owner[n] == f->owner[start]) {
                f->seen[n] = 1;
                f->queue[tail++] = n;
            }
        }
    }
    return tail;
}

/* Levels that a cell is off what boxes explain, in the middle. */
static int strength_of(const struct field *f, int cell)
{
    int x = cell % f->w * CELL + CELL / 2;
    int y = cell / f->w * CELL + CELL / 2;
    size_t i = (size_t)y * (size_t)f->view->w + (size_t)x;
    return model_distance(model_px(f->view, x, y), f->canvas->rgba + i * 4);
}

/* The rectangle of the cells of a glow that begins at one of them, in cells; how many there are,
 * none where all of it is faint. */
static struct model_rect extent(struct field *f, int start, int *count)
{
    struct model_rect r = {f->w, f->h, 0, 0};
    int n = join(f, (struct model_rect){0, 0, f->w, f->h}, start, false);
    int strong = 0;
    *count = 0;
    for (int k = 0; k < n; k++) {
        int x = f->queue[k] % f->w;
        int y = f->queue[k] / f->w;
        if (f->kind[f->queue[k]] == GLOW) {
            r = (struct model_rect){model_min(r.x0, x), model_min(r.y0, y), model_max(r.x1, x + 1),
                                    model_max(r.y1, y + 1)};
            ++*count;
            strong += strength_of(f, f->queue[k]) >= STRONG;
        }
    }
    *count = strong * STRONG_SHARE >= *count ? *count : 0;
    return r;
}

/* How many px of a line beside a side of a rectangle are another colour than those before it, and
 * how many of those are off what boxes explain. */
static void count_steps(const struct field *f, struct model_rect r, enum glmv_side side, int at,
                        int *steps, int *off)
{
    bool across = side == GLMV_TOP || side == GLMV_BOTTOM;
    int back = side == GLMV_TOP || side == GLMV_LEFT ? 1 : -1;
    *steps = 0;
    *off = 0;
    for (int i = across ? r.x0 : r.y0; i < (across ? r.x1 : r.y1); i++) {
        int x = across ? i : at;
        int y = across ? at : i;
        int bx = across ? x : x + back;
        int by = across ? y + back : y;
        const uint8_t *before = model_px(f->view, bx, by);
        int cell = model_min(by / CELL, f->h - 1) * f->w + model_min(bx / CELL, f->w - 1);
        size_t n = (size_t)by * (size_t)f->view->w + (size_t)bx;
        if (f->kind[cell] != TEXT && model_distance(before, f->canvas->rgba + n * 4) > 2 * OFF) {
            ++*off;
            *steps += model_distance(model_px(f->view, x, y), before) >= STEP;
        }
    }
}

/* Moves a side outwards to where the glow ends at once; where it fades, it ends nearby. crisp: it
 * ends at once. False where it does neither: it is no glow. */
static bool find_end(const struct field *f, struct model_rect limit, enum glmv_side side,
                     struct model_rect *r, bool *crisp)
{
    int *at = side == GLMV_TOP      ? &r->y0
              : side == GLMV_LEFT   ? &r->x0
              : side == GLMV_BOTTOM ? &r->y1
                                    : &r->x1;
    bool low = side == GLMV_TOP || side == GLMV_LEFT;
    int end = side == GLMV_TOP      ? limit.y0
              : side == GLMV_LEFT   ? limit.x0
              : side == GLMV_BOTTOM ? limit.y1
                                    : limit.x1;
    int length = side == GLMV_TOP || side == GLMV_BOTTOM ? r->x1 - r->x0 : r->y1 - r->y0;
    int steps = 0;
    int off = length;
    *crisp = true;
    for (int n = 0; n < 2 * CELL && *at != end; n++) {
        count_steps(f, *r, side, low ? *at - 1 : *at, &steps, &off);
        bool stays = off * 100 > STAYS * length;
        if (stays && steps * 2 > off) {
            return true;
        }
        if (!stays && n >= CELL / 2) {
            break;
        }
        *at += low ? -1 : 1;
    }
    *crisp = *at == end;
    return *crisp || off * 100 <= STAYS * length;
}

static struct model_rect limits(const struct field *f, const struct glmv_scene *scene, int owner)
{
    if (owner < 0) {
        return (struct model_rect){0, 0, f->view->w, f->view->h};
    }
    const struct glmv_scene_box *box = &scene->boxes[owner];
    const struct glmv_box *b = &box->box;
    return (struct model_rect){
        model_max(0, (int)(b->x + box->border[GLMV_LEFT].width)),
        model_max(0, (int)(b->y + box->border[GLMV_TOP].width)),
        model_min(f->view->w, (int)(b->x + b->w - box->border[GLMV_RIGHT].width)),
        model_min(f->view->h, (int)(b->y + b->h - box->border[GLMV_BOTTOM].width))};
}

/* Marks the px of a rectangle that are looked at: those that hang together with a cell of the glow.
 * plain: those that it has faded in as well. Returns how many cells they are. */
static int mark(struct field *f, struct model_rect r, int start, bool plain)
{
    size_t stride = (size_t)f->view->w;
    for (int y = r.y0; y < r.y1; y++) {
        for (int x = r.x0; x < r.x1; x++) {
            f->label[(size_t)y * stride + (size_t)x] = -1;
        }
    }
    const struct model_rect whole = {(r.x0 + CELL - 1) / CELL, (r.y0 + CELL - 1) / CELL,
                                     r.x1 / CELL, r.y1 / CELL};
    uint8_t *seen = f->seen;
    f->seen = f->near; /* what was seen stays so */
    memset(f->seen, 0, (size_t)f->w * (size_t)f->h);
    int n = join(f, whole, start, plain);
    int cells = 0;
    f->seen = seen;
    for (int k = 0; k < n; k++) {
        int cx = f->queue[k] % f->w;
        int cy = f->queue[k] / f->w;
        if (f->kind[f->queue[k]] == TEXT) {
            continue;
        }
        cells++;
        for (int y = cy * CELL; y < (cy + 1) * CELL; y++) {
            for (int x = cx * CELL; x < (cx + 1) * CELL; x++) {
                f->label[(size_t)y * stride + (size_t)x] = 0;
            }
        }
    }
    return cells;
}

/* The glow as one gradient; share: of its px that show it. */
static bool fit_ramp(const struct field *f, struct model_rect r, double share,
                     struct model_ramp *ramp)
{
    struct model_region region = {.r = r};
    struct model_view view = *f->view;
    view.label = f->label;
    view.regions = &region;
    view.region_count = 1;
    return model_ramp_fit_share(&view, 0, r, share, ramp);
}

/* Moves a side that fades to where something else begins, as long as most is left. */
static void clip(struct model_rect *r, const struct glmv_box *b, const bool *crisp)
{
    bool apart = b->x >= r->x1 || b->x + b->w <= r->x0 || b->y >= r->y1 || b->y + b->h <= r->y0;
    bool inside = b->x >= r->x0 && b->x + b->w <= r->x1 && b->y >= r->y0 && b->y + b->h <= r->y1;
    if (apart || inside) {
        return;
    }
    double half_x = (r->x0 + r->x1) / 2.0;
    double half_y = (r->y0 + r->y1) / 2.0;
    if (b->x > half_x && !crisp[GLMV_RIGHT]) {
        r->x1 = (int)b->x;
    } else if (b->x + b->w < half_x && !crisp[GLMV_LEFT]) {
        r->x0 = (int)ceil(b->x + b->w);
    } else if (b->y > half_y && !crisp[GLMV_BOTTOM]) {
        r->y1 = (int)b->y;
    } else if (b->y + b->h < half_y && !crisp[GLMV_TOP]) {
        r->y0 = (int)ceil(b->y + b->h);
    }
}

/* Larger boxes would be covered by a glow, and texts be cut by its end. */
static struct model_rect clear_of(const struct glmv_scene *scene, struct model_rect r,
                                  const bool *crisp)
{
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_box *b = &scene->boxes[i].box;
        if (b->w * b->h >= (double)(r.x1 - r.x0) * (r.y1 - r.y0)) {
            clip(&r, b, crisp);
        }
    }
    for (size_t i = 0; i < scene->line_count; i++) {
        clip(&r, &scene->lines[i].ink, crisp);
    }
    return r;
}

/* A glow on the page becomes a section of it, as wide as the page where nothing is cut by that, and
 * as high as the texts that reach out of it. */
static struct model_rect section_of(const struct field *f, const struct glmv_scene *scene,
                                    struct model_rect r, const bool *crisp)
{
    bool free = true;
    for (size_t i = 0; i < scene->line_count; i++) {
        const struct glmv_box *b = &scene->lines[i].ink;
        if (b->y < r.y1 && b->y + b->h > r.y0 && b->x < r.x1 && b->x + b->w > r.x0) {
            r.y0 = crisp[GLMV_TOP] ? r.y0 : model_min(r.y0, (int)b->y - CELL);
            r.y1 = crisp[GLMV_BOTTOM] ? r.y1 : model_max(r.y1, (int)(b->y + b->h) + CELL);
        }
    }
    r.y0 = model_max(r.y0, 0);
    r.y1 = model_min(r.y1, f->view->h);
    for (size_t i = 0; i < scene->box_count && free; i++) {
        const struct glmv_box *b = &scene->boxes[i].box;
        bool within = b->y >= r.y0 && b->y + b->h <= r.y1;
        free = within || b->y >= r.y1 || b->y + b->h <= r.y0;
    }
    if (free && !crisp[GLMV_LEFT]) {
        r.x0 = 0;
    }
    if (free && !crisp[GLMV_RIGHT]) {
        r.x1 = f->view->w;
    }
    return clear_of(scene, r, crisp);
}

/* The box that shows a glow: the one that it lies in, or a new one on the page. NULL without
 * memory.
 */
static struct glmv_scene_box *box_for(const struct field *f, struct glmv_scene *scene, int owner,
                                      struct model_rect r, const bool *crisp,
                                      struct glmv_scene_box *made)
{
    if (owner >= 0) {
        return &scene->boxes[owner];
    }
    r = section_of(f, scene, r, crisp);
    *made = (struct glmv_scene_box){.box = {r.x0, r.y0, r.x1 - r.x0, r.y1 - r.y0},
                                    .fill = GLMV_FILL_SOLID,
                                    .color = scene->background};
    return made;
}

static double off_in_cell(const struct model_view *view, const struct glmv_image *canvas, int cell,
                          int across)
{
    int off = 0;
    for (int y = cell / across * CELL; y < (cell / across + 1) * CELL; y++) {
        for (int x = cell % across * CELL; x < (cell % across + 1) * CELL; x++) {
            size_t i = (size_t)y * (size_t)view->w + (size_t)x;
            off += model_distance(model_px(view, x, y), canvas->rgba + i * 4);
        }
    }
    return (double)off / (CELL * CELL);
}

/* Whether a box with its gradient or its glows shows most of what it covers, and more than was
 * shown before: a calm part of a photo may be a gradient too, and the rest of its box is none. */
static bool shows(const struct field *f, const struct glmv_scene *scene,
                  const struct glmv_scene_box *box, int owner)
{
    struct glmv_scene_box copy = *box;
    const struct glmv_scene alone = {.width = scene->width,
                                     .height = scene->height,
                                     .background = scene->background,
                                     .boxes = &copy,
                                     .box_count = 1};
    model_paint_boxes(&alone, f->trial);
    int cells = 0;
    int before = 0;
    int shown = 0;
    for (int i = 0; i < f->w * f->h; i++) {
        double x = (i % f->w + 0.5) * CELL - box->box.x;
        double y = (i / f->w + 0.5) * CELL - box->box.y;
        if (f->owner[i] == owner && f->kind[i] != TEXT && x >= 0 && y >= 0 && x < box->box.w &&
            y < box->box.h) {
            cells++;
            before += f->kind[i] == PLAIN;
            shown += off_in_cell(f->view, f->trial, i, f->w) <= SHOWN;
        }
    }
    return shown > before && shown >= MOST * cells;
}

static bool take_glow(struct field *f, struct glmv_scene *scene, int start, struct model_rect r,
                      struct glmv_err *err)
{
    bool crisp[4];
    int owner = f->owner[start];
    const struct model_rect limit = limits(f, scene, owner);
    for (int side = 0; side < 4; side++) {
        if (!find_end(f, limit, (enum glmv_side)side, &r, &crisp[side])) {
            return true;
        }
    }
    struct model_ramp ramp;
    struct glows_spot spots[GLMV_SCENE_GLOWS];
    int count = 0;
    int own = mark(f, r, start, false);
    bool fits = fit_ramp(f, r, AGREE, &ramp);
    bool fades = !crisp[0] || !crisp[1] || !crisp[2] || !crisp[3];
    uint32_t ground = owner < 0 ? scene->background : scene->boxes[owner].color;
    if (!fits && fades) {
        bool filled = mark(f, r, start, true) * FILLED <= own;
        count = glows_fit_spots(f->view, f->label, r, ground, spots);
        /* Shadows of other things may lie on it. */
        fits = count == 0 && filled && fit_ramp(f, r, AGREE_SHADED, &ramp);
    }
    if (!fits && count == 0) {
        return true;
    }
    struct glmv_scene_box made;
    struct glmv_scene_box *box = box_for(f, scene, owner, r, crisp, &made);
    struct glmv_scene_box was = *box;
    int x = (int)box->box.x;
    int y = (int)box->box.y;
    if (fits) {
        const struct model_rect of = {x, y, x + (int)box->box.w, y + (int)box->box.h};
        model_ramp_paint(&ramp, r, of, box);
    }
    box->glow_count = count;
    for (int i = 0; i < count; i++) {
        box->glow[i] = (struct glmv_scene_glow){round(spots[i].x - x), round(spots[i].y - y),
                                                round(spots[i].radius), round(spots[i].deviation),
                                                spots[i].color};
    }
    if (!shows(f, scene, box, owner)) {
        *box = was;
        return true;
    }
    return box != &made || model_scene_insert_box(scene, box, err);
}

/* What something beyond the edge of the picture casts may be narrow. */
static bool is_wide(const struct field *f, struct model_rect r)
{
    int w = r.x1 - r.x0;
    int h = r.y1 - r.y0;
    bool side = r.x0 == 0 || r.x1 >= f->w * CELL;
    bool end = r.y0 == 0 || r.y1 >= f->h * CELL;
    return (w >= SIDE || (side && w >= EDGE_SIDE && h >= SIDE)) &&
           (h >= SIDE || (end && h >= EDGE_SIDE && w >= SIDE));
}

static bool find_glows(struct field *f, struct glmv_scene *scene, struct glmv_err *err)
{
    for (int i = 0; i < f->w * f->h; i++) {
        f->kind[i] = (uint8_t)kind_of(f, i % f->w, i / f->w);
        f->owner[i] = owner_of(scene, i % f->w, i / f->w);
    }
    for (int i = 0; i < f->w * f->h; i++) {
        int owner = f->owner[i];
        if (f->seen[i] || f->kind[i] != GLOW) {
            continue;
        }
        int count;
        struct model_rect r = extent(f, i, &count);
        r = (struct model_rect){r.x0 * CELL, r.y0 * CELL, r.x1 * CELL, r.y1 * CELL};
        bool solid = owner < 0 || scene->boxes[owner].fill == GLMV_FILL_SOLID;
        if (count < LEAST_CELLS || !is_wide(f, r) || !solid) {
            continue;
        }
        size_t before = scene->box_count;
        if (!take_glow(f, scene, i, r, err)) {
            return false;
        }
        for (int k = 0; k < f->w * f->h && scene->box_count > before; k++) {
            f->owner[k] = owner_of(scene, k % f->w, k / f->w);
        }
    }
    return true;
}

bool model_glows_find(const struct model_view *view, struct glmv_scene *scene, struct glmv_err *err)
{
    struct field f = {.view = view, .w = view->w / CELL, .h = view->h / CELL};
    size_t cells = (size_t)f.w * (size_t)f.h + 1;
    struct glmv_image *canvas = glmv_image_new(view->w, view->h, err);
    f.canvas = canvas;
    f.trial = glmv_image_new(view->w, view->h, err);
    f.kind = calloc(cells, 1);
    f.owner = calloc(cells, sizeof *f.owner);
    f.seen = calloc(cells, 1);
    f.near = calloc(cells, 1);
    f.queue = malloc(cells * sizeof *f.queue);
    f.label = malloc((size_t)view->w * (size_t)view->h * sizeof *f.label);
    bool ok = canvas != NULL && f.trial != NULL;
    if (f.kind == NULL || f.owner == NULL || f.seen == NULL || f.near == NULL || f.queue == NULL ||
        f.label == NULL) {
        ok = glmv_fail_memory(err);
    }
    if (ok) {
        model_paint_boxes(scene, canvas);
        ok = find_glows(&f, scene, err);
    }
    glmv_image_free(canvas);
    glmv_image_free(f.trial);
    free(f.kind);
    free(f.owner);
    free(f.seen);
    free(f.near);
    free(f.queue);
    free(f.label);
    return ok;
}
