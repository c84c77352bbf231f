/*
 * The calm parts of photos: sky, mist, walls, or all of one that a colour lies over. They pass for
 * the surface under them. What tells them from glows and shadows, which are smooth, is detail: px
 * that bend both along their row and along their column.
 */
#include <stdlib.h>

#include "model/tracer/pictures.h"

enum {
    EXACT = 1, /* levels */
    TILE = 16, /* px */
    TILES = TILE * TILE,
    FAR = 40,         /* levels: ink, not a calm part */
    BEND_REACH = 3,   /* px */
    BEND = 4,         /* levels that a px is off the mean of those at that reach on both sides */
    BENT = 8,         /* px of a tile that bend each way, where it has detail */
    FAINT_TILES = 80, /* of a photo that is faint all over */
    FAINT_LEVELS = 5, /* that it varies by, more than a texture does */
    DETAILED = 12,    /* per cent of its tiles, at least */
    TEXTURED = 90,    /* per cent, from which on it is a texture */
    LEVELS = 64,
};

enum { PLAIN, CALM, TAKEN };

struct tile {
    uint8_t state;
    bool off;      /* most px are not explained exactly */
    bool detailed; /* px bend both ways */
    bool inked;    /* letters or the like are on it */
    bool faint;    /* of a photo that is faint all over */
    int level;     /* levels that its px are off, in the mean; below 0: darker */
};

struct tiles {
    struct leftovers *lo;
    int w, h;
    struct tile *at; /* owned */
    int *cluster;    /* owned; those that are off and touch */
    int tail;        /* of the queue of tiles that are taken */
};

static int count_residual(const struct leftovers *lo, int x0, int y0)
{
    int n = 0;
    for (int y = y0; y < y0 + TILE; y++) {
        for (int x = x0; x < x0 + TILE; x++) {
            n += lo->residual[(size_t)y * (size_t)lo->view->w + (size_t)x];
        }
    }
    return n;
}

/* Whether a px is off the mean of two that lie at both sides of it; step: bytes between px. */
static bool bend(const struct model_view *view, int x, int y, ptrdiff_t step)
{
    const uint8_t *p = model_px(view, x, y);
    int worst = 0;
    for (int c = 0; c < 3; c++) {
        int off = 2 * p[c] - p[c - BEND_REACH * step] - p[c + BEND_REACH * step];
        worst = model_max(worst, off < 0 ? -off : off);
    }
    return worst >= BEND;
}

/* By how much the channel that is most off is. */
static int signed_distance(const uint8_t *p, const uint8_t *from)
{
    int most = 0;
    for (int c = 0; c < 3; c++) {
        int d = p[c] - from[c];
        most = abs(d) > abs(most) ? d : most;
    }
    return most;
}

/* A tile is calm when most of its px are a little off, and differently so from those beside them,
 * or lie on a mottled surface. */
static void measure(const struct leftovers *lo, int x0, int y0, struct tile *tile)
{
    const struct model_view *view = lo->view;
    int off = 0;
    int even = 0;
    int mottled = 0;
    int sum = 0;
    int along = 0;
    int down = 0;
    for (int y = y0; y < y0 + TILE; y++) {
        for (int x = x0; x < x0 + TILE; x++) {
            const uint8_t *p = model_px(view, x, y);
            size_t i = (size_t)y * (size_t)view->w + (size_t)x;
            int d = lo->shade[i] ? 0 : model_distance(p, lo->canvas->rgba + i * 4);
            bool left = model_distance(p, p - 4) == 0;
            bool above = model_distance(p, p - (size_t)view->w * 4) == 0;
            off += d > EXACT;
            sum += signed_distance(p, lo->canvas->rgba + i * 4);
            even += left && above;
            along += bend(view, x, y, 4);
            down += bend(view, x, y, (ptrdiff_t)view->w * 4);
            mottled += view->label[i] >= 0 && view->regions[view->label[i]].mottled;
            tile->inked = tile->inked || d > FAR || view->text_mask[i];
        }
    }
    bool uneven = off * 10 >= 6 * TILES && even * 10 <= 4 * TILES;
    tile->state = uneven || mottled * 10 >= 6 * TILES ? CALM : PLAIN;
    tile->off = off * 10 >= 6 * TILES;
    tile->detailed = along >= BENT && down >= BENT;
    tile->level = sum / TILES;
}

