#include <stdlib.h>
#include <string.h>

#include "diff/diff.h"
#include "diff/scan.h"

#define TILE 16
#define TILE_MIN 3 /* differing pixels; below it is the noise of anti-aliasing */
#define REACH 2    /* tiles; regions nearer than this are one */

struct tiles {
    int w, h;
    unsigned short *counts; /* differing pixels of each tile */
    unsigned char *seen;
    int *stack;
};

static const uint8_t *pixel_at(const struct glmv_image *image, int x, int y)
{
    return image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
}

static bool differs(const struct glmv_image *a, const struct glmv_image *b, int x, int y,
                    double threshold)
{
    bool in_a = x < a->width && y < a->height;
    bool in_b = x < b->width && y < b->height;
    return in_a && in_b ? glmv_diff_pixel(pixel_at(a, x, y), pixel_at(b, x, y), threshold)
                        : in_a || in_b;
}

static bool count_tiles(const struct glmv_image *a, const struct glmv_image *b,
                        const uint8_t *differing, double threshold, struct tiles *t)
{
    int w = a->width > b->width ? a->width : b->width;
    int h = a->height > b->height ? a->height : b->height;
    t->w = (w + TILE - 1) / TILE;
    t->h = (h + TILE - 1) / TILE;
    size_t count = (size_t)t->w * (size_t)t->h;
    t->counts = calloc(count, sizeof *t->counts);
    t->seen = calloc(count, 1);
    t->stack = malloc(count * sizeof *t->stack);
    if (t->counts == NULL || t->seen == NULL || t->stack == NULL) {
        return false;
    }
    diff_scan_fn *scan = diff_scan_best();
    size_t shared = (size_t)(a->width < b->width ? a->width : b->width) * 4;
    for (int y = 0; y < h; y++) {
        unsigned short *row = t->counts + (size_t)(y / TILE) * (size_t)t->w;
        bool both = y < a->height && y < b->height;
        size_t from = 0;
        if (differing != NULL && !differing[y]) {
            continue;
        }
        while (both && (from = scan(pixel_at(a, 0, y), pixel_at(b, 0, y), from, shared)) < shared) {
            size_t end = shared - from < DIFF_GROUP ? shared : from + DIFF_GROUP;
            for (; from < end; from += 4) {
                int x = (int)(from / 4);
                row[x / TILE] += (unsigned short)differs(a, b, x, y, threshold);
            }
        }
        for (int x = both ? (int)(shared / 4) : 0; x < w; x++) {
            row[x / TILE] += (unsigned short)differs(a, b, x, y, threshold);
        }
    }
    return true;
}

/* The region of every tile that hangs together with the first. */
static struct glmv_region flood(struct tiles *t, int first)
{
    int left = t->w;
    int top = t->h;
    int right = -1;
    int bottom = -1;
    size_t pixels = 0;
    int depth = 0;
    t->stack[depth++] = first;
    t->seen[first] = 1;
    while (depth > 0) {
        int at = t->stack[--depth];
        int tx = at % t->w;
        int ty = at / t->w;
        left = tx < left ? tx : left;
        right = tx > right ? tx : right;
        top = ty < top ? ty : top;
        bottom = ty > bottom ? ty : bottom;
        pixels += t->counts[at];
        for (int y = ty - REACH; y <= ty + REACH; y++) {
            for (int x = tx - REACH; x <= tx + REACH; x++) {
                int next = y * t->w + x;
                if (x >= 0 && x < t->w && y >= 0 && y < t->h && !t->seen[next] &&
                    t->counts[next] >= TILE_MIN) {
                    t->seen[next] = 1;
                    t->stack[depth++] = next;
                }
            }
        }
    }
    return (struct glmv_region){left * TILE, top * TILE, (right - left + 1) * TILE,
                                (bottom - top + 1) * TILE, pixels};
}

/* Pulls the sides in to the first differing pixel. */
static void tighten(struct glmv_region *r, const struct glmv_image *a, const struct glmv_image *b,
                    double threshold)
{
    int left = r->x + r->w;
    int top = r->y + r->h;
    int right = r->x;
    int bottom = r->y;
    for (int y = r->y; y < r->y + r->h; y++) {
        for (int x = r->x; x < r->x + r->w; x++) {
            if (differs(a, b, x, y, threshold)) {
                left = x < left ? x : left;
                right = x > right ? x : right;
                top = y < top ? y : top;
                bottom = y > bottom ? y : bottom;
            }
        }
    }
    *r = (struct glmv_region){left, top, right - left + 1, bottom - top + 1, r->pixels};
}

static int by_pixels(const void *p, const void *q)
{
    const struct glmv_region *a = p;
    const struct glmv_region *b = q;
    if (a->pixels != b->pixels) {
        return a->pixels < b->pixels ? 1 : -1;
    }
    return a->y != b->y ? a->y - b->y : a->x - b->x;
}

struct glmv_region *glmv_diff_regions(const struct glmv_image *a, const struct glmv_image *b,
                                      double threshold, size_t max, size_t *count,
                                      struct glmv_err *err)
{
    return glmv_diff_regions_in(a, b, NULL, threshold, max, count, err);
}

struct glmv_region *glmv_diff_regions_in(const struct glmv_image *a, const struct glmv_image *b,
                                         const uint8_t *differs_in, double threshold, size_t max,
                                         size_t *count, struct glmv_err *err)
{
    struct tiles t = {0};
    struct glmv_region *list = NULL;
    *count = 0;
    if (count_tiles(a, b, differs_in, threshold, &t)) {
        list = malloc(((size_t)t.w * (size_t)t.h + 1) * sizeof *list);
    }
    for (int i = 0; list != NULL && i < t.w * t.h; i++) {
        if (!t.seen[i] && t.counts[i] >= TILE_MIN) {
            list[(*count)++] = flood(&t, i);
        }
    }
    if (list == NULL) {
        glmv_fail_memory(err);
    } else {
        qsort(list, *count, sizeof *list, by_pixels);
        *count = *count > max ? max : *count;
        for (size_t i = 0; i < *count; i++) {
            tighten(&list[i], a, b, threshold);
        }
    }
    free(t.counts);
    free(t.seen);
    free(t.stack);
    return list;
}

struct glmv_image *glmv_diff_picture(const struct glmv_image *a, const struct glmv_image *b,
                                     double threshold, struct glmv_err *err)
{
    int w = a->width > b->width ? a->width : b->width;
    int h = a->height > b->height ? a->height : b->height;
    struct glmv_image *out = glmv_image_new(w, h, err);
    for (int y = 0; out != NULL && y < h; y++) {
        for (int x = 0; x < w; x++) {
            uint8_t *p = out->rgba + ((size_t)y * (size_t)w + (size_t)x) * 4;
            p[3] = 255;
            if (differs(a, b, x, y, threshold)) {
                p[0] = 220;
                p[1] = 20;
                p[2] = 40;
            } else if (x < a->width && y < a->height) {
                const uint8_t *q = pixel_at(a, x, y);
                int grey = (299 * q[0] + 587 * q[1] + 114 * q[2]) / 1000;
                memset(p, 255 - (255 - grey) / 5, 3);
            } else {
                memset(p, 255, 3);
            }
        }
    }
    return out;
}
