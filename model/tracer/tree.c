#include "model/tracer/tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BOX_TOLERANCE 1.5  /* px a box may stick out of what holds it */
#define TEXT_TOLERANCE 3.0 /* px ink may stick out of what holds it */
#define MAX_DEPTH 60
#define DIVIDER_HEIGHT 4  /* px */
#define DIVIDER_WIDTH 0.8 /* of the stack */
#define COLUMN_GAP 14     /* px between the columns of a record */
#define SIDEBAR_WIDTH 0.3 /* of what it stands in, at most */
#define SIDEBAR_HEIGHT 350.0
#define RECORD_HEIGHT 130 /* px between two dividers that are one row of a table */
#define HARD_PITCH 1.7    /* font sizes from line to line in a text with breaks */
#define HARD_WORDS 3      /* words a line of one holds on average */
#define VEIL_AREA 15000   /* px; smaller pictures are shown as they are */
#define VEIL_INK 0.3      /* share of a picture's px that are not transparent */
#define VEIL_PAGE 0.25    /* share of the page that a veil covers */
#define CODE_INDENT 12    /* characters' heights that a line of code is indented by at most */
#define FRAME_INK 0.03    /* of an outline around other things */

/* A line, a paragraph, a box or a picture, before it has its place in the tree. */
struct item {
    struct glmv_box want; /* structure is cut from this */
    struct tracer_node *node;
    int parent; /* item that holds it, or -1 */
    double area;
};

struct builder {
    const struct glmv_scene *scene;
    const struct tracer_shift *line_shift, *box_shift, *picture_shift;
    struct item *items;
    int count;
    bool failed;
};

void tracer_node_free(struct tracer_node *node)
{
    if (node == NULL) {
        return;
    }
    for (int i = 0; i < node->child_count; i++) {
        tracer_node_free(node->children[i]);
    }
    free((void *)node->children);
    free(node->runs);
    free(node->rows);
    free(node);
}

static struct tracer_node *node_new(struct builder *b, enum tracer_node_kind kind,
                                    struct glmv_box box)
{
    struct tracer_node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        b->failed = true;
        return NULL;
    }
    node->kind = kind;
    node->box = box;
    node->scene_box = -1;
    node->scene_picture = -1;
    node->mark = -1;
    return node;
}

/* Takes the child, also when it cannot be kept. */
static void adopt(struct builder *b, struct tracer_node *node, struct tracer_node *child)
{
    if (child == NULL) {
        return;
    }
    struct tracer_node **grown =
        node == NULL
            ? NULL
            : realloc((void *)node->children, ((size_t)node->child_count + 1) * sizeof *grown);
    if (grown == NULL) {
        b->failed = true;
        tracer_node_free(child);
        return;
    }
    node->children = grown;
    node->children[node->child_count++] = child;
}

static struct glmv_box moved(struct glmv_box box, struct tracer_shift by)
{
    box.x += by.dx;
    box.y += by.dy;
    return box;
}

static struct glmv_box joined(struct glmv_box a, struct glmv_box b)
{
    double right = fmax(a.x + a.w, b.x + b.w);
    double bottom = fmax(a.y + a.h, b.y + b.h);
    double x = fmin(a.x, b.x);
    double y = fmin(a.y, b.y);
    return (struct glmv_box){x, y, right - x, bottom - y};
}

static bool holds(struct glmv_box outer, struct glmv_box inner, double slack)
{
    return inner.x >= outer.x - slack && inner.y >= outer.y - slack &&
           inner.x + inner.w <= outer.x + outer.w + slack &&
           inner.y + inner.h <= outer.y + outer.h + slack;
}

