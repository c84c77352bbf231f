/*
 * Cells of a table without lines that stand closer than words do: rows that many rows below each
 * other leave the same gaps in are cut there, before they are read.
 */
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

enum {
    LEAST_BANDS = 8,  /* rows of letters below each other; fewer leave the same gap by chance */
    LEAST_RIVERS = 2, /* one gap may lie between numbers of a list and their entries */
    MOST_RIVERS = 12, /* letters of one width leave a gap beside each */
    RIVER_PX = 2,     /* width of a gap at least */
    EDGE_PX = 3,      /* by which edges of a column may differ */
    PITCH_PX = 2,     /* by which distances of rows may differ */
};

/* Rows on one height: what stands between left and right on a surface. */
struct band {
    int from, count; /* into order */
    int left, right, top, bottom;
};

struct block {
    struct model_view *view;
    const int *order; /* rows, by height; borrowed */
    const struct band *bands;
    int band_count;
    int left, right;
    int *cover; /* bands that have ink in each px from left on */
    int rivers[MOST_RIVERS + 1][2];
    int river_count;
};

static const struct model_row *row_at(const struct block *b, int i)
{
    return &b->view->rows[b->order[i]];
}

/* Ink of a band beside a river: the end of what lies left of it, the start of what lies right. */
static void beside(const struct block *b, const struct band *band, int x, int *end, int *start)
{
    *end = -1;
    *start = -1;
    for (int i = band->from; i < band->from + band->count; i++) {
        const struct model_row *row = row_at(b, i);
        for (int k = 0; k < row->count; k++) {
            const struct model_rect *r = &b->view->marks[row->marks[k]].r;
            if (r->x1 <= x) {
                *end = model_max(*end, r->x1);
            } else if (r->x0 >= x) {
                *start = *start < 0 ? r->x0 : model_min(*start, r->x0);
            }
        }
    }
}

/* Whether what follows a gap begins together, or what comes before it ends together. */
static bool is_edge(const struct block *b, int from, int to)
{
    int starts = 0;
    int ends = 0;
    int filled = 0;
    for (int i = 0; i < b->band_count; i++) {
        int end;
        int start;
        beside(b, &b->bands[i], from, &end, &start);
        filled += start >= 0 && end >= 0;
        starts += start >= 0 && start - to <= EDGE_PX;
        ends += end >= 0 && from - end <= EDGE_PX;
    }
    return filled * 5 >= b->band_count * 4 && model_max(starts, ends) * 5 >= b->band_count * 3;
}

static bool fill_cover(struct block *b)
{
    size_t width = (size_t)(b->right - b->left) + 1;
    int *last = malloc(width * sizeof *last);
    b->cover = calloc(width, sizeof *b->cover);
    if (last == NULL || b->cover == NULL) {
        free(last);
        return false;
    }
    for (size_t x = 0; x < width; x++) {
        last[x] = -1;
    }
    for (int i = 0; i < b->band_count; i++) {
        for (int k = b->bands[i].from; k < b->bands[i].from + b->bands[i].count; k++) {
            const struct model_row *row = row_at(b, k);
            for (int m = 0; m < row->count; m++) {
                const struct model_rect *r = &b->view->marks[row->marks[m]].r;
                for (int x = r->x0 - b->left; x < r->x1 - b->left; x++) {
                    b->cover[x] += last[x] != i;
                    last[x] = i;
                }
            }
        }
    }
    free(last);
    return true;
}

static void find_rivers(struct block *b)
{
    int width = b->right - b->left;
    int most = b->band_count / 40; /* a few cells may reach over */
    for (int x = 1; x < width && b->river_count <= MOST_RIVERS; x++) {
        int to = x;
        while (to < width && b->cover[to] <= most) {
            to++;
        }
        if (to - x >= RIVER_PX && to < width && is_edge(b, b->left + x, b->left + to)) {
            b->rivers[b->river_count][0] = b->left + x;
            b->rivers[b->river_count++][1] = b->left + to;
        }
        x = to;
    }
}

/* Moves the marks of a row that lie right of x to a row of their own. */
static bool cut_row(struct model_view *view, int index, int x)
{
    int right = 0;
    const struct model_row *old = &view->rows[index];
    for (int k = 0; k < old->count; k++) {
        right += view->marks[old->marks[k]].r.x0 >= x;
    }
    if (right == 0 || right == old->count) {
        return true;
    }
    struct model_row *grown =
        realloc(view->rows, ((size_t)view->row_count + 1) * sizeof *view->rows);
    int *marks = malloc((size_t)right * sizeof *marks);
    if (grown != NULL) {
        view->rows = grown;
    }
    if (grown == NULL || marks == NULL) {
        free(marks);
        return false;
    }
    struct model_row *row = &view->rows[index];
    struct model_row rest = {.surface = row->surface, .marks = marks, .cell = true};
    int count = row->count;
    row->cell = true;
    row->count = 0;
    for (int k = 0; k < count; k++) {
        int mark = row->marks[k];
        const struct model_rect *r = &view->marks[mark].r;
        struct model_row *to = r->x0 >= x ? &rest : row;
        bool first = to->count == 0;
        to->r.x0 = first ? r->x0 : model_min(to->r.x0, r->x0);
        to->r.y0 = first ? r->y0 : model_min(to->r.y0, r->y0);
        to->r.x1 = first ? r->x1 : model_max(to->r.x1, r->x1);
        to->r.y1 = first ? r->y1 : model_max(to->r.y1, r->y1);
        to->marks[to->count++] = mark;
        view->marks[mark].row = to == row ? index : view->row_count;
    }
    view->rows[view->row_count++] = rest;
    return true;
}

