/* Regions of like colour by union-find, and which of them are surfaces that text can lie on. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

enum {
    NEIGHBOUR_TOLERANCE = 2, /* near-white surfaces differ by one level; shadows by two */
    REGION_MIN_AREA = 20,    /* px; smaller regions are edges of glyphs */
    SURFACE_MIN_AREA = 90,
    RAMP_MIN_AREA = 400,
    TEXTURE_TOLERANCE = 9, /* between px of a page with a paper-like background */
    FLAT_TOLERANCE = 6,
    PLANE_TOLERANCE = 7,
    SAMPLES = 96, /* px a region */
    SHADE_MIN_AREA = 3000,
    SHADE_LIGHT = 110, /* mean level of the darkest ground on which shadows are told from photos */
    SHADE_DEPTH = 32,  /* levels that shadows take from a ground */
};

#define PAGE_SHARE 0.4 /* of the largest gradient that a page of one colour has at least */
#define PLAIN 0.3      /* of a surface that has its very colour: shadows change the rest */
#define MOTTLED 0.4    /* most of a surface that may have its very colour and still be of a photo */
#define SHADE_FLAT 0.06 /* of a ground under shadows that none of them reaches */
#define FRAMED 0.5      /* of the rim of a ground under drawings that has its very colour */
#define GROUND_EDGE 0.4 /* of the edge of the picture that a ground under deep shadows reaches */
#define DARKER 0.97     /* of such a ground is its colour or darker */

static int32_t find_root(int32_t *parent, int32_t i)
{
    int32_t root = i;
    while (parent[root] >= 0) {
        root = parent[root];
    }
    while (parent[i] >= 0) {
        int32_t next = parent[i];
        parent[i] = root;
        i = next;
    }
    return root;
}

/* Roots hold minus their area, and the root is the first px of its region in reading order. */
static void join(int32_t *parent, int32_t a, int32_t b)
{
    a = find_root(parent, a);
    b = find_root(parent, b);
    if (a == b) {
        return;
    }
    if (a > b) {
        int32_t t = a;
        a = b;
        b = t;
    }
    parent[a] += parent[b];
    parent[b] = a;
}

/* Whether two px belong together. even tells the px of surfaces that are known; NULL at first. */
static bool alike(const uint8_t *even, size_t a, size_t b, int distance)
{
    if (even == NULL || (even[a] && even[b])) {
        return distance <= NEIGHBOUR_TOLERANCE;
    }
    return !even[a] && !even[b] && distance <= TEXTURE_TOLERANCE;
}

static void join_neighbours(struct model_view *view, const uint8_t *even)
{
    int32_t *parent = view->label;
    for (int y = 0; y < view->h; y++) {
        for (int x = 0; x < view->w; x++) {
            int32_t i = y * view->w + x;
            const uint8_t *p = view->image->rgba + (size_t)i * 4;
            parent[i] = -1;
            if (x > 0 && alike(even, (size_t)i, (size_t)i - 1, model_distance(p, p - 4))) {
                join(parent, i - 1, i);
            }
            if (y > 0 && alike(even, (size_t)i, (size_t)i - (size_t)view->w,
                               model_distance(p, p - (size_t)view->w * 4))) {
                join(parent, i - view->w, i);
            }
        }
    }
}

/* Turns the forest into labels in place: a root comes before its region's other px. */
static int number_regions(struct model_view *view)
{
    int count = 0;
    size_t total = (size_t)view->w * (size_t)view->h;
    for (size_t i = 0; i < total; i++) {
        int32_t p = view->label[i];
        if (p < 0) {
            view->label[i] = -p >= REGION_MIN_AREA ? count++ : -1;
        } else {
            view->label[i] = view->label[p];
        }
    }
    return count;
}

/* Sums for a least-squares plane of the colour over a region. */
struct sums {
    double n, x, y, xx, xy, yy, c[3], cx[3], cy[3];
    int near_flat, near_plane, equal, shaded, darker, inner;
};