void tracer_font_metrics(const char *font, enum glmv_family family, double *ascent, double *descent)
{
    /* hhea or typo metrics, whichever the font asks browsers to use. */
    static const struct {
        const char *name;
        double ascent, descent;
    } known[] = {
        {"Liberation Sans", 0.905, 0.212}, {"Liberation Serif", 0.891, 0.216},
        {"Liberation Mono", 0.833, 0.300}, {"DejaVu Sans Mono", 0.928, 0.236},
        {"DejaVu Serif", 0.928, 0.236},    {"DejaVu Sans", 0.928, 0.236},
        {"Noto Sans Mono", 1.069, 0.293},  {"Noto Serif", 1.069, 0.293},
        {"Noto Sans CJK", 1.160, 0.288},   {"Noto Serif CJK", 1.151, 0.286},
        {"Noto Sans", 1.069, 0.293},
    };
    *ascent = family == GLMV_FAMILY_SERIF ? 0.891 : 0.905;
    *descent = 0.214;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strncmp(font, known[i].name, strlen(known[i].name)) == 0) {
            *ascent = known[i].ascent;
            *descent = known[i].descent;
            return;
        }
    }
}

/* The line box of a line: as wide as its ink, pitch high, with the baseline where a browser would
 * put it. */
static struct glmv_box line_box(const struct glmv_scene_line *line, double pitch)
{
    double ascent;
    double descent;
    tracer_font_metrics(line->font, line->family, &ascent, &descent);
    ascent = round(ascent * line->font_px);
    descent = round(descent * line->font_px);
    double top = line->baseline - ascent - (pitch - ascent - descent) / 2;
    return (struct glmv_box){line->ink.x, top, line->ink.w, pitch};
}

static double usual_pitch(const struct glmv_scene_line *line)
{
    return fmax(round(line->font_px * 1.25), 1);
}

static bool same_type(const struct glmv_scene_line *a, const struct glmv_scene_line *b)
{
    return fabs(a->font_px - b->font_px) <= 0.06 * a->font_px && abs(a->weight - b->weight) < 200 &&
           a->italic == b->italic && a->family == b->family && a->color == b->color &&
           a->rotation == b->rotation && a->underline == b->underline;
}

static void add_item(struct builder *b, struct glmv_box want, struct tracer_node *node)
{
    if (node != NULL) {
        b->items[b->count++] = (struct item){want, node, -1, want.w * want.h};
    }
}

/* --- containment
 * -------------------------------------------------------------------------------------------- */

/* A large picture that is nearly all transparent, or that text stands in without its being a photo,
 * is the rest of a shadow or of an outline around other things. Shown, it would cover them with a
 * bitmap for a few faint pixels. */
static bool is_veil(const struct glmv_scene *s, const struct glmv_scene_picture *picture)
{
    const struct glmv_image *image = picture->image;
    size_t px = (size_t)image->width * (size_t)image->height;
    if (px < VEIL_AREA) {
        return false;
    }
    size_t ink = 0;
    for (size_t i = 0; i < px; i++) {
        ink += image->rgba[i * 4 + 3] != 0;
    }
    int lines = 0;
    for (size_t i = 0; picture->kind != GLMV_PICTURE_PHOTO && i < s->line_count; i++) {
        lines += holds(picture->box, s->lines[i].ink, 0);
    }
    bool large = (double)px > VEIL_PAGE * s->width * s->height;
    return (large && (lines > 1 || (double)ink < VEIL_INK * (double)px)) ||
           (double)ink < FRAME_INK * (double)px || lines > 6;
}

static void add_boxes_and_pictures(struct builder *b)
{
    const struct glmv_scene *s = b->scene;
    for (size_t i = 0; i < s->box_count; i++) {
        struct tracer_node *node =
            node_new(b, TRACER_STACK, moved(s->boxes[i].box, b->box_shift[i]));
        if (node != NULL) {
            node->scene_box = (int)i;
        }
        add_item(b, s->boxes[i].box, node);
    }
    for (size_t i = 0; i < s->picture_count; i++) {
        if (is_veil(s, &s->pictures[i])) {
            continue;
        }
        struct tracer_node *node =
            node_new(b, TRACER_PICTURE, moved(s->pictures[i].box, b->picture_shift[i]));
        if (node != NULL) {
            node->scene_picture = (int)i;
        }
        add_item(b, s->pictures[i].box, node);
    }
}