static bool cut_block(struct block *b)
{
    bool ok = true;
    int first = b->bands[0].from;
    int last = b->bands[b->band_count - 1].from + b->bands[b->band_count - 1].count;
    for (int i = first; ok && i < last; i++) {
        b->view->rows[b->order[i]].cell = true;
        /* From the right, so that what is left of a row keeps its index. */
        for (int k = b->river_count - 1; ok && k >= 0; k--) {
            ok = cut_row(b->view, b->order[i], b->rivers[k][0]);
        }
    }
    return ok;
}

/* Bands from one on that stand at equal distances and begin together. */
static int run_length(const struct band *bands, int count)
{
    int n = 1;
    int pitch = count > 1 ? bands[1].bottom - bands[0].bottom : 0;
    while (n < count) {
        int step = bands[n].bottom - bands[n - 1].bottom;
        int tall = bands[n].bottom - bands[n].top;
        if (abs(step - pitch) > 2 * PITCH_PX + 1 || step > 3 * tall || step <= 0) {
            break;
        }
        n++;
    }
    return n;
}

static bool cut_run(struct model_view *view, const int *order, const struct band *bands, int count)
{
    struct block b = {.view = view, .order = order, .bands = bands, .band_count = count};
    int together = 0;
    b.left = bands[0].left;
    b.right = bands[0].right;
    for (int i = 1; i < count; i++) {
        b.left = model_min(b.left, bands[i].left);
        b.right = model_max(b.right, bands[i].right);
    }
    for (int i = 0; i < count; i++) {
        together += bands[i].left - b.left <= EDGE_PX;
    }
    if (together * 5 < count * 4) {
        return true;
    }
    bool ok = fill_cover(&b);
    if (ok) {
        find_rivers(&b);
        ok = b.river_count < LEAST_RIVERS || b.river_count > MOST_RIVERS || cut_block(&b);
    }
    free(b.cover);
    return ok;
}

struct place {
    int row, surface, middle;
};

static int by_middle(const void *pa, const void *pb)
{
    const struct place *a = pa;
    const struct place *b = pb;
    if (a->surface != b->surface) {
        return a->surface < b->surface ? -1 : 1;
    }
    return a->middle != b->middle ? a->middle - b->middle : a->row - b->row;
}

/* Gathers the rows from one on that stand level with it. */
static int fill_band(const struct model_view *view, const struct place *places, int from, int count,
                     struct band *band)
{
    const struct model_rect *first = &view->rows[places[from].row].r;
    *band = (struct band){
        .from = from, .left = first->x0, .right = first->x1, .top = first->y0, .bottom = first->y1};
    int to = from;
    while (to < count && places[to].surface == places[from].surface &&
           places[to].middle < band->bottom) {
        const struct model_rect *r = &view->rows[places[to].row].r;
        band->left = model_min(band->left, r->x0);
        band->right = model_max(band->right, r->x1);
        band->top = model_min(band->top, r->y0);
        band->bottom = model_max(band->bottom, r->y1);
        to++;
    }
    band->count = to - from;
    return to;
}

static bool cut_all(struct model_view *view, const struct place *places, int count,
                    struct band *bands, int *order)
{
    int band_count = 0;
    bool ok = true;
    for (int i = 0; i < count; i++) {
        order[i] = places[i].row;
    }
    for (int i = 0; i < count; band_count++) {
        i = fill_band(view, places, i, count, &bands[band_count]);
    }
    for (int i = 0; ok && i < band_count;) {
        int end = i + 1;
        while (end < band_count &&
               places[bands[end].from].surface == places[bands[i].from].surface) {
            end++;
        }
        int n = run_length(bands + i, end - i);
        ok = n < LEAST_BANDS || cut_run(view, order, bands + i, n);
        i += n > 1 ? n - (n < LEAST_BANDS) : 1; /* its last one may begin another run */
    }
    return ok;
}

bool model_columns_cut(struct model_view *view, struct glmv_err *err)
{
    size_t size = (size_t)view->row_count + 1;
    struct place *places = calloc(size, sizeof *places);
    struct band *bands = calloc(size, sizeof *bands);
    int *order = calloc(size, sizeof *order);
    bool ok = places != NULL && bands != NULL && order != NULL;
    int count = 0;
    for (int i = 0; ok && i < view->row_count; i++) {
        const struct model_row *row = &view->rows[i];
        int tall = row->r.y1 - row->r.y0;
        if (row->surface >= 0 && tall >= 5 && tall <= 40) {
            places[count++] = (struct place){i, row->surface, (row->r.y0 + row->r.y1) / 2};
        }
    }
    if (ok) {
        qsort(places, (size_t)count, sizeof *places, by_middle);
        ok = cut_all(view, places, count, bands, order);
    }
    free(places);
    free(bands);
    free(order);
    return ok || glmv_fail_memory(err);
}