static void measure_extent(struct model_view *view, struct sums *sums)
{
    for (int i = 0; i < view->region_count; i++) {
        view->regions[i].r = (struct model_rect){view->w, view->h, 0, 0};
    }
    for (int y = 0; y < view->h; y++) {
        for (int x = 0; x < view->w; x++) {
            int32_t l = view->label[y * view->w + x];
            if (l < 0) {
                continue;
            }
            struct model_region *g = &view->regions[l];
            if (g->area == 0) {
                g->r.y0 = y;
            }
            g->area++;
            g->r.x0 = model_min(g->r.x0, x);
            g->r.x1 = model_max(g->r.x1, x + 1);
            g->r.y1 = y + 1;
            const uint8_t *p = model_px(view, x, y);
            struct sums *s = &sums[l];
            double dy = y - g->r.y0;
            s->n++;
            s->x += x;
            s->y += dy;
            s->xx += (double)x * x;
            s->xy += x * dy;
            s->yy += dy * dy;
            for (int c = 0; c < 3; c++) {
                s->c[c] += p[c];
                s->cx[c] += p[c] * (double)x;
                s->cy[c] += p[c] * dy;
            }
        }
    }
}

static void solve_plane(struct model_region *g, const struct sums *s)
{
    double mx = s->x / s->n;
    double my = s->y / s->n;
    double xx = s->xx / s->n - mx * mx;
    double xy = s->xy / s->n - mx * my;
    double yy = s->yy / s->n - my * my;
    double det = xx * yy - xy * xy;
    for (int c = 0; c < 3; c++) {
        double m = s->c[c] / s->n;
        double cx = s->cx[c] / s->n - m * mx;
        double cy = s->cy[c] / s->n - m * my;
        double a = 0;
        double b = 0;
        if (det > 1e-3) {
            a = (cx * yy - cy * xy) / det;
            b = (cy * xx - cx * xy) / det;
        }
        g->plane[c][1] = (float)a;
        g->plane[c][2] = (float)b;
        g->plane[c][0] = (float)(m + a * (g->r.x0 - mx) - b * my);
    }
}

/* Px of a region spread evenly over it, to find the colour that most of them are near to. */
struct sample {
    uint8_t rgb[SAMPLES][3];
    int seen, count;
};

static void choose_colour(struct model_region *g, const struct sample *s)
{
    int best = -1;
    for (int i = 0; i < s->count; i++) {
        int near = 0;
        for (int k = 0; k < s->count; k++) {
            int d = model_distance(s->rgb[i], s->rgb[k]);
            near += d == 0 ? 3 : d <= 2;
        }
        if (near > best) {
            best = near;
            memcpy(g->rgb, s->rgb[i], 3);
        }
    }
}

static bool find_colours(struct model_view *view)
{
    struct sample *samples = calloc((size_t)view->region_count + 1, sizeof *samples);
    if (samples == NULL) {
        return false;
    }
    size_t total = (size_t)view->w * (size_t)view->h;
    for (size_t i = 0; i < total; i++) {
        int32_t l = view->label[i];
        if (l < 0) {
            continue;
        }
        struct sample *s = &samples[l];
        int step = view->regions[l].area / SAMPLES + 1;
        if (s->seen++ % step == 0 && s->count < SAMPLES) {
            memcpy(s->rgb[s->count++], view->image->rgba + i * 4, 3);
        }
    }
    for (int i = 0; i < view->region_count; i++) {
        choose_colour(&view->regions[i], &samples[i]);
    }
    free(samples);
    return true;
}

static void count_near(struct model_view *view, struct sums *sums, int flat)
{
    for (int y = 0; y < view->h; y++) {
        for (int x = 0; x < view->w; x++) {
            int32_t l = view->label[y * view->w + x];
            if (l < 0) {
                continue;
            }
            const struct model_region *g = &view->regions[l];
            const uint8_t *p = model_px(view, x, y);
            sums[l].near_flat += model_distance(p, g->rgb) <= flat;
            int darker = g->rgb[0] + g->rgb[1] + g->rgb[2] - p[0] - p[1] - p[2];
            sums[l].equal += darker >= -1 && darker <= 1;
            bool lighter = p[0] > g->rgb[0] + 3 || p[1] > g->rgb[1] + 3 || p[2] > g->rgb[2] + 3;
            sums[l].darker += !lighter;
            sums[l].shaded += !lighter && darker >= -3 && darker <= 3 * SHADE_DEPTH;
            double worst = 0;
            for (int c = 0; c < 3; c++) {
                double want = (double)(g->plane[c][0] + g->plane[c][1] * (float)(x - g->r.x0) +
                                       g->plane[c][2] * (float)(y - g->r.y0));
                worst = fmax(worst, fabs(want - p[c]));
            }
            sums[l].near_plane += worst <= PLANE_TOLERANCE;
        }
    }
}

