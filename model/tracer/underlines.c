/*
 * Underlines: bars below words, broken where letters reach through them. They leave the rows before
 * those are read, or they pass for letters; which of them are no rules is told when the type is
 * known. So are those that went through words.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

enum {
    SPREAD = 256,      /* marks of a row that are looked at */
    LIKE_LETTERS = 90, /* levels between an underline and its letters: a thin one is paler */
};

#define BELOW 0.35   /* font sizes from the baseline down to where underlines end */
#define THROUGH 0.12 /* and up to those that go through words: at least, */
#define HIGH 0.6     /* at most */
#define BEYOND 0.35  /* font sizes that one may be longer than its words at either end */

bool model_bar_add(struct model_view *view, struct model_rect r, struct glmv_err *err)
{
    struct model_bar *bar =
        model_grow((void **)&view->bars, &view->bar_count, sizeof *view->bars, err);
    if (bar == NULL) {
        return false;
    }
    bar->r = r;
    memcpy(bar->rgb, model_px(view, (r.x0 + r.x1) / 2, (r.y0 + r.y1) / 2), 3);
    return true;
}

static bool is_flat(struct model_rect r, int tall)
{
    int h = r.y1 - r.y0;
    return h <= model_max(1, tall / 8) && r.x1 - r.x0 > 2 * h;
}

/* Where the letters of a row end at the bottom, most of them. */
static int foot_of(const struct model_view *view, const struct model_row *row)
{
    int bottoms[SPREAD];
    int n = 0;
    for (int k = 0; k < row->count && n < SPREAD; k++) {
        const struct model_rect *r = &view->marks[row->marks[k]].r;
        bottoms[n] = r->y1;
        n += !is_flat(*r, row->r.y1 - row->r.y0);
    }
    return n > 0 ? model_middle(bottoms, n) : row->r.y1;
}

/* Whether letters stand over at least half of a bar. */
static bool has_letters_above(const struct model_view *view, const struct model_row *row,
                              struct model_rect bar)
{
    int covered = 0;
    for (int k = 0; k < row->count; k++) {
        const struct model_rect *r = &view->marks[row->marks[k]].r;
        int wide = model_min(r->x1, bar.x1) - model_max(r->x0, bar.x0);
        covered += r->y0 < bar.y0 - 2 && wide > 0 ? wide : 0;
    }
    return covered * 2 >= bar.x1 - bar.x0;
}

static bool may_underline(const struct model_view *view, const struct model_row *row, int mark,
                          int foot)
{
    struct model_rect r = view->marks[mark].r;
    return is_flat(r, row->r.y1 - row->r.y0) && r.y0 >= foot && has_letters_above(view, row, r);
}

/* The px of bars of a row that lie as high as one of them: one stroke of a Han character has none
 * beside it. */
static int length_at(const struct model_view *view, const struct model_row *row, int foot,
                     struct model_rect as)
{
    int sum = 0;
    for (int k = 0; k < row->count; k++) {
        const struct model_rect *r = &view->marks[row->marks[k]].r;
        if (r->y0 == as.y0 && r->y1 == as.y1 && may_underline(view, row, row->marks[k], foot)) {
            sum += r->x1 - r->x0;
        }
    }
    return sum;
}

static bool part_row(struct model_view *view, struct model_row *row, struct glmv_err *err)
{
    int foot = foot_of(view, row);
    int tall = row->r.y1 - row->r.y0;
    bool *bar = calloc((size_t)row->count + 1, sizeof *bar);
    if (bar == NULL) {
        return glmv_fail_memory(err);
    }
    int kept = 0;
    for (int k = 0; k < row->count; k++) {
        bar[k] = may_underline(view, row, row->marks[k], foot) &&
                 length_at(view, row, foot, view->marks[row->marks[k]].r) * 5 >= 6 * tall;
    }
    bool ok = true;
    for (int k = 0; ok && k < row->count; k++) {
        struct model_mark *mark = &view->marks[row->marks[k]];
        if (bar[k]) {
            mark->row = -1;
            ok = model_bar_add(view, mark->r, err);
            continue;
        }
        row->marks[kept++] = row->marks[k];
    }
    row->count = kept;
    row->r = model_marks_around(view, row->marks,
                                kept); /* letters stand over every bar: some are left */
    free(bar);
    return ok;
}

bool model_rows_part_bars(struct model_view *view, struct glmv_err *err)
{
    bool ok = true;
    for (int i = 0; ok && i < view->row_count; i++) {
        ok = view->rows[i].surface < 0 || view->rows[i].count < 2 ||
             part_row(view, &view->rows[i], err);
    }
    return ok;
}

enum place { BELOW_WORDS, THROUGH_WORDS };

/* Whether a bar lies where a line would have its underline, or be struck. */
static bool is_at(const struct model_bar *bar, const struct glmv_scene_line *line, enum place place)
{
    const uint8_t rgb[3] = {(uint8_t)(line->color >> 24), (uint8_t)(line->color >> 16),
                            (uint8_t)(line->color >> 8)};
    double middle = (bar->r.y0 + bar->r.y1) / 2.0;
    bool high = place == BELOW_WORDS ? bar->r.y0 >= line->baseline &&
                                           bar->r.y1 <= line->baseline + BELOW * line->font_px + 1
                                     : middle <= line->baseline - THROUGH * line->font_px &&
                                           middle >= line->baseline - HIGH * line->font_px;
    return high && bar->r.x1 > line->ink.x && bar->r.x0 < line->ink.x + line->ink.w &&
           model_distance(bar->rgb, rgb) <= LIKE_LETTERS;
}

