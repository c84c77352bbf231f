/* Rectangles: which surfaces are boxes, with their fill, borders and radii. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

enum {
    BORDER_MAX = 8, /* px */
    PROBES = 13,    /* points on a side where a border is looked for */
    PROBES_AGREE = 9,
    MIN_RULE = 12, /* px of length of a divider */
    RADIUS_MAX = 80,
    LARGE_AREA = 8000, /* px; smaller shapes that miss corners are icons */
};

static int width(struct model_rect r)
{
    return r.x1 - r.x0;
}

static int height(struct model_rect r)
{
    return r.y1 - r.y0;
}

/* Thin shapes: rules, and rings whose inside belongs to others. */
static bool is_thin(const struct model_region *g)
{
    int w = width(g->r);
    int h = height(g->r);
    return model_min(w, h) <= BORDER_MAX ||
           (g->area <= 0.35 * w * h && g->area <= 2 * BORDER_MAX * (w + h) &&
            g->area + g->hole_area > 0.7 * w * h);
}

/* Share of one side of a region's box that the region reaches. */
static double side_share(const struct model_view *view, int label, enum glmv_side side)
{
    struct model_rect r = view->regions[label].r;
    bool across = side == GLMV_TOP || side == GLMV_BOTTOM;
    int n = across ? width(r) : height(r);
    int hits = 0;
    for (int i = 0; i < n; i++) {
        int x = across ? r.x0 + i : side == GLMV_LEFT ? r.x0 : r.x1 - 1;
        int y = across ? (side == GLMV_TOP ? r.y0 : r.y1 - 1) : r.y0 + i;
        hits += view->label[y * view->w + x] == label;
    }
    return (double)hits / n;
}

static bool is_rectangle(const struct model_view *view, int label)
{
    const struct model_region *g = &view->regions[label];
    double full = (double)width(g->r) * height(g->r);
    double filled = (g->area + g->hole_area) / full;
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
    bool opposite = fabs(shares[0] - shares[2]) < 0.2 && fabs(shares[1] - shares[3]) < 0.2;
    return filled >= 0.77 && opposite && shares[0] > 0.1 && shares[1] > 0.1;
}

/* Radius of one corner from the area that is missing there, antialiased px included. */
static double corner_radius(const struct model_view *view, int label, struct model_rect r,
                            int corner)
{
    int reach = model_min(model_min(width(r), height(r)) / 2, RADIUS_MAX);
    int missing = 0;
    int across = 0; /* px that the curve takes from the one side and from the other */
    int along = 0;
    for (int dy = 0; dy < reach; dy++) {
        int y = corner < 2 ? r.y0 + dy : r.y1 - 1 - dy;
        int dx = 0;
        while (dx < reach) {
            int x = corner == 0 || corner == 3 ? r.x0 + dx : r.x1 - 1 - dx;
            if (view->label[y * view->w + x] == label) {
                break;
            }
            dx++;
        }
        if (dx == 0) {
            break;
        }
        missing += dx;
        across = dy == 0 ? dx : across;
        along = dy + 1;
    }
    if (missing == 0 || abs(across - along) > 3 + model_max(across, along) / 3) {
        return 0;
    }
    double radius = (-0.78 + sqrt(0.61 + 0.858 * missing)) / 0.429;
    return radius > reach + 1 ? 0 : radius;
}

/* What lies outside a side at one point: the run of one colour up to BORDER_MAX px that ends at an
 * edge. A shadow fades. */
static int border_run(const struct model_view *view, int x, int y, int dx, int dy, int label,
                      uint8_t *rgb)
{
    int n = 0;
    int step = 255;
    const uint8_t *last = NULL;
    for (; n <= BORDER_MAX; n++) {
        int px = x + dx * n;
        int py = y + dy * n;
        if (px < 0 || py < 0 || px >= view->w || py >= view->h) {
            break;
        }
        const uint8_t *p = model_px(view, px, py);
        int32_t l = view->label[py * view->w + px];
        if (n == 0) {
            memcpy(rgb, p, 3);
            if (l == label || (l >= 0 && !is_thin(&view->regions[l]))) {
                return 0;
            }
        } else if (model_distance(p, rgb) > 5) {
            step = model_distance(p, last);
            break;
        }
        last = p;
    }
    return n <= BORDER_MAX && step > 3 ? n : 0;
}

