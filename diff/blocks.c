#include "diff/blocks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diff/assign.h"
#include "diff/colour.h"
#include "diff/text.h"

#define ROUNDS 40       /* of merging */
#define LEAST_GAIN 0.05 /* of the mean similarity, for a merge */
#define LEAST_MATCH 0.5
#define BONUS 0.1

struct block {
    struct diff_text text;
    double x, y, w, h;
    double rgb[3];
};

struct side {
    struct block *blocks; /* owned, with their texts */
    size_t count;
};

/* A merge of a block with the next that would pay. */
struct merge {
    double gain;
    size_t at;
    struct diff_text text;
    double *row; /* costs of the merged block */
};

static void side_release(struct side *s)
{
    for (size_t i = 0; s->blocks != NULL && i < s->count; i++) {
        diff_text_release(&s->blocks[i].text);
    }
    free(s->blocks);
}

static bool side_init(struct side *s, const struct glmv_block *list, size_t count)
{
    s->count = 0;
    s->blocks = malloc((count + 1) * sizeof *s->blocks);
    for (size_t i = 0; s->blocks != NULL && i < count; i++) {
        struct block *b = &s->blocks[s->count];
        *b = (struct block){.x = list[i].x, .y = list[i].y, .w = list[i].w, .h = list[i].h};
        memcpy(b->rgb, list[i].rgb, sizeof b->rgb);
        if (!diff_text_init(&b->text, list[i].text)) {
            diff_text_release(&b->text);
            return false;
        }
        if (b->text.len > 0) {
            s->count++;
        } else {
            diff_text_release(&b->text);
        }
    }
    return s->blocks != NULL;
}

static void mix_colours(struct block *a, const struct block *b)
{
    for (int c = 0; c < 3; c++) {
        a->rgb[c] = (a->rgb[c] + b->rgb[c]) / 2;
    }
}

static void remove_block(struct side *s, size_t at)
{
    diff_text_release(&s->blocks[at].text);
    memmove(&s->blocks[at], &s->blocks[at + 1], (s->count - at - 1) * sizeof *s->blocks);
    s->count--;
}

/* Blocks at exactly one place are one. */
static bool unite_equal_boxes(struct side *s)
{
    for (size_t i = 0; i < s->count; i++) {
        for (size_t j = i + 1; j < s->count;) {
            struct block *a = &s->blocks[i];
            struct block *b = &s->blocks[j];
            if (a->x != b->x || a->y != b->y || a->w != b->w || a->h != b->h) {
                j++;
                continue;
            }
            struct diff_text text;
            if (!diff_text_join(&text, &a->text, &b->text, true)) {
                diff_text_release(&text);
                return false;
            }
            diff_text_release(&a->text);
            a->text = text;
            mix_colours(a, b);
            remove_block(s, j);
        }
    }
    return true;
}

/* Minus the similarity of a text to each block of a side; false without memory. */
static bool cost_row(const struct diff_text *text, const struct side *others, double *row)
{
    for (size_t j = 0; j < others->count; j++) {
        row[j] = -diff_text_similarity(text, &others->blocks[j].text);
        if (row[j] > 0) {
            return false;
        }
    }
    return true;
}

static int ascending(const void *p, const void *q)
{
    double a = *(const double *)p;
    double b = *(const double *)q;
    return a < b ? -1 : a > b;
}

/* The costs that an assignment picks, ascending; returns how many. */
static size_t picked(const double *cost, size_t rows, size_t columns, const int *column,
                     double *out)
{
    size_t count = 0;
    for (size_t i = 0; i < rows; i++) {
        if (column[i] >= 0) {
            out[count++] = cost[i * columns + (size_t)column[i]];
        }
    }
    qsort(out, count, sizeof *out, ascending);
    return count;
}

/* How much the mean of the costs that changed falls; both lists ascend. */
static double gain_of(const double *before, size_t n, const double *after, size_t m)
{
    double sum[2] = {0, 0};
    double least[2] = {INFINITY, INFINITY};
    size_t count[2] = {0, 0};
    for (size_t i = 0, j = 0; i < n || j < m;) {
        if (i < n && j < m && before[i] == after[j]) {
            i++;
            j++;
            continue;
        }
        int side = j >= m || (i < n && before[i] < after[j]) ? 0 : 1;
        double value = side == 0 ? before[i++] : after[j++];
        sum[side] += value;
        count[side]++;
        least[side] = value < least[side] ? value : least[side];
    }
    double gain = (count[0] > 0 ? sum[0] / (double)count[0] : 0) -
                  (count[1] > 0 ? sum[1] / (double)count[1] : 0);
    if (gain > 0 && (count[0] == 0 || count[1] == 0 || least[0] <= least[1])) {
        return 0;
    }
    return gain;
}

/* What merging needs, allocated once for a side. */
struct workshop {
    double *cost;       /* as it would be after a merge */
    double *now, *then; /* picked costs */
    int *column, *trial;
};

