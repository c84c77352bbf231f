/*
 * Which shapes a drawing consists of, and which of them each px belongs to. Px of regions are
 * theirs; the soft ones between regions are mixed of the two colours beside them that explain them
 * best.
 */
#include "model/tracer/drawing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHAPE_AREA = 12,    /* px */
    NEAR = 8,           /* levels that px of a shape may be off its colour */
    OFF = 26,           /* levels that a px may be off what is drawn there */
    WINDOW = 2,         /* px around a soft one where its colours are looked for */
    COLOURS = 8,        /* of them, at most */
    BYTES_MAX = 60000,  /* bytes */
    FADING_AREA = 1000, /* px of a region that may be a gradient here only */
    PLACES = 3000,      /* px of a region that are looked at */
};

#define EVEN 0.85   /* of a shape's px that are near its colour */
#define SHOWN 0.95  /* of the px of a drawing that it shows */
#define REGIONS 0.6 /* of a region's px that are unexplained, where the whole region is */

/* How much of a region lies in the drawing. */
struct part {
    int px, residual;
    int even; /* px near its colour */
    int seen; /* px that even was counted of */
    int id;   /* of its shape; 0 for none */
};

struct sorter {
    const struct drawing_source *source;
    struct drawing *drawing;
    struct part *parts; /* of each region of the page */
    uint16_t ground;    /* the box that the drawing lies on */
    int32_t *queue;
};

static size_t page_at(const struct drawing *d, int x, int y)
{
    return (size_t)(d->r.y0 + y) * (size_t)d->view->w + (size_t)(d->r.x0 + x);
}

static void colour_of(const struct sorter *s, int id, int x, int y, double *rgb)
{
    const struct drawing *d = s->drawing;
    if (id == DRAWING_NOTHING) {
        const uint8_t *p = s->source->canvas->rgba + page_at(d, x, y) * 4;
        for (int c = 0; c < 3; c++) {
            rgb[c] = p[c];
        }
        return;
    }
    const struct drawing_shape *shape = &d->shapes[id];
    if (shape->slope) {
        model_ramp_at(&shape->ramp, d->r.x0 + x + 0.5, d->r.y0 + y + 0.5, rgb);
        return;
    }
    for (int c = 0; c < 3; c++) {
        rgb[c] = shape->rgb[c];
    }
}

static bool is_text(const struct drawing *d, int x, int y)
{
    for (int ny = model_max(0, y - 1); ny <= model_min(d->h - 1, y + 1); ny++) {
        for (int nx = model_max(0, x - 1); nx <= model_min(d->w - 1, x + 1); nx++) {
            if (d->view->text_mask[page_at(d, nx, ny)]) {
                return true;
            }
        }
    }
    return false;
}

/* The box that most of the drawing's px lie on. */
static uint16_t find_ground(const struct drawing_source *source, const struct drawing *d)
{
    uint16_t major = 0;
    long votes = 0;
    for (int y = 0; y < d->h; y++) {
        for (int x = 0; x < d->w; x++) {
            size_t i = page_at(d, x, y);
            if (source->residual[i]) {
                major = votes == 0 ? source->owner[i] : major;
                votes += source->owner[i] == major ? 1 : -1;
            }
        }
    }
    return major;
}

/* The gradient of a region, from the page's corner. */
static bool slope_of(const struct model_region *g, struct model_ramp *ramp)
{
    if (g->ramp == NULL && !g->gradient) {
        return false;
    }
    if (g->ramp != NULL) {
        *ramp = *g->ramp;
    } else {
        model_ramp_of_plane(g, ramp);
    }
    model_ramp_move(ramp, -g->r.x0, -g->r.y0);
    return true;
}

static void count_parts(struct sorter *s)
{
    const struct drawing *d = s->drawing;
    for (int y = 0; y < d->h; y++) {
        for (int x = 0; x < d->w; x++) {
            size_t i = page_at(d, x, y);
            int32_t l = d->view->label[i];
            if (l >= 0 && s->source->owner[i] == s->ground) {
                s->parts[l].px++;
                s->parts[l].residual += s->source->residual[i];
            }
        }
    }
}

