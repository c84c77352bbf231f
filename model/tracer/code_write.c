/* What cells say becomes text: rows of one line are joined, words are what blanks part. */
#include "model/tracer/code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/text.h"

#define CODE 0.93 /* likeness of a row that is code, in the mean */
#define CLEAR 0.8 /* of a cell that was no row of its own */
#define REACH 2.3 /* cells between the ink of two words of one line, one of them blank */

enum {
    SIGNS = 6, /* marks of the largest row that may be signs beside code */
};

/* Rows that become one line. */
struct line {
    int *rows;
    bool *sure; /* read as code on their own */
    int count;
    struct model_rect r;
};

static bool is_code(const struct model_code *code, int i)
{
    return code->cells[i].mean >= CODE;
}

/* Whether a row lies where the cells of another say that it would. */
static bool fits_beside(const struct model_code *code, int own, const struct model_rect *r,
                        int other)
{
    const struct model_view *view = code->text->view;
    const struct model_row *a = &view->rows[own];
    const struct model_row *b = &view->rows[other];
    const struct model_cells *cells = &code->cells[own];
    const struct model_stencils *s = &code->hands[cells->hand];
    int baseline = a->r.y0 + cells->strip.baseline;
    if (b->surface != a->surface || b->count == 0 || b->r.y0 < baseline - s->rise - 1 ||
        b->r.y1 > baseline + s->fall + 1) {
        return false;
    }
    if (model_max(r->x0, b->r.x0) - model_min(r->x1, b->r.x1) > REACH * s->pitch) {
        return false;
    }
    if (!is_code(code, other)) {
        return b->count <= SIGNS;
    }
    const struct model_cells *there = &code->cells[other];
    double shift = (b->r.x0 + there->strip.x - a->r.x0 - cells->strip.x) / s->pitch;
    return there->hand == cells->hand && b->r.y0 + there->strip.baseline == baseline &&
           fabs(shift - round(shift)) < 0.2;
}

/* Adds what lies beside a row, until nothing more does. */
static void grow(const struct model_code *code, int own, struct line *line)
{
    const struct model_view *view = code->text->view;
    line->rows[0] = own;
    line->sure[0] = true;
    line->count = 1;
    line->r = view->rows[own].r;
    for (bool grown = true; grown;) {
        grown = false;
        for (int i = 0; i < code->text->count; i++) {
            bool have = false;
            for (int k = 0; k < line->count; k++) {
                have = have || line->rows[k] == i;
            }
            if (have || !fits_beside(code, own, &line->r, i)) {
                continue;
            }
            const struct model_rect *r = &view->rows[i].r;
            line->rows[line->count] = i;
            line->sure[line->count++] = is_code(code, i);
            line->r.x0 = model_min(line->r.x0, r->x0);
            line->r.y0 = model_min(line->r.y0, r->y0);
            line->r.x1 = model_max(line->r.x1, r->x1);
            line->r.y1 = model_max(line->r.y1, r->y1);
            grown = true;
        }
    }
}

/* The row and the cells of a whole line. The marks and the ink are the caller's. */
static bool join(const struct model_code *code, const struct line *line, struct model_row *row,
                 struct model_cells *cells)
{
    const struct model_view *view = code->text->view;
    const struct model_row *first = &view->rows[line->rows[0]];
    const struct model_cells *own = &code->cells[line->rows[0]];
    const struct model_stencils *s = &code->hands[own->hand];
    int marks = 0;
    *row = (struct model_row){.r = first->r, .surface = first->surface};
    for (int k = 0; k < line->count; k++) {
        const struct model_row *part = &view->rows[line->rows[k]];
        marks += part->count;
        row->r.x0 = model_min(row->r.x0, part->r.x0);
        row->r.y0 = model_min(row->r.y0, part->r.y0);
        row->r.x1 = model_max(row->r.x1, part->r.x1);
        row->r.y1 = model_max(row->r.y1, part->r.y1);
    }
    row->marks = malloc(((size_t)marks + 1) * sizeof *row->marks);
    if (row->marks == NULL) {
        return false;
    }
    for (int k = 0; k < line->count; k++) {
        const struct model_row *part = &view->rows[line->rows[k]];
        memcpy(row->marks + row->count, part->marks, (size_t)part->count * sizeof *row->marks);
        row->count += part->count;
    }
    *cells = (struct model_cells){.hand = own->hand, .ink = model_cells_ink(view, row)};
    double x = first->r.x0 + own->strip.x - row->r.x0;
    int before = (int)ceil(x / s->pitch - 0.3); /* cells left of the first row's */
    cells->strip = (struct model_strip){.ink = cells->ink,
                                        .w = row->r.x1 - row->r.x0,
                                        .h = row->r.y1 - row->r.y0,
                                        .x = x - model_max(0, before) * s->pitch,
                                        .baseline = first->r.y0 + own->strip.baseline - row->r.y0};
    cells->count = (int)ceil((cells->strip.w - cells->strip.x) / s->pitch - 0.2);
    if (cells->ink == NULL || cells->count < 1 || cells->count > MODEL_MAX_CELLS) {
        return false;
    }
    for (int k = 0; k < line->count; k++) {
        const struct model_cells *part = &code->cells[line->rows[k]];
        double left = view->rows[line->rows[k]].r.x0 + part->strip.x - row->r.x0;
        int at = (int)lround((left - cells->strip.x) / s->pitch);
        for (int c = 0; line->sure[k] && c < part->count; c++) {
            if (at + c >= 0 && at + c < cells->count) {
                cells->said[at + c] = part->said[c];
            }
        }
    }
    model_cells_read(s, cells);
    return true;
}