static bool workshop_init(struct workshop *w, size_t rows, size_t columns)
{
    w->cost = malloc((rows * columns + 1) * sizeof *w->cost);
    w->now = malloc((rows + 1) * sizeof *w->now);
    w->then = malloc((rows + 1) * sizeof *w->then);
    w->column = malloc((rows + 1) * sizeof *w->column);
    w->trial = malloc((rows + 1) * sizeof *w->trial);
    return w->cost != NULL && w->now != NULL && w->then != NULL && w->column != NULL &&
           w->trial != NULL;
}

static void workshop_release(struct workshop *w)
{
    free(w->cost);
    free(w->now);
    free(w->then);
    free(w->column);
    free(w->trial);
}

static double matched_as(const struct workshop *w, const double *cost, size_t columns, size_t i)
{
    return w->column[i] >= 0 ? -cost[i * columns + (size_t)w->column[i]] : 0;
}

/* Tries one merge; gain stays 0 where it does not pay. False without memory. */
static bool try_merge(struct workshop *w, const struct side *own, const struct side *others,
                      const double *cost, size_t now, struct merge *m)
{
    size_t n = own->count;
    size_t columns = others->count;
    m->row = malloc(columns * sizeof *m->row);
    m->gain = 0;
    if (m->row == NULL ||
        !diff_text_join(&m->text, &own->blocks[m->at].text, &own->blocks[m->at + 1].text, false) ||
        !cost_row(&m->text, others, m->row)) {
        return false;
    }
    double best = 0;
    for (size_t j = 0; j < columns; j++) {
        best = -m->row[j] > best ? -m->row[j] : best;
    }
    double parts =
        fmax(matched_as(w, cost, columns, m->at), matched_as(w, cost, columns, m->at + 1));
    if (best <= fmax(parts, 0)) {
        return true;
    }
    size_t head = m->at * columns;
    memcpy(w->cost, cost, head * sizeof *cost);
    memcpy(w->cost + head, m->row, columns * sizeof *cost);
    memcpy(w->cost + head + columns, cost + head + 2 * columns,
           (n - m->at - 2) * columns * sizeof *cost);
    if (!diff_assign(w->cost, n - 1, columns, w->trial)) {
        return false;
    }
    size_t then = picked(w->cost, n - 1, columns, w->trial, w->then);
    m->gain = gain_of(w->now, now, w->then, then);
    return true;
}

static void drop_merge(struct merge *m)
{
    diff_text_release(&m->text);
    free(m->row);
}

static int by_gain(const void *p, const void *q)
{
    const struct merge *a = p;
    const struct merge *b = q;
    if (a->gain != b->gain) {
        return a->gain > b->gain ? -1 : 1;
    }
    return a->at < b->at ? -1 : 1;
}

static void enclose(struct block *a, const struct block *b)
{
    double right = fmax(a->x + a->w, b->x + b->w);
    double bottom = fmax(a->y + a->h, b->y + b->h);
    a->x = fmin(a->x, b->x);
    a->y = fmin(a->y, b->y);
    a->w = right - a->x;
    a->h = bottom - a->y;
}

/* Carries the merges out that do not touch one another, the best first. */
static void carry_out(struct side *own, double *cost, size_t columns, struct merge *list,
                      size_t count, bool *gone, bool *used)
{
    for (size_t k = 0; k < count; k++) {
        size_t i = list[k].at;
        if (used[i] || used[i + 1]) {
            continue;
        }
        struct block *a = &own->blocks[i];
        used[i] = used[i + 1] = gone[i + 1] = true;
        enclose(a, a + 1);
        mix_colours(a, a + 1);
        diff_text_release(&a->text);
        a->text = list[k].text;
        list[k].text = (struct diff_text){0};
        memcpy(cost + i * columns, list[k].row, columns * sizeof *cost);
    }
    size_t kept = 0;
    for (size_t i = 0; i < own->count; i++) {
        if (gone[i]) {
            diff_text_release(&own->blocks[i].text);
            continue;
        }
        own->blocks[kept] = own->blocks[i];
        memmove(cost + kept * columns, cost + i * columns, columns * sizeof *cost);
        kept++;
    }
    own->count = kept;
}

/* One round of merging neighbours of a side, which has the rows of cost. */
static bool merge_side(struct side *own, const struct side *others, double *cost, bool *changed)
{
    size_t n = own->count;
    struct workshop w = {0};
    struct merge *list = calloc(n + 1, sizeof *list);
    bool *flags = calloc(2 * n + 2, sizeof *flags);
    size_t count = 0;
    *changed = false;
    bool ok = list != NULL && flags != NULL && workshop_init(&w, n, others->count) &&
              diff_assign(cost, n, others->count, w.column);
    size_t now = ok ? picked(cost, n, others->count, w.column, w.now) : 0;
    for (size_t i = 0; ok && i + 1 < n; i++) {
        struct merge *m = &list[count];
        m->at = i;
        ok = try_merge(&w, own, others, cost, now, m);
        if (ok && m->gain > LEAST_GAIN) {
            count++;
        } else {
            drop_merge(m);
            *m = (struct merge){0};
        }
    }
    if (ok && count > 0) {
        qsort(list, count, sizeof *list, by_gain);
        carry_out(own, cost, others->count, list, count, flags, flags + n + 1);
        *changed = true;
    }
    for (size_t i = 0; list != NULL && i < count; i++) {
        drop_merge(&list[i]);
    }
    free(list);
    free(flags);
    workshop_release(&w);
    return ok;
}

