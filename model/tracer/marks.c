/* Holes of surfaces: each is something with a known background. Those of a glyph's size are marks.
 */
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

enum {
    MARK_MAX_HEIGHT = 150,
    MARK_MIN_CONTRAST = 18,
    BAR_HEIGHT = 3, /* px of what is a bar and no mark when it is longer than */
    BAR_WIDTH = 24,
    TIGHT_HEIGHT = 40, /* px of a surface that letters may fill from top to bottom */
    WORK_PER_PX =
        14, /* bounding boxes searched per px of the picture, or nested shapes cost their square */
};

struct search {
    struct model_view *view;
    uint8_t *seen;
    int32_t *queue;
    size_t mark_cap;
    int surface;
    struct model_rect r; /* of the surface */
};

static bool add_mark(struct search *s, const struct model_mark *mark, struct glmv_err *err)
{
    struct model_view *view = s->view;
    if ((size_t)view->mark_count == s->mark_cap) {
        size_t cap = s->mark_cap == 0 ? 1024 : s->mark_cap * 2;
        struct model_mark *marks = realloc(view->marks, cap * sizeof *marks);
        if (marks == NULL) {
            return glmv_fail_memory(err);
        }
        view->marks = marks;
        s->mark_cap = cap;
    }
    view->marks[view->mark_count++] = *mark;
    return true;
}

/* Visits one hole from a px of it. Returns how many px were queued. */
static int fill_hole(struct search *s, int x, int y, struct model_rect *box)
{
    struct model_view *view = s->view;
    int w = s->r.x1 - s->r.x0;
    int head = 0;
    int tail = 0;
    *box = (struct model_rect){x, y, x + 1, y + 1};
    s->seen[(size_t)(y - s->r.y0) * (size_t)w + (size_t)(x - s->r.x0)] = 1;
    s->queue[tail++] = y * view->w + x;
    while (head < tail) {
        int px = s->queue[head] % view->w;
        int py = s->queue[head] / view->w;
        head++;
        box->x0 = model_min(box->x0, px);
        box->y0 = model_min(box->y0, py);
        box->x1 = model_max(box->x1, px + 1);
        box->y1 = model_max(box->y1, py + 1);
        for (int ny = model_max(py - 1, s->r.y0); ny <= py + 1 && ny < s->r.y1; ny++) {
            for (int nx = model_max(px - 1, s->r.x0); nx <= px + 1 && nx < s->r.x1; nx++) {
                uint8_t *seen =
                    &s->seen[(size_t)(ny - s->r.y0) * (size_t)w + (size_t)(nx - s->r.x0)];
                if (!*seen && view->label[ny * view->w + nx] != s->surface) {
                    *seen = 1;
                    s->queue[tail++] = ny * view->w + nx;
                }
            }
        }
    }
    return tail;
}

/* The surface's mean colour around a box; its own colour where it does not reach. */
static void colour_around(const struct model_view *view, int surface, struct model_rect r,
                          uint8_t *bg)
{
    long sum[3] = {0, 0, 0};
    long n = 0;
    for (int y = model_max(r.y0 - 2, 0); y < model_min(r.y1 + 2, view->h); y++) {
        for (int x = model_max(r.x0 - 2, 0); x < model_min(r.x1 + 2, view->w); x++) {
            bool inside = x >= r.x0 && x < r.x1 && y >= r.y0 && y < r.y1;
            if (inside || view->label[y * view->w + x] != surface) {
                continue;
            }
            const uint8_t *p = model_px(view, x, y);
            for (int c = 0; c < 3; c++) {
                sum[c] += p[c];
            }
            n++;
        }
    }
    for (int c = 0; c < 3; c++) {
        bg[c] = n > 0 ? (uint8_t)((sum[c] + n / 2) / n) : view->regions[surface].rgb[c];
    }
}

/* Whether one region fills most of the hole's box. */
static bool is_solid(const struct search *s, int count, struct model_rect r)
{
    int32_t major = -1;
    int votes = 0;
    for (int i = 0; i < count; i++) {
        int32_t l = s->view->label[s->queue[i]];
        if (votes == 0) {
            major = l;
            votes = 1;
        } else {
            votes += l == major ? 1 : -1;
        }
    }
    int n = 0;
    for (int i = 0; i < count; i++) {
        n += s->view->label[s->queue[i]] == major;
    }
    return major >= 0 && n >= 0.45 * (r.x1 - r.x0) * (r.y1 - r.y0);
}

/* Whether a hole spans its width near its top and its bottom: a button, a badge, and no wide
 * letter. */
static bool spans_width(const struct search *s, struct model_rect r)
{
    int w = r.x1 - r.x0;
    int inset = (r.y1 - r.y0) / 6;
    for (int end = 0; end < 2; end++) {
        int y = end == 0 ? r.y0 + inset : r.y1 - 1 - inset;
        int hits = 0;
        for (int x = r.x0; x < r.x1; x++) {
            hits += s->view->label[y * s->view->w + x] != s->surface;
        }
        if (hits < 0.8 * w) {
            return false;
        }
    }
    return true;
}

/* Whether a hole at the left or the right edge of a surface is a letter that stands at it: as high
 * as letters are, apart from the corners, and no bar along the edge. */
static bool is_letter_at_edge(const struct search *s, int count, struct model_rect r)
{
    int w = r.x1 - r.x0;
    int h = r.y1 - r.y0;
    bool left = r.x0 == s->r.x0;
    return left != (r.x1 == s->r.x1) && h >= 5 && h <= TIGHT_HEIGHT && w >= 2 && w <= 6 * h &&
           r.y0 > s->r.y0 + 1 && r.y1 < s->r.y1 - 1 && s->r.x1 - s->r.x0 >= 4 * h &&
           count * 10 < w * h * (w > 2 * h ? 7 : 9);
}

