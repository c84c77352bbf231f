/* Rectangles: which surfaces are boxes, with their fill, borders and radii. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/boxes.h"

enum {
    SAME = 6,          /* levels between px of one line */
    MIN_RULE = 12,     /* px of length of a divider */
    ODD_CORNER = 8,    /* px that are missing at a corner */
    LARGE_AREA = 8000, /* px; smaller shapes that miss corners are icons */
    FADED = 4,         /* px of a large region's side that a shadow may hide */
};

#define NEARLY 0.94 /* of half a side, where a radius is all of it */

/* Share of a line along one side of a region's box, depth px inside it, that is the region's. */
static double line_share(const struct model_view *view, int label, enum glmv_side side, int depth)
{
    struct model_rect r = view->regions[label].r;
    bool across = side == GLMV_TOP || side == GLMV_BOTTOM;
    int n = across ? boxes_width(r) : boxes_height(r);
    int hits = 0;
    for (int i = 0; i < n; i++) {
        int x = across ? r.x0 + i : side == GLMV_LEFT ? r.x0 + depth : r.x1 - 1 - depth;
        int y = across ? (side == GLMV_TOP ? r.y0 + depth : r.y1 - 1 - depth) : r.y0 + i;
        hits += view->label[y * view->w + x] == label;
    }
    return (double)hits / n;
}

/* Share of one side of a region's box that the region reaches. What fades over the first px of a
 * large one, such as the shadow of the bar above it, hides no side. */
static double side_share(const struct model_view *view, int label, enum glmv_side side)
{
    double share = 0;
    int deep = view->regions[label].area > LARGE_AREA ? FADED : 1;
    for (int depth = 0; depth < deep; depth++) {
        share = fmax(share, line_share(view, label, side, depth));
    }
    return share;
}

/* Whether corners are missing that no circle took: an ellipse, a letter. */
static bool has_odd_corners(const struct model_view *view, int label)
{
    struct model_rect r = view->regions[label].r;
    int odd = 0;
    for (int c = 0; c < 4; c++) {
        int missing = 0;
        for (int n = 0; n < ODD_CORNER; n++) {
            int x = c == 0 || c == 3 ? r.x0 + n : r.x1 - 1 - n;
            int y = c < 2 ? r.y0 + n : r.y1 - 1 - n;
            missing += x >= 0 && y >= 0 && view->label[y * view->w + x] != label;
        }
        odd += missing == ODD_CORNER && boxes_corner_radius(view, label, r, c) <= 0;
    }
    return odd >= 3;
}

static bool is_rectangle(const struct model_view *view, int label)
{
    const struct model_region *g = &view->regions[label];
    double full = (double)boxes_width(g->r) * boxes_height(g->r);
    double filled = (g->area + g->hole_area) / full;
    bool small = model_min(boxes_width(g->r), boxes_height(g->r)) < 2 * ODD_CORNER;
    if (!small && filled < 0.97 && has_odd_corners(view, label)) {
        return false;
    }
    if (filled >= (g->area > LARGE_AREA && !g->gradient ? 0.88 : 0.97)) {
        return true;
    }
    int strong = 0;
    double shares[4];
    for (int side = 0; side < 4; side++) {
        shares[side] = side_share(view, label, (enum glmv_side)side);
        strong += shares[side] >= 0.45;
    }
    if (strong >= 3 && filled >= (g->gradient ? 0.85 : 0.3)) {
        return true;
    }
    /* Pills and discs: round ends touch their sides in the middle only. */
    bool cut_x = g->r.x0 == 0 || g->r.x1 == view->w; /* by the edge of the picture */
    bool cut_y = g->r.y0 == 0 || g->r.y1 == view->h;
    bool opposite = (cut_y || fabs(shares[0] - shares[2]) < 0.2) &&
                    (cut_x || fabs(shares[1] - shares[3]) < 0.2);
    bool pill = filled >= 0.88 && opposite && strong >= 2;
    double least = fmin(0.1, 0.7 / sqrt(model_min(boxes_width(g->r), boxes_height(g->r))));
    return pill || (filled >= 0.77 && opposite && fmax(shares[0], shares[2]) > least &&
                    fmax(shares[1], shares[3]) > least);
}