/* Tells regions that are made of lines: hardly a px has its own kind two px away on all sides. */
static void find_strokes(struct model_view *view, struct sums *sums)
{
    const int32_t *label = view->label;
    int w = view->w;
    for (int y = 2; y < view->h - 2; y++) {
        for (int x = 2; x < w - 2; x++) {
            const int32_t *l = label + (size_t)y * (size_t)w + x;
            if (*l >= 0 && l[-2] == *l && l[2] == *l && l[-2 * w] == *l && l[2 * w] == *l) {
                sums[*l].inner++;
            }
        }
    }
    for (int i = 0; i < view->region_count; i++) {
        view->regions[i].strokes = sums[i].inner * 20 <= view->regions[i].area;
    }
}

/* Share of the rim of a region's rectangle that has its very colour. */
static double framed(const struct model_view *view, int label)
{
    const struct model_region *g = &view->regions[label];
    int w = g->r.x1 - g->r.x0;
    int h = g->r.y1 - g->r.y0;
    int hits = 0;
    for (int i = 0; i < 2 * (w + h); i++) {
        int along = i / 2;
        bool far = i % 2 != 0;
        int x = along < w ? g->r.x0 + along : far ? g->r.x1 - 1 : g->r.x0;
        int y = along >= w ? g->r.y0 + along - w : far ? g->r.y1 - 1 : g->r.y0;
        hits += view->label[y * view->w + x] == label &&
                model_distance(model_px(view, x, y), g->rgb) <= 1;
    }
    return (double)hits / (2 * (w + h));
}

/* The region that most of the picture's edge is of, where it is much of it and has but shadows on
 * it; -1: none. */
static int ground_at_edge(const struct model_view *view)
{
    int *edge = calloc((size_t)view->region_count + 1, sizeof *edge);
    int best = -1;
    for (int i = 0; edge != NULL && i < 2 * (view->w + view->h); i++) {
        int along = i / 2;
        bool far = i % 2 != 0;
        int x = along < view->w ? along : far ? view->w - 1 : 0;
        int y = along >= view->w ? along - view->w : far ? view->h - 1 : 0;
        int32_t l = view->label[y * view->w + x];
        if (l >= 0 && ++edge[l] > 0 && view->regions[l].shaded &&
            (best < 0 || edge[l] > edge[best])) {
            best = l;
        }
    }
    bool much = best >= 0 && edge[best] >= GROUND_EDGE * 2 * (view->w + view->h);
    free(edge);
    return much ? best : -1;
}

/* The largest surface at an edge of the picture, -1 without one. */
static int largest_at_edge(const struct model_view *view, bool gradients)
{
    int best = -1;
    for (int i = 0; i < view->region_count; i++) {
        const struct model_region *g = &view->regions[i];
        bool at_edge = g->r.x0 == 0 || g->r.y0 == 0 || g->r.x1 == view->w || g->r.y1 == view->h;
        if (g->surface && at_edge && (gradients || !g->gradient || g->plain) &&
            (best < 0 || g->area > view->regions[best].area)) {
            best = i;
        }
    }
    return best;
}

/* A gradient is a box of its own beside something of one colour, unless that is small: a rule, a
 * header. */
static void choose_page(struct model_view *view)
{
    int any = largest_at_edge(view, true);
    int flat = largest_at_edge(view, false);
    view->page =
        flat >= 0 && view->regions[flat].area >= PAGE_SHARE * view->regions[any].area ? flat : any;
    int ground = ground_at_edge(view);
    if (ground >= 0 && (view->page < 0 || view->regions[view->page].mottled)) {
        view->regions[ground].surface = true;
        view->regions[ground].mottled = false;
        view->page = ground;
    }
}

static void free_regions(struct model_view *view)
{
    for (int i = 0; view->regions != NULL && i < view->region_count; i++) {
        free(view->regions[i].ramp);
    }
    free(view->regions);
    view->regions = NULL;
}

/* Gradients of any number of stops, where a region is not known to have one colour, under shadows
 * or not. */
static bool find_ramp(struct model_view *view, int label, bool known)
{
    struct model_region *g = &view->regions[label];
    double box = (double)(g->r.x1 - g->r.x0) * (g->r.y1 - g->r.y0);
    struct model_ramp ramp = {0};
    if (known || g->area < RAMP_MIN_AREA || g->area < 0.4 * box ||
        !model_ramp_fit(view, label, &ramp)) {
        return true;
    }
    g->ramp = malloc(sizeof *g->ramp);
    if (g->ramp != NULL) {
        *g->ramp = ramp;
        g->surface = true;
        g->gradient = true;
    }
    return g->ramp != NULL;
}

