/*
 * Regions in which several gradients meet: where one passes the colour of the next, px of both are
 * alike and the region holds both. What tells them apart is how their colour changes: px that
 * change alike are the core of one gradient each, and px that go on as the core does join it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

enum {
    REGION_AREA = 6000, /* px of a region that is looked at */
    CORE_AREA = 900,    /* px of a core */
    REACH = 8,          /* px on each side between which a change is measured */
    SAMPLES = 400,
    CORES = 24, /* of one region */
    MODES = 8,  /* changes that are looked for in one region */
    CHANGES = 6,
};

#define ALIKE 2.5   /* levels that changes of one gradient differ by */
#define SHARE 0.04  /* of the samples that change alike */
#define GOES_ON 3.0 /* levels that px of a gradient are off it */
#define SPLIT 0.85  /* of a region that gradients show, or it stays one */

struct splitter {
    struct model_view *view;
    int label; /* of the region */
    int16_t sample[SAMPLES][CHANGES];
    int sample_count;
    int first, count; /* new labels */
    struct model_ramp ramps[CORES];
    int32_t *queue;
};

/* How the colour changes around a px. False where others are too near. */
static bool change_at(const struct model_view *view, int label, int x, int y, int16_t *out)
{
    if (x < REACH || y < REACH || x + REACH >= view->w || y + REACH >= view->h) {
        return false;
    }
    const int32_t *l = view->label + (size_t)y * (size_t)view->w + (size_t)x;
    ptrdiff_t down = (ptrdiff_t)REACH * view->w;
    if (l[-REACH] != label || l[REACH] != label || l[-down] != label || l[down] != label) {
        return false;
    }
    for (int c = 0; c < 3; c++) {
        out[c] = (int16_t)(model_px(view, x + REACH, y)[c] - model_px(view, x - REACH, y)[c]);
        out[3 + c] = (int16_t)(model_px(view, x, y + REACH)[c] - model_px(view, x, y - REACH)[c]);
    }
    return true;
}

static bool same_change(const int16_t *a, const int16_t *b)
{
    for (int i = 0; i < CHANGES; i++) {
        if (abs(a[i] - b[i]) > ALIKE) {
            return false;
        }
    }
    return true;
}

static void take_samples(struct splitter *s)
{
    const struct model_region *g = &s->view->regions[s->label];
    int step = model_max(1, (int)sqrt((double)(g->r.x1 - g->r.x0) * (g->r.y1 - g->r.y0) / SAMPLES));
    s->sample_count = 0;
    for (int y = g->r.y0 + step / 2; y < g->r.y1; y += step) {
        for (int x = g->r.x0 + step / 2; x < g->r.x1 && s->sample_count < SAMPLES; x += step) {
            bool own = s->view->label[y * s->view->w + x] == s->label;
            s->sample_count +=
                own && change_at(s->view, s->label, x, y, s->sample[s->sample_count]);
        }
    }
}

/* The change that most samples are like; those are taken away. False when it is of few. */
static bool take_mode(struct splitter *s, int all, int16_t *mode)
{
    int most = 0;
    for (int i = 0; i < s->sample_count; i++) {
        int n = 0;
        for (int k = 0; k < s->sample_count; k++) {
            n += same_change(s->sample[i], s->sample[k]);
        }
        if (n > most) {
            most = n;
            memcpy(mode, s->sample[i], sizeof s->sample[i]);
        }
    }
    int kept = 0;
    for (int i = 0; i < s->sample_count; i++) {
        if (!same_change(s->sample[i], mode)) {
            memmove(s->sample[kept++], s->sample[i], sizeof s->sample[i]);
        }
    }
    s->sample_count = kept;
    return most >= 3 && most >= SHARE * all;
}

/* Gives px that are joined and change alike a label of their own, from one of them on. */
static int fill_core(struct splitter *s, int start, const uint8_t *alike, int label)
{
    struct model_view *view = s->view;
    int head = 0;
    int tail = 0;
    s->queue[tail++] = start;
    view->label[start] = label;
    while (head < tail) {
        int i = s->queue[head++];
        const int beside[4] = {i - 1, i + 1, i - view->w, i + view->w};
        for (int k = 0; k < 4; k++) {
            if (alike[beside[k]] && view->label[beside[k]] == s->label) {
                view->label[beside[k]] = label;
                s->queue[tail++] = beside[k];
            }
        }
    }
    return tail;
}

