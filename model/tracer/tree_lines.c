/* Lines become paragraphs: runs on one baseline, lines that continue each other, breaks of the
 * author. */
#include "model/tracer/tree_rows.h"

#define HARD_PITCH 1.7   /* font sizes from line to line in a text with breaks */
#define HARD_WORDS 3     /* words a line of one holds on average */
#define BULLET_SIZE 0.55 /* font sizes that a bullet is wide and high at most */
#define BULLET_GAP 1.3   /* font sizes from a bullet to its entry */
#define CODE_INDENT 12   /* characters' heights that a line of code is indented by at most */
#define ORDERS 4         /* times the lines, of room for rows that are joined */
#define CODE_PITCH 1.8   /* font sizes from line to line of code at most */
#define CODE_SIZES                                                                                 \
    0.12             /* by which sizes of lines of code may differ: "}" says little of its own     \
                      */
#define CODE_BLANK 3 /* lines from one that says something to the next in code, at most */

/* Where the line box begins whose baseline a browser puts at y: the room above the letters is whole
 * px there, rounded down. */
static double line_top(const struct glmv_scene_line *line, double baseline, double pitch)
{
    double ascent;
    double descent;
    tracer_font_metrics(line->font, line->family, &ascent, &descent);
    ascent = round(ascent * line->font_px);
    descent = round(descent * line->font_px);
    return baseline - ascent - floor((pitch - ascent - descent) / 2);
}

/* The height of a line that stands alone: as much above its letters as below them, so that it
 * stands in the middle of what it was centred in. */
static double usual_pitch(const struct glmv_scene_line *line)
{
    double ascent;
    double descent;
    tracer_font_metrics(line->font, line->family, &ascent, &descent);
    double letters = round(ascent * line->font_px) + round(descent * line->font_px);
    double pitch = fmax(round(line->font_px * 1.25), 1);
    return pitch + fabs(fmod(pitch - letters, 2));
}

static bool same_type(const struct glmv_scene_line *a, const struct glmv_scene_line *b)
{
    return fabs(a->font_px - b->font_px) <= 0.06 * a->font_px && abs(a->weight - b->weight) < 200 &&
           a->italic == b->italic && a->family == b->family && a->color == b->color &&
           a->rotation == b->rotation && a->underline == b->underline;
}

static bool both_code(const struct tracer_rows *rows, const struct tracer_row *upper,
                      const struct tracer_row *lower)
{
    return rows->code[upper->main] && rows->code[lower->main];
}

/* A dot, a ring or a square right before a line. */
static bool has_bullet(const struct tracer_builder *b, const struct tracer_row *row, int containers)
{
    const struct glmv_scene_line *line = &b->scene->lines[row->main];
    double most = BULLET_SIZE * line->font_px;
    for (int i = 0; i < containers; i++) {
        const struct glmv_box *box = &b->items[i].want;
        double gap = row->ink.x - box->x - box->w;
        double middle = box->y + box->h / 2;
        if (box->w <= most && box->h <= most && fabs(box->w - box->h) <= 2 && gap > 0 &&
            gap <= BULLET_GAP * line->font_px && middle < row->baseline &&
            middle > row->baseline - 0.7 * line->font_px) {
            return true;
        }
    }
    return false;
}

/* Lines down from one row to the next: more than one where code has lines that say nothing. */
static int lines_down(const struct glmv_scene *s, const struct tracer_rows *rows,
                      const struct tracer_row *upper, const struct tracer_row *lower, double pitch)
{
    const struct glmv_scene_line *a = &s->lines[upper->main];
    if (pitch <= 0 || pitch > CODE_PITCH * a->font_px || !both_code(rows, upper, lower)) {
        return 1;
    }
    int lines = (int)lround((lower->baseline - upper->baseline) / pitch);
    return lines < 1 ? 1 : lines > CODE_BLANK ? CODE_BLANK : lines;
}