static void take(struct tiles *t, int i)
{
    t->at[i].state = TAKEN;
    t->lo->queue[t->tail++] = i;
}

/* The tiles around one, itself included, that are in the picture: how many, and which. */
static int around(const struct tiles *t, int i, int *out)
{
    int n = 0;
    for (int k = 0; k < 9; k++) {
        int x = i % t->w + k % 3 - 1;
        int y = i / t->w + k / 3 - 1;
        if (x >= 0 && y >= 0 && x < t->w && y < t->h) {
            out[n++] = y * t->w + x;
        }
    }
    return n;
}

/* The levels between which most of a cluster's tiles are off, those with ink left out. */
static int variation(const struct tiles *t, int count)
{
    int seen[LEVELS] = {0};
    int all = 0;
    for (int i = 0; i < count; i++) {
        const struct tile *tile = &t->at[t->cluster[i]];
        if (!tile->inked) {
            seen[model_max(0, model_min(tile->level + LEVELS / 2, LEVELS - 1))]++;
            all++;
        }
    }
    int low = -1;
    int high = 0;
    for (int v = 0, sum = 0; v < LEVELS; v++) {
        sum += seen[v];
        low = low < 0 && sum * 10 > all ? v : low;
        high = sum * 10 <= 9 * all ? v + 1 : high;
    }
    return all >= FAINT_TILES / 2 ? high - low : 0;
}

/* Whether tiles are of a photo: they vary from place to place and some have detail. */
static bool is_faint_photo(const struct tiles *t, int count)
{
    int bare = 0;
    int detailed = 0;
    for (int i = 0; i < count; i++) {
        const struct tile *tile = &t->at[t->cluster[i]];
        bare += !tile->inked;
        detailed += !tile->inked && tile->detailed;
    }
    return bare >= FAINT_TILES && detailed * 100 >= DETAILED * bare &&
           detailed * 100 <= TEXTURED * bare && variation(t, count) >= FAINT_LEVELS;
}

/* The rectangle of tiles that a cluster reaches over. */
static struct model_rect bounds(const struct tiles *t, int count)
{
    struct model_rect r = {t->w, t->h, 0, 0};
    for (int i = 0; i < count; i++) {
        int x = t->cluster[i] % t->w;
        int y = t->cluster[i] / t->w;
        r = (struct model_rect){model_min(r.x0, x), model_min(r.y0, y), model_max(r.x1, x + 1),
                                model_max(r.y1, y + 1)};
    }
    return r;
}

/* Places where nothing is seen of a faint photo are of it as well, unless a box lies there. */
static void fill_holes(const struct tiles *t, struct model_rect r)
{
    struct leftovers *lo = t->lo;
    size_t stride = (size_t)lo->view->w;
    if (lo->faint_count < PICTURES_FAINT) {
        lo->faint[lo->faint_count++] =
            (struct model_rect){r.x0 * TILE, r.y0 * TILE, r.x1 * TILE, r.y1 * TILE};
    }
    size_t first = (size_t)t->cluster[0];
    size_t tiles = (size_t)t->w;
    uint16_t owner = lo->owner[first / tiles * TILE * stride + first % tiles * TILE];
    for (int y = r.y0 * TILE; y < r.y1 * TILE; y++) {
        for (int x = r.x0 * TILE; x < r.x1 * TILE; x++) {
            size_t i = (size_t)y * stride + (size_t)x;
            lo->residual[i] |= lo->owner[i] == owner;
        }
    }
}

