/*
 * Bars that touch letters: the line through a price that is no longer asked, an underline that
 * serifs stand on. One makes a single mark of all its letters. It is lifted off before the row is
 * read: its px go back to the ground, except where letters cross it, and what is left falls into
 * the marks that it was.
 */
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

enum {
    LOWEST = 7, /* px of a row's height */
    HIGHEST = 70,
    STRONG = 55, /* per cent of a mark's contrast that the px of a bar have */
    THIN = 7,    /* bars in a row's height, at least */
    MOST_PARTS = 200,
};

struct lift {
    struct model_view *view;
    const struct model_mark *mark;
    struct model_rect bar;
};

static bool is_strong(const struct lift *l, int x, int y)
{
    return model_is_ink(l->view, l->mark, x, y) &&
           model_distance(model_px(l->view, x, y), l->mark->bg) * 100 >= STRONG * l->mark->contrast;
}

/* The longest run of strong px of one row of px. */
static int longest_run(const struct lift *l, int y, int *from)
{
    const struct model_rect *r = &l->mark->r;
    int best = 0;
    for (int x = r->x0; x < r->x1; x++) {
        int start = x;
        while (x < r->x1 && is_strong(l, x, y)) {
            x++;
        }
        if (x - start > best) {
            best = x - start;
            *from = start;
        }
    }
    return best;
}

static int ink_in(const struct lift *l, int y0, int y1)
{
    int columns = 0;
    for (int x = l->bar.x0; x < l->bar.x1; x++) {
        bool any = false;
        for (int y = y0; y < y1 && !any; y++) {
            any = model_is_ink(l->view, l->mark, x, y);
        }
        columns += any;
    }
    return columns;
}

/* Letters stand above a bar, over nearly half of it; those that it goes through lie below as well.
 */
static bool has_letters(const struct lift *l)
{
    int wide = l->bar.x1 - l->bar.x0;
    return ink_in(l, l->mark->r.y0, l->bar.y0 - 1) * 20 >= 9 * wide;
}

/* The one bar of a mark; false where there is none, or more than one: then it is a frame. */
static bool find_bar(struct lift *l, int tall)
{
    const struct model_rect *r = &l->mark->r;
    int least = model_max(tall * 3 / 2, (r->x1 - r->x0) * 3 / 5);
    int bands = 0;
    for (int y = r->y0; y < r->y1; y++) {
        int from = 0;
        int run = longest_run(l, y, &from);
        if (run < least) {
            continue;
        }
        if (bands == 0 || y > l->bar.y1) {
            bands++;
            l->bar = (struct model_rect){from, y, from + run, y + 1};
        } else {
            l->bar.x0 = model_min(l->bar.x0, from);
            l->bar.x1 = model_max(l->bar.x1, from + run);
            l->bar.y1 = y + 1;
        }
    }
    return bands == 1 && (l->bar.y1 - l->bar.y0) * THIN <= tall + THIN - 1 &&
           l->bar.y0 - r->y0 >= tall / 4 && has_letters(l);
}

/* Whether a letter goes through the bar here. */
static bool is_crossed(const struct lift *l, int x, int top, int bottom)
{
    bool above = false;
    bool below = false;
    for (int nx = model_max(x - 1, l->mark->r.x0); nx <= model_min(x + 1, l->mark->r.x1 - 1);
         nx++) {
        above = above || is_strong(l, nx, top - 1);
        below = below || (bottom < l->mark->r.y1 && is_strong(l, nx, bottom));
    }
    return above && below;
}

/* Gives the px of a bar, with its soft edges, to the ground. */
static bool erase_bar(struct lift *l)
{
    const struct model_rect *b = &l->bar;
    int wide = b->x1 - b->x0;
    int top = b->y0;
    int bottom = b->y1;
    top -= ink_in(l, top - 1, top) * 10 >= 9 * wide;
    bottom += bottom < l->mark->r.y1 && ink_in(l, bottom, bottom + 1) * 10 >= 9 * wide;
    bool *kept = calloc((size_t)wide, sizeof *kept);
    if (kept == NULL) {
        return false;
    }
    for (int x = b->x0; x < b->x1; x++) {
        kept[x - b->x0] = is_crossed(l, x, top, bottom);
    }
    for (int y = top; y < bottom; y++) {
        for (int x = b->x0; x < b->x1; x++) {
            if (!kept[x - b->x0]) {
                l->view->label[(size_t)y * (size_t)l->view->w + (size_t)x] = l->mark->surface;
            }
        }
    }
    l->bar.y0 = top;
    l->bar.y1 = bottom;
    free(kept);
    return true;
}

