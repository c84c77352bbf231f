/*
 * Text on photos. A photo has no surface that text could lie on, but letters are thin, of one
 * colour, and lighter or darker than everything a few px around them: they are what a grey opening
 * or closing takes away (the top-hat transform).
 */
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

enum {
    TILE = 16,        /* px */
    TILE_UNEVEN = 35, /* per cent of a photo's tile that lies on no surface */
    AROUND = 4,       /* tiles beside a photo's that may be even parts of it */
    PHOTO_TILES = 40, /* tiles of the smallest photo that is looked at */
    STROKE = 9,       /* px, half of the widest stroke */
    RAISED = 46,      /* levels that a letter stands out by */
    RAISED_CALM = 24, /* and where the photo is calm */
    UNREST = 4,       /* times as much as px of the photo do */
    FAINT = 28,       /* levels that all of its px do */
    CALM_TILE = 32,   /* px of what is calm or not */
    SOFT = 2,         /* px that faint ones reach beyond those */
    LIGHT = 150,      /* darkest light text */
    DARK = 90,        /* lightest dark text */
    CLEAR = 80,       /* levels above which letters of any lightness are seen */
    MIN_HEIGHT = 6,   /* px of a letter */
    MAX_HEIGHT = 90,
    ALIKE = 16, /* levels within the colour of one letter, at least */
    MAX_MARKS = 4000,
};

struct hat {
    struct model_view *view;
    uint8_t *photo;  /* 1 where a photo is */
    uint8_t *light;  /* luminance */
    uint8_t *raised; /* how far it stands out */
    uint8_t *limit;  /* a tile of CALM_TILE: how far letters do there */
    uint8_t *a, *b;
    int32_t *queue;
    struct model_rect r; /* of the photos, with the px that a filter looks at */
};

/* A tile and those around it: photos have even parts too. */
static void mark_tile(struct hat *hat, int tx, int ty)
{
    const struct model_view *view = hat->view;
    int x0 = model_max(0, (tx - AROUND) * TILE);
    int x1 = model_min(view->w, (tx + AROUND + 1) * TILE);
    int y1 = model_min(view->h, (ty + AROUND + 1) * TILE);
    for (int y = model_max(0, (ty - AROUND) * TILE); y < y1; y++) {
        memset(hat->photo + (size_t)y * (size_t)view->w + (size_t)x0, 1, (size_t)(x1 - x0));
    }
}

/* Tiles that lie on no surface, in groups of some size. */
static void find_photos(struct hat *hat)
{
    const struct model_view *view = hat->view;
    int tw = view->w / TILE;
    int th = view->h / TILE;
    uint8_t *uneven = hat->a;
    memset(uneven, 0, (size_t)view->w * (size_t)view->h);
    for (int ty = 0; ty < th; ty++) {
        for (int tx = 0; tx < tw; tx++) {
            int n = 0;
            for (int y = ty * TILE; y < (ty + 1) * TILE; y++) {
                for (int x = tx * TILE; x < (tx + 1) * TILE; x++) {
                    int32_t l = view->label[y * view->w + x];
                    n += l < 0 || !view->regions[l].surface;
                }
            }
            uneven[ty * tw + tx] = n * 100 >= TILE_UNEVEN * TILE * TILE;
        }
    }
    for (int start = 0; start < tw * th; start++) {
        if (uneven[start] != 1) {
            continue;
        }
        int head = 0;
        int tail = 0;
        hat->queue[tail++] = start;
        uneven[start] = 2;
        while (head < tail) {
            int i = hat->queue[head++];
            const int next[4] = {i % tw > 0 ? i - 1 : i, i % tw + 1 < tw ? i + 1 : i,
                                 i >= tw ? i - tw : i, i + tw < tw * th ? i + tw : i};
            for (int k = 0; k < 4; k++) {
                if (uneven[next[k]] == 1) {
                    uneven[next[k]] = 2;
                    hat->queue[tail++] = next[k];
                }
            }
        }
        for (int k = 0; tail >= PHOTO_TILES && k < tail; k++) {
            mark_tile(hat, hat->queue[k] % tw, hat->queue[k] / tw);
        }
    }
}