static bool continues(const struct glmv_scene *s, const struct tracer_rows *rows,
                      const struct tracer_row *upper, const struct tracer_row *lower, double pitch)
{
    const struct glmv_scene_line *a = &s->lines[upper->main];
    const struct glmv_scene_line *b = &s->lines[lower->main];
    double step = (lower->baseline - upper->baseline) / lines_down(s, rows, upper, lower, pitch);
    bool mixed = upper->count > 1 || lower->count > 1;
    bool code = both_code(rows, upper, lower);
    bool alike = code    ? fabs(a->font_px - b->font_px) <= CODE_SIZES * a->font_px
                 : mixed ? fabs(a->font_px - b->font_px) <= 0.1 * a->font_px
                         : same_type(a, b);
    if (!alike || a->rotation != 0 || rows->cells[upper->main] || rows->cells[lower->main] ||
        step < 0.9 * a->font_px || step > 2.1 * a->font_px) {
        return false;
    }
    if (pitch > 0 && fabs(step - pitch) > 1.6) {
        return false;
    }
    if (code && step <= CODE_PITCH * a->font_px) {
        return true; /* code: indented as it likes */
    }
    bool left = fabs(upper->ink.x - lower->ink.x) <= 0.3 * a->font_px;
    double off = upper->ink.x + upper->ink.w / 2 - lower->ink.x - lower->ink.w / 2;
    double end = upper->ink.x + upper->ink.w - lower->ink.x - lower->ink.w;
    return left || fmin(fabs(off), fabs(end)) <= 0.3 * a->font_px;
}

/* Px of width that two rows share. What follows a line of code may stand left of it. */
static double row_overlap(const struct glmv_scene_line *line, struct glmv_box a, struct glmv_box b)
{
    double reach = line->family == GLMV_FAMILY_MONO ? CODE_INDENT * line->font_px : 0;
    a.x -= reach;
    a.w += reach;
    return fmin(a.x + a.w, b.x + b.w) - fmax(a.x, b.x);
}

/* The nearest row below that shares some width, or -1. */
static int row_below(const struct glmv_scene *s, const struct tracer_rows *rows,
                     const struct tracer_row *from)
{
    int best = -1;
    for (int i = 0; i < rows->count; i++) {
        const struct tracer_row *row = &rows->list[i];
        if (row->holder == from->holder && row->count > 0 &&
            row->baseline > from->baseline + 0.5 * s->lines[from->main].font_px &&
            row_overlap(&s->lines[from->main], from->ink, row->ink) > 0 &&
            (best < 0 || row->baseline < rows->list[best].baseline)) {
            best = i;
        }
    }
    return best;
}

/* A paragraph's first line is followed as long as the next line down continues it. */
static int collect(const struct glmv_scene *s, const struct tracer_rows *rows, bool *used,
                   int first, int *members, double *pitch)
{
    int count = 0;
    members[count++] = first;
    *pitch = 0;
    for (;;) {
        const struct tracer_row *last = &rows->list[members[count - 1]];
        int next = row_below(s, rows, last);
        if (next < 0 || used[next] || rows->list[next].bullet ||
            !continues(s, rows, last, &rows->list[next], *pitch)) {
            return count;
        }
        double step = (rows->list[next].baseline - last->baseline) /
                      lines_down(s, rows, last, &rows->list[next], *pitch);
        *pitch = count == 1 ? step : (*pitch * (count - 1) + step) / count;
        members[count++] = next;
        used[next] = true;
    }
}

/* A line that ends well before the widest one could have held the next word, and code that is
 * indented has its lines where the author wanted them. */
static bool broken_by_author(const struct glmv_scene *s, const struct tracer_rows *rows,
                             const int *members, int count)
{
    double widest = 0;
    for (int i = 0; i < count; i++) {
        widest = fmax(widest, rows->list[members[i]].ink.w);
    }
    for (int i = 0; i + 1 < count; i++) {
        const struct tracer_row *row = &rows->list[members[i]];
        const struct tracer_row *below = &rows->list[members[i + 1]];
        const struct glmv_scene_line *next = &s->lines[rows->order[below->start]];
        double word = next->word_count > 0 ? next->words[0].ink.w : next->ink.w;
        bool code = both_code(rows, row, below);
        if (row->ink.w + 0.3 * next->font_px + word < widest - 2 ||
            (code && fabs(row->ink.x - below->ink.x) > next->font_px)) {
            return true;
        }
    }
    return false;
}

/* Whether lines that the author broke are one text all the same: code, an address, a verse, and no
 * list of short entries. */