/* The smallest box or photo that holds a rectangle; self is left out. */
static int holder_of(const struct builder *b, struct glmv_box box, double slack, int self,
                     int limit)
{
    int best = -1;
    double area = box.w * box.h;
    for (int i = 0; i < limit; i++) {
        const struct item *item = &b->items[i];
        bool icon = item->node->kind == TRACER_PICTURE &&
                    b->scene->pictures[item->node->scene_picture].kind != GLMV_PICTURE_PHOTO;
        if (i == self || icon || !holds(item->want, box, slack)) {
            continue;
        }
        bool larger = item->area > area || (item->area == area && i < self);
        if ((self < 0 || larger) && (best < 0 || item->area < b->items[best].area)) {
            best = i;
        }
    }
    return best;
}

/* Lines that follow each other on one baseline, a space apart: one line with runs of other type. */
struct row {
    int start, count; /* into struct rows.order */
    int main;         /* the scene line with the most letters */
    int holder;
    struct glmv_box ink;
    double baseline;
};

struct rows {
    int *order;
    struct row *list;
    int count;
};

static bool joins(const struct glmv_scene *s, const struct row *row, int last, int next)
{
    const struct glmv_scene_line *a = &s->lines[last];
    const struct glmv_scene_line *b = &s->lines[next];
    double size = fmax(a->font_px, b->font_px);
    double gap = b->ink.x - (a->ink.x + a->ink.w);
    bool mono = a->family == GLMV_FAMILY_MONO && b->family == GLMV_FAMILY_MONO;
    return a->rotation == 0 && b->rotation == 0 &&
           fabs(b->baseline - row->baseline) <= 0.12 * size + 0.6 && gap > -0.2 * size &&
           gap <= (mono ? 0.95 : 0.5) * size && fmin(a->font_px, b->font_px) >= 0.75 * size;
}

/* The nearest unused line to the right that belongs to the row, or -1. */
static int next_run(const struct glmv_scene *s, const struct row *row, int last, const int *holders,
                    const bool *used)
{
    int best = -1;
    for (int i = 0; i < (int)s->line_count; i++) {
        if (!used[i] && holders[i] == row->holder && joins(s, row, last, i) &&
            (best < 0 || s->lines[i].ink.x < s->lines[best].ink.x)) {
            best = i;
        }
    }
    return best;
}

static bool starts_row(const struct glmv_scene *s, int line, const int *holders, const bool *used)
{
    for (int i = 0; i < (int)s->line_count; i++) {
        struct row before = {.baseline = s->lines[i].baseline};
        if (i != line && !used[i] && holders[i] == holders[line] &&
            s->lines[i].ink.x < s->lines[line].ink.x && joins(s, &before, i, line)) {
            return false;
        }
    }
    return true;
}

static void add_run(const struct glmv_scene *s, struct rows *rows, struct row *row, int *filled,
                    int line)
{
    const struct glmv_scene_line *one = &s->lines[line];
    row->ink = row->count == 0 ? one->ink : joined(row->ink, one->ink);
    if (row->count == 0 || strlen(one->text) > strlen(s->lines[row->main].text)) {
        row->main = line;
    }
    rows->order[(*filled)++] = line;
    row->count++;
}

static void find_rows(const struct glmv_scene *s, struct rows *rows, const int *holders, bool *used)
{
    int filled = 0;
    /* Twice: a ring of lines that each continue another must not be lost. */
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < (int)s->line_count; i++) {
            if (used[i] || (pass == 0 && !starts_row(s, i, holders, used))) {
                continue;
            }
            struct row *row = &rows->list[rows->count++];
            *row = (struct row){
                .start = filled, .holder = holders[i], .baseline = s->lines[i].baseline};
            for (int line = i; line >= 0; line = next_run(s, row, line, holders, used)) {
                used[line] = true;
                add_run(s, rows, row, &filled, line);
            }
        }
    }
}

