/* The edges of boxes: borders of each side, radii of the corners. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/boxes.h"

enum {
    PROBES = 13, /* points on a side where a border is looked for */
    PROBES_AGREE = 9,
    RADIUS_MAX = 400,
    INSET_MAX = 2, /* px of an inner shadow */
    FAINT = 8,     /* levels between it and the fill */
};

/* From the area that is missing there, antialiased px included. */
double boxes_corner_radius(const struct model_view *view, int label, struct model_rect r,
                           int corner)
{
    bool cut = r.x0 == 0 || r.y0 == 0 || r.x1 == view->w || r.y1 == view->h;
    int reach = model_min(boxes_width(r), boxes_height(r));
    reach = model_min(cut ? reach : reach / 2, RADIUS_MAX);
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

/* What lies outside a side at one point. */
struct edge {
    int inset; /* px of a shadow inside the border, which hardly differ from the fill */
    int width; /* of the border; 0 for none */
    uint8_t rgb[3];
};

/* Whether a px may be of a border of a box, and not of what lies beside it. */
static bool may_be_border(const struct model_view *view, int label, int x, int y)
{
    int32_t l = view->label[y * view->w + x];
    if (l < 0) {
        return true;
    }
    const struct model_region *g = &view->regions[l];
    return l != label && (boxes_is_thin(g) || (g->strokes && !g->used));
}

/* Whether px go on changing the same way beyond the end of a run: a shadow. */
static bool keeps_fading(const struct model_view *view, int x, int y, int dx, int dy, int step)
{
    for (int n = 1; n <= 2; n++) {
        int px = x + dx * n;
        int py = y + dy * n;
        if (px < 0 || py < 0 || px >= view->w || py >= view->h) {
            return false;
        }
        const uint8_t *p = model_px(view, px, py);
        const uint8_t *before = model_px(view, px - dx, py - dy);
        const uint8_t *first = model_px(view, x - dx, y - dy);
        if (model_distance(p, before) * 3 < step ||
            model_distance(p, first) < model_distance(before, first)) {
            return false;
        }
    }
    return true;
}

/* The run of one colour up to BOXES_BORDER_MAX px that ends at an edge, from a distance on. A
 * shadow fades. */
static int border_run(const struct model_view *view, int x, int y, int dx, int dy, int label,
                      uint8_t *rgb)
{
    int n = 0;
    int step = 255;
    const uint8_t *last = NULL;
    for (; n <= BOXES_BORDER_MAX; n++) {
        int px = x + dx * n;
        int py = y + dy * n;
        if (px < 0 || py < 0 || px >= view->w || py >= view->h) {
            break;
        }
        const uint8_t *p = model_px(view, px, py);
        if (n == 0) {
            memcpy(rgb, p, 3);
            if (!may_be_border(view, label, px, py)) {
                return 0;
            }
        } else if (model_distance(p, rgb) > 5) {
            step = model_distance(p, last);
            step = keeps_fading(view, px, py, dx, dy, step) ? 0 : step;
            break;
        }
        last = p;
    }
    return n <= BOXES_BORDER_MAX && step > 3 ? n : 0;
}

static struct edge edge_at(const struct model_view *view, int x, int y, int dx, int dy, int label)
{
    struct edge edge = {0};
    const uint8_t *fill = view->regions[label].rgb;
    edge.width = border_run(view, x, y, dx, dy, label, edge.rgb);
    if (edge.width == 0 || edge.width > INSET_MAX || model_distance(edge.rgb, fill) > FAINT) {
        return edge;
    }
    /* So faint a line with another beyond it is the shadow that fields have inside. */
    struct edge beyond = {.inset = edge.width};
    int bx = x + dx * edge.width;
    int by = y + dy * edge.width;
    if (bx < 0 || by < 0 || bx >= view->w || by >= view->h) {
        return edge;
    }
    beyond.width = border_run(view, bx, by, dx, dy, label, beyond.rgb);
    bool darker = model_distance(beyond.rgb, fill) > 2 * model_distance(edge.rgb, fill);
    return beyond.width > 0 && darker ? beyond : edge;
}

int boxes_find_border(const struct model_view *view, int label, struct model_rect r,
                      enum glmv_side side, struct glmv_scene_border *border)
{
    struct edge edges[PROBES];
    for (int i = 0; i < PROBES; i++) {
        double t = 0.15 + 0.7 * i / (PROBES - 1);
        int x = r.x0 + (int)(t * boxes_width(r));
        int y = r.y0 + (int)(t * boxes_height(r));
        switch (side) {
        case GLMV_TOP:
            edges[i] = edge_at(view, x, r.y0 - 1, 0, -1, label);
            break;
        case GLMV_RIGHT:
            edges[i] = edge_at(view, r.x1, y, 1, 0, label);
            break;
        case GLMV_BOTTOM:
            edges[i] = edge_at(view, x, r.y1, 0, 1, label);
            break;
        case GLMV_LEFT:
            edges[i] = edge_at(view, r.x0 - 1, y, -1, 0, label);
            break;
        }
    }
    for (int i = 0; i < PROBES; i++) {
        int agree = 0;
        for (int k = 0; k < PROBES && edges[i].width > 0; k++) {
            agree += edges[k].width == edges[i].width && edges[k].inset == edges[i].inset &&
                     model_distance(edges[k].rgb, edges[i].rgb) <= 4;
        }
        if (agree >= PROBES_AGREE) {
            border->width = edges[i].width;
            border->color = model_rgba(edges[i].rgb);
            return edges[i].inset;
        }
    }
    return 0;
}
