/*
 * Outlines of shapes, finer than px: where a shape's share of the px is one half, between the
 * middles of px (marching squares). A shape goes on for a little under those painted later, so that
 * no seam shows between both, and under what it encloses.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/drawing.h"

enum {
    UNDER = 2,  /* px that a shape goes on under others */
    MARGIN = 4, /* px around the grid that is looked at */
};

#define SEEN_SLACK 0.3
#define HIDDEN_SLACK 1.2

/* A shape's shares on a grid around it. */
struct grid {
    const struct drawing *drawing;
    int shape;
    int x0, y0, w, h; /* in px of the drawing; may reach out of it */
    float *share;     /* owned */
    uint8_t *near;    /* owned; 1 within UNDER px of the shape */
    int32_t *next;    /* owned; the edge that an outline goes on with, -1 for none */
    int32_t *queue;   /* owned */
};

/* The px of a drawing at a place, the nearest one outside of it. */
static const struct drawing_px *px_at(const struct drawing *d, int x, int y)
{
    x = model_min(model_max(x, 0), d->w - 1);
    y = model_min(model_max(y, 0), d->h - 1);
    return &d->px[(size_t)y * (size_t)d->w + (size_t)x];
}

static bool is_above(const struct grid *g, int id)
{
    const struct drawing_shape *shapes = g->drawing->shapes;
    return id == DRAWING_COVERED ||
           (id != DRAWING_NOTHING && shapes[id].rank > shapes[g->shape].rank);
}

static void mark_near(struct grid *g)
{
    for (int y = 0; y < g->h; y++) {
        for (int x = 0; x < g->w; x++) {
            const struct drawing_px *p = px_at(g->drawing, g->x0 + x, g->y0 + y);
            if ((p->a != g->shape || p->share == 0) && (p->b != g->shape || p->share == 255)) {
                continue;
            }
            for (int ny = model_max(0, y - UNDER); ny <= model_min(g->h - 1, y + UNDER); ny++) {
                int from = model_max(0, x - UNDER);
                int to = model_min(g->w - 1, x + UNDER);
                memset(g->near + (size_t)ny * (size_t)g->w + (size_t)from, 1,
                       (size_t)(to - from + 1));
            }
        }
    }
}

static void fill_shares(struct grid *g)
{
    for (int y = 0; y < g->h; y++) {
        for (int x = 0; x < g->w; x++) {
            size_t i = (size_t)y * (size_t)g->w + (size_t)x;
            const struct drawing_px *p = px_at(g->drawing, g->x0 + x, g->y0 + y);
            float a = (float)p->share / 255;
            float sum = 0;
            if (g->near[i]) {
                sum += p->a == g->shape || is_above(g, p->a) ? a : 0;
                sum += p->b == g->shape || is_above(g, p->b) ? 1 - a : 0;
            }
            g->share[i] = sum;
        }
    }
}

/* Visits a part of the grid without the shape. Returns how many px it has; inner: it is enclosed
 * and nothing but later shapes lie in it. */
static int visit_gap(struct grid *g, int start, bool *inner)
{
    int head = 0;
    int tail = 0;
    *inner = true;
    g->queue[tail++] = start;
    g->near[start] = 2;
    while (head < tail) {
        int i = g->queue[head++];
        int x = i % g->w;
        int y = i / g->w;
        const struct drawing_px *p = px_at(g->drawing, g->x0 + x, g->y0 + y);
        int most = p->share >= 128 ? p->a : p->b;
        if (x == 0 || y == 0 || x == g->w - 1 || y == g->h - 1) {
            *inner = false;
            continue;
        }
        *inner = *inner && (most == g->shape || is_above(g, most));
        const int beside[4] = {i - 1, i + 1, i - g->w, i + g->w};
        for (int k = 0; k < 4; k++) {
            if (g->share[beside[k]] < 0.5F && g->near[beside[k]] != 2) {
                g->near[beside[k]] = 2;
                g->queue[tail++] = beside[k];
            }
        }
    }
    return tail;
}

static void fill_holes(struct grid *g)
{
    for (int i = 0; i < g->w * g->h; i++) {
        bool inner = false;
        if (g->share[i] >= 0.5F || g->near[i] == 2) {
            continue;
        }
        int n = visit_gap(g, i, &inner);
        for (int k = 0; inner && k < n; k++) {
            g->share[g->queue[k]] = 1;
        }
    }
}