/* Takes the photos that a colour lies over so strongly that they pass for it. */
static void take_faint(struct tiles *t, uint8_t *seen)
{
    for (int start = 0; start < t->w * t->h; start++) {
        int count = 0;
        if (!seen[start] && t->at[start].off) {
            seen[start] = 1;
            t->cluster[count++] = start;
        }
        for (int head = 0; head < count; head++) {
            int near[9];
            for (int k = around(t, t->cluster[head], near) - 1; k >= 0; k--) {
                if (!seen[near[k]] && t->at[near[k]].off) {
                    seen[near[k]] = 1;
                    t->cluster[count++] = near[k];
                }
            }
        }
        struct model_rect r = bounds(t, count);
        bool filled = count * 2 >= (r.x1 - r.x0) * (r.y1 - r.y0);
        bool photo = filled && is_faint_photo(t, count);
        if (photo) {
            fill_holes(t, r);
        }
        for (int i = 0; photo && i < count; i++) {
            struct tile *tile = &t->at[t->cluster[i]];
            tile->faint = true;
            if (tile->state != TAKEN) {
                take(t, t->cluster[i]);
            }
        }
    }
}

static void mark(const struct tiles *t, int tile)
{
    struct leftovers *lo = t->lo;
    const struct model_view *view = lo->view;
    int x0 = tile % t->w * TILE;
    int y0 = tile / t->w * TILE;
    for (int y = y0; y < y0 + TILE; y++) {
        for (int x = x0; x < x0 + TILE; x++) {
            size_t i = (size_t)y * (size_t)view->w + (size_t)x;
            const uint8_t *p = model_px(view, x, y);
            bool off = !lo->shade[i] && model_distance(p, lo->canvas->rgba + i * 4) > EXACT;
            lo->residual[i] |= off;
            lo->strong[i] |= off && t->at[tile].faint;
        }
    }
}

/* Whether the middle of a tile lies in a box with a gradient. One that a photo touches would be
 * taken for its sky where it was not measured exactly. */
static bool on_gradient(const struct tiles *t, const struct glmv_scene *scene, int tile)
{
    size_t x = (size_t)(tile % t->w) * TILE + TILE / 2;
    size_t y = (size_t)(tile / t->w) * TILE + TILE / 2;
    uint16_t owner = t->lo->owner[y * (size_t)t->lo->view->w + x];
    return owner > 0 && (scene->boxes[owner - 1].fill == GLMV_FILL_GRADIENT ||
                         scene->boxes[owner - 1].glow_count > 0);
}

bool pictures_spread(struct leftovers *lo, const struct glmv_scene *scene)
{
    struct tiles t = {.lo = lo, .w = lo->view->w / TILE, .h = lo->view->h / TILE};
    size_t total = (size_t)t.w * (size_t)t.h + 1;
    t.at = calloc(total, sizeof *t.at);
    t.cluster = malloc(total * sizeof *t.cluster);
    uint8_t *seen = calloc(total, 1);
    bool ok = t.at != NULL && t.cluster != NULL && seen != NULL;
    for (int i = 0; ok && i < t.w * t.h; i++) {
        int x0 = i % t.w * TILE;
        int y0 = i / t.w * TILE;
        bool inner = x0 > 0 && y0 > 0 && x0 + TILE + BEND_REACH <= lo->view->w &&
                     y0 + TILE + BEND_REACH <= lo->view->h;
        if (inner) {
            measure(lo, x0, y0, &t.at[i]);
        }
        if (count_residual(lo, x0, y0) * 10 >= 7 * TILES) {
            take(&t, i);
        }
    }
    if (ok) {
        take_faint(&t, seen);
    }
    for (int head = 0; ok && head < t.tail; head++) {
        int i = lo->queue[head];
        int near[9];
        mark(&t, i);
        for (int k = around(&t, i, near) - 1; k >= 0; k--) {
            if (t.at[near[k]].state == CALM && !on_gradient(&t, scene, near[k])) {
                take(&t, near[k]);
            }
        }
    }
    free(t.at);
    free(t.cluster);
    free(seen);
    return ok;
}