/* Regions that lie under a border are shown by it. */
static void consume_border(struct model_view *view, const struct glmv_scene_box *box,
                           struct model_rect inner)
{
    struct model_rect outer = {(int)box->box.x, (int)box->box.y, (int)(box->box.x + box->box.w),
                               (int)(box->box.y + box->box.h)};
    for (int y = outer.y0; y < outer.y1; y++) {
        for (int x = outer.x0; x < outer.x1; x++) {
            if (x == inner.x0 && y >= inner.y0 && y < inner.y1) {
                x = inner.x1 - 1;
                continue;
            }
            int32_t l = view->label[y * view->w + x];
            if (l >= 0 && boxes_is_thin(&view->regions[l]) &&
                view->regions[l].r.x0 >= outer.x0 - 1 && view->regions[l].r.x1 <= outer.x1 + 1 &&
                view->regions[l].r.y0 >= outer.y0 - 1 && view->regions[l].r.y1 <= outer.y1 + 1) {
                view->regions[l].used = true;
            }
        }
    }
}

static void set_fill(const struct model_view *view, int label, int under, struct model_rect r,
                     struct glmv_scene_box *box)
{
    const struct model_region *g = &view->regions[label];
    box->fill = GLMV_FILL_SOLID;
    box->color = model_rgba(g->rgb);
    bool veil = g->gradient && under >= 0 && view->regions[under].ramp != NULL &&
                model_veil_fit(view, label, under, &box->color);
    if (g->gradient && !veil) {
        struct model_ramp plane;
        model_ramp_of_plane(g, &plane);
        model_ramp_paint(g->ramp != NULL ? g->ramp : &plane, g->r, r, box);
    }
}

/* A right and a lower border that both begin a little after the corner are a shadow without blur.
 */
static void take_hard_shadow(const struct model_view *view, struct model_rect r,
                             struct glmv_scene_box *box)
{
    struct glmv_scene_border *right = &box->border[GLMV_RIGHT];
    struct glmv_scene_border *bottom = &box->border[GLMV_BOTTOM];
    if (right->width <= 0 || bottom->width <= 0 || right->color != bottom->color ||
        box->border[GLMV_TOP].width > 0 || box->border[GLMV_LEFT].width > 0 || r.x1 >= view->w ||
        r.y1 >= view->h) {
        return;
    }
    const uint8_t rgb[3] = {(uint8_t)(right->color >> 24), (uint8_t)(right->color >> 16),
                            (uint8_t)(right->color >> 8)};
    if (model_distance(model_px(view, r.x1, r.y0), rgb) > SAME &&
        model_distance(model_px(view, r.x0, r.y1), rgb) > SAME) {
        box->shadow = (struct glmv_scene_shadow){
            .present = true, .dx = right->width, .dy = bottom->width, .color = right->color};
        *right = (struct glmv_scene_border){0};
        *bottom = (struct glmv_scene_border){0};
    }
}

/* Ends that are nearly half circles are: a disc, a pill. */
static void round_off(struct glmv_scene_box *box)
{
    double half = fmin(box->box.w, box->box.h) / 2;
    for (int c = 0; c < 4; c++) {
        if (box->radius[c] < NEARLY * half || box->radius[c] > half) {
            return;
        }
    }
    for (int c = 0; c < 4; c++) {
        box->radius[c] = half;
    }
}

/* r: the region, or one of its sections. under: the region of the box that it lies on, or -1. */
static bool add_box(struct model_view *view, int label, struct model_rect r, int under,
                    struct glmv_scene *scene, struct glmv_err *err)
{
    struct glmv_scene_box *box =
        model_grow((void **)&scene->boxes, &scene->box_count, sizeof *scene->boxes, err);
    if (box == NULL) {
        return false;
    }
    boxes_find_slants(view, label, &r, box);
    set_fill(view, label, under, r, box);
    bool rule = model_min(boxes_width(r), boxes_height(r)) <= BOXES_BORDER_MAX;
    double reach[4] = {0}; /* from the region to the outer edge */
    for (int side = 0; side < 4 && !rule; side++) {
        reach[side] = boxes_find_border(view, label, r, (enum glmv_side)side, &box->border[side]);
        reach[side] += box->border[side].width;
    }
    take_hard_shadow(view, r, box);
    if (box->shadow.present) {
        reach[GLMV_RIGHT] = 0;
        reach[GLMV_BOTTOM] = 0;
    }
    box->box = (struct glmv_box){r.x0 - reach[GLMV_LEFT], r.y0 - reach[GLMV_TOP],
                                 boxes_width(r) + reach[GLMV_LEFT] + reach[GLMV_RIGHT],
                                 boxes_height(r) + reach[GLMV_TOP] + reach[GLMV_BOTTOM]};
    for (int c = 0; c < 4; c++) {
        static const enum glmv_side beside[4] = {GLMV_LEFT, GLMV_RIGHT, GLMV_RIGHT, GLMV_LEFT};
        double radius = box->slant[c >= 2].depth > 0 ? 0 : boxes_corner_radius(view, label, r, c);
        box->radius[c] = radius < 1 ? 0 : round(radius + reach[beside[c]]);
    }
    round_off(box);
    consume_border(view, box, r);
    return true;
}