static bool is_one_text(const struct glmv_scene *s, const struct tracer_rows *rows,
                        const int *members, int count, double pitch)
{
    const struct glmv_scene_line *first = &s->lines[rows->list[members[0]].main];
    size_t words = 0;
    for (int i = 0; i < count; i++) {
        const struct tracer_row *row = &rows->list[members[i]];
        for (int k = 0; k < row->count; k++) {
            words += s->lines[rows->order[row->start + k]].word_count;
        }
    }
    return rows->code[rows->list[members[0]].main] ||
           (pitch <= HARD_PITCH * first->font_px && words >= HARD_WORDS * (size_t)count);
}

/* Copies the runs of the rows, pitch apart, into a node; false without memory. */
static bool take_runs(struct tracer_node *node, const struct glmv_scene *s,
                      const struct tracer_rows *rows, const int *members, int count, double pitch)
{
    int runs = 0;
    for (int i = 0; i < count; i++) {
        runs += rows->list[members[i]].count;
    }
    node->runs = malloc((size_t)runs * sizeof *node->runs);
    node->rows = malloc((size_t)runs * sizeof *node->rows);
    node->chips = malloc((size_t)runs * sizeof *node->chips);
    if (node->runs == NULL || node->rows == NULL || node->chips == NULL) {
        return false;
    }
    node->main = rows->list[members[0]].main;
    int line = 0;
    for (int i = 0; i < count; i++) {
        const struct tracer_row *row = &rows->list[members[i]];
        line += i > 0 ? lines_down(s, rows, &rows->list[members[i - 1]], row, pitch) : 0;
        for (int k = 0; k < row->count; k++) {
            node->runs[node->run_count] = rows->order[row->start + k];
            node->chips[node->run_count] = rows->chips[node->runs[node->run_count]];
            node->rows[node->run_count++] = line;
        }
        if (tracer_rows_says_more(s, rows, row->main, node->main)) {
            node->main = row->main;
        }
    }
    node->row_count = line + 1;
    return true;
}

/* Whether lines a pitch apart come out on the px of the measured baselines; stores where the first
 * one lies then, before it is rounded: on a whole px where that does. */
static bool pitch_fits(const struct tracer_rows *rows, const int *members, int count, double pitch,
                       double *baseline)
{
    double first = rows->list[members[0]].baseline;
    double least = first - 0.5;
    double most = first + 0.49;
    for (int i = 1; i < count; i++) {
        double at = rows->list[members[i]].baseline;
        double from = at - round((at - first) / pitch) * pitch; /* code has empty lines */
        least = fmax(least, from - 0.5);
        most = fmin(most, from + 0.49);
    }
    *baseline = least <= first && first <= most ? first : (least + most) / 2;
    return least <= most;
}

/* The pitch that an author may have written: whole px, or a plain multiple of the font size; the
 * mean of the steps where the lines stand on neither. */
static double written_pitch(const struct glmv_scene_line *line, const struct tracer_rows *rows,
                            const int *members, int count, double mean, double *baseline)
{
    double size = fmax(round(line->font_px * 2) / 2, 1);
    const double tries[] = {round(mean), size * round(mean / size * 10) / 10,
                            size * round(mean / size * 20) / 20, round(mean * 2) / 2, mean};
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        if (pitch_fits(rows, members, count, tries[i], baseline)) {
            return tries[i];
        }
    }
    *baseline = rows->list[members[0]].baseline;
    return mean;
}

static void add_text(struct tracer_builder *b, const struct tracer_rows *rows, const int *members,
                     int count, double pitch, bool hard)
{
    const struct glmv_scene *s = b->scene;
    const struct tracer_row *first = &rows->list[members[0]];
    double baseline = s->lines[first->main].baseline;
    double step =
        count > 1 ? written_pitch(&s->lines[first->main], rows, members, count, pitch, &baseline)
                  : usual_pitch(&s->lines[first->main]);
    struct glmv_box ink = first->ink;
    double left = 0;
    double middle = 0;
    double right = 0;
    for (int i = 1; i < count; i++) {
        const struct glmv_box *one = &rows->list[members[i]].ink;
        ink = glmv_box_joined(ink, *one);
        left += fabs(one->x - first->ink.x);
        middle += fabs(one->x + one->w / 2 - first->ink.x - first->ink.w / 2);
        right += fabs(one->x + one->w - first->ink.x - first->ink.w);
    }
    double top = line_top(&s->lines[first->main], baseline, step);
    struct tracer_shift by = b->line_shift[first->main];
    struct glmv_box placed = {ink.x + by.dx, top + by.dy, ink.w, step * count};
    struct tracer_node *node = tracer_build_node_new(b, TRACER_TEXT, placed);
    if (node == NULL) {
        return;
    }
    if (!take_runs(node, s, rows, members, count, pitch)) {
        b->failed = true;
        tracer_node_free(node);
        return;
    }
    node->box.h = step * node->row_count;
    node->pitch = step;
    node->first = first->main;
    node->code = hard && rows->code[first->main];
    node->flush = count > 1 && right < fmin(left, middle) && !node->code;
    node->centered = count > 1 && middle < left && !node->flush && !node->code;
    node->hard = hard;
    tracer_build_add_item(
        b, ink, node); /* the ink: line boxes of neighbours may overlap, their ink does not */
    b->items[b->count - 1].parent = first->holder;
}

