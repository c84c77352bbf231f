/* Lines on one baseline, a space apart, are one row with runs of other type. */
#include "model/tracer/tree_rows.h"

#define CODE_GAP 1.2   /* font sizes from one part of a line of code to the next at most */
#define LISTING_GAP 25 /* and where nothing else stands in its box */
#define WITHIN 0.8     /* of a part of a sentence that lies within its paragraph's sides */
#define LEVEL 0.25     /* font sizes by which the baselines of such a part may differ */

/* What a line takes of its row: its ink, or the box painted round it. */
static struct glmv_box extent_of(const struct glmv_scene *s, const struct tracer_rows *rows,
                                 int line)
{
    return rows->chips[line] >= 0 ? s->boxes[rows->chips[line]].box : s->lines[line].ink;
}

/* Px from one line to the next in a row. */
static double gap_between(const struct glmv_scene *s, const struct tracer_rows *rows, int last,
                          int next)
{
    bool together = rows->chips[last] >= 0 && rows->chips[last] == rows->chips[next];
    struct glmv_box a = together ? s->lines[last].ink : extent_of(s, rows, last);
    struct glmv_box b = together ? s->lines[next].ink : extent_of(s, rows, next);
    return b.x - a.x - a.w;
}

static bool joins(const struct glmv_scene *s, const struct tracer_row *row,
                  const struct tracer_rows *rows, int last, int next)
{
    const struct glmv_scene_line *a = &s->lines[last];
    const struct glmv_scene_line *b = &s->lines[next];
    double size = fmax(a->font_px, b->font_px);
    double gap = gap_between(s, rows, last, next);
    bool mono = rows->code[last] && rows->code[next];
    return a->rotation == 0 && b->rotation == 0 && !rows->cells[last] && !rows->cells[next] &&
           fabs(b->baseline - row->baseline) <= 0.12 * size + 0.6 && gap > -0.2 * size &&
           gap <= (rows->listing[last] ? LISTING_GAP
                   : mono              ? CODE_GAP
                                       : 0.5) *
                      size &&
           fmin(a->font_px, b->font_px) >= 0.75 * size;
}

/* The nearest unused line to the right that belongs to the row, or -1. */
static int next_run(const struct glmv_scene *s, const struct tracer_row *row,
                    const struct tracer_rows *rows, int last, const int *holders, const bool *used)
{
    int best = -1;
    for (int i = 0; i < (int)s->line_count; i++) {
        if (!used[i] && holders[i] == row->holder && joins(s, row, rows, last, i) &&
            (best < 0 || s->lines[i].ink.x < s->lines[best].ink.x)) {
            best = i;
        }
    }
    return best;
}

static bool starts_row(const struct glmv_scene *s, const struct tracer_rows *rows, int line,
                       const int *holders, const bool *used)
{
    for (int i = 0; i < (int)s->line_count; i++) {
        struct tracer_row before = {.baseline = s->lines[i].baseline};
        if (i != line && !used[i] && holders[i] == holders[line] &&
            s->lines[i].ink.x < s->lines[line].ink.x && joins(s, &before, rows, i, line)) {
            return false;
        }
    }
    return true;
}

/* Whether a line tells the type of its text rather than another does: it stands in no box of its
 * own, it is the one of two lines of code whose face was recognised, or it has more letters. */
bool tracer_rows_says_more(const struct glmv_scene *s, const struct tracer_rows *rows, int line,
                           int other)
{
    if ((rows->chips[line] < 0) != (rows->chips[other] < 0)) {
        return rows->chips[line] < 0;
    }
    bool sure = s->lines[line].family == GLMV_FAMILY_MONO;
    return rows->code[line] && sure != (s->lines[other].family == GLMV_FAMILY_MONO)
               ? sure
               : strlen(s->lines[line].text) > strlen(s->lines[other].text);
}

static void add_run(const struct glmv_scene *s, struct tracer_rows *rows, struct tracer_row *row,
                    int *filled, int line)
{
    const struct glmv_scene_line *one = &s->lines[line];
    struct glmv_box wide = extent_of(s, rows, line);
    struct glmv_box ink = {wide.x, one->ink.y, wide.w, one->ink.h};
    row->ink = row->count == 0 ? ink : glmv_box_joined(row->ink, ink);
    if (row->count == 0 || tracer_rows_says_more(s, rows, line, row->main)) {
        row->main = line;
    }
    if (rows->code[line]) { /* parts without descenders are measured a px too high now and then */
        row->baseline = fmax(row->baseline, one->baseline);
    }
    rows->order[(*filled)++] = line;
    row->count++;
}