static void count_even(struct sorter *s)
{
    const struct drawing *d = s->drawing;
    for (int y = 0; y < d->h; y++) {
        for (int x = 0; x < d->w; x++) {
            size_t i = page_at(d, x, y);
            int32_t l = d->view->label[i];
            if (l < 0 || s->parts[l].id == 0) {
                continue;
            }
            struct part *part = &s->parts[l];
            int step = part->px / PLACES + 1;
            if ((x + y) % step == 0) {
                double rgb[3];
                colour_of(s, part->id, x, y, rgb);
                double off = 0;
                for (int c = 0; c < 3; c++) {
                    off = fmax(off, fabs(rgb[c] - d->view->image->rgba[i * 4 + (size_t)c]));
                }
                part->even += off <= NEAR;
                part->seen++;
            }
        }
    }
}

/* A region that is even elsewhere may be a gradient here: one that fades into the page. */
static void fit_parts(struct sorter *s)
{
    struct drawing *d = s->drawing;
    bool any = false;
    for (int l = 0; l < d->view->region_count; l++) {
        struct part *part = &s->parts[l];
        struct drawing_shape *shape = &d->shapes[part->id];
        if (part->id > 0 && part->px >= FADING_AREA && part->even < EVEN * part->seen &&
            model_ramp_fit_part(d->view, l, d->r, &shape->ramp)) {
            model_ramp_move(&shape->ramp, -d->r.x0, -d->r.y0);
            shape->slope = true;
            any = true;
        }
    }
    for (int l = 0; any && l < d->view->region_count; l++) {
        s->parts[l].even = s->parts[l].seen = 0;
    }
    if (any) {
        count_even(s);
    }
}

/* Makes shapes of regions, those that are even. False when there are too many. */
static bool find_shapes(struct sorter *s)
{
    struct drawing *d = s->drawing;
    count_parts(s);
    for (int l = 0; l < d->view->region_count; l++) {
        struct part *part = &s->parts[l];
        if (part->px < SHAPE_AREA || part->residual < REGIONS * part->px) {
            continue;
        }
        if (d->count == DRAWING_SHAPES) {
            return false;
        }
        struct drawing_shape *shape = &d->shapes[++d->count];
        const struct model_region *g = &d->view->regions[l];
        memcpy(shape->rgb, g->rgb, 3);
        shape->slope = slope_of(g, &shape->ramp);
        shape->r = (struct model_rect){d->w, d->h, 0, 0};
        part->id = d->count;
    }
    count_even(s);
    fit_parts(s);
    for (int l = 0; l < d->view->region_count; l++) {
        struct part *part = &s->parts[l];
        part->id = part->even >= EVEN * part->seen ? part->id : 0;
    }
    return d->count > 0;
}

/* Whether a box lies on the drawing as a whole, and will be shown on it. */
static bool lies_on(const struct sorter *s, uint16_t owner)
{
    const struct model_rect *r = &s->drawing->r;
    if (owner == 0) {
        return false;
    }
    const struct glmv_box *b = &s->source->scene->boxes[owner - 1].box;
    return b->x >= r->x0 && b->y >= r->y0 && b->x + b->w <= r->x1 && b->y + b->h <= r->y1;
}

/* What a px is before its neighbours are asked. */
static uint8_t first_guess(const struct sorter *s, int x, int y)
{
    const struct drawing *d = s->drawing;
    size_t i = page_at(d, x, y);
    int32_t l = d->view->label[i];
    if (s->source->owner[i] != s->ground) {
        return lies_on(s, s->source->owner[i]) ? DRAWING_COVERED : DRAWING_NOTHING;
    }
    if (is_text(d, x, y)) {
        return DRAWING_UNKNOWN;
    }
    if (l >= 0 && s->parts[l].id > 0) {
        return (uint8_t)s->parts[l].id;
    }
    return s->source->residual[i] ? DRAWING_UNKNOWN : DRAWING_NOTHING;
}

/* The shapes around a px, nothing counting as one. */
static int colours_around(const struct sorter *s, int x, int y, uint8_t *ids)
{
    const struct drawing *d = s->drawing;
    int n = 0;
    for (int ny = model_max(0, y - WINDOW); ny <= model_min(d->h - 1, y + WINDOW); ny++) {
        for (int nx = model_max(0, x - WINDOW); nx <= model_min(d->w - 1, x + WINDOW); nx++) {
            const struct drawing_px *p = &d->px[(size_t)ny * (size_t)d->w + (size_t)nx];
            bool known = p->share == 255 && p->a != DRAWING_UNKNOWN && p->a != DRAWING_COVERED;
            int k = 0;
            while (known && k < n && ids[k] != p->a) {
                k++;
            }
            if (known && k == n && n < COLOURS) {
                ids[n++] = p->a;
            }
        }
    }
    return n;
}