/* The smallest (or with flip the largest) value within STROKE px along one direction. */
static void reach_over(const uint8_t *from, uint8_t *to, int count, size_t step, uint8_t flip)
{
    for (int i = 0; i < count; i++) {
        uint8_t best = 255;
        for (int k = model_max(0, i - STROKE); k <= model_min(count - 1, i + STROKE); k++) {
            uint8_t v = from[(size_t)k * step] ^ flip;
            best = v < best ? v : best;
        }
        to[(size_t)i * step] = best ^ flip;
    }
}

static void filter(const struct hat *hat, const uint8_t *from, uint8_t *room, uint8_t *to,
                   uint8_t flip)
{
    size_t w = (size_t)hat->view->w;
    const struct model_rect *r = &hat->r;
    size_t corner = (size_t)r->y0 * w + (size_t)r->x0;
    for (int y = 0; y < r->y1 - r->y0; y++) {
        reach_over(from + corner + (size_t)y * w, room + corner + (size_t)y * w, r->x1 - r->x0, 1,
                   flip);
    }
    for (int x = 0; x < r->x1 - r->x0; x++) {
        reach_over(room + corner + (size_t)x, to + corner + (size_t)x, r->y1 - r->y0, w, flip);
    }
}

/* Whether most px of a component have the colour of its strongest ones. */
static bool has_one_colour(const struct hat *hat, int count)
{
    int strongest = hat->queue[0];
    for (int i = 1; i < count; i++) {
        strongest = hat->raised[hat->queue[i]] > hat->raised[strongest] ? hat->queue[i] : strongest;
    }
    const uint8_t *rgba = hat->view->image->rgba;
    int limit = model_max(ALIKE, hat->raised[strongest] * 2 / 5); /* thin strokes fall between px */
    int alike = 0;
    int inner = 0; /* the rest are soft edges */
    for (int i = 0; i < count; i++) {
        inner += hat->raised[hat->queue[i]] * 2 >= hat->raised[strongest];
        alike +=
            model_distance(rgba + (size_t)hat->queue[i] * 4, rgba + (size_t)strongest * 4) <= limit;
    }
    return alike * 100 >= 35 * inner;
}

/* The letter that holds a px; clears it from the mask in hat->a. */
static int take_letter(struct hat *hat, int start, struct model_rect *box)
{
    const struct model_view *view = hat->view;
    int head = 0;
    int tail = 0;
    uint8_t *soft = hat->b; /* px since the last that stood out */
    hat->queue[tail++] = start;
    hat->a[start] = 0;
    soft[start] = 0;
    *box = (struct model_rect){view->w, view->h, 0, 0};
    while (head < tail) {
        int i = hat->queue[head++];
        int x = i % view->w;
        int y = i / view->w;
        box->x0 = model_min(box->x0, x);
        box->y0 = model_min(box->y0, y);
        box->x1 = model_max(box->x1, x + 1);
        box->y1 = model_max(box->y1, y + 1);
        for (int ny = model_max(0, y - 1); ny <= model_min(view->h - 1, y + 1); ny++) {
            for (int nx = model_max(0, x - 1); nx <= model_min(view->w - 1, x + 1); nx++) {
                int n = ny * view->w + nx;
                if (hat->a[n] == 2 || (hat->a[n] == 1 && soft[i] < SOFT)) {
                    soft[n] = hat->a[n] == 2 ? 0 : (uint8_t)(soft[i] + 1);
                    hat->a[n] = 0;
                    hat->queue[tail++] = n;
                }
            }
        }
    }
    return tail;
}