static void turn(const double *from, size_t rows, size_t columns, double *to)
{
    for (size_t i = 0; i < rows * columns; i++) {
        to[(i % columns) * rows + i / columns] = from[i];
    }
}

/* Neighbours that match well make a match better. */
static void add_context(const double *cost, size_t n, size_t m, double *out)
{
    memcpy(out, cost, n * m * sizeof *out);
    for (size_t at = 0; at < n * m; at++) {
        if (cost[at] >= -0.5) {
            continue;
        }
        double near[9];
        size_t count = 0;
        size_t i = at / m;
        size_t j = at % m;
        for (size_t y = i > 0 ? i - 1 : 0; y < n && y <= i + 1; y++) {
            for (size_t x = j > 0 ? j - 1 : 0; x < m && x <= j + 1; x++) {
                if (y != i || x != j) {
                    near[count++] = cost[y * m + x];
                }
            }
        }
        qsort(near, count, sizeof *near, ascending);
        for (size_t k = 0; k < 2 && k < count; k++) {
            out[at] += BONUS * near[k];
        }
    }
}

static struct glmv_lab lab_of(const double rgb[3])
{
    uint32_t packed = 0;
    for (int c = 0; c < 3; c++) {
        double v = rgb[c] < 0 ? 0 : rgb[c] > 255 ? 255 : rgb[c];
        packed = packed << 8 | (uint32_t)(v + 0.5);
    }
    return glmv_lab_of(packed);
}

static bool add_up(const struct side *a, const struct side *b, const int *column,
                   struct glmv_block_score *s)
{
    double area[2] = {0, 0}; /* matched, all */
    for (size_t i = 0; i < a->count; i++) {
        area[1] += a->blocks[i].w * a->blocks[i].h;
    }
    for (size_t j = 0; j < b->count; j++) {
        area[1] += b->blocks[j].w * b->blocks[j].h;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (column[i] < 0) {
            continue;
        }
        const struct block *p = &a->blocks[i];
        const struct block *q = &b->blocks[column[i]];
        double ratio = diff_text_ratio(&p->text, &q->text);
        if (ratio < LEAST_MATCH) {
            if (ratio < 0) {
                return false;
            }
            continue;
        }
        double dx = fabs(p->x + p->w / 2 - q->x - q->w / 2);
        double dy = fabs(p->y + p->h / 2 - q->y - q->h / 2);
        s->matched++;
        s->text += ratio;
        s->position += 1 - fmax(dx, dy);
        s->colour += fmax(0, 1 - glmv_ciede2000(lab_of(p->rgb), lab_of(q->rgb)) / 100);
        area[0] += p->w * p->h + q->w * q->h;
    }
    if (s->matched > 0) {
        s->text /= (double)s->matched;
        s->position /= (double)s->matched;
        s->colour /= (double)s->matched;
        s->block = area[1] > 0 ? area[0] / area[1] : 0;
    }
    return true;
}

/* cost and turned: room for all blocks of both sides. */
static bool match(struct side *a, struct side *b, double *cost, double *turned,
                  struct glmv_block_score *score)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!cost_row(&a->blocks[i].text, b, cost + i * b->count)) {
            return false;
        }
    }
    bool more[2] = {true, true};
    for (int round = 0; round < ROUNDS && (more[0] || more[1]); round++) {
        if (!merge_side(a, b, cost, &more[0])) {
            return false;
        }
        turn(cost, a->count, b->count, turned);
        if (!merge_side(b, a, turned, &more[1])) {
            return false;
        }
        turn(turned, b->count, a->count, cost);
    }
    add_context(cost, a->count, b->count, turned);
    int *column = malloc((a->count + 1) * sizeof *column);
    bool ok = column != NULL && diff_assign(turned, a->count, b->count, column) &&
              add_up(a, b, column, score);
    free(column);
    return ok;
}

bool glmv_diff_blocks(const struct glmv_block *page, size_t page_count,
                      const struct glmv_block *reference, size_t reference_count,
                      struct glmv_block_score *score, struct glmv_err *err)
{
    struct side a = {0};
    struct side b = {0};
    *score = (struct glmv_block_score){0};
    bool ok = side_init(&a, page, page_count) && side_init(&b, reference, reference_count) &&
              unite_equal_boxes(&a);
    if (ok && a.count > 0 && b.count > 0) {
        double *cost = malloc(a.count * b.count * sizeof *cost);
        double *turned = malloc(a.count * b.count * sizeof *turned);
        ok = cost != NULL && turned != NULL && match(&a, &b, cost, turned, score);
        free(cost);
        free(turned);
    } else if (ok && a.count == 0 && b.count == 0) {
        score->block = score->text = score->position = score->colour = 1;
    }
    score->page_blocks = a.count;
    score->reference_blocks = b.count;
    side_release(&a);
    side_release(&b);
    return ok || glmv_fail_memory(err);
}