/* Adds a region for the core that was filled last, where it is a gradient; else its px go back. */
static bool keep_core(struct splitter *s, int px)
{
    struct model_view *view = s->view;
    int label = s->first + s->count;
    struct model_region *g = &view->regions[label];
    *g = (struct model_region){.r = {view->w, view->h, 0, 0}, .area = px};
    for (int k = 0; k < px; k++) {
        int x = s->queue[k] % view->w;
        int y = s->queue[k] / view->w;
        g->r.x0 = model_min(g->r.x0, x);
        g->r.y0 = model_min(g->r.y0, y);
        g->r.x1 = model_max(g->r.x1, x + 1);
        g->r.y1 = model_max(g->r.y1, y + 1);
    }
    if (px >= CORE_AREA && s->count < CORES && model_ramp_fit(view, label, &s->ramps[s->count])) {
        s->count++;
        return true;
    }
    for (int k = 0; k < px; k++) {
        view->label[s->queue[k]] = s->label;
    }
    return false;
}

static void find_cores(struct splitter *s, const int16_t *mode, uint8_t *alike)
{
    struct model_view *view = s->view;
    struct model_rect r = view->regions[s->label].r;
    for (int y = r.y0; y < r.y1; y++) {
        for (int x = r.x0; x < r.x1; x++) {
            int16_t change[CHANGES];
            size_t i = (size_t)y * (size_t)view->w + (size_t)x;
            alike[i] = view->label[i] == s->label && change_at(view, s->label, x, y, change) &&
                       same_change(change, mode);
        }
    }
    for (int y = r.y0; y < r.y1; y++) {
        for (int x = r.x0; x < r.x1; x++) {
            int i = y * view->w + x;
            if (alike[i] && view->label[i] == s->label) {
                int px = fill_core(s, i, alike, s->first + s->count);
                if (!keep_core(s, px)) {
                    for (int k = 0; k < px; k++) {
                        alike[s->queue[k]] = 0;
                    }
                }
            }
        }
    }
}

/* Px of the region beside a core join it where its gradient goes on. Returns how many px all have.
 */
static int grow_cores(struct splitter *s)
{
    struct model_view *view = s->view;
    struct model_rect r = view->regions[s->label].r;
    int head = 0;
    int tail = 0;
    for (int y = r.y0; y < r.y1; y++) {
        for (int x = r.x0; x < r.x1; x++) {
            if (view->label[y * view->w + x] >= s->first) {
                s->queue[tail++] = y * view->w + x;
            }
        }
    }
    while (head < tail) {
        int i = s->queue[head++];
        int x = i % view->w;
        int y = i / view->w;
        int core = view->label[i] - s->first;
        struct model_rect of = view->regions[view->label[i]].r;
        const int beside[4] = {x > 0 ? i - 1 : i, x + 1 < view->w ? i + 1 : i,
                               y > 0 ? i - view->w : i, y + 1 < view->h ? i + view->w : i};
        for (int k = 0; k < 4; k++) {
            int n = beside[k];
            if (view->label[n] != s->label) {
                continue;
            }
            double rgb[3];
            double off = 0;
            model_ramp_on(&s->ramps[core], n % view->w - of.x0 + 0.5, n / view->w - of.y0 + 0.5,
                          rgb);
            for (int c = 0; c < 3; c++) {
                off = fmax(off, fabs(rgb[c] - view->image->rgba[(size_t)n * 4 + (size_t)c]));
            }
            if (off <= GOES_ON) {
                view->label[n] = view->label[i];
                s->queue[tail++] = n;
            }
        }
    }
    return tail;
}

static bool split_region(struct splitter *s, uint8_t *alike)
{
    struct model_view *view = s->view;
    int area = view->regions[s->label].area;
    s->first = view->region_count;
    s->count = 0;
    take_samples(s);
    int all = s->sample_count;
    int16_t mode[CHANGES];
    for (int i = 0; i < MODES && take_mode(s, all, mode); i++) {
        find_cores(s, mode, alike);
    }
    int shown = s->count > 0 ? grow_cores(s) : 0;
    if (s->count > 1 && shown >= SPLIT * area) {
        view->region_count += s->count;
        return true;
    }
    for (int k = 0; k < shown; k++) {
        view->label[s->queue[k]] = s->label;
    }
    return false;
}

bool model_regions_split(struct model_view *view, bool *split)
{
    size_t total = (size_t)view->w * (size_t)view->h;
    struct splitter *s = calloc(1, sizeof *s);
    uint8_t *alike = calloc(total, 1);
    int32_t *queue = malloc(total * sizeof *queue);
    bool ok = s != NULL && alike != NULL && queue != NULL;
    *split = false;
    for (int i = 0, n = view->region_count; ok && i < n; i++) {
        const struct model_region *g = &view->regions[i];
        bool known = g->surface && (!g->gradient || g->ramp != NULL);
        if (known || g->strokes || g->area < REGION_AREA) {
            continue;
        }
        size_t room = (size_t)view->region_count + CORES + 1;
        struct model_region *grown = realloc(view->regions, room * sizeof *grown);
        ok = grown != NULL;
        if (ok) {
            view->regions = grown;
            s->view = view;
            s->label = i;
            s->queue = queue;
            *split = split_region(s, alike) || *split;
        }
    }
    free(s);
    free(alike);
    free(queue);
    return ok;
}
