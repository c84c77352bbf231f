#include "diff/noise.h"

#include <stdlib.h>
#include <string.h>

#include "diff/scan.h"

#define TILE 16
#define MARGIN 8 /* levels; so far outside of the range is still noise */

/* Blurred rows of one picture around the row at hand, and of each the range over 3 x 3. */
struct plane {
    const struct glmv_image *image;
    int w, h;
    uint8_t *rows[3]; /* blurred rows y - 1, y, y + 1, by y mod 3; three bytes a pixel */
    uint8_t *low, *high;
};

static bool plane_init(struct plane *p, const struct glmv_image *image, int w, int h)
{
    size_t bytes = (size_t)w * 3;
    *p = (struct plane){.image = image, .w = w, .h = h};
    uint8_t *room = malloc(bytes * 5);
    for (size_t i = 0; room != NULL && i < 3; i++) {
        p->rows[i] = room + i * bytes;
    }
    p->low = room != NULL ? room + 3 * bytes : NULL;
    p->high = room != NULL ? room + 4 * bytes : NULL;
    return room != NULL;
}

static int clamp(int v, int max)
{
    return v < 0 ? 0 : v > max ? max : v;
}

static void blur_row(struct plane *p, int y)
{
    uint8_t *out = p->rows[(y + 3) % 3];
    const uint8_t *rows[3];
    for (int k = 0; k < 3; k++) {
        rows[k] = p->image->rgba + (size_t)clamp(y + k - 1, p->h - 1) * (size_t)p->image->width * 4;
    }
    for (int x = 0; x < p->w; x++) {
        int left = x > 0 ? x - 1 : 0;
        int right = x + 1 < p->w ? x + 1 : x;
        for (int c = 0; c < 3; c++) {
            unsigned sum = 8;
            for (int k = 0; k < 3; k++) {
                sum += (k == 1 ? 2u : 1u) *
                       (rows[k][left * 4 + c] + 2u * rows[k][x * 4 + c] + rows[k][right * 4 + c]);
            }
            out[x * 3 + c] = (uint8_t)(sum / 16);
        }
    }
}

/* The least and the largest of the blurred 3 x 3 around each pixel of row y. */
static void fill_range(struct plane *p, int y)
{
    const uint8_t *rows[3];
    for (int k = 0; k < 3; k++) {
        rows[k] = p->rows[clamp(y + k - 1, p->h - 1) % 3];
    }
    for (int x = 0; x < p->w; x++) {
        int left = x > 0 ? x - 1 : 0;
        int right = x + 1 < p->w ? x + 1 : x;
        for (int c = 0; c < 3; c++) {
            uint8_t low = 255;
            uint8_t high = 0;
            for (int k = 0; k < 3; k++) {
                const uint8_t v[3] = {rows[k][left * 3 + c], rows[k][x * 3 + c],
                                      rows[k][right * 3 + c]};
                for (int i = 0; i < 3; i++) {
                    low = v[i] < low ? v[i] : low;
                    high = v[i] > high ? v[i] : high;
                }
            }
            p->low[x * 3 + c] = low;
            p->high[x * 3 + c] = high;
        }
    }
}

static int outside(int v, int low, int high)
{
    int excess = v < low ? low - v : v > high ? v - high : 0;
    return excess > MARGIN ? excess - MARGIN : 0;
}

static void add_row(const struct plane *a, const struct plane *b, int y, uint32_t *tiles)
{
    const uint8_t *p = a->rows[y % 3];
    const uint8_t *q = b->rows[y % 3];
    for (int x = 0; x < a->w; x++) {
        int most = 0;
        for (int c = x * 3; c < x * 3 + 3; c++) {
            int there = outside(p[c], b->low[c], b->high[c]);
            int back = outside(q[c], a->low[c], a->high[c]);
            most = there > most ? there : most;
            most = back > most ? back : most;
        }
        tiles[x / TILE] += (uint32_t)most;
    }
}

/* Whether rows y - 2 .. y + 2 are equal: then row y adds nothing. */
static bool is_quiet(const bool *equal, int y, int h)
{
    for (int k = -2; k <= 2; k++) {
        if (!equal[clamp(y + k, h - 1)]) {
            return false;
        }
    }
    return true;
}

static bool measure(struct plane *a, struct plane *b, const bool *equal, double *score)
{
    size_t columns = (size_t)(a->w + TILE - 1) / TILE;
    uint32_t *tiles = calloc(columns, sizeof *tiles);
    if (tiles == NULL) {
        return false;
    }
    int blurred = -1; /* the last row that was blurred */
    for (int y = 0; y < a->h; y++) {
        if (!is_quiet(equal, y, a->h)) {
            for (int row = blurred < y - 2 ? y - 1 : blurred + 1; row <= y + 1; row++) {
                if (row >= 0 && row < a->h) {
                    blur_row(a, row);
                    blur_row(b, row);
                }
            }
            blurred = y + 1;
            fill_range(a, y);
            fill_range(b, y);
            add_row(a, b, y, tiles);
        }
        if (y % TILE == TILE - 1 || y == a->h - 1) {
            for (size_t i = 0; i < columns; i++) {
                *score = tiles[i] > *score ? tiles[i] : *score;
                tiles[i] = 0;
            }
        }
    }
    free(tiles);
    return true;
}

bool glmv_diff_noise(const struct glmv_image *a, const struct glmv_image *b, double *score,
                     struct glmv_err *err)
{
    return glmv_diff_noise_in(a, b, NULL, score, err);
}

bool glmv_diff_noise_in(const struct glmv_image *a, const struct glmv_image *b,
                        const uint8_t *differs, double *score, struct glmv_err *err)
{
    int w = a->width < b->width ? a->width : b->width;
    int h = a->height < b->height ? a->height : b->height;
    struct plane p = {0};
    struct plane q = {0};
    bool *equal = malloc((size_t)h * sizeof *equal);
    diff_scan_fn *scan = diff_scan_best();
    *score = 0;
    bool ok = equal != NULL && plane_init(&p, a, w, h) && plane_init(&q, b, w, h);
    if (ok) {
        size_t len = (size_t)w * 4;
        for (size_t y = 0; y < (size_t)h; y++) {
            equal[y] = differs != NULL ? !differs[y]
                                       : scan(a->rgba + y * (size_t)a->width * 4,
                                              b->rgba + y * (size_t)b->width * 4, 0, len) == len;
        }
        ok = measure(&p, &q, equal, score);
    }
    free(p.rows[0]);
    free(q.rows[0]);
    free(equal);
    return ok || glmv_fail_memory(err);
}
