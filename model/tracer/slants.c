/*
 * Sections that end in a slanted edge: a line from one side of the box to the other, with the next
 * section's colour in the triangle beyond it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/boxes.h"

enum {
    SLANT_WIDTH = 240, /* px of a box */
    SLANT_DEPTH = 8,   /* px between both ends of the edge, at least */
    COLUMNS = 160,     /* that are looked at */
    OFF = 2,           /* px that the edge may be off the line */
};

#define AGREE 0.8 /* share of the columns that lie on the line */

/* Px from one end of the box to the region in a column. */
static int depth_of(const struct model_view *view, int label, struct model_rect r, int x,
                    bool bottom)
{
    int d = 0;
    while (d < boxes_height(r)) {
        int y = bottom ? r.y1 - 1 - d : r.y0 + d;
        if (view->label[y * view->w + x] == label) {
            break;
        }
        d++;
    }
    return d;
}

static int by_value(const void *a, const void *b)
{
    double d = *(const double *)a - *(const double *)b;
    return d < 0 ? -1 : d > 0;
}

static double median(const double *from, int n)
{
    double sorted[COLUMNS];
    memcpy(sorted, from, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    return sorted[n / 2];
}

/* Fits a line to the end of a region, against what sticks out of it or lies over it. */
static bool find_slant(const struct model_view *view, int label, struct model_rect r, bool bottom,
                       struct glmv_scene_slant *out)
{
    int w = boxes_width(r);
    double depth[COLUMNS];
    double rise[COLUMNS];
    if (w < SLANT_WIDTH) {
        return false;
    }
    for (int i = 0; i < COLUMNS; i++) {
        depth[i] = depth_of(view, label, r, r.x0 + (2 * i + 1) * w / (2 * COLUMNS), bottom);
    }
    for (int i = 0; i < COLUMNS / 2; i++) {
        rise[i] = (depth[i + COLUMNS / 2] - depth[i]) * 2;
    }
    double slope = median(rise, COLUMNS / 2);
    for (int i = 0; i < COLUMNS; i++) {
        rise[i] = depth[i] - slope * ((i + 0.5) / COLUMNS);
    }
    double left = median(rise, COLUMNS);
    int on = 0;
    for (int i = 0; i < COLUMNS; i++) {
        on += fabs(rise[i] - left) <= OFF;
    }
    double near = fmin(left, left + slope);
    if (fabs(slope) < SLANT_DEPTH || fabs(near) > OFF || on < AGREE * COLUMNS ||
        fabs(slope) > 0.7 * boxes_height(r)) {
        return false;
    }
    *out = (struct glmv_scene_slant){.depth = fabs(slope), .left = slope < 0};
    return true;
}

/* What is in the triangle beyond the edge: near its corner, and of one colour. */
static int32_t beyond(const struct model_view *view, struct model_rect r, bool bottom,
                      const struct glmv_scene_slant *slant)
{
    int inset = boxes_width(r) / 12;
    int x = slant->left ? r.x0 + inset : r.x1 - 1 - inset;
    int down = (int)(slant->depth / 4);
    int y = bottom ? r.y1 - 1 - down : r.y0 + down;
    return view->label[y * view->w + x];
}

void boxes_find_slants(const struct model_view *view, int label, struct model_rect *r,
                       struct glmv_scene_box *box)
{
    struct model_rect whole = *r;
    for (int end = 0; end < 2; end++) {
        struct glmv_scene_slant slant;
        if (!find_slant(view, label, whole, end == 1, &slant)) {
            continue;
        }
        int32_t other = beyond(view, whole, end == 1, &slant);
        if (other < 0 || other == label || view->regions[other].gradient) {
            continue;
        }
        const struct model_region *g = &view->regions[other];
        struct glmv_scene_slant theirs;
        if (end == 0 && other != view->page && find_slant(view, other, g->r, true, &theirs) &&
            abs(g->r.x0 - whole.x0) <= OFF) {
            /* The section above paints its end, over its whole width. */
            r->y0 = model_min(g->r.y1, r->y1 - 1);
            continue;
        }
        if (g->surface) {
            slant.color = model_rgba(g->rgb);
            box->slant[end] = slant;
        }
    }
}