/* Finds out what there is to know of regions whose px have their labels. */
static bool measure_regions(struct model_view *view, const uint8_t *even)
{
    free_regions(view);
    size_t n = (size_t)view->region_count + 1;
    view->regions = calloc(n, sizeof *view->regions);
    struct sums *sums = calloc(n, sizeof *sums);
    bool ok = view->regions != NULL && sums != NULL;
    if (ok) {
        measure_extent(view, sums);
        for (int i = 0; i < view->region_count; i++) {
            solve_plane(&view->regions[i], &sums[i]);
        }
        ok = find_colours(view);
    }
    if (ok) {
        count_near(view, sums, even == NULL ? FLAT_TOLERANCE : 2 * FLAT_TOLERANCE);
        find_strokes(view, sums);
        for (int i = 0; ok && i < view->region_count; i++) {
            struct model_region *g = &view->regions[i];
            bool flat = sums[i].near_flat >= 0.7 * g->area;
            bool plane = sums[i].near_plane >= 0.9 * g->area;
            bool light = g->rgb[0] + g->rgb[1] + g->rgb[2] > 3 * SHADE_LIGHT;
            bool shaded = light && g->area >= SHADE_MIN_AREA && sums[i].shaded >= 0.95 * g->area &&
                          sums[i].equal >= SHADE_FLAT * g->area;
            g->shaded = g->area >= SHADE_MIN_AREA && sums[i].darker >= DARKER * g->area &&
                        sums[i].equal >= SHADE_FLAT * g->area;
            g->surface = g->area >= SURFACE_MIN_AREA && (flat || plane || shaded);
            g->gradient = plane && sums[i].near_flat < 0.85 * g->area;
            ok = find_ramp(view, i, (flat || shaded) && !g->gradient);
            g->plain = sums[i].equal >= PLAIN * g->area;
            bool mixed = flat && !g->gradient && sums[i].equal < MOTTLED * g->area;
            g->mottled = g->area >= SHADE_MIN_AREA && (!g->surface || mixed);
        }
    }
    free(sums);
    return ok;
}

/* Surfaces of one colour under soft drawings that merge with it. */
static void find_grounds(struct model_view *view)
{
    for (int i = 0; i < view->region_count; i++) {
        struct model_region *g = &view->regions[i];
        if (!g->surface && g->plain && g->area >= SHADE_MIN_AREA && framed(view, i) >= FRAMED) {
            g->surface = true;
            g->mottled = false;
        }
    }
}

static bool label_regions(struct model_view *view, const uint8_t *even)
{
    free_regions(view);
    join_neighbours(view, even);
    view->region_count = number_regions(view);
    bool split = false;
    bool ok = measure_regions(view, even) && model_regions_split(view, &split);
    ok = ok && (!split || measure_regions(view, even));
    if (ok) {
        find_grounds(view);
    }
    return ok;
}

/* Scraps of a texture are flat by chance, but neither large nor filled. */
static bool is_compact(const struct model_region *g)
{
    double box = (double)(g->r.x1 - g->r.x0) * (g->r.y1 - g->r.y0);
    return g->surface && (g->area >= 3000 || g->area >= 0.6 * box);
}

/* The px of surfaces, when so many lie outside that the page may have a texture. NULL otherwise. */
static uint8_t *find_uneven(const struct model_view *view)
{
    size_t total = (size_t)view->w * (size_t)view->h;
    uint8_t *even = malloc(total);
    size_t inside = 0;
    for (size_t i = 0; even != NULL && i < total; i++) {
        int32_t l = view->label[i];
        even[i] = l >= 0 && is_compact(&view->regions[l]);
        inside += even[i];
    }
    if (inside > total - total / 4) {
        free(even);
        return NULL;
    }
    return even;
}

bool model_regions_find(struct model_view *view, struct glmv_err *err)
{
    view->label = malloc((size_t)view->w * (size_t)view->h * sizeof *view->label);
    bool ok = view->label != NULL && label_regions(view, NULL);
    uint8_t *even = ok ? find_uneven(view) : NULL;
    if (even != NULL) {
        ok = label_regions(view, even);
        free(even);
    }
    if (ok) {
        choose_page(view);
    }
    return ok || glmv_fail_memory(err);
}

void model_view_release(struct model_view *view)
{
    for (int i = 0; i < view->row_count; i++) {
        free(view->rows[i].marks);
    }
    free(view->rows);
    free(view->marks);
    free(view->bars);
    free_regions(view);
    free(view->label);
    free(view->text_mask);
    free(view->lettering);
}