void tracer_rows_find(const struct glmv_scene *s, struct tracer_rows *rows, const int *holders,
                      bool *used)
{
    /* Twice: a ring of lines that each continue another must not be lost. */
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < (int)s->line_count; i++) {
            if (used[i] || (pass == 0 && !starts_row(s, rows, i, holders, used))) {
                continue;
            }
            struct tracer_row *row = &rows->list[rows->count++];
            *row = (struct tracer_row){
                .start = rows->filled, .holder = holders[i], .baseline = s->lines[i].baseline};
            for (int line = i; line >= 0; line = next_run(s, row, rows, line, holders, used)) {
                used[line] = true;
                add_run(s, rows, row, &rows->filled, line);
            }
        }
    }
}

/* Whether a row stands on the same line as another and between or beside its runs. */
static bool fits_beside(const struct glmv_scene *s, const struct tracer_rows *rows,
                        const struct tracer_row *row, const struct tracer_row *other)
{
    double size = s->lines[row->main].font_px;
    if (fabs(row->baseline - other->baseline) > LEVEL * size) {
        return false;
    }
    for (int i = 0; i < row->count; i++) {
        struct glmv_box run = extent_of(s, rows, rows->order[row->start + i]);
        if (fmin(run.x + run.w, other->ink.x + other->ink.w) - fmax(run.x, other->ink.x) >
            0.2 * size) {
            return false;
        }
    }
    return true;
}

/* Appends the runs of two rows, from left to right, as the first of them; the other is left empty.
 */
static void merge_rows(const struct glmv_scene *s, struct tracer_rows *rows, struct tracer_row *row,
                       struct tracer_row *other)
{
    const struct tracer_row parts[2] = {*row, *other};
    int filled = rows->filled;
    *row = (struct tracer_row){.start = filled, .holder = row->holder, .baseline = row->baseline};
    int at[2] = {0, 0};
    while (at[0] < parts[0].count || at[1] < parts[1].count) {
        int line[2] = {-1, -1};
        for (int k = 0; k < 2; k++) {
            line[k] = at[k] < parts[k].count ? rows->order[parts[k].start + at[k]] : -1;
        }
        int next = line[0] < 0   ? 1
                   : line[1] < 0 ? 0
                                 : s->lines[line[1]].ink.x < s->lines[line[0]].ink.x;
        add_run(s, rows, row, &filled, line[next]);
        at[next]++;
    }
    rows->filled = filled;
    other->count = 0;
}

/* A part of a sentence that stands farther from the rest than words do, within the paragraph, is
 * of its line: behind a word in a box that was not found, or a wide sign. Returns whether there was
 * one. */
bool tracer_rows_fill(const struct glmv_scene *s, struct tracer_rows *rows, const int *members,
                      int count)
{
    struct glmv_box all = rows->list[members[0]].ink;
    for (int i = 1; i < count; i++) {
        all = glmv_box_joined(all, rows->list[members[i]].ink);
    }
    for (int i = 0; i < rows->count; i++) {
        struct tracer_row *other = &rows->list[i];
        const struct glmv_box *ink = &other->ink;
        double shared = fmin(all.x + all.w, ink->x + ink->w) - fmax(all.x, ink->x);
        if (other->count == 0 || other->holder != rows->list[members[0]].holder || other->bullet ||
            rows->cells[other->main] || shared < WITHIN * ink->w || ink->y + ink->h < all.y ||
            ink->y > all.y + all.h) {
            continue;
        }
        for (int k = 0; k < count; k++) {
            struct tracer_row *row = &rows->list[members[k]];
            double left = s->lines[rows->order[row->start]].ink.x;
            if (row != other && left < ink->x && fits_beside(s, rows, row, other) &&
                rows->filled + row->count + other->count <= rows->room) {
                merge_rows(s, rows, row, other);
                return true;
            }
        }
    }
    return false;
}
