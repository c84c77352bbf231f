/*
 * Code. In faces of one width the place of every letter is known from those before it, so that a
 * row can be read cell by cell: what stands in a cell is the letter that looks most like it. That
 * reads `=>`, `});` and commas, which OCR loses, sees no space inside of words, and tells l, 1, I
 * and 0, O.
 */
#include "model/tracer/code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/text.h"

#define MIN_FACE 0.80 /* of the rows that choose a face */

enum {
    SEED_MARKS = 12, /* of a row that tells the pitch */
    ROW_MARKS = 4,   /* of a row that is tried with it */
    PROBES = 10,     /* cells that find the place of a row */
    JUDGES = 4,      /* rows that choose a face */
    MIN_PITCH = 5,
};

struct pitch {
    double px;
    int marks; /* that say so */
    int rows[JUDGES];
    int row_count;
};

static bool is_candidate(const struct model_text *text, int i, int marks)
{
    const struct model_row *row = &text->view->rows[i];
    int h = row->r.y1 - row->r.y0;
    return row->surface >= 0 && row->count >= marks && text->lines[i].count > 0 && h >= 5 &&
           h < 60 && row->r.x1 - row->r.x0 < MODEL_MAX_CELLS * MIN_PITCH;
}

struct seeds {
    const struct model_text *text;
    double *pitch; /* of each row */
};

static void seek_pitch(void *context, int i, int worker)
{
    (void)worker;
    struct seeds *seeds = context;
    if (is_candidate(seeds->text, i, SEED_MARKS)) {
        seeds->pitch[i] = model_pitch_find(seeds->text->view, &seeds->text->view->rows[i]);
    }
}

/* The pitches that most marks lie at. */
static int gather_pitches(const struct model_text *text, const double *found, struct pitch *out)
{
    struct pitch all[64];
    int n = 0;
    for (int i = 0; i < text->count; i++) {
        if (found[i] <= 0) {
            continue;
        }
        int k = 0;
        while (k < n && fabs(all[k].px - found[i]) > 0.006 * found[i]) {
            k++;
        }
        if (k == 64) {
            continue;
        }
        if (k == n) {
            all[n++] = (struct pitch){.px = found[i]};
        }
        int marks = text->view->rows[i].count;
        all[k].px = (all[k].px * all[k].marks + found[i] * marks) / (all[k].marks + marks);
        all[k].marks += marks;
        if (all[k].row_count < JUDGES) {
            all[k].rows[all[k].row_count++] = i;
        }
    }
    int count = 0;
    while (count < MODEL_MAX_PITCHES) {
        int best = -1;
        for (int k = 0; k < n; k++) {
            best = all[k].marks > 0 && (best < 0 || all[k].marks > all[best].marks) ? k : best;
        }
        if (best < 0) {
            break;
        }
        out[count++] = all[best];
        all[best].marks = 0;
    }
    return count;
}

/* The likeness of a strip's fullest cells to letters, with the strip where it is. */
static double probe(const struct model_stencils *stencils, const struct model_strip *strip,
                    const int *cells, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        double like;
        model_stencils_match(stencils, strip, cells[i], 0, &like);
        sum += like;
    }
    return count > 0 ? sum / count : 0;
}

/* Cells with ink, spread over the row. */
static int choose_probes(const struct model_strip *strip, double pitch, int cells, int *out)
{
    int count = 0;
    int step = cells > PROBES ? cells / PROBES : 1;
    for (int k = 0; k < cells && count < PROBES; k++) {
        long sum = 0;
        int x0 = model_max(0, (int)(strip->x + k * pitch));
        int x1 = model_min(strip->w, (int)(strip->x + (k + 1) * pitch));
        for (int y = 0; y < strip->h; y++) {
            for (int x = x0; x < x1; x++) {
                sum += strip->ink[(size_t)y * (size_t)strip->w + (size_t)x];
            }
        }
        if (sum > 1500 && (count == 0 || k - out[count - 1] >= step || cells - k <= PROBES)) {
            out[count++] = k;
        }
    }
    return count;
}

