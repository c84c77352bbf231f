/* Rows of marks that may be a line of text: neighbours on the same surface that overlap in height.
 */
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

/* A mark or a row under construction; sorted by surface, then by left edge. */
struct item {
    struct model_rect r;
    int surface;
    int tall; /* px, of its typical glyph */
    int parent;
    bool weak;
    int count;  /* of marks */
    int large;  /* of those, how many are no specks beside the tallest */
    bool dense; /* one mark that fills its box as no letter does: a portrait, a tile */
};

static int height(struct model_rect r)
{
    return r.y1 - r.y0;
}

static int overlap_y(struct model_rect a, struct model_rect b)
{
    return model_min(a.y1, b.y1) - model_max(a.y0, b.y0);
}

static int gap_x(struct model_rect a, struct model_rect b)
{
    return model_max(a.x0, b.x0) - model_min(a.x1, b.x1);
}

static int find_root(struct item *items, int i)
{
    while (items[i].parent != i) {
        items[i].parent = items[items[i].parent].parent;
        i = items[i].parent;
    }
    return i;
}

/* Merges the set of b into that of a and widens its box. */
static void join(struct item *items, int a, int b)
{
    a = find_root(items, a);
    b = find_root(items, b);
    if (a == b) {
        return;
    }
    struct item *p = &items[a];
    const struct item *q = &items[b];
    p->r.x0 = model_min(p->r.x0, q->r.x0);
    p->r.y0 = model_min(p->r.y0, q->r.y0);
    p->r.x1 = model_max(p->r.x1, q->r.x1);
    p->r.y1 = model_max(p->r.y1, q->r.y1);
    p->tall = model_max(p->tall, q->tall);
    p->weak = p->weak && q->weak;
    p->count += q->count;
    items[b].parent = a;
}

/* Two glyphs of one line: heights overlap and the gap is at most a wide space. */
static bool are_neighbours(const struct item *a, const struct item *b)
{
    int ha = height(a->r);
    int hb = height(b->r);
    int low = model_min(ha, hb);
    int high = model_max(ha, hb);
    int gap = gap_x(a->r, b->r);
    double reach = high < 1.6 * low ? high : 1.6 * low;
    if ((a->dense || b->dense) && high > 2 * low) {
        return false;
    }
    if (a->weak != b->weak) {
        bool aligned =
            abs(a->r.y1 - b->r.y1) <= 1 + high / 10 || abs(a->r.y0 - b->r.y0) <= 1 + high / 10;
        return aligned && overlap_y(a->r, b->r) >= 0.7 * low && gap <= 0.6 * high &&
               high <= 2 * low;
    }
    return overlap_y(a->r, b->r) >= 0.6 * low && gap <= 0.85 * reach + 2 && high <= 3.2 * low;
}

/* The dot after a lone digit, as lists have it: close by, small, on the same line. */
static bool is_full_stop(const struct item *part, const struct item *digit)
{
    int tall = height(digit->r);
    return digit->count == 1 && tall >= 6 && tall <= 40 && !digit->weak &&
           digit->r.x1 - digit->r.x0 < tall && abs(part->r.y1 - digit->r.y1) <= 1 &&
           height(part->r) * 10 <= tall * 3 && part->r.x1 - part->r.x0 <= height(part->r) + 1 &&
           part->r.x0 >= digit->r.x1 && (part->r.x0 - digit->r.x1) * 10 <= tall * 4;
}

/* The three dots after a word: on its line, each as far from the next as from the word, or nearly.
 */
static bool is_ellipsis(const struct item *part, const struct item *line)
{
    int tall = height(part->r);
    int wide = part->r.x1 - part->r.x0;
    return part->count == 3 && line->r.x1 - line->r.x0 >= 2 * line->tall &&
           tall * 4 <= line->tall && wide >= 3 * tall && wide <= line->tall * 3 / 2 &&
           abs(part->r.y1 - line->r.y1) * 3 <= line->tall && part->r.x0 >= line->r.x1 &&
           (part->r.x0 - line->r.x1) * 2 <= line->tall;
}

/* A dash between words or before the first: as long as letters are high, at half their height. */
static bool is_dash(const struct item *part, const struct item *line)
{
    int tall = line->tall;
    int wide = part->r.x1 - part->r.x0;
    int middle = part->r.y0 + part->r.y1 - line->r.y0 - line->r.y1;
    return part->count == 1 && line->r.x1 - line->r.x0 >= 2 * tall && tall <= 40 &&
           height(part->r) * 6 <= tall + 5 && wide * 5 >= tall * 2 && wide <= tall * 3 / 2 &&
           abs(middle) * 5 <= tall * 3 && gap_x(part->r, line->r) * 20 <= tall * 13;
}