/* Fills what hangs together from one px; seen and queue have a place for each px of the mark. */
static struct model_mark take_part(const struct lift *l, int start, uint8_t *seen, int *queue)
{
    const struct model_rect *r = &l->mark->r;
    int w = r->x1 - r->x0;
    struct model_mark part = *l->mark;
    part.r = (struct model_rect){r->x1, r->y1, r->x0, r->y0};
    part.weak = false;
    int head = 0;
    int tail = 0;
    queue[tail++] = start;
    seen[start] = 1;
    while (head < tail) {
        int x = queue[head] % w + r->x0;
        int y = queue[head++] / w + r->y0;
        part.r.x0 = model_min(part.r.x0, x);
        part.r.y0 = model_min(part.r.y0, y);
        part.r.x1 = model_max(part.r.x1, x + 1);
        part.r.y1 = model_max(part.r.y1, y + 1);
        for (int ny = model_max(y - 1, r->y0); ny <= model_min(y + 1, r->y1 - 1); ny++) {
            for (int nx = model_max(x - 1, r->x0); nx <= model_min(x + 1, r->x1 - 1); nx++) {
                int i = (ny - r->y0) * w + nx - r->x0;
                if (!seen[i] && model_is_ink(l->view, l->mark, nx, ny)) {
                    seen[i] = 1;
                    queue[tail++] = i;
                }
            }
        }
    }
    part.area = tail;
    return part;
}

/* The marks that a mark fell into; at most MOST_PARTS. -1 without memory. */
static int find_parts(const struct lift *l, struct model_mark *parts)
{
    const struct model_rect *r = &l->mark->r;
    int w = r->x1 - r->x0;
    int h = r->y1 - r->y0;
    uint8_t *seen = calloc((size_t)w * (size_t)h, 1);
    int *queue = malloc((size_t)w * (size_t)h * sizeof *queue);
    int count = seen != NULL && queue != NULL ? 0 : -1;
    for (int i = 0; count >= 0 && count < MOST_PARTS && i < w * h; i++) {
        if (!seen[i] && model_is_ink(l->view, l->mark, i % w + r->x0, i / w + r->y0)) {
            parts[count++] = take_part(l, i, seen, queue);
        }
    }
    free(seen);
    free(queue);
    return count;
}

/* The first part takes the place of mark k of a row, the others are added. */
static bool put_parts(struct model_view *view, int row, int k, const struct model_mark *parts,
                      int count)
{
    struct model_row *of = &view->rows[row];
    struct model_mark *marks =
        realloc(view->marks, ((size_t)view->mark_count + (size_t)count) * sizeof *marks);
    view->marks = marks != NULL ? marks : view->marks;
    int *own = realloc(of->marks, ((size_t)of->count + (size_t)count) * sizeof *own);
    of->marks = own != NULL ? own : of->marks;
    if (marks == NULL || own == NULL) {
        return false;
    }
    view->marks[of->marks[k]] = parts[0];
    for (int i = 1; i < count; i++) {
        view->marks[view->mark_count] = parts[i];
        of->marks[of->count++] = view->mark_count++;
    }
    return true;
}

static bool lift_off(struct model_view *view, int row, int k, struct model_mark *parts,
                     struct glmv_err *err)
{
    struct model_mark mark = view->marks[view->rows[row].marks[k]];
    struct lift l = {.view = view, .mark = &mark};
    int tall = view->rows[row].r.y1 - view->rows[row].r.y0;
    if (mark.surface < 0 || mark.r.x1 - mark.r.x0 < tall * 3 / 2 || !find_bar(&l, tall)) {
        return true;
    }
    int count = erase_bar(&l) ? find_parts(&l, parts) : -1;
    if (count < 0 || (count > 0 && !put_parts(view, row, k, parts, count))) {
        return glmv_fail_memory(err);
    }
    struct model_row *of = &view->rows[row];
    of->r = model_marks_around(view, of->marks, of->count);
    return count == 0 || model_bar_add(view, l.bar, err);
}

bool model_rows_lift_bars(struct model_view *view, struct glmv_err *err)
{
    struct model_mark *parts = calloc(MOST_PARTS, sizeof *parts);
    bool ok = parts != NULL || glmv_fail_memory(err);
    for (int i = 0; ok && i < view->row_count; i++) {
        int tall = view->rows[i].r.y1 - view->rows[i].r.y0;
        int count = view->rows[i].count;
        for (int k = 0; ok && tall >= LOWEST && tall <= HIGHEST && k < count; k++) {
            ok = lift_off(view, i, k, parts, err);
        }
    }
    free(parts);
    return ok;
}