static bool continues(const struct glmv_scene *s, const struct row *upper, const struct row *lower,
                      double pitch)
{
    const struct glmv_scene_line *a = &s->lines[upper->main];
    const struct glmv_scene_line *b = &s->lines[lower->main];
    double step = lower->baseline - upper->baseline;
    bool mixed = upper->count > 1 || lower->count > 1;
    bool alike = mixed ? fabs(a->font_px - b->font_px) <= 0.1 * a->font_px : same_type(a, b);
    if (!alike || a->rotation != 0 || step < 0.9 * a->font_px || step > 2.1 * a->font_px) {
        return false;
    }
    if (pitch > 0 && fabs(step - pitch) > 1.6) {
        return false;
    }
    if (a->family == GLMV_FAMILY_MONO && b->family == GLMV_FAMILY_MONO &&
        step <= 1.8 * a->font_px) {
        return true; /* code: indented as it likes */
    }
    bool left = fabs(upper->ink.x - lower->ink.x) <= 0.3 * a->font_px;
    double off = upper->ink.x + upper->ink.w / 2 - lower->ink.x - lower->ink.w / 2;
    return left || fabs(off) <= 0.3 * a->font_px;
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
static int row_below(const struct glmv_scene *s, const struct rows *rows, const struct row *from)
{
    int best = -1;
    for (int i = 0; i < rows->count; i++) {
        const struct row *row = &rows->list[i];
        if (row->holder == from->holder &&
            row->baseline > from->baseline + 0.5 * s->lines[from->main].font_px &&
            row_overlap(&s->lines[from->main], from->ink, row->ink) > 0 &&
            (best < 0 || row->baseline < rows->list[best].baseline)) {
            best = i;
        }
    }
    return best;
}

/* A paragraph's first line is followed as long as the next line down continues it. */
static int collect(const struct glmv_scene *s, const struct rows *rows, bool *used, int first,
                   int *members, double *pitch)
{
    int count = 0;
    members[count++] = first;
    *pitch = 0;
    for (;;) {
        const struct row *last = &rows->list[members[count - 1]];
        int next = row_below(s, rows, last);
        if (next < 0 || used[next] || !continues(s, last, &rows->list[next], *pitch)) {
            return count;
        }
        double step = rows->list[next].baseline - last->baseline;
        *pitch = count == 1 ? step : (*pitch * (count - 1) + step) / count;
        members[count++] = next;
        used[next] = true;
    }
}

/* A line that ends well before the widest one could have held the next word, so the author broke
 * it. */
static bool broken_by_author(const struct glmv_scene *s, const struct rows *rows,
                             const int *members, int count)
{
    double widest = 0;
    for (int i = 0; i < count; i++) {
        widest = fmax(widest, rows->list[members[i]].ink.w);
    }
    for (int i = 0; i + 1 < count; i++) {
        const struct row *below = &rows->list[members[i + 1]];
        const struct glmv_scene_line *next = &s->lines[rows->order[below->start]];
        double word = next->word_count > 0 ? next->words[0].ink.w : next->ink.w;
        if (rows->list[members[i]].ink.w + 0.3 * next->font_px + word < widest - 2) {
            return true;
        }
    }
    return false;
}

/* Whether lines that the author broke are one text all the same: code, an address, a verse, and no
 * list of short entries. */
static bool is_one_text(const struct glmv_scene *s, const struct rows *rows, const int *members,
                        int count, double pitch)
{
    const struct glmv_scene_line *first = &s->lines[rows->list[members[0]].main];
    size_t words = 0;
    for (int i = 0; i < count; i++) {
        const struct row *row = &rows->list[members[i]];
        for (int k = 0; k < row->count; k++) {
            words += s->lines[rows->order[row->start + k]].word_count;
        }
    }
    return first->family == GLMV_FAMILY_MONO ||
           (pitch <= HARD_PITCH * first->font_px && words >= HARD_WORDS * (size_t)count);
}

/* Copies the runs of the rows into a node; false without memory. */
static bool take_runs(struct tracer_node *node, const struct glmv_scene *s, const struct rows *rows,
                      const int *members, int count)
{
    int runs = 0;
    for (int i = 0; i < count; i++) {
        runs += rows->list[members[i]].count;
    }
    node->runs = malloc((size_t)runs * sizeof *node->runs);
    node->rows = malloc((size_t)runs * sizeof *node->rows);
    if (node->runs == NULL || node->rows == NULL) {
        return false;
    }
    node->main = rows->list[members[0]].main;
    for (int i = 0; i < count; i++) {
        const struct row *row = &rows->list[members[i]];
        for (int k = 0; k < row->count; k++) {
            node->runs[node->run_count] = rows->order[row->start + k];
            node->rows[node->run_count++] = i;
        }
        if (strlen(s->lines[row->main].text) > strlen(s->lines[node->main].text)) {
            node->main = row->main;
        }
    }
    node->row_count = count;
    return true;
}

static void add_text(struct builder *b, const struct rows *rows, const int *members, int count,
                     double pitch, bool hard)
{
    const struct glmv_scene *s = b->scene;
    const struct row *first = &rows->list[members[0]];
    double step = count > 1 ? pitch : usual_pitch(&s->lines[first->main]);
    struct glmv_box ink = first->ink;
    double left = 0;
    double middle = 0;
    for (int i = 1; i < count; i++) {
        const struct glmv_box *one = &rows->list[members[i]].ink;
        ink = joined(ink, *one);
        left += fabs(one->x - first->ink.x);
        middle += fabs(one->x + one->w / 2 - first->ink.x - first->ink.w / 2);
    }
    struct glmv_box line = line_box(&s->lines[first->main], step);
    struct tracer_shift by = b->line_shift[first->main];
    struct glmv_box placed = {ink.x + by.dx, line.y + by.dy, ink.w, step * count};
    struct tracer_node *node = node_new(b, TRACER_TEXT, placed);
    if (node == NULL) {
        return;
    }
    if (!take_runs(node, s, rows, members, count)) {
        b->failed = true;
        tracer_node_free(node);
        return;
    }
    node->pitch = step;
    node->first = first->main;
    node->code = hard && s->lines[first->main].family == GLMV_FAMILY_MONO;
    node->centered = count > 1 && middle < left && !node->code;
    node->hard = hard;
    add_item(b, ink, node); /* the ink: line boxes of neighbours may overlap, their ink does not */
    b->items[b->count - 1].parent = first->holder;
}

static int row_order(const void *p, const void *q)
{
    const struct row *a = p;
    const struct row *b = q;
    if (a->baseline != b->baseline) {
        return a->baseline < b->baseline ? -1 : 1;
    }
    return a->ink.x < b->ink.x ? -1 : a->ink.x > b->ink.x;
}

static void add_paragraphs(struct builder *b, const struct rows *rows, bool *used, int *members)
{
    for (int i = 0; !b->failed && i < rows->count; i++) {
        if (used[i]) {
            continue;
        }
        used[i] = true;
        double pitch;
        int count = collect(b->scene, rows, used, i, members, &pitch);
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

static void add_lines(struct builder *b)
{
    const struct glmv_scene *s = b->scene;
    size_t n = s->line_count + 1;
    int containers = b->count;
    bool *used = calloc(n, sizeof *used);
    int *members = malloc(n * sizeof *members);
    int *holders = malloc(n * sizeof *holders);
    struct rows rows = {malloc(n * sizeof *rows.order), malloc(n * sizeof *rows.list), 0};
    if (used == NULL || members == NULL || holders == NULL || rows.order == NULL ||
        rows.list == NULL) {
        b->failed = true;
    } else {
        for (size_t i = 0; i < s->line_count; i++) {
            holders[i] = holder_of(b, s->lines[i].ink, TEXT_TOLERANCE, -1, containers);
        }
        find_rows(s, &rows, holders, used);
        qsort(rows.list, (size_t)rows.count, sizeof rows.list[0], row_order);
        memset(used, 0, n * sizeof *used);
        add_paragraphs(b, &rows, used, members);
    }
    free(used);
    free(members);
    free(holders);
    free(rows.order);
    free(rows.list);
}

/* --- cuts
 * ---------------------------------------------------------------------------------------------------
 */

struct group {
    int *ids; /* into builder.items */
    int count;
};

static double low(const struct builder *b, int id, bool vertical)
{
    return vertical ? b->items[id].want.y : b->items[id].want.x;
}

static double high(const struct builder *b, int id, bool vertical)
{
    const struct glmv_box *box = &b->items[id].want;
    return vertical ? box->y + box->h : box->x + box->w;
}

static void sort_ids(const struct builder *b, int *ids, int count, bool vertical)
{
    for (int i = 1; i < count; i++) { /* insertion: lists are short and nearly sorted */
        int id = ids[i];
        int k = i;
        while (k > 0 && (low(b, ids[k - 1], vertical) > low(b, id, vertical))) {
            ids[k] = ids[k - 1];
            k--;
        }
        ids[k] = id;
    }
}

/* Cuts a sorted list where nothing crosses, allowing an overlap of slack px. Stores where parts
 * end; returns how many. */
static int cut(const struct builder *b, const int *ids, int count, bool vertical, double slack,
               int *ends)
{
    int parts = 0;
    double reach = high(b, ids[0], vertical);
    for (int i = 1; i < count; i++) {
        if (low(b, ids[i], vertical) >= reach - slack) {
            ends[parts++] = i;
        }
        reach = fmax(reach, high(b, ids[i], vertical));
    }
    ends[parts++] = count;
    return parts;
}

static struct tracer_node *arrange(struct builder *b, int *ids, int count, int depth);

static bool is_divider(const struct builder *b, int id, double width)
{
    const struct item *item = &b->items[id];
    return item->node->kind != TRACER_TEXT && item->node->child_count == 0 &&
           item->want.h <= DIVIDER_HEIGHT && item->want.w >= DIVIDER_WIDTH * width;
}

/* What stands between two dividers is one record, also where lines of one cell stand below each
 * other: such parts are joined, and cut into columns first. Returns how many parts are left; record
 * tells which were joined. */
static int join_records(const struct builder *b, const int *ids, int *ends, int parts, bool *record)
{
    double left = 1e9;
    double right = 0;
    for (int i = 0; i < ends[parts - 1]; i++) {
        left = fmin(left, b->items[ids[i]].want.x);
        right = fmax(right, b->items[ids[i]].want.x + b->items[ids[i]].want.w);
    }
    int dividers = 0;
    for (int i = 0; i < parts; i++) {
        int from = i > 0 ? ends[i - 1] : 0;
        record[i] = false;
        dividers += ends[i] - from == 1 && is_divider(b, ids[from], right - left);
    }
    if (dividers < 3) {
        return parts;
    }
    int kept = 0;
    int seen = 0;
    int open = 0; /* first item of the record that is being joined */
    for (int i = 0; i < parts; i++) {
        int from = i > 0 ? ends[i - 1] : 0;
        bool divider = ends[i] - from == 1 && is_divider(b, ids[from], right - left);
        bool panel = ends[i] - from == 1 &&
                     b->items[ids[from]].want.w >= DIVIDER_WIDTH * (right - left) &&
                     b->items[ids[from]].node->scene_box >= 0;
        int last = kept > 0 ? ends[kept - 1] : 0;
        const struct glmv_box *first = &b->items[ids[open]].want;
        const struct glmv_box *now = &b->items[ids[ends[i] - 1]].want;
        bool joins = !divider && !panel && seen > 0 && seen < dividers && last > open &&
                     now->y + now->h - first->y <= RECORD_HEIGHT;
        seen += divider;
        if (joins) {
            ends[kept - 1] = ends[i];
            record[kept - 1] = true;
            continue;
        }
        open = divider || panel ? ends[i] : from;
        record[kept] = false;
        ends[kept++] = ends[i];
    }
    return kept;
}

static struct tracer_node *arrange_columns(struct builder *b, int *ids, int count, int depth);

static struct tracer_node *arrange_parts(struct builder *b, int *ids, int *ends, int parts,
                                         bool vertical, int depth)
{
    bool *record = calloc((size_t)parts, sizeof *record);
    if (record == NULL) {
        b->failed = true;
        return NULL;
    }
    parts = vertical ? join_records(b, ids, ends, parts, record) : parts;
    struct tracer_node *node =
        node_new(b, vertical ? TRACER_STACK : TRACER_ROW, (struct glmv_box){0});
    int from = 0;
    for (int i = 0; node != NULL && i < parts; i++) {
        struct tracer_node *child = record[i]
                                        ? arrange_columns(b, ids + from, ends[i] - from, depth + 1)
                                        : arrange(b, ids + from, ends[i] - from, depth + 1);
        if (child != NULL) {
            node->box = i == 0 ? child->box : joined(node->box, child->box);
        }
        adopt(b, node, child);
        from = ends[i];
    }
    free(record);
    return node;
}

/* Cuts into columns where that can be done, as usual otherwise. */
static struct tracer_node *arrange_columns(struct builder *b, int *ids, int count, int depth)
{
    int *ends = malloc((size_t)count * sizeof *ends);
    if (ends == NULL) {
        b->failed = true;
        return NULL;
    }
    sort_ids(b, ids, count, false);
    int parts = cut(b, ids, count, false, 0, ends);
    struct tracer_node *node = parts > 1 ? arrange_parts(b, ids, ends, parts, false, depth)
                                         : arrange(b, ids, count, depth);
    free(ends);
    return node;
}

/* Nothing can be cut: the largest thing that is not text becomes a layer of its own, the rest flows
 * over it. */
static struct tracer_node *arrange_layers(struct builder *b, int *ids, int count, int depth)
{
    int largest = 0;
    for (int i = 1; i < count; i++) {
        bool text = b->items[ids[i]].node->kind == TRACER_TEXT;
        bool best_text = b->items[ids[largest]].node->kind == TRACER_TEXT;
        if (best_text != text ? best_text : b->items[ids[i]].area > b->items[ids[largest]].area) {
            largest = i;
        }
    }
    int layer = ids[largest];
    memmove(ids + largest, ids + largest + 1, (size_t)(count - largest - 1) * sizeof *ids);
    struct tracer_node *flow = arrange(b, ids, count - 1, depth + 1);
    struct tracer_node *top = b->items[layer].node;
    b->items[layer].node = NULL;
    struct tracer_node *node =
        node_new(b, TRACER_LAYERS, flow != NULL ? joined(flow->box, top->box) : top->box);
    if (node == NULL) {
        tracer_node_free(flow);
        tracer_node_free(top);
        return NULL;
    }
    adopt(b, node, flow);
    adopt(b, node, top);
    return node;
}

/* Whether less than half of the texts of one side stand level with one of the other: no table's
 * column. */
static bool is_independent(const struct builder *b, const int *ids, int split, int count)
{
    int texts = 0;
    int level = 0;
    for (int i = 0; i < split; i++) {
        const struct item *one = &b->items[ids[i]];
        if (one->node->kind != TRACER_TEXT) {
            continue;
        }
        texts++;
        double middle = one->want.y + one->want.h / 2;
        for (int k = split; k < count; k++) {
            const struct item *other = &b->items[ids[k]];
            if (other->node->kind == TRACER_TEXT &&
                fabs(other->want.y + other->want.h / 2 - middle) <= 3) {
                level++;
                break;
            }
        }
    }
    return texts >= 4 && level * 2 < texts;
}

static struct glmv_box bounds(const struct builder *b, const int *ids, int count)
{
    struct glmv_box box = b->items[ids[0]].want;
    for (int i = 1; i < count; i++) {
        box = joined(box, b->items[ids[i]].want);
    }
    return box;
}

/* Where a narrow column of its own ends that stands beside everything else, 0 without one. ids get
 * sorted by x. */
static int find_sidebar(const struct builder *b, int *ids, int count, int *ends)
{
    if (count < 10) {
        return 0;
    }
    sort_ids(b, ids, count, false);
    int parts = cut(b, ids, count, false, 0, ends);
    struct glmv_box all = bounds(b, ids, count);
    for (int i = 0; i + 1 < parts; i++) {
        struct glmv_box left = bounds(b, ids, ends[i]);
        struct glmv_box right = bounds(b, ids + ends[i], count - ends[i]);
        double least = fmax(SIDEBAR_HEIGHT, 0.5 * all.h);
        if (left.x + left.w - all.x <= SIDEBAR_WIDTH * all.w && left.h >= least &&
            right.h >= least && is_independent(b, ids, ends[i], count)) {
            return ends[i];
        }
    }
    return 0;
}

static struct tracer_node *arrange(struct builder *b, int *ids, int count, int depth)
{
    if (count == 0 || b->failed) {
        return NULL;
    }
    if (count == 1) {
        struct tracer_node *node = b->items[ids[0]].node;
        b->items[ids[0]].node = NULL;
        return node;
    }
    int *ends = malloc((size_t)count * sizeof *ends);
    if (ends == NULL) {
        b->failed = true;
        return NULL;
    }
    static const double slacks[] = {0, 1, 3, 6};
    struct tracer_node *node = NULL;
    int sidebar = find_sidebar(b, ids, count, ends);
    if (sidebar > 0) {
        ends[0] = sidebar;
        ends[1] = count;
        node = arrange_parts(b, ids, ends, 2, false, depth);
    }
    for (size_t k = 0; node == NULL && depth < MAX_DEPTH && k < sizeof slacks / sizeof slacks[0];
         k++) {
        for (int vertical = 1; node == NULL && vertical >= 0; vertical--) {
            sort_ids(b, ids, count, vertical);
            int parts = cut(b, ids, count, vertical, slacks[k], ends);
            if (parts > 1) {
                node = arrange_parts(b, ids, ends, parts, vertical, depth);
            }
        }
    }
    free(ends);
    return node != NULL || b->failed ? node : arrange_layers(b, ids, count, depth);
}

/* Fills every container, innermost first: items are ordered so that a holder has a larger area than
 * what it holds. */
static void fill(struct builder *b, struct tracer_node *node, int holder, int *scratch)
{
    int count = 0;
    for (int i = 0; i < b->count; i++) {
        if (b->items[i].parent == holder && b->items[i].node != NULL) {
            scratch[count++] = i;
        }
    }
    if (count == 0) {
        return;
    }
    int *ids = malloc((size_t)count * sizeof *ids);
    if (ids == NULL) {
        b->failed = true;
        return;
    }
    memcpy(ids, scratch, (size_t)count * sizeof *ids);
    for (int i = 0; i < count; i++) {
        struct tracer_node *child = b->items[ids[i]].node;
        if (child->kind != TRACER_TEXT) {
            fill(b, child, ids[i], scratch);
        }
    }
    struct tracer_node *inside = arrange(b, ids, count, 0);
    free(ids);
    if (inside == NULL) {
        return;
    }
    if (node->kind == TRACER_PICTURE) {
        node->kind = TRACER_STACK; /* a photo that holds things is their background */
    }
    bool plain = inside->scene_box < 0 && inside->scene_picture < 0 && inside->kind <= TRACER_ROW;
    if (plain) { /* the container itself is the stack or the row */
        node->kind = inside->kind;
        node->children = inside->children;
        node->child_count = inside->child_count;
        inside->children = NULL;
        inside->child_count = 0;
        tracer_node_free(inside);
    } else {
        node->kind = TRACER_STACK;
        adopt(b, node, inside);
    }
}

static void number_nodes(struct tracer_node *node, int *next)
{
    node->mark = (*next)++;
    for (int i = 0; i < node->child_count; i++) {
        number_nodes(node->children[i], next);
    }
}

struct tracer_node *tracer_tree_new(const struct glmv_scene *scene,
                                    const struct tracer_shift *line_shift,
                                    const struct tracer_shift *box_shift,
                                    const struct tracer_shift *picture_shift, struct glmv_err *err)
{
    struct builder b = {.scene = scene,
                        .line_shift = line_shift,
                        .box_shift = box_shift,
                        .picture_shift = picture_shift};
    size_t most = scene->line_count + scene->box_count + scene->picture_count + 1;
    b.items = calloc(most, sizeof *b.items);
    int *scratch = malloc(most * sizeof *scratch);
    struct tracer_node *root = NULL;
    if (b.items != NULL && scratch != NULL) {
        root = node_new(&b, TRACER_STACK, (struct glmv_box){0, 0, scene->width, scene->height});
    }
    if (root != NULL) {
        add_boxes_and_pictures(&b);
        int containers = b.count;
        for (int i = 0; i < containers; i++) {
            b.items[i].parent = holder_of(&b, b.items[i].want, BOX_TOLERANCE, i, containers);
        }
        add_lines(&b);
        fill(&b, root, -1, scratch);
        int next = 0;
        number_nodes(root, &next);
    }
    for (int i = 0; b.items != NULL && i < b.count; i++) {
        tracer_node_free(b.items[i].node);
    }
    free(b.items);
    free(scratch);
    if (root == NULL || b.failed) {
        tracer_node_free(root);
        glmv_fail_memory(err);
        return NULL;
    }
    return root;
}