/* Moves a strip to where its cells look most like letters. */
static double settle(const struct model_stencils *stencils, struct model_strip *strip, int bottom,
                     int cells)
{
    int probes[PROBES];
    int count = choose_probes(strip, stencils->pitch, cells, probes);
    struct model_strip best = *strip;
    double top = 0;
    int drop = (int)ceil(0.3 * stencils->rise);
    double slack = 0.25 * stencils->pitch;
    /* The line first, between a few places across; then the place on that line. */
    for (int round = 0; round < 2; round++) {
        double step = round == 0 ? slack / 2 : 0.25;
        int from = round == 0 ? bottom - drop : best.baseline;
        int to = round == 0 ? bottom + 1 : best.baseline;
        for (int y = from; y <= to; y++) {
            for (double dx = -slack; dx <= slack + 0.01; dx += step) {
                struct model_strip moved = *strip;
                moved.x += dx;
                moved.baseline = y;
                double like = probe(stencils, &moved, probes, count);
                if (like > top) {
                    top = like;
                    best = moved;
                }
            }
        }
    }
    *strip = best;
    return top;
}

/* What OCR read in each cell, where its word has as many letters as cells. */
static void take_said(const struct model_ocr_line *line, const struct model_row *row, double pitch,
                      struct model_cells *cells)
{
    memset(cells->said, 0, sizeof cells->said);
    for (int i = 0; i < line->count; i++) {
        const struct model_ocr_word *w = &line->words[i];
        int first = (int)lround((w->r.x0 - row->r.x0 - cells->strip.x) / pitch);
        int end = (int)lround((w->r.x1 - row->r.x0 - cells->strip.x) / pitch);
        size_t letters = strlen(w->text);
        for (size_t k = 0; (int)letters == end - first && k < letters; k++) {
            int at = first + (int)k;
            if (at >= 0 && at < MODEL_MAX_CELLS && (unsigned char)w->text[k] < 0x80) {
                cells->said[at] = w->text[k];
            }
        }
    }
}

/* Finds the cells of a row. False where it has none of this pitch and face. */
static bool place_cells(const struct model_text *text, int i, const struct model_stencils *stencils,
                        struct model_cells *out)
{
    const struct model_row *row = &text->view->rows[i];
    double start;
    if (model_pitch_evenness(text->view, row, stencils->pitch, &start) < 0.5) {
        return false;
    }
    out->strip = (struct model_strip){.ink = out->ink,
                                      .w = row->r.x1 - row->r.x0,
                                      .h = row->r.y1 - row->r.y0,
                                      .x = start - row->r.x0};
    out->count = (int)ceil((out->strip.w - out->strip.x) / stencils->pitch - 0.2);
    if (out->count < 1 || out->count > MODEL_MAX_CELLS ||
        settle(stencils, &out->strip, out->strip.h, out->count) < MIN_FACE - 0.1) {
        return false;
    }
    take_said(&text->lines[i], row, stencils->pitch, out);
    return true;
}

void model_cells_read(const struct model_stencils *stencils, struct model_cells *cells)
{
    double sum = 0;
    int inked = 0;
    for (int k = 0; k < cells->count; k++) {
        cells->text[k] =
            model_stencils_match(stencils, &cells->strip, k, cells->said[k], &cells->like[k]);
        sum += cells->text[k] != ' ' ? cells->like[k] : 0;
        inked += cells->text[k] != ' ';
    }
    cells->text[cells->count] = '\0';
    cells->mean = inked > 0 ? sum / inked : 0;
}

uint8_t *model_cells_ink(const struct model_view *view, const struct model_row *row)
{
    uint8_t *ink = malloc((size_t)(row->r.x1 - row->r.x0) * (size_t)(row->r.y1 - row->r.y0));
    if (ink != NULL) {
        model_text_draw_ink(view, row, ink);
    }
    return ink;
}

/* How much a pitch's rows look like the letters of a face. */
static double try_face(const struct model_text *text, const struct pitch *pitch,
                       const struct model_stencils *stencils)
{
    double sum = 0;
    for (int k = 0; k < pitch->row_count; k++) {
        struct model_cells r = {.ink =
                                    model_cells_ink(text->view, &text->view->rows[pitch->rows[k]])};
        if (r.ink != NULL && place_cells(text, pitch->rows[k], stencils, &r)) {
            model_cells_read(stencils, &r);
            sum += r.mean / pitch->row_count;
        }
        free(r.ink);
    }
    return sum;
}