/* Levels that a mixture of two colours is off a px; share of the first comes back. */
static double mix(const uint8_t *p, const double *a, const double *b, double *share)
{
    double top = 0;
    double bottom = 0;
    for (int c = 0; c < 3; c++) {
        top += (p[c] - b[c]) * (a[c] - b[c]);
        bottom += (a[c] - b[c]) * (a[c] - b[c]);
    }
    *share = bottom > 1 ? fmin(1, fmax(0, top / bottom)) : 1;
    double off = 0;
    for (int c = 0; c < 3; c++) {
        off = fmax(off, fabs(b[c] + *share * (a[c] - b[c]) - p[c]));
    }
    return off;
}

/* The one or two shapes whose mixture is nearest to a px; how far it is off comes back. */
static double best_pair(const struct sorter *s, int x, int y, const uint8_t *ids, int n,
                        struct drawing_px *out)
{
    const uint8_t *p = model_px(s->drawing->view, s->drawing->r.x0 + x, s->drawing->r.y0 + y);
    double best = 1e9;
    for (int i = 0; i < n; i++) {
        for (int k = i; k < n; k++) {
            double a[3];
            double b[3];
            double share;
            colour_of(s, ids[i], x, y, a);
            colour_of(s, ids[k], x, y, b);
            double off = mix(p, a, b, &share);
            if (off < best - 0.5) {
                best = off;
                *out = (struct drawing_px){ids[i], ids[k], (uint8_t)lround(share * 255)};
            }
        }
    }
    return best;
}

/* Gives soft px to the shapes beside them. A second array keeps what is known apart from guesses.
 */
static bool resolve_soft(struct sorter *s)
{
    struct drawing *d = s->drawing;
    size_t total = (size_t)d->w * (size_t)d->h;
    struct drawing_px *out = malloc(total * sizeof *out);
    if (out == NULL) {
        return false;
    }
    memcpy(out, d->px, total * sizeof *out);
    for (int y = 0; y < d->h; y++) {
        for (int x = 0; x < d->w; x++) {
            size_t i = (size_t)y * (size_t)d->w + (size_t)x;
            uint8_t ids[COLOURS];
            if (d->px[i].a != DRAWING_UNKNOWN || is_text(d, x, y)) {
                continue;
            }
            int n = colours_around(s, x, y, ids);
            if (n > 0) {
                best_pair(s, x, y, ids, n, &out[i]);
            }
        }
    }
    free(d->px);
    d->px = out;
    return true;
}

/* What is still unknown, text above all, takes after what is nearest. */
static void spread(struct sorter *s)
{
    struct drawing *d = s->drawing;
    int total = d->w * d->h;
    int head = 0;
    int tail = 0;
    for (int i = 0; i < total; i++) {
        if (d->px[i].a != DRAWING_UNKNOWN && d->px[i].a != DRAWING_COVERED) {
            s->queue[tail++] = i;
        }
    }
    while (head < tail) {
        int i = s->queue[head++];
        int x = i % d->w;
        int y = i / d->w;
        const int beside[4] = {x > 0 ? i - 1 : i, x + 1 < d->w ? i + 1 : i, y > 0 ? i - d->w : i,
                               y + 1 < d->h ? i + d->w : i};
        for (int k = 0; k < 4; k++) {
            struct drawing_px *p = &d->px[beside[k]];
            if (p->a == DRAWING_UNKNOWN) {
                uint8_t most = d->px[i].share >= 128 ? d->px[i].a : d->px[i].b;
                *p = (struct drawing_px){most, most, 255};
                s->queue[tail++] = beside[k];
            }
        }
    }
    for (int i = 0; i < total; i++) {
        if (d->px[i].a == DRAWING_UNKNOWN) { /* shut in by what covers the drawing */
            d->px[i] = (struct drawing_px){DRAWING_NOTHING, DRAWING_NOTHING, 255};
        }
    }
}