static void find_border(struct model_view *view, int label, struct model_rect r,
                        enum glmv_side side, struct glmv_scene_border *border)
{
    int runs[PROBES];
    uint8_t rgb[PROBES][3];
    for (int i = 0; i < PROBES; i++) {
        double t = 0.15 + 0.7 * i / (PROBES - 1);
        int x = r.x0 + (int)(t * width(r));
        int y = r.y0 + (int)(t * height(r));
        switch (side) {
        case GLMV_TOP:
            runs[i] = border_run(view, x, r.y0 - 1, 0, -1, label, rgb[i]);
            break;
        case GLMV_RIGHT:
            runs[i] = border_run(view, r.x1, y, 1, 0, label, rgb[i]);
            break;
        case GLMV_BOTTOM:
            runs[i] = border_run(view, x, r.y1, 0, 1, label, rgb[i]);
            break;
        case GLMV_LEFT:
            runs[i] = border_run(view, r.x0 - 1, y, -1, 0, label, rgb[i]);
            break;
        }
    }
    for (int i = 0; i < PROBES; i++) {
        int agree = 0;
        for (int k = 0; k < PROBES && runs[i] > 0; k++) {
            agree += runs[k] == runs[i] && model_distance(rgb[k], rgb[i]) <= 4;
        }
        if (agree >= PROBES_AGREE) {
            border->width = runs[i];
            border->color = model_rgba(rgb[i]);
            return;
        }
    }
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
            if (l >= 0 && is_thin(&view->regions[l]) && view->regions[l].r.x0 >= outer.x0 - 1 &&
                view->regions[l].r.x1 <= outer.x1 + 1 && view->regions[l].r.y0 >= outer.y0 - 1 &&
                view->regions[l].r.y1 <= outer.y1 + 1) {
                view->regions[l].used = true;
            }
        }
    }
}

static void set_fill(const struct model_region *g, struct glmv_scene_box *box)
{
    box->fill = GLMV_FILL_SOLID;
    box->color = model_rgba(g->rgb);
    if (!g->gradient) {
        return;
    }
    double gx = 0;
    double gy = 0;
    for (int c = 0; c < 3; c++) {
        double sign =
            (double)(g->plane[c][1] * (float)width(g->r) + g->plane[c][2] * (float)height(g->r)) < 0
                ? -1
                : 1;
        gx += sign * (double)g->plane[c][1];
        gy += sign * (double)g->plane[c][2];
    }
    double norm = hypot(gx, gy);
    if (norm < 1e-6) {
        return;
    }
    gx /= norm;
    gy /= norm;
    double w = width(g->r);
    double h = height(g->r);
    double half = (fabs(w * gx) + fabs(h * gy)) / 2;
    box->fill = GLMV_FILL_GRADIENT;
    box->angle = fmod(atan2(gx, -gy) * 180 / 3.14159265358979 + 360, 360);
    box->angle = round(box->angle);
    box->stop_count = 2;
    for (int i = 0; i < 2; i++) {
        double d = i == 0 ? -half : half;
        uint8_t rgb[3];
        for (int c = 0; c < 3; c++) {
            double v = (double)g->plane[c][0] + (double)g->plane[c][1] * (w / 2 + d * gx) +
                       (double)g->plane[c][2] * (h / 2 + d * gy);
            rgb[c] = (uint8_t)lround(fmin(255, fmax(0, v)));
        }
        box->stops[i] = (struct glmv_scene_stop){i, model_rgba(rgb)};
    }
}