static int row_order(const void *p, const void *q)
{
    const struct tracer_row *a = p;
    const struct tracer_row *b = q;
    if (a->baseline != b->baseline) {
        return a->baseline < b->baseline ? -1 : 1;
    }
    return a->ink.x < b->ink.x ? -1 : a->ink.x > b->ink.x;
}

static void add_paragraphs(struct tracer_builder *b, struct tracer_rows *rows, bool *used,
                           int *members)
{
    for (int i = 0; !b->failed && i < rows->count; i++) {
        if (used[i] || rows->list[i].count == 0) {
            continue;
        }
        used[i] = true;
        double pitch;
        int count = collect(b->scene, rows, used, i, members, &pitch);
        while (count > 1 && tracer_rows_fill(b->scene, rows, members, count)) {
            for (int k = 1; k < count; k++) {
                used[members[k]] = false;
            }
            count = collect(b->scene, rows, used, i, members, &pitch);
        }
        bool hard = count > 1 && broken_by_author(b->scene, rows, members, count);
        if (hard && !is_one_text(b->scene, rows, members, count, pitch)) {
            for (int k = 0; k < count; k++) {
                add_text(b, rows, &members[k], 1, 0, false);
            }
        } else {
            add_text(b, rows, members, count, pitch, hard);
        }
    }
}

void tracer_build_add_lines(struct tracer_builder *b)
{
    const struct glmv_scene *s = b->scene;
    size_t n = s->line_count + 1;
    int containers = b->count;
    bool *used = calloc(n, sizeof *used);
    int *members = malloc(n * sizeof *members);
    int *holders = malloc(n * sizeof *holders);
    struct tracer_rows rows = {.order = malloc(ORDERS * n * sizeof *rows.order),
                               .room = (int)(ORDERS * n),
                               .list = malloc(n * sizeof *rows.list),
                               .cells = calloc(n, sizeof *rows.cells),
                               .code = calloc(n, sizeof *rows.code),
                               .listing = calloc(n, sizeof *rows.listing),
                               .chips = b->chips};
    if (used == NULL || members == NULL || holders == NULL || rows.order == NULL ||
        rows.list == NULL || rows.cells == NULL || rows.code == NULL || rows.listing == NULL) {
        b->failed = true;
    } else {
        for (size_t i = 0; i < s->line_count; i++) {
            holders[i] =
                tracer_build_holder_of(b, s->lines[i].ink, TRACER_TEXT_TOLERANCE, -1, containers);
            used[i] = tracer_build_is_misread(s, &s->lines[i]);
        }
        for (int i = 0; i < (int)s->line_count; i++) {
            used[i] = used[i] || tracer_build_is_read_twice(s, i, used);
        }
        tracer_build_find_code(s, holders, rows.chips, rows.code);
        tracer_build_find_listings(s, holders, rows.code, rows.listing);
        b->failed = b->failed || !tracer_build_find_cells(s, holders, rows.cells);
        tracer_rows_find(s, &rows, holders, used);
        qsort(rows.list, (size_t)rows.count, sizeof rows.list[0], row_order);
        memset(used, 0, n * sizeof *used);
        for (int i = 0; i < rows.count; i++) {
            rows.list[i].bullet = has_bullet(b, &rows.list[i], containers);
        }
        add_paragraphs(b, &rows, used, members);
    }
    free(used);
    free(members);
    free(holders);
    free(rows.order);
    free(rows.list);
    free(rows.cells);
    free(rows.code);
    free(rows.listing);
}