/* A dot, an accent, a comma, a hyphen that belongs to the line in whose reach it lies. */
static bool is_part_of(const struct item *part, const struct item *line)
{
    int tall = line->tall;
    /* A lone large mark is an icon more often than a glyph: it takes nothing that lies beside it.
     */
    bool within = part->r.x0 >= line->r.x0 - 1 && part->r.x1 <= line->r.x1 + 1;
    if ((part->count == 1 && is_full_stop(part, line)) || is_ellipsis(part, line) ||
        is_dash(part, line)) {
        return true;
    }
    if (part->count > 3 || (line->large < 2 && (!within || tall > 60))) {
        return false;
    }
    if (height(part->r) > 0.55 * tall || part->r.x1 - part->r.x0 > 1.3 * tall) {
        return false;
    }
    double cx = (part->r.x0 + part->r.x1) / 2.0;
    double cy = (part->r.y0 + part->r.y1) / 2.0;
    return cx >= line->r.x0 - 0.6 * tall && cx <= line->r.x1 + 0.6 * tall &&
           cy >= line->r.y0 - 0.4 * tall && cy <= line->r.y1 + 0.35 * tall;
}

static int by_surface_left(const void *pa, const void *pb)
{
    const struct item *a = pa;
    const struct item *b = pb;
    if (a->surface != b->surface) {
        return a->surface < b->surface ? -1 : 1;
    }
    return a->r.x0 != b->r.x0 ? (a->r.x0 < b->r.x0 ? -1 : 1) : a->r.y0 - b->r.y0;
}

static bool is_dense(const struct model_mark *mark)
{
    enum { LEAST = 20 }; /* px of its height */
    int w = mark->r.x1 - mark->r.x0;
    int h = mark->r.y1 - mark->r.y0;
    return h >= LEAST && w * 10 >= h * 7 && mark->area * 10 >= w * h * 7;
}

static void link_marks(struct item *items, int n)
{
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n && items[j].surface == items[i].surface; j++) {
            if (gap_x(items[i].r, items[j].r) > 0.85 * 1.6 * height(items[i].r) + 2) {
                break;
            }
            int a = find_root(items, i);
            int b = find_root(items, j);
            /* Roots carry the box of their set, so neighbours are told by a copy of the marks. */
            if (a != b && are_neighbours(&items[i], &items[j])) {
                items[b].parent = a;
            }
        }
    }
}

/* One item per set, in the same order; map[i] is the new index of items[i]. */
static int contract(struct item *items, int n, int *map)
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        map[i] = find_root(items, i);
    }
    int *fresh = malloc(((size_t)n + 1) * sizeof *fresh);
    struct item *sets = calloc((size_t)n + 1, sizeof *sets);
    if (fresh == NULL || sets == NULL) {
        free(fresh);
        free(sets);
        return -1;
    }
    for (int i = 0; i < n; i++) {
        fresh[i] = -1;
    }
    for (int i = 0; i < n; i++) {
        if (fresh[map[i]] < 0) {
            fresh[map[i]] = count;
            sets[count] = items[i];
            sets[count].parent = count;
            sets[count].large = 0;
            count++;
        } else {
            struct item *s = &sets[fresh[map[i]]];
            s->r.x0 = model_min(s->r.x0, items[i].r.x0);
            s->r.y0 = model_min(s->r.y0, items[i].r.y0);
            s->r.x1 = model_max(s->r.x1, items[i].r.x1);
            s->r.y1 = model_max(s->r.y1, items[i].r.y1);
            s->tall = model_max(s->tall, items[i].tall);
            s->weak = s->weak && items[i].weak;
            s->dense = s->dense && items[i].dense;
            s->count += items[i].count;
        }
        map[i] = fresh[map[i]];
    }
    for (int i = 0; i < n; i++) {
        sets[map[i]].large += items[i].tall * 5 >= sets[map[i]].tall * 2 ? items[i].large : 0;
    }
    memcpy(items, sets, (size_t)count * sizeof *items);
    free(fresh);
    free(sets);
    return count;
}

/* How far the middle of a part lies above or below a line. */
static int outside(const struct item *part, const struct item *line)
{
    int y = (part->r.y0 + part->r.y1) / 2;
    return y < line->r.y0 ? line->r.y0 - y : model_max(0, y - line->r.y1);
}

/* Of two lines that a part may belong to: the dot of an i lies in its own, and below another. */
static bool is_nearer(const struct item *part, const struct item *line, const struct item *best)
{
    int far = outside(part, line);
    int least = best != NULL ? outside(part, best) : 0;
    return best == NULL || far < least || (far == least && line->tall > best->tall);
}