/* Letters that reach through an underline and break it. */
static size_t deep_letters(const char *text)
{
    size_t n = 0;
    for (const char *c = text; *c != '\0'; c++) {
        n += strchr("gjpqyQ,;()[]{}/|@$", *c) != NULL;
    }
    return n;
}

/* Which words of a line lie over bars as high as one of them. */
static bool mark_words(const struct model_view *view, const struct glmv_scene_line *line,
                       const struct model_bar *as, enum place place, bool *under)
{
    bool any = false;
    for (size_t i = 0; i < line->word_count; i++) {
        const struct glmv_scene_word *word = &line->words[i];
        double covered = 0;
        for (size_t k = 0; k < view->bar_count; k++) {
            const struct model_rect *r = &view->bars[k].r;
            if (r->y0 == as->r.y0 && r->y1 == as->r.y1 && is_at(&view->bars[k], line, place)) {
                covered +=
                    fmax(0, fmin(r->x1, word->ink.x + word->ink.w) - fmax(r->x0, word->ink.x));
            }
        }
        size_t letters = strlen(word->text);
        double through = letters > 0 ? (double)deep_letters(word->text) / (double)letters : 0;
        under[i] = covered >= fmax(0.2, 0.6 - 1.2 * through) * word->ink.w;
        any = any || under[i];
    }
    return any;
}

/* Widens a span by the words of a line that a bar lies under or near. */
static void span_words(const struct glmv_scene_line *line, const struct model_rect *bar,
                       double *left, double *right)
{
    for (size_t i = 0; i < line->word_count; i++) {
        const struct glmv_box *b = &line->words[i].ink;
        double shared = fmin(b->x + b->w, bar->x1) - fmax(b->x, bar->x0);
        if (shared >= fmin(0.5 * b->w, 0.5 * (bar->x1 - bar->x0))) {
            *left = fmin(*left, b->x);
            *right = fmax(*right, b->x + b->w);
        }
    }
}

/* Whether the bars of an underline end where words of its line end: rules go on. */
static bool ends_with_words(const struct model_view *view, const struct glmv_scene *scene,
                            const struct glmv_scene_line *line, const struct model_bar *as,
                            enum place place)
{
    for (size_t k = 0; k < view->bar_count; k++) {
        const struct model_rect *r = &view->bars[k].r;
        if (r->y0 != as->r.y0 || r->y1 != as->r.y1 || !is_at(&view->bars[k], line, place)) {
            continue;
        }
        double left = 1e9;
        double right = -1e9;
        for (size_t i = 0; i < scene->line_count; i++) {
            if (fabs(scene->lines[i].baseline - line->baseline) <= 1) {
                span_words(&scene->lines[i], r, &left, &right);
            }
        }
        if (r->x0 < left - BEYOND * line->font_px - 1 ||
            r->x1 > right + BEYOND * line->font_px + 1) {
            return false;
        }
    }
    return true;
}

/* What is seen of an underline is no box and no picture. */
static void take_bars(struct model_view *view, const struct glmv_scene_line *line,
                      const struct model_bar *as, enum place place)
{
    for (size_t k = 0; k < view->bar_count; k++) {
        struct model_rect r = view->bars[k].r;
        if (r.y0 != as->r.y0 || r.y1 != as->r.y1 || !is_at(&view->bars[k], line, place)) {
            continue;
        }
        for (int y = r.y0; y < r.y1; y++) {
            for (int x = r.x0; x < r.x1; x++) {
                size_t at = (size_t)y * (size_t)view->w + (size_t)x;
                view->text_mask[at] = 1;
                int32_t l = view->label[at];
                if (l >= 0 && view->regions[l].area <= (r.x1 - r.x0) * (r.y1 - r.y0)) {
                    view->regions[l].is_text = true;
                }
            }
        }
    }
}

/* Parts a line where its underline or its strike begins and ends. */
static bool part_line(struct glmv_scene *scene, size_t i, const bool *under, enum place place,
                      struct glmv_err *err)
{
    size_t from = 0; /* of the part that is line i */
    size_t words = scene->lines[i].word_count;
    for (size_t k = 1; k <= words; k++) {
        if (k < words && under[k] == under[from]) {
            continue;
        }
        if (k < words && !model_line_split(scene, i, k - from, err)) {
            return false;
        }
        *(place == BELOW_WORDS ? &scene->lines[i].underline : &scene->lines[i].strike) =
            under[from];
        from = k;
        i++;
    }
    return true;
}

static bool find_at(struct model_view *view, struct glmv_scene *scene, enum place place,
                    struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < scene->line_count; i++) {
        struct glmv_scene_line *line = &scene->lines[i];
        if (line->word_count == 0 || line->on_picture) {
            continue;
        }
        bool *under = calloc(line->word_count, sizeof *under);
        if (under == NULL) {
            return glmv_fail_memory(err);
        }
        for (size_t k = 0; k < view->bar_count; k++) {
            const struct model_bar *bar = &view->bars[k];
            if (is_at(bar, line, place) && mark_words(view, line, bar, place, under) &&
                ends_with_words(view, scene, line, bar, place)) {
                take_bars(view, line, bar, place);
                size_t before = scene->line_count;
                ok = part_line(scene, i, under, place, err);
                i += scene->line_count - before;
                break;
            }
        }
        free(under);
    }
    return ok;
}

bool model_underlines_find(struct model_view *view, struct glmv_scene *scene, struct glmv_err *err)
{
    return find_at(view, scene, BELOW_WORDS, err) && find_at(view, scene, THROUGH_WORDS, err);
}
