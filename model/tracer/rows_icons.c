/* Icons before and after a text: what reaches out of the line above and below and stands off it. */
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

enum {
    PARTS_MAX = 12,    /* marks of an icon */
    LEAST_HEIGHT = 7,  /* px */
    MOST_BOTTOMS = 64, /* marks of a row that are looked at for its foot */
};

/* Where most of some marks end at the bottom. */
static int foot_of(const struct model_view *view, const int *marks, int count)
{
    int bottoms[MOST_BOTTOMS];
    int n = model_min(count, MOST_BOTTOMS);
    for (int k = 0; k < n; k++) {
        bottoms[k] = view->marks[marks[k]].r.y1;
    }
    return model_middle(bottoms, n);
}

/* How many marks at one end of a row stand together: those whose gaps are no more than a sixth of
 * the row's height. The marks are sorted by their left edges. */
static int cluster_at(const struct model_view *view, const struct model_row *row, bool first)
{
    int reach = (row->r.y1 - row->r.y0) / 6 + 1;
    int edge = first ? 0 : row->r.x1;
    for (int n = 0; n < row->count; n++) {
        const struct model_rect *r = &view->marks[row->marks[first ? n : row->count - 1 - n]].r;
        int gap = first ? r->x0 - edge : edge - r->x1;
        if (n > 0 && gap > reach) {
            return n;
        }
        edge = n == 0 ? (first ? r->x1 : r->x0)
                      : (first ? model_max(edge, r->x1) : model_min(edge, r->x0));
    }
    return row->count;
}

/* A small mark at the foot, right of some others: a full stop or a comma, behind which Chinese and
 * Japanese leave half of the sign's square free. */
static bool is_stop(const struct model_view *view, const int *others, int count, int mark)
{
    struct model_rect all = model_marks_around(view, others, count);
    const struct model_rect *r = &view->marks[mark].r;
    int tall = all.y1 - all.y0;
    return r->x0 >= all.x1 && (r->x1 - r->x0) * 5 <= tall * 2 && (r->y1 - r->y0) * 5 <= tall * 2 &&
           (r->y0 - all.y0) * 2 >= tall;
}

static bool is_icon(const struct model_view *view, const struct model_row *row, int parts,
                    bool first)
{
    const int *icon = first ? row->marks : row->marks + row->count - parts;
    const int *rest = first ? row->marks + parts : row->marks;
    struct model_rect a = model_marks_around(view, icon, parts);
    struct model_rect b = model_marks_around(view, rest, row->count - parts);
    int tall = a.y1 - a.y0;
    int wide = a.x1 - a.x0;
    int gap = first ? b.x0 - a.x1 : a.x0 - b.x1;
    int foot = foot_of(view, rest, row->count - parts);
    int above = b.y0 - a.y0;
    int below = a.y1 - foot;
    int least = model_max(1, tall / 12);
    int before =
        first ? parts - 1 : row->count - parts - 1; /* marks left of the one before the gap */
    bool stop = before > 0 && is_stop(view, row->marks, before, row->marks[before]);
    if (stop) {
        return false;
    }
    if (tall < LEAST_HEIGHT || wide * 2 < tall || wide * 5 > tall * 9 || b.x1 - b.x0 <= tall ||
        above < least || below < least) {
        return false;
    }
    /* A large one may stand nearer, as it stands in its own measure. */
    bool large = (above + below) * 3 >= tall && model_min(above, below) * 10 >= tall;
    int usual = large ? model_min(tall, (b.y1 - b.y0) * 6 / 5) : tall;
    return gap * 20 >= usual * 9;
}

static int by_left(const void *pa, const void *pb)
{
    const struct model_mark *a = *(const struct model_mark *const *)pa;
    const struct model_mark *b = *(const struct model_mark *const *)pb;
    return a->r.x0 != b->r.x0 ? a->r.x0 - b->r.x0 : a->r.y0 - b->r.y0;
}

static bool sort_marks(const struct model_view *view, struct model_row *row)
{
    const struct model_mark **order = malloc(((size_t)row->count + 1) * sizeof *order);
    if (order == NULL) {
        return false;
    }
    for (int k = 0; k < row->count; k++) {
        order[k] = &view->marks[row->marks[k]];
    }
    qsort(order, (size_t)row->count, sizeof *order, by_left);
    for (int k = 0; k < row->count; k++) {
        row->marks[k] = (int)(order[k] - view->marks);
    }
    free(order);
    return true;
}

/* Makes a row of its own of the icon at one end of row i; the view has room for one more. */
static bool detach(struct model_view *view, int i, int parts, bool first)
{
    struct model_row *row = &view->rows[i];
    struct model_row *icon = &view->rows[view->row_count];
    *icon = (struct model_row){.surface = row->surface, .count = parts, .icon = true};
    icon->marks = malloc((size_t)parts * sizeof *icon->marks);
    if (icon->marks == NULL) {
        return false;
    }
    int rest = row->count - parts;
    memcpy(icon->marks, first ? row->marks : row->marks + rest,
           (size_t)parts * sizeof *icon->marks);
    if (first) {
        memmove(row->marks, row->marks + parts, (size_t)rest * sizeof *row->marks);
    }
    row->count = rest;
    row->r = model_marks_around(view, row->marks, row->count);
    icon->r = model_marks_around(view, icon->marks, icon->count);
    for (int k = 0; k < parts; k++) {
        view->marks[icon->marks[k]].row = view->row_count;
    }
    view->row_count++;
    return true;
}

bool model_rows_part_icons(struct model_view *view, struct glmv_err *err)
{
    int rows = view->row_count;
    struct model_row *grown = realloc(view->rows, ((size_t)rows * 3 + 1) * sizeof *grown);
    if (grown == NULL) {
        return glmv_fail_memory(err);
    }
    view->rows = grown;
    bool ok = true;
    for (int i = 0; ok && i < rows; i++) {
        if (view->rows[i].surface < 0 || view->rows[i].count < 2) {
            continue;
        }
        ok = sort_marks(view, &view->rows[i]);
        for (int end = 0; ok && end < 2; end++) {
            int parts = cluster_at(view, &view->rows[i], end == 0);
            if (parts < view->rows[i].count && parts <= PARTS_MAX &&
                is_icon(view, &view->rows[i], parts, end == 0)) {
                ok = detach(view, i, parts, end == 0);
            }
        }
    }
    return ok || glmv_fail_memory(err);
}