static void attach_parts(struct item *items, int n)
{
    for (int i = 0; i < n; i++) {
        int best = -1;
        /* Lines start left of their parts, often far; all of the surface is looked through. */
        for (int j = i - 1; j >= 0 && items[j].surface == items[i].surface; j--) {
            if (is_part_of(&items[i], &items[j]) &&
                is_nearer(&items[i], &items[j], best >= 0 ? &items[best] : NULL)) {
                best = j;
            }
        }
        for (int j = i + 1;
             j < n && items[j].surface == items[i].surface && items[j].r.x0 < items[i].r.x1 + 60;
             j++) {
            if (is_part_of(&items[i], &items[j]) &&
                is_nearer(&items[i], &items[j], best >= 0 ? &items[best] : NULL)) {
                best = j;
            }
        }
        if (best >= 0 && find_root(items, best) != find_root(items, i)) {
            items[find_root(items, i)].parent = find_root(items, best);
        }
    }
}

static void merge_rows(struct item *items, int n)
{
    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n && items[j].surface == items[i].surface; j++) {
            const struct item *a = &items[i];
            const struct item *b = &items[j];
            int low = model_min(height(a->r), height(b->r));
            int high = model_max(height(a->r), height(b->r));
            double reach = 0.85 * model_min(a->tall, b->tall) + 2;
            if (b->r.x0 - a->r.x1 > reach || ((a->dense || b->dense) && high > 2 * low)) {
                continue;
            }
            if (overlap_y(a->r, b->r) >= 0.6 * low && gap_x(a->r, b->r) <= reach &&
                high <= 2.6 * low) {
                join(items, i, j);
            }
        }
    }
}

/* Writes the rows out: marks were items in sorted order, of[k] is the row of the k-th. */
static bool keep_rows(struct model_view *view, const struct item *rows, int row_count,
                      const int *mark, const int *of)
{
    view->rows = calloc((size_t)row_count + 1, sizeof *view->rows);
    if (view->rows == NULL) {
        return false;
    }
    view->row_count = row_count;
    for (int k = 0; k < view->mark_count; k++) {
        view->rows[of[k]].count++;
    }
    for (int i = 0; i < row_count; i++) {
        struct model_row *row = &view->rows[i];
        row->r = rows[i].r;
        row->surface = rows[i].surface;
        row->marks = malloc(((size_t)row->count + 1) * sizeof *row->marks);
        if (row->marks == NULL) {
            return false;
        }
        row->count = 0;
    }
    for (int k = 0; k < view->mark_count; k++) {
        struct model_row *row = &view->rows[of[k]];
        row->marks[row->count++] = mark[k];
        view->marks[mark[k]].row = of[k];
    }
    return true;
}

struct sorted {
    struct item item; /* first: compared as one */
    int mark;
};

bool model_rows_find(struct model_view *view, struct glmv_err *err)
{
    int n = view->mark_count;
    size_t size = (size_t)n + 1;
    struct sorted *sorted = calloc(size, sizeof *sorted);
    struct item *items = calloc(size, sizeof *items);
    int *mark = malloc(size * sizeof *mark);
    int *of = malloc(size * sizeof *of);
    int *map = malloc(size * sizeof *map);
    bool ok = sorted != NULL && items != NULL && mark != NULL && of != NULL && map != NULL;
    for (int i = 0; ok && i < n; i++) {
        const struct model_mark *m = &view->marks[i];
        sorted[i].item =
            (struct item){m->r, m->surface, height(m->r), 0, m->weak, 1, 1, is_dense(m)};
        sorted[i].mark = i;
    }
    if (ok) {
        qsort(sorted, (size_t)n, sizeof *sorted, by_surface_left);
    }
    for (int i = 0; ok && i < n; i++) {
        items[i] = sorted[i].item;
        items[i].parent = i;
        mark[i] = sorted[i].mark;
        of[i] = i;
    }
    int count = n;
    for (int round = 0; ok && round < 4; round++) {
        if (round == 0) {
            link_marks(items, count);
        } else {
            attach_parts(items, count);
            merge_rows(items, count);
        }
        count = contract(items, count, map);
        ok = count >= 0;
        for (int k = 0; ok && k < n; k++) {
            of[k] = map[of[k]];
        }
    }
    ok = ok && keep_rows(view, items, count, mark, of);
    free(sorted);
    free(items);
    free(mark);
    free(of);
    free(map);
    return ok || glmv_fail_memory(err);
}
