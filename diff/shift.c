#include "diff/shift.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "diff/diff.h"

#define SEGMENT 64  /* px; narrow enough that a fixed sidebar does not outvote the rest */
#define OFFSETS 12  /* candidates besides 0 */
#define MIN_VOTES 8 /* unique segments that an offset needs */
/* Of a segment of one colour that changed by less than the threshold, where another is 1. */
#define FAINT_COST 0.1
#define SWITCH_COST 3.0 /* in rows that match nowhere */

struct mark {
    uint64_t hash;
    int row;
};

struct grid {
    /* rows x columns; of a segment of one colour that colour, made odd; all others are even */
    uint64_t *hashes;
    struct mark *marks;
    size_t mark_count;
    int rows, columns;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

/* Hash of one segment; *plain receives whether all its pixels are equal. */
static uint64_t hash_segment(const uint8_t *p, int w, int column, bool *plain)
{
    uint64_t h = mix(0x51ed270b, (uint64_t)column);
    *plain = true;
    for (int x = 0; x < w; x++) {
        uint32_t pixel;
        memcpy(&pixel, p + (size_t)x * 4, 4);
        h = mix(h, pixel);
        *plain = *plain && memcmp(p, p + (size_t)x * 4, 4) == 0;
    }
    if (*plain) {
        uint32_t pixel;
        memcpy(&pixel, p, 4);
        return (uint64_t)pixel << 1 | 1;
    }
    return h & ~(uint64_t)1;
}

static int by_hash(const void *p, const void *q)
{
    const struct mark *a = p;
    const struct mark *b = q;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static bool grid_init(struct grid *g, const struct glmv_image *image, int width)
{
    g->rows = image->height;
    g->columns = (width + SEGMENT - 1) / SEGMENT;
    size_t cells = (size_t)g->rows * (size_t)g->columns;
    g->hashes = malloc(cells * sizeof *g->hashes);
    g->marks = malloc(cells * sizeof *g->marks);
    if (g->hashes == NULL || g->marks == NULL) {
        return false;
    }
    for (int y = 0; y < g->rows; y++) {
        const uint8_t *row = image->rgba + (size_t)y * (size_t)image->width * 4;
        for (int c = 0; c < g->columns; c++) {
            int left = width - c * SEGMENT;
            bool plain;
            uint64_t h = hash_segment(row + (size_t)c * SEGMENT * 4,
                                      left < SEGMENT ? left : SEGMENT, c, &plain);
            g->hashes[(size_t)y * (size_t)g->columns + (size_t)c] = h;
            if (!plain) {
                g->marks[g->mark_count++] = (struct mark){h, y};
            }
        }
    }
    qsort(g->marks, g->mark_count, sizeof *g->marks, by_hash);
    return true;
}

static void grid_release(struct grid *g)
{
    free(g->hashes);
    free(g->marks);
}

static bool is_single(const struct grid *g, size_t i)
{
    return (i == 0 || g->marks[i - 1].hash != g->marks[i].hash) &&
           (i + 1 == g->mark_count || g->marks[i + 1].hash != g->marks[i].hash);
}

/* The offsets that segments which are unique in both pictures vote for; 0 comes first. */
static int find_offsets(const struct grid *a, const struct grid *b, int *offsets, int *votes)
{
    size_t i = 0;
    size_t j = 0;
    while (i < a->mark_count && j < b->mark_count) {
        uint64_t p = a->marks[i].hash;
        uint64_t q = b->marks[j].hash;
        if (p == q && is_single(a, i) && is_single(b, j)) {
            votes[b->marks[j].row - a->marks[i].row + a->rows]++;
        }
        i += p <= q;
        j += q <= p;
    }
    int count = 0;
    offsets[count++] = 0;
    votes[a->rows] = 0;
    while (count <= OFFSETS) {
        int best = 0;
        for (int k = 1; k < a->rows + b->rows; k++) {
            best = votes[k] > votes[best] ? k : best;
        }
        if (votes[best] < MIN_VOTES) {
            break;
        }
        offsets[count++] = best - a->rows;
        votes[best] = 0;
    }
    return count;
}

static bool is_faint(uint64_t p, uint64_t q)
{
    uint32_t a = (uint32_t)(p >> 1);
    uint32_t b = (uint32_t)(q >> 1);
    uint8_t colours[2][4];
    memcpy(colours[0], &a, 4);
    memcpy(colours[1], &b, 4);
    return (p & q & 1) != 0 && !glmv_diff_pixel(colours[0], colours[1], GLMV_DIFF_THRESHOLD);
}

/* Share of a row's segments that differ from the row it would have moved to. */
static double row_cost(const struct grid *a, const struct grid *b, int y, int dy)
{
    if (y + dy < 0 || y + dy >= b->rows) {
        return 1;
    }
    const uint64_t *p = a->hashes + (size_t)y * (size_t)a->columns;
    const uint64_t *q = b->hashes + (size_t)(y + dy) * (size_t)b->columns;
    double differ = 0;
    for (int c = 0; c < a->columns; c++) {
        differ += p[c] == q[c] ? 0 : is_faint(p[c], q[c]) ? FAINT_COST : 1;
    }
    return differ / a->columns;
}

/* Viterbi: from[] receives, for each row and offset, the offset of the row above. Returns the best
 * offset of the last row. */
static int walk(const struct grid *a, const struct grid *b, const int *offsets, int count,
                uint8_t *from)
{
    double cost[OFFSETS + 1];
    for (int k = 0; k < count; k++) {
        cost[k] = offsets[k] == 0 ? 0 : SWITCH_COST;
    }
    for (int y = 0; y < a->rows; y++) {
        int best = 0;
        for (int k = 1; k < count; k++) {
            best = cost[k] < cost[best] ? k : best;
        }
        double change = cost[best] + (y > 0 ? SWITCH_COST : 0);
        for (int k = 0; k < count; k++) {
            bool switches = y > 0 && change < cost[k];
            from[(size_t)y * (OFFSETS + 1) + (size_t)k] = (uint8_t)(switches ? best : k);
            cost[k] = (switches ? change : cost[k]) + row_cost(a, b, y, offsets[k]);
        }
    }
    int last = 0;
    for (int k = 1; k < count; k++) {
        last = cost[k] < cost[last] ? k : last;
    }
    return last;
}

/* Follows the path upwards and turns it into bands. */
static size_t collect(const uint8_t *from, int rows, const int *offsets, int last,
                      struct glmv_band *bands)
{
    size_t count = 0;
    int k = last;
    for (int y = rows - 1; y >= 0; y--) {
        if (count > 0 && bands[count - 1].dy == offsets[k]) {
            bands[count - 1].y = y;
            bands[count - 1].h++;
        } else {
            bands[count++] = (struct glmv_band){y, 1, offsets[k]};
        }
        k = from[(size_t)y * (OFFSETS + 1) + (size_t)k];
    }
    for (size_t i = 0; i < count / 2; i++) {
        struct glmv_band swap = bands[i];
        bands[i] = bands[count - 1 - i];
        bands[count - 1 - i] = swap;
    }
    return count;
}

struct glmv_band *glmv_diff_bands(const struct glmv_image *a, const struct glmv_image *b,
                                  size_t *count, struct glmv_err *err)
{
    int width = a->width < b->width ? a->width : b->width;
    struct grid ga = {0};
    struct grid gb = {0};
    int offsets[OFFSETS + 1];
    int *votes = calloc((size_t)a->height + (size_t)b->height + 1, sizeof *votes);
    uint8_t *from = malloc((size_t)a->height * (OFFSETS + 1));
    struct glmv_band *bands = malloc((size_t)a->height * sizeof *bands);
    bool ok = votes != NULL && from != NULL && bands != NULL && grid_init(&ga, a, width) &&
              grid_init(&gb, b, width);
    if (ok) {
        int candidates = find_offsets(&ga, &gb, offsets, votes);
        int last = walk(&ga, &gb, offsets, candidates, from);
        *count = collect(from, a->height, offsets, last, bands);
    } else {
        free(bands);
        bands = NULL;
        glmv_fail_memory(err);
    }
    grid_release(&ga);
    grid_release(&gb);
    free(votes);
    free(from);
    return bands;
}

size_t glmv_diff_gaps(const struct glmv_band *bands, size_t count, int height_a, int height_b,
                      struct glmv_gap *out)
{
    size_t found = 0;
    int before = 0;
    for (size_t i = 0; i <= count; i++) {
        bool end = i == count;
        int y = end ? height_a : bands[i].y;
        int dy = end ? height_b - height_a : bands[i].dy;
        if (dy > before) {
            out[found++] = (struct glmv_gap){true, y + before, dy - before};
        } else if (dy < before) {
            out[found++] = (struct glmv_gap){false, end ? y - (before - dy) : y, before - dy};
        }
        before = dy;
    }
    return found;
}