/* Edges between px: to the right of px i is 2 i, below it 2 i + 1. */
static void link_cells(struct grid *g)
{
    for (int y = 0; y + 1 < g->h; y++) {
        for (int x = 0; x + 1 < g->w; x++) {
            int i = y * g->w + x;
            const int corner[4] = {i, i + 1, i + g->w + 1, i + g->w};
            const int edge[4] = {2 * i, 2 * (i + 1) + 1, 2 * (i + g->w), 2 * i + 1};
            bool in[4];
            for (int k = 0; k < 4; k++) {
                in[k] = g->share[corner[k]] >= 0.5F;
            }
            /* From each edge where the shape begins, clockwise, to the next where it ends. */
            for (int k = 0; k < 4; k++) {
                if (in[k] || !in[(k + 1) % 4]) {
                    continue;
                }
                int end = (k + 1) % 4;
                while (in[(end + 1) % 4]) {
                    end = (end + 1) % 4;
                }
                g->next[edge[k]] = edge[end];
            }
        }
    }
}

static bool is_own(const struct grid *g, int i)
{
    const struct drawing_px *p = px_at(g->drawing, g->x0 + i % g->w, g->y0 + i / g->w);
    return (p->a == g->shape && p->share > 0) || (p->b == g->shape && p->share < 255);
}

static struct drawing_point point_on(const struct grid *g, int edge)
{
    int i = edge / 2;
    int other = edge % 2 == 0 ? i + 1 : i + g->w;
    double a = (double)g->share[i];
    double b = (double)g->share[other];
    double t = (0.5 - a) / (b - a);
    double x = g->x0 + i % g->w + 0.5 + (edge % 2 == 0 ? t : 0);
    double y = g->y0 + i / g->w + 0.5 + (edge % 2 == 0 ? 0 : t);
    bool seen = is_own(g, i) || is_own(g, other);
    return (struct drawing_point){fmin(g->drawing->w, fmax(0, x)), fmin(g->drawing->h, fmax(0, y)),
                                  seen ? SEEN_SLACK : HIDDEN_SLACK};
}

static bool walk(struct grid *g, drawing_outline_fn *take, void *context)
{
    int edges = 2 * g->w * g->h;
    struct drawing_point *points = malloc((size_t)edges * sizeof *points);
    bool ok = points != NULL;
    for (int start = 0; ok && start < edges; start++) {
        int n = 0;
        for (int at = start; g->next[at] >= 0;) {
            int to = g->next[at];
            points[n++] = point_on(g, at);
            g->next[at] = -1;
            at = to;
        }
        ok = n == 0 || take(context, points, n);
    }
    free(points);
    return ok;
}

bool drawing_trace(const struct drawing *d, int shape, drawing_outline_fn *take, void *context)
{
    struct model_rect r = d->shapes[shape].r;
    struct grid g = {.drawing = d, .shape = shape, .x0 = r.x0 - MARGIN, .y0 = r.y0 - MARGIN};
    g.w = r.x1 - r.x0 + 2 * MARGIN;
    g.h = r.y1 - r.y0 + 2 * MARGIN;
    size_t total = (size_t)g.w * (size_t)g.h;
    g.share = malloc(total * sizeof *g.share);
    g.near = calloc(total, 1);
    g.next = malloc(2 * total * sizeof *g.next);
    g.queue = malloc(total * sizeof *g.queue);
    bool ok = g.share != NULL && g.near != NULL && g.next != NULL && g.queue != NULL;
    if (ok) {
        memset(g.next, 0xff, 2 * total * sizeof *g.next);
        mark_near(&g);
        fill_shares(&g);
        fill_holes(&g);
        /* Where the drawing ends, the grid does not: an outline is closed inside of it. */
        for (int k = 0; k < g.w; k++) {
            g.share[k] = 0;
            g.share[(g.h - 1) * g.w + k] = 0;
        }
        for (int k = 0; k < g.h; k++) {
            g.share[k * g.w] = 0;
            g.share[k * g.w + g.w - 1] = 0;
        }
        link_cells(&g);
        ok = walk(&g, take, context);
    }
    free(g.share);
    free(g.near);
    free(g.next);
    free(g.queue);
    return ok;
}