/* The face of one width that a pitch's rows look most like. */
static bool choose_hand(const struct model_text *text, struct model_faces *faces,
                        const struct pitch *pitch, struct model_stencils *out)
{
    *out = (struct model_stencils){.like = MIN_FACE};
    for (size_t f = 0; f < faces->count; f++) {
        struct model_face *face = &faces->items[f];
        struct model_stencils stencils;
        if (face->kind != GLMV_FAMILY_MONO || face->cjk || !model_face_is_common(face) ||
            !model_stencils_draw(&stencils, faces, face, pitch->px)) {
            continue;
        }
        stencils.like = 1;
        stencils.like = try_face(text, pitch, &stencils);
        if (stencils.like > out->like) {
            model_stencils_release(out);
            *out = stencils;
        } else {
            model_stencils_release(&stencils);
        }
    }
    return out->ink != NULL;
}

/* Finds the pitch and the cells of a row. */
static void place_row(void *context, int i, int worker)
{
    (void)worker;
    struct model_code *code = context;
    const struct model_text *text = code->text;
    struct model_cells *kept = &code->cells[i];
    kept->ink =
        is_candidate(text, i, ROW_MARKS) ? model_cells_ink(text->view, &text->view->rows[i]) : NULL;
    for (int h = 0; kept->ink != NULL && h < code->hand_count; h++) {
        struct model_cells r = {.ink = kept->ink, .hand = h};
        if (place_cells(text, i, &code->hands[h], &r)) {
            model_cells_read(&code->hands[h], &r);
            if (r.mean > kept->mean) {
                *kept = r;
            }
        }
    }
}

static void read_row(void *context, int i, int worker)
{
    (void)worker;
    struct model_code *code = context;
    if (code->cells[i].mean > 0) {
        model_cells_read(&code->hands[code->cells[i].hand], &code->cells[i]);
    }
}

/* The page shows its letters better than the nearest face that is installed. */
static void learn(struct model_code *code, bool from_ocr)
{
    for (int h = 0; h < code->hand_count; h++) {
        model_stencils_forget(&code->hands[h]);
    }
    for (int i = 0; i < code->text->count; i++) {
        const struct model_cells *r = &code->cells[i];
        for (int k = 0; r->mean >= MIN_FACE && k < r->count; k++) {
            char c = from_ocr ? r->said[k] : r->text[k];
            if (c != 0 && c != ' ') {
                model_stencils_add(&code->hands[r->hand], &r->strip, k, c);
            }
        }
    }
    for (int h = 0; h < code->hand_count; h++) {
        model_stencils_close(&code->hands[h]);
    }
}

bool model_code_read(struct model_text *text, struct model_faces *faces, int threads,
                     struct glmv_err *err)
{
    struct seeds seeds = {text, calloc((size_t)text->count + 1, sizeof(double))};
    struct model_code code = {.text = text};
    code.cells = calloc((size_t)text->count + 1, sizeof *code.cells);
    if (seeds.pitch == NULL || code.cells == NULL) {
        free(seeds.pitch);
        free(code.cells);
        return glmv_fail_memory(err);
    }
    model_parallel(threads, text->count, seek_pitch, &seeds);
    struct pitch pitches[MODEL_MAX_PITCHES];
    int n = gather_pitches(text, seeds.pitch, pitches);
    for (int k = 0; k < n; k++) {
        code.hand_count += choose_hand(text, faces, &pitches[k], &code.hands[code.hand_count]);
    }
    if (code.hand_count > 0) {
        model_parallel(threads, text->count, place_row, &code);
        for (int round = 0; round < 2; round++) {
            learn(&code, round == 0);
            model_parallel(threads, text->count, read_row, &code);
        }
    }
    bool ok = code.hand_count == 0 || model_code_write(&code, err);
    for (int i = 0; i < text->count; i++) {
        free(code.cells[i].ink);
    }
    for (int k = 0; k < code.hand_count; k++) {
        model_stencils_release(&code.hands[k]);
    }
    free(seeds.pitch);
    free(code.cells);
    return ok;
}