/* Whether a hole is open to the outside. In tight boxes, such as those of code in a sentence,
 * letters touch the upper and the lower edge. */
static bool is_open(const struct search *s, int count, struct model_rect r)
{
    if (is_letter_at_edge(s, count, r)) {
        return false;
    }
    int tall = s->r.y1 - s->r.y0;
    bool beside = r.x0 <= s->r.x0 + 1 || r.x1 >= s->r.x1 - 1;
    bool above = r.y0 == s->r.y0;
    bool below = r.y1 == s->r.y1;
    bool letter = tall <= TIGHT_HEIGHT && r.y1 - r.y0 >= 3 && r.x1 - r.x0 <= 2 * tall &&
                  s->r.x1 - s->r.x0 > tall;
    return (beside && (r.x0 == s->r.x0 || r.x1 == s->r.x1)) ||
           ((above || below) && (beside || (above && below) || !letter));
}

static bool consider_hole(struct search *s, int count, struct model_rect r, struct glmv_err *err)
{
    struct model_view *view = s->view;
    if (is_open(s, count, r)) {
        return true;
    }
    view->regions[s->surface].hole_area += count;
    int w = r.x1 - r.x0;
    int h = r.y1 - r.y0;
    if (h <= BAR_HEIGHT && w > BAR_WIDTH && count == w * h) {
        return model_bar_add(view, r, err);
    }
    if (h > MARK_MAX_HEIGHT || w > 12 * MARK_MAX_HEIGHT || (h <= BAR_HEIGHT && w > BAR_WIDTH) ||
        w > 40 * h) {
        return true;
    }
    struct model_mark mark = {.r = r, .surface = s->surface, .area = count, .row = -1};
    colour_around(view, s->surface, r, mark.bg);
    for (int i = 0; i < count; i++) {
        const uint8_t *p = view->image->rgba + (size_t)s->queue[i] * 4;
        mark.contrast = model_max(mark.contrast, model_distance(p, mark.bg));
    }
    if (mark.contrast < MARK_MIN_CONTRAST) {
        return true;
    }
    mark.weak = is_solid(s, count, r);
    if (mark.weak && h >= 8 && w > 1.2 * h) {
        if (spans_width(s, r)) {
            return true;
        }
        mark.weak = false;
    }
    if (w > 6 * h && h > 40) {
        return true;
    }
    return add_mark(s, &mark, err);
}

static bool search_surface(struct search *s, struct glmv_err *err)
{
    int w = s->r.x1 - s->r.x0;
    int h = s->r.y1 - s->r.y0;
    memset(s->seen, 0, (size_t)w * (size_t)h);
    for (int y = s->r.y0; y < s->r.y1; y++) {
        for (int x = s->r.x0; x < s->r.x1; x++) {
            if (s->seen[(size_t)(y - s->r.y0) * (size_t)w + (size_t)(x - s->r.x0)] ||
                s->view->label[y * s->view->w + x] == s->surface) {
                continue;
            }
            struct model_rect box;
            int count = fill_hole(s, x, y, &box);
            if (!consider_hole(s, count, box, err)) {
                return false;
            }
        }
    }
    return true;
}

struct model_rect model_marks_around(const struct model_view *view, const int *marks, int count)
{
    struct model_rect all = count > 0 ? view->marks[marks[0]].r : (struct model_rect){0};
    for (int k = 1; k < count; k++) {
        const struct model_rect *r = &view->marks[marks[k]].r;
        all.x0 = model_min(all.x0, r->x0);
        all.y0 = model_min(all.y0, r->y0);
        all.x1 = model_max(all.x1, r->x1);
        all.y1 = model_max(all.y1, r->y1);
    }
    return all;
}

static int compare_int(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

int model_middle(int *values, int count)
{
    if (count > 0) {
        qsort(values, (size_t)count, sizeof *values, compare_int);
    }
    return count > 0 ? values[count / 2] : 0;
}

static int by_area(const void *a, const void *b)
{
    int aa = ((const struct model_region *const *)a)[0]->area;
    int bb = ((const struct model_region *const *)b)[0]->area;
    return aa < bb ? 1 : aa > bb ? -1 : 0;
}

bool model_marks_find(struct model_view *view, struct glmv_err *err)
{
    size_t total = (size_t)view->w * (size_t)view->h;
    struct search s = {.view = view};
    s.seen = malloc(total);
    s.queue = malloc(total * sizeof *s.queue);
    const struct model_region **order = malloc(((size_t)view->region_count + 1) * sizeof(void *));
    bool ok = s.seen != NULL && s.queue != NULL && order != NULL;
    if (!ok) {
        glmv_fail_memory(err);
    }
    int n = 0;
    for (int i = 0; ok && i < view->region_count; i++) {
        if (view->regions[i].surface) {
            order[n++] = &view->regions[i];
        }
    }
    if (ok) {
        qsort(order, (size_t)n, sizeof(void *), by_area);
    }
    size_t budget = total * WORK_PER_PX;
    for (int i = 0; ok && i < n; i++) {
        s.r = order[i]->r;
        s.surface = (int)(order[i] - view->regions);
        size_t cost = (size_t)(s.r.x1 - s.r.x0) * (size_t)(s.r.y1 - s.r.y0);
        if (cost > budget) {
            continue;
        }
        budget -= cost;
        ok = search_surface(&s, err);
    }
    free(order);
    free(s.seen);
    free(s.queue);
    return ok;
}