/* What the photo looks like around a letter. */
static void ground_around(const struct hat *hat, struct model_rect r, uint8_t *bg)
{
    const struct model_view *view = hat->view;
    long sum[3] = {0, 0, 0};
    long n = 0;
    for (int y = model_max(r.y0 - 3, 0); y < model_min(r.y1 + 3, view->h); y++) {
        for (int x = model_max(r.x0 - 3, 0); x < model_min(r.x1 + 3, view->w); x++) {
            if (hat->raised[y * view->w + x] < RAISED / 3) {
                const uint8_t *p = model_px(view, x, y);
                for (int c = 0; c < 3; c++) {
                    sum[c] += p[c];
                }
                n++;
            }
        }
    }
    for (int c = 0; c < 3; c++) {
        bg[c] = n > 0 ? (uint8_t)(sum[c] / n) : 128;
    }
}

static int limit_at(const struct hat *hat, int x, int y)
{
    return hat->limit[y / CALM_TILE * (hat->view->w / CALM_TILE + 1) + x / CALM_TILE];
}

/* Noise and leaves stand out as well. Most px of a photo are no letters, even where text is: half
 * of them tell how much of that there is. */
static void find_limits(struct hat *hat)
{
    const struct model_view *view = hat->view;
    int across = view->w / CALM_TILE + 1;
    for (int ty = 0; ty <= view->h / CALM_TILE; ty++) {
        for (int tx = 0; tx < across; tx++) {
            int seen[256] = {0};
            int n = 0;
            for (int y = ty * CALM_TILE; y < model_min(view->h, (ty + 1) * CALM_TILE); y++) {
                for (int x = tx * CALM_TILE; x < model_min(view->w, (tx + 1) * CALM_TILE); x++) {
                    size_t at = (size_t)y * (size_t)view->w + (size_t)x;
                    seen[hat->raised[at]] += hat->photo[at];
                    n += hat->photo[at];
                }
            }
            int middle = 0;
            for (int sum = seen[0]; sum * 2 < n; sum += seen[middle]) {
                middle++;
            }
            hat->limit[ty * across + tx] =
                (uint8_t)model_min(RAISED, model_max(RAISED_CALM, middle * UNREST));
        }
    }
}

static bool add_letters(struct hat *hat, int surface, struct glmv_err *err)
{
    struct model_view *view = hat->view;
    size_t total = (size_t)view->w * (size_t)view->h;
    struct model_mark *marks =
        realloc(view->marks, ((size_t)view->mark_count + MAX_MARKS) * sizeof *marks);
    if (marks == NULL) {
        return glmv_fail_memory(err);
    }
    view->marks = marks;
    int added = 0;
    for (size_t i = 0; i < total && added < MAX_MARKS; i++) {
        if (hat->a[i] != 2) {
            continue;
        }
        struct model_rect r;
        int count = take_letter(hat, (int)i, &r);
        int w = r.x1 - r.x0;
        int h = r.y1 - r.y0;
        double filled = (double)count / ((double)w * h);
        if (h > MAX_HEIGHT || w > 3 * MAX_HEIGHT || (h < MIN_HEIGHT && w > MIN_HEIGHT) ||
            count < 3 || (filled > 0.95 && h > 12 && w * 3 > h) || filled < 0.12 ||
            !has_one_colour(hat, count)) {
            continue;
        }
        struct model_mark mark = {.r = r, .surface = surface, .area = count, .row = -1};
        ground_around(hat, r, mark.bg);
        for (int k = 0; k < count; k++) {
            mark.contrast =
                model_max(mark.contrast,
                          model_distance(view->image->rgba + (size_t)hat->queue[k] * 4, mark.bg));
        }
        if (mark.contrast >= limit_at(hat, r.x0, r.y0)) {
            view->marks[view->mark_count++] = mark;
            added++;
        }
    }
    return true;
}