static int sum_of(const uint8_t *rgb)
{
    return rgb[0] + rgb[1] + rgb[2];
}

/* A divider stands out on both sides; a line of equal px in a shadow does not, or is a step between
 * two others. */
static bool stands_out(const struct model_view *view, const struct model_region *g)
{
    bool wide = boxes_width(g->r) >= boxes_height(g->r);
    int way[2] = {0, 0};
    bool thin = false;
    for (int end = 0; end < 2; end++) {
        int x = wide ? (g->r.x0 + g->r.x1) / 2 : end == 0 ? g->r.x0 - 1 : g->r.x1;
        int y = !wide ? (g->r.y0 + g->r.y1) / 2 : end == 0 ? g->r.y0 - 1 : g->r.y1;
        if (x < 0 || y < 0 || x >= view->w || y >= view->h) {
            continue;
        }
        const uint8_t *p = model_px(view, x, y);
        int32_t l = view->label[y * view->w + x];
        if (model_distance(p, g->rgb) < 4) {
            return false;
        }
        way[end] = sum_of(p) > sum_of(g->rgb) ? 1 : -1;
        thin = thin || l < 0 || boxes_is_thin(&view->regions[l]);
    }
    return way[0] * way[1] >= 0 || !thin;
}

static bool is_box(const struct model_view *view, int label)
{
    const struct model_region *g = &view->regions[label];
    if (g->is_text || g->used || label == view->page) {
        return false;
    }
    int w = boxes_width(g->r);
    int h = boxes_height(g->r);
    if (model_min(w, h) <= 4) {
        return model_max(w, h) >= MIN_RULE && g->area >= 0.9 * w * h && stands_out(view, g);
    }
    return g->surface && !boxes_is_thin(g) && is_rectangle(view, label);
}

static bool may_bend(const struct model_view *view, int label)
{
    const struct model_region *g = &view->regions[label];
    return label != view->page && g->surface && !g->gradient && !g->mottled && !g->is_text &&
           !g->used && g->area > LARGE_AREA;
}

static bool add_region(struct model_view *view, int label, int under, struct glmv_scene *scene,
                       bool *added, struct glmv_err *err)
{
    struct model_section parts[MODEL_SECTIONS];
    int count = 0;
    if (is_box(view, label)) {
        parts[count++] = (struct model_section){view->regions[label].r, label};
    } else if (may_bend(view, label)) {
        count = model_sections_find(view, label, parts);
    }
    view->regions[label].used = view->regions[label].used || count > 0;
    *added = count > 0;
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        int of = parts[i].label;
        bool flat =
            of == label || (of >= 0 && view->regions[of].surface && !view->regions[of].gradient);
        ok = !flat || add_box(view, of, parts[i].r, under, scene, err);
    }
    return ok;
}

struct ranked {
    int label;
    double area;
};

static int larger_first(const void *pa, const void *pb)
{
    const struct ranked *a = pa;
    const struct ranked *b = pb;
    return a->area < b->area ? 1 : a->area > b->area ? -1 : a->label - b->label;
}

/* The smallest of some regions, largest first, that a region lies in; -1: none. */
static int find_under(const struct model_view *view, const struct ranked *taken, size_t count,
                      int label)
{
    struct model_rect r = view->regions[label].r;
    while (count-- > 0) {
        struct model_rect o = view->regions[taken[count].label].r;
        if (r.x0 >= o.x0 && r.y0 >= o.y0 && r.x1 <= o.x1 && r.y1 <= o.y1) {
            return taken[count].label;
        }
    }
    return -1;
}

bool model_boxes_find(struct model_view *view, struct glmv_scene *scene, struct glmv_err *err)
{
    struct ranked *order = malloc(((size_t)view->region_count + 1) * sizeof *order);
    if (order == NULL) {
        return glmv_fail_memory(err);
    }
    size_t n = 0;
    for (int i = 0; i < view->region_count; i++) {
        const struct model_region *g = &view->regions[i];
        order[n++] = (struct ranked){i, (double)boxes_width(g->r) * boxes_height(g->r)};
    }
    qsort(order, n, sizeof *order, larger_first);
    bool ok = true;
    size_t taken = 0; /* those that are boxes move to the front */
    for (size_t i = 0; ok && i < n; i++) {
        int under = find_under(view, order, taken, order[i].label);
        bool added = false;
        ok = add_region(view, order[i].label, under, scene, &added, err);
        if (added) {
            order[taken++] = order[i];
        }
    }
    free(order);
    if (ok) {
        boxes_drop_border_lines(scene);
        boxes_share_borders(scene);
    }
    return ok;
}