/* r: the region, or one of its sections. */
static bool add_box(struct model_view *view, int label, struct model_rect r,
                    struct glmv_scene *scene, struct glmv_err *err)
{
    const struct model_region *g = &view->regions[label];
    struct glmv_scene_box *box =
        model_grow((void **)&scene->boxes, &scene->box_count, sizeof *scene->boxes, err);
    if (box == NULL) {
        return false;
    }
    set_fill(g, box);
    bool rule = model_min(width(r), height(r)) <= BORDER_MAX;
    for (int side = 0; side < 4 && !rule; side++) {
        find_border(view, label, r, (enum glmv_side)side, &box->border[side]);
    }
    box->box =
        (struct glmv_box){r.x0 - box->border[GLMV_LEFT].width, r.y0 - box->border[GLMV_TOP].width,
                          width(r) + box->border[GLMV_LEFT].width + box->border[GLMV_RIGHT].width,
                          height(r) + box->border[GLMV_TOP].width + box->border[GLMV_BOTTOM].width};
    for (int c = 0; c < 4; c++) {
        static const enum glmv_side beside[4] = {GLMV_LEFT, GLMV_RIGHT, GLMV_RIGHT, GLMV_LEFT};
        double radius = corner_radius(view, label, r, c);
        box->radius[c] = radius < 1 ? 0 : round(radius + box->border[beside[c]].width);
    }
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
    bool wide = width(g->r) >= height(g->r);
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
        thin = thin || l < 0 || is_thin(&view->regions[l]);
    }
    return way[0] * way[1] >= 0 || !thin;
}

static bool is_box(const struct model_view *view, int label)
{
    const struct model_region *g = &view->regions[label];
    if (g->is_text || g->used || label == view->page) {
        return false;
    }
    int w = width(g->r);
    int h = height(g->r);
    if (model_min(w, h) <= 4) {
        return model_max(w, h) >= MIN_RULE && g->area >= 0.9 * w * h && stands_out(view, g);
    }
    return g->surface && !is_thin(g) && is_rectangle(view, label);
}

static bool may_bend(const struct model_view *view, int label)
{
    const struct model_region *g = &view->regions[label];
    return label != view->page && g->surface && !g->gradient && !g->mottled && !g->is_text &&
           !g->used && g->area > LARGE_AREA;
}

static bool add_region(struct model_view *view, int label, struct glmv_scene *scene,
                       struct glmv_err *err)
{
    struct model_section parts[MODEL_SECTIONS];
    int count = 0;
    if (is_box(view, label)) {
        parts[count++] = (struct model_section){view->regions[label].r, label};
    } else if (may_bend(view, label)) {
        count = model_sections_find(view, label, parts);
    }
    view->regions[label].used = view->regions[label].used || count > 0;
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        int of = parts[i].label;
        bool flat =
            of == label || (of >= 0 && view->regions[of].surface && !view->regions[of].gradient);
        ok = !flat || add_box(view, of, parts[i].r, scene, err);
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
static void drop_invisible(struct glmv_scene *scene)
{
    size_t kept = 0;
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        uint32_t under = scene->background;
        bool known = true;
        for (size_t k = kept; k-- > 0;) {
            if (contains(scene->boxes[k].box, box->box)) {
                under = scene->boxes[k].color;
                known = scene->boxes[k].fill == GLMV_FILL_SOLID;
                break;
            }
        }
        bool same = known && box->fill == GLMV_FILL_SOLID && box->color == under;
        if (!same || has_edges(box)) {
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
static void drop_border_lines(struct glmv_scene *scene)
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
static void share_borders(struct glmv_scene *scene)
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

bool model_boxes_find(struct model_view *view, struct glmv_scene *scene, struct glmv_err *err)
{
    struct ranked *order = malloc(((size_t)view->region_count + 1) * sizeof *order);
    if (order == NULL) {
        return glmv_fail_memory(err);
    }
    size_t n = 0;
    for (int i = 0; i < view->region_count; i++) {
        const struct model_region *g = &view->regions[i];
        order[n++] = (struct ranked){i, (double)width(g->r) * height(g->r)};
    }
    qsort(order, n, sizeof *order, larger_first);
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        ok = add_region(view, order[i].label, scene, err);
    }
    free(order);
    if (ok) {
        drop_border_lines(scene);
        share_borders(scene);
        drop_invisible(scene);
    }
    return ok;
}