/* One look for light letters and one for dark ones, on two surfaces that no px is labelled with. */
static bool look_for(struct hat *hat, bool dark, struct glmv_err *err)
{
    struct model_view *view = hat->view;
    size_t total = (size_t)view->w * (size_t)view->h;
    uint8_t flip = dark ? 255 : 0;
    filter(hat, hat->light, hat->b, hat->a, flip); /* erosion */
    filter(hat, hat->a, hat->b, hat->a,
           (uint8_t)(flip ^ 255)); /* and back: what is left is the ground */
    for (size_t i = 0; i < total; i++) {
        int up = dark ? hat->a[i] - hat->light[i] : hat->light[i] - hat->a[i];
        hat->raised[i] = (uint8_t)(hat->photo[i] ? model_max(0, up) : 0);
        view->lettering[i] =
            (uint8_t)(hat->photo[i] ? model_max(view->lettering[i], hat->raised[i]) : 0);
    }
    /* Beside letters that stand out far, what stands out less is their edges or the photo. */
    filter(hat, hat->raised, hat->b, hat->a, 255);
    find_limits(hat);
    for (size_t i = 0; i < total; i++) {
        int up = hat->raised[i];
        int highest = up > 0 ? hat->a[i] : 255;
        bool clear = dark ? hat->light[i] <= DARK : hat->light[i] >= LIGHT;
        int limit = limit_at(hat, (int)(i % (size_t)view->w), (int)(i / (size_t)view->w));
        bool strong = up >= (clear ? limit : CLEAR) && up * 5 >= highest * 2;
        hat->a[i] = strong ? 2 : up >= FAINT * limit / RAISED && up * 4 >= highest;
    }
    return add_letters(hat, dark ? MODEL_ON_PHOTO_DARK : MODEL_ON_PHOTO_LIGHT, err);
}

static bool bound_photos(struct hat *hat)
{
    const struct model_view *view = hat->view;
    hat->r = (struct model_rect){view->w, view->h, 0, 0};
    for (int y = 0; y < view->h; y++) {
        for (int x = 0; x < view->w; x += TILE) {
            if (hat->photo[(size_t)y * (size_t)view->w + (size_t)x]) {
                hat->r.x0 = model_min(hat->r.x0, x);
                hat->r.x1 = model_max(hat->r.x1, x + TILE);
                hat->r.y0 = model_min(hat->r.y0, y);
                hat->r.y1 = y + 1;
            }
        }
    }
    int margin = 2 * STROKE;
    hat->r.x0 = model_max(0, hat->r.x0 - margin);
    hat->r.y0 = model_max(0, hat->r.y0 - margin);
    hat->r.x1 = model_min(view->w, hat->r.x1 + margin);
    hat->r.y1 = model_min(view->h, hat->r.y1 + margin);
    return hat->r.x1 > hat->r.x0 && hat->r.y1 > hat->r.y0;
}

bool model_lettering_find(struct model_view *view, struct glmv_err *err)
{
    size_t total = (size_t)view->w * (size_t)view->h;
    struct hat hat = {.view = view};
    hat.photo = calloc(total, 1);
    hat.light = malloc(total);
    hat.raised = malloc(total);
    hat.a = malloc(total);
    hat.b = malloc(total);
    hat.queue = malloc(total * sizeof *hat.queue);
    hat.limit = malloc(total / (CALM_TILE * CALM_TILE) + (size_t)view->w + (size_t)view->h + 1);
    view->lettering = calloc(total, 1);
    bool ok = hat.photo != NULL && hat.light != NULL && hat.raised != NULL && hat.a != NULL &&
              hat.b != NULL && hat.queue != NULL && hat.limit != NULL && view->lettering != NULL;
    if (!ok) {
        glmv_fail_memory(err);
    }
    bool any = false;
    if (ok) {
        find_photos(&hat);
        any = bound_photos(&hat);
    }
    for (size_t i = 0; any && i < total; i++) {
        const uint8_t *p = view->image->rgba + i * 4;
        hat.light[i] = (uint8_t)((p[0] * 77 + p[1] * 151 + p[2] * 28) >> 8);
    }
    ok = ok && (!any || (look_for(&hat, false, err) && look_for(&hat, true, err)));
    free(hat.photo);
    free(hat.light);
    free(hat.raised);
    free(hat.a);
    free(hat.b);
    free(hat.queue);
    free(hat.limit);
    return ok;
}
