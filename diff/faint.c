#include "diff/faint.h"

#include <stdlib.h>
#include <string.h>

#include "diff/colour.h"
#include "diff/scan.h"

#define TILE 16
#define TILE_MIN 12    /* pixels of a tile that changed alike */
#define AREA_MIN 64    /* of an area */
#define VISIBLE 1.0    /* CIEDE2000; less is not seen */
#define OUTVOTED (-10) /* votes of a tile in which pixels changed by more than the threshold */

/* Changes of colour in one tile; the most frequent one is found by voting and then counted. */
struct tile {
    uint32_t before, after;
    int votes;
    int count;
    int l, t, r, b; /* px; around the pixels counted */
};

struct grid {
    const struct glmv_image *a, *b;
    const uint8_t *differs;
    int w, h;    /* px */
    int columns; /* tiles */
    int rows;
    double threshold;
    struct tile *tiles; /* owned */
    int *stack;         /* owned */
};

static uint32_t rgb_of(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

typedef void pixel_fn(const struct grid *g, struct tile *tile, int x, int y, const uint8_t *p,
                      const uint8_t *q);

static void vote(const struct grid *g, struct tile *tile, int x, int y, const uint8_t *p,
                 const uint8_t *q)
{
    (void)x;
    (void)y;
    if (glmv_diff_pixel(p, q, g->threshold)) {
        tile->votes = OUTVOTED;
    }
    if (tile->votes <= OUTVOTED) {
        return;
    }
    bool same = tile->before == rgb_of(p) && tile->after == rgb_of(q);
    if (tile->votes == 0 && !same) {
        tile->before = rgb_of(p);
        tile->after = rgb_of(q);
        same = true;
    }
    tile->votes += same ? 1 : -1;
}

static void count(const struct grid *g, struct tile *tile, int x, int y, const uint8_t *p,
                  const uint8_t *q)
{
    (void)g;
    if (tile->votes <= 0 || tile->before != rgb_of(p) || tile->after != rgb_of(q)) {
        return;
    }
    bool first = tile->count == 0;
    tile->count++;
    tile->l = first || x < tile->l ? x : tile->l;
    tile->t = first ? y : tile->t;
    tile->r = first || x >= tile->r ? x + 1 : tile->r;
    tile->b = y + 1;
}

/* Every pixel of both pictures that differs in its colour. */
static void visit(const struct grid *g, pixel_fn *fn)
{
    diff_scan_fn *scan = diff_scan_best();
    size_t len = (size_t)g->w * 4;
    for (int y = 0; y < g->h; y++) {
        if (g->differs != NULL && !g->differs[y]) {
            continue;
        }
        const uint8_t *p = g->a->rgba + (size_t)y * (size_t)g->a->width * 4;
        const uint8_t *q = g->b->rgba + (size_t)y * (size_t)g->b->width * 4;
        struct tile *row = g->tiles + (size_t)(y / TILE) * (size_t)g->columns;
        for (size_t from = scan(p, q, 0, len); from < len; from = scan(p, q, from, len)) {
            size_t end = len - from < DIFF_GROUP ? len : from + DIFF_GROUP;
            for (; from < end; from += 4) {
                if (memcmp(p + from, q + from, 3) != 0) {
                    int x = (int)(from / 4);
                    fn(g, &row[x / TILE], x, y, p + from, q + from);
                }
            }
        }
    }
}

static bool joins(const struct tile *tile, const struct glmv_finding *f)
{
    return tile->count >= TILE_MIN && tile->before == f->before && tile->after == f->after;
}

/* The area of every tile that hangs together with the first and changed alike; its tiles are used
 * up. */
static struct glmv_finding flood(struct grid *g, int first)
{
    struct tile box = g->tiles[first];
    struct glmv_finding f = {.change = GLMV_CHANGE_COLOUR, .faint = true};
    int depth = 0;
    f.before = box.before;
    f.after = box.after;
    g->stack[depth++] = first;
    f.region.pixels = (size_t)box.count;
    g->tiles[first].count = 0;
    while (depth > 0) {
        int at = g->stack[--depth];
        for (int k = 0; k < 9; k++) {
            int x = at % g->columns + k % 3 - 1;
            int y = at / g->columns + k / 3 - 1;
            if (x < 0 || y < 0 || x >= g->columns || y >= g->rows) {
                continue;
            }
            struct tile *tile = &g->tiles[y * g->columns + x];
            if (joins(tile, &f)) {
                f.region.pixels += (size_t)tile->count;
                tile->count = 0;
                box.l = tile->l < box.l ? tile->l : box.l;
                box.t = tile->t < box.t ? tile->t : box.t;
                box.r = tile->r > box.r ? tile->r : box.r;
                box.b = tile->b > box.b ? tile->b : box.b;
                g->stack[depth++] = y * g->columns + x;
            }
        }
    }
    f.region.x = box.l;
    f.region.y = box.t;
    f.region.w = box.r - box.l;
    f.region.h = box.b - box.t;
    f.delta_e = glmv_ciede2000(glmv_lab_of(f.before), glmv_lab_of(f.after));
    return f;
}

static int by_pixels(const void *p, const void *q)
{
    const struct glmv_region *a = &((const struct glmv_finding *)p)->region;
    const struct glmv_region *b = &((const struct glmv_finding *)q)->region;
    if (a->pixels != b->pixels) {
        return a->pixels < b->pixels ? 1 : -1;
    }
    return a->y != b->y ? a->y - b->y : a->x - b->x;
}

struct glmv_finding *glmv_diff_faint(const struct glmv_image *a, const struct glmv_image *b,
                                     const uint8_t *differs, double threshold, size_t max,
                                     size_t *found, struct glmv_err *err)
{
    struct grid g = {.a = a, .b = b, .differs = differs, .threshold = threshold};
    g.w = a->width < b->width ? a->width : b->width;
    g.h = a->height < b->height ? a->height : b->height;
    g.columns = (g.w + TILE - 1) / TILE;
    g.rows = (g.h + TILE - 1) / TILE;
    size_t tiles = (size_t)g.columns * (size_t)g.rows;
    g.tiles = calloc(tiles, sizeof *g.tiles);
    g.stack = malloc(tiles * sizeof *g.stack);
    struct glmv_finding *list = malloc((tiles + 1) * sizeof *list);
    *found = 0;
    if (g.tiles == NULL || g.stack == NULL || list == NULL) {
        glmv_fail_memory(err);
        free(list);
        list = NULL;
    } else {
        visit(&g, vote);
        visit(&g, count);
        for (int i = 0; i < g.columns * g.rows; i++) {
            if (g.tiles[i].count >= TILE_MIN) {
                struct glmv_finding f = flood(&g, i);
                if (f.region.pixels >= AREA_MIN && f.delta_e >= VISIBLE) {
                    list[(*found)++] = f;
                }
            }
        }
        qsort(list, *found, sizeof *list, by_pixels);
        *found = *found > max ? max : *found;
    }
    free(g.tiles);
    free(g.stack);
    return list;
}