/* Whether a cell shows what was read there. Thin strokes may lie a px off; the dot of a list is
 * none. */
static bool is_clear(const struct model_code *code, const struct model_cells *cells, int k,
                     const struct model_row *row)
{
    const struct model_mark *mark = &code->text->view->marks[row->marks[0]];
    int w = mark->r.x1 - mark->r.x0;
    int h = mark->r.y1 - mark->r.y0;
    bool dot = row->count == 1 && h > 3 && w > 3 && mark->area * 10 > w * h * 7;
    return cells->like[k] >= CLEAR ||
           (!dot && model_stencils_blurred(&code->hands[cells->hand], &cells->strip, k,
                                           cells->text[k]) >= CLEAR);
}

/* Leaves out the signs whose cells look like no letters. Returns whether there were any. */
static bool leave_out(const struct model_code *code, struct line *line, const struct model_row *row,
                      const struct model_cells *cells)
{
    double pitch = code->hands[cells->hand].pitch;
    int kept = 0;
    for (int k = 0; k < line->count; k++) {
        const struct model_rect *r = &code->text->view->rows[line->rows[k]].r;
        int from = (int)floor((r->x0 + 1 - row->r.x0 - cells->strip.x) / pitch);
        int to = (int)floor((r->x1 - 1 - row->r.x0 - cells->strip.x) / pitch);
        bool clear = true;
        for (int c = model_max(0, from); c <= to && c < cells->count; c++) {
            clear = clear && is_clear(code, cells, c, &code->text->view->rows[line->rows[k]]);
        }
        if (line->sure[k] || clear) {
            line->rows[kept] = line->rows[k];
            line->sure[kept++] = line->sure[k];
        }
    }
    bool any = kept < line->count;
    line->count = kept;
    return any;
}

/* The words of a line's cells. */
static bool put_words(const struct model_row *row, const struct model_cells *cells, double pitch,
                      struct model_ocr_line *out)
{
    *out = (struct model_ocr_line){.confidence = MODEL_CERTAIN};
    out->words = calloc((size_t)cells->count + 2, sizeof *out->words);
    bool ok = out->words != NULL;
    for (int k = 0; ok && k < cells->count;) {
        int end = k;
        while (end < cells->count && cells->text[end] != ' ') {
            end++;
        }
        if (end > k) {
            struct model_ocr_word *word = &out->words[out->count++];
            double x = row->r.x0 + cells->strip.x;
            word->text = strndup(cells->text + k, (size_t)(end - k));
            word->r = (struct model_rect){(int)lround(x + k * pitch), row->r.y0,
                                          (int)lround(x + end * pitch), row->r.y1};
            word->confidence = MODEL_CERTAIN;
            ok = word->text != NULL;
        }
        k = end + 1;
    }
    if (!ok) {
        model_ocr_line_release(out);
    }
    return ok;
}

/* Puts a line in the place of its first row; the others become empty. */
static bool put_line(struct model_code *code, const struct line *line, struct model_row *row,
                     const struct model_cells *cells)
{
    struct model_text *text = code->text;
    struct model_ocr_line read;
    if (!put_words(row, cells, code->hands[cells->hand].pitch, &read)) {
        return false;
    }
    for (int k = 0; k < line->count; k++) {
        int i = line->rows[k];
        model_ocr_line_release(&text->lines[i]);
        code->cells[i].mean = 0;
        text->view->rows[i].count = 0;
    }
    struct model_row *first = &text->view->rows[line->rows[0]];
    free(first->marks);
    *first = *row;
    row->marks = NULL;
    text->lines[line->rows[0]] = read;
    return true;
}

/* The row of code with most cells that is not written yet; -1 without one. */
static int next_row(const struct model_code *code)
{
    int best = -1;
    for (int i = 0; i < code->text->count; i++) {
        if (is_code(code, i) && (best < 0 || code->cells[i].count > code->cells[best].count)) {
            best = i;
        }
    }
    return best;
}

bool model_code_write(struct model_code *code, struct glmv_err *err)
{
    size_t size = (size_t)code->text->count + 1;
    struct line line = {.rows = malloc(size * sizeof *line.rows),
                        .sure = malloc(size * sizeof *line.sure)};
    bool ok = line.rows != NULL && line.sure != NULL;
    for (int own = next_row(code); ok && own >= 0; own = next_row(code)) {
        struct model_row row = {0};
        struct model_cells cells = {0};
        grow(code, own, &line);
        ok = join(code, &line, &row, &cells);
        if (ok && leave_out(code, &line, &row, &cells)) {
            free(row.marks);
            free(cells.ink);
            ok = join(code, &line, &row, &cells);
        }
        ok = ok && put_line(code, &line, &row, &cells);
        free(row.marks);
        free(cells.ink);
    }
    free(line.rows);
    free(line.sure);
    return ok || glmv_fail_memory(err);
}