/* Counts the px that the drawing should show, and marks those that it does not. */
static void compare(struct sorter *s, bool mark, long *all, long *shown)
{
    const struct drawing *d = s->drawing;
    for (int y = 0; y < d->h; y++) {
        for (int x = 0; x < d->w; x++) {
            size_t i = page_at(d, x, y);
            const struct drawing_px *p = &d->px[(size_t)y * (size_t)d->w + (size_t)x];
            if (!s->source->residual[i] || s->source->owner[i] != s->ground || is_text(d, x, y)) {
                continue;
            }
            const uint8_t *want = model_px(d->view, d->r.x0 + x, d->r.y0 + y);
            double a[3];
            double b[3];
            double off = 0;
            colour_of(s, p->a, x, y, a);
            colour_of(s, p->b, x, y, b);
            for (int c = 0; c < 3; c++) {
                double t = p->share / 255.0;
                off = fmax(off, fabs(a[c] * t + b[c] * (1 - t) - want[c]));
            }
            (*all)++;
            *shown += off <= OFF;
            s->source->odd[i] |= mark && off > OFF;
        }
    }
}

static void measure_shapes(struct drawing *d)
{
    for (int y = 0; y < d->h; y++) {
        for (int x = 0; x < d->w; x++) {
            const struct drawing_px *p = &d->px[(size_t)y * (size_t)d->w + (size_t)x];
            for (int k = 0; k < 2; k++) {
                uint8_t id = k == 0 ? p->a : p->b;
                if (id == DRAWING_NOTHING || id > DRAWING_SHAPES) {
                    continue;
                }
                struct drawing_shape *shape = &d->shapes[id];
                shape->area += k == 0;
                shape->r.x0 = model_min(shape->r.x0, x);
                shape->r.y0 = model_min(shape->r.y0, y);
                shape->r.x1 = model_max(shape->r.x1, x + 1);
                shape->r.y1 = model_max(shape->r.y1, y + 1);
            }
        }
    }
    for (int i = 1; i <= d->count; i++) {
        for (int k = 1; k <= d->count; k++) {
            int more = d->shapes[k].area - d->shapes[i].area;
            d->shapes[i].rank += more > 0 || (more == 0 && k < i);
        }
    }
}

static bool sort_px(struct sorter *s)
{
    struct drawing *d = s->drawing;
    for (int y = 0; y < d->h; y++) {
        for (int x = 0; x < d->w; x++) {
            uint8_t id = first_guess(s, x, y);
            d->px[(size_t)y * (size_t)d->w + (size_t)x] = (struct drawing_px){id, id, 255};
        }
    }
    if (!resolve_soft(s)) {
        return false;
    }
    spread(s);
    measure_shapes(d);
    return true;
}

bool model_drawing_make(const struct drawing_source *source, struct model_rect r,
                        struct glmv_buf *svg, bool *drawn, struct glmv_err *err)
{
    size_t total = (size_t)(r.x1 - r.x0) * (size_t)(r.y1 - r.y0);
    struct drawing *d = calloc(1, sizeof *d);
    struct sorter s = {.source = source, .drawing = d};
    s.parts = calloc((size_t)source->view->region_count + 1, sizeof *s.parts);
    s.queue = malloc(total * sizeof *s.queue);
    bool ok = d != NULL && s.parts != NULL && s.queue != NULL;
    if (ok) {
        *d = (struct drawing){.view = source->view, .r = r, .w = r.x1 - r.x0, .h = r.y1 - r.y0};
        d->px = malloc(total * sizeof *d->px);
        ok = d->px != NULL;
    }
    ok = ok || glmv_fail_memory(err);
    *drawn = false;
    if (ok) {
        s.ground = find_ground(source, d);
        *drawn = find_shapes(&s);
        ok = !*drawn || sort_px(&s) || glmv_fail_memory(err);
    }
    long all = 0;
    long shown = 0;
    if (ok && *drawn) {
        compare(&s, false, &all, &shown);
        *drawn = (double)shown >= SHOWN * (double)all;
    }
    if (ok && *drawn) {
        ok = drawing_write(d, svg, err);
        *drawn = svg->len <= BYTES_MAX;
    }
    if (ok && *drawn) {
        compare(&s, true, &all, &shown);
    }
    if (d != NULL) {
        free(d->px);
    }
    free(d);
    free(s.parts);
    free(s.queue);
    return ok;
}
