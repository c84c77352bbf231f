/* Reads rows of marks as lines of text: a normalised crop of each goes to the OCR. */
#include "model/tracer/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CROP_INK = 36,    /* px of height that the LSTM works with */
    CROP_BORDER = 10, /* px */
    CROP_MAX_WIDTH = 9000,
    LINE_MODE = 7, /* Tesseract's page segmentation modes */
    CHAR_MODE = 10,
    LETTERS_ON_PHOTO = 3, /* marks of the shortest row that may be text there */
    SURE = 90,            /* confidence above which no other language is tried */
};

void model_text_draw_ink(const struct model_view *view, const struct model_row *row, uint8_t *ink)
{
    int w = row->r.x1 - row->r.x0;
    memset(ink, 0, (size_t)w * (size_t)(row->r.y1 - row->r.y0));
    for (int k = 0; k < row->count; k++) {
        const struct model_mark *m = &view->marks[row->marks[k]];
        for (int y = m->r.y0; y < m->r.y1; y++) {
            for (int x = m->r.x0; x < m->r.x1; x++) {
                if (!model_is_ink(view, m, x, y)) {
                    continue;
                }
                int a = model_distance(model_px(view, x, y), m->bg) * 255 / m->contrast;
                uint8_t *to = &ink[(y - row->r.y0) * w + (x - row->r.x0)];
                *to = (uint8_t)model_max(*to, model_min(a, 255));
            }
        }
    }
}

/* Bilinear when growing, mean of the covered px when shrinking; inverted, with a white border. */
static void scale_ink(const uint8_t *ink, int w, int h, double scale, double gamma, uint8_t *out,
                      int ow, int oh)
{
    memset(out, 255, (size_t)ow * (size_t)oh);
    double reach = scale < 1 ? 0.5 / scale : 0.5;
    for (int oy = CROP_BORDER; oy < oh - CROP_BORDER; oy++) {
        double sy = (oy - CROP_BORDER + 0.5) / scale - 0.5;
        for (int ox = CROP_BORDER; ox < ow - CROP_BORDER; ox++) {
            double sx = (ox - CROP_BORDER + 0.5) / scale - 0.5;
            double sum = 0;
            double weight = 0;
            for (int y = (int)floor(sy - reach + 0.5); y <= (int)floor(sy + reach + 0.5); y++) {
                double fy = 1 - fabs(y - sy) / (reach * 2);
                for (int x = (int)floor(sx - reach + 0.5);
                     fy > 0 && x <= (int)floor(sx + reach + 0.5); x++) {
                    double f = fy * (1 - fabs(x - sx) / (reach * 2));
                    if (f <= 0) {
                        continue;
                    }
                    weight += f;
                    sum += x >= 0 && y >= 0 && x < w && y < h ? f * ink[y * w + x] : 0;
                }
            }
            double a = weight > 0 ? sum / weight / 255 : 0;
            out[oy * ow + ox] = (uint8_t)lround(255 * (1 - (gamma == 1 ? a : pow(a, gamma))));
        }
    }
}

static bool read_scaled(struct model_reading *reading, int worker, const struct model_row *row,
                        const uint8_t *ink, int target, double gamma, int mode,
                        struct model_ocr_line *out)
{
    int w = row->r.x1 - row->r.x0;
    int h = row->r.y1 - row->r.y0;
    double scale = (double)target / h;
    scale = scale > 5 ? 5 : scale;
    int ow = (int)lround(w * scale) + 2 * CROP_BORDER;
    int oh = (int)lround(h * scale) + 2 * CROP_BORDER;
    *out = (struct model_ocr_line){0};
    if (ow > CROP_MAX_WIDTH) {
        return false;
    }
    uint8_t *grey = malloc((size_t)ow * (size_t)oh);
    if (grey == NULL) {
        return false;
    }
    scale_ink(ink, w, h, scale, gamma, grey, ow, oh);
    bool found = model_ocr_read(reading->ocr, worker, grey, ow, oh, mode, out);
    free(grey);
    for (int i = 0; i < out->count; i++) {
        struct model_rect *r = &out->words[i].r;
        r->x0 = row->r.x0 + (int)floor((r->x0 - CROP_BORDER) / scale);
        r->x1 = row->r.x0 + (int)ceil((r->x1 - CROP_BORDER) / scale);
        r->y0 = row->r.y0;
        r->y1 = row->r.y1;
    }
    return found;
}

static void keep_better(struct model_ocr_line *best, struct model_ocr_line *other)
{
    if (other->count > 0 && (best->count == 0 || other->confidence > best->confidence)) {
        model_ocr_line_release(best);
        *best = *other;
    } else {
        model_ocr_line_release(other);
    }
}

static bool is_worth_reading(const struct model_view *view, const struct model_row *row)
{
    int w = row->r.x1 - row->r.x0;
    int h = row->r.y1 - row->r.y0;
    bool weak = true;
    if (row->icon || (row->surface < 0 && (row->count < LETTERS_ON_PHOTO || w < h))) {
        return false;
    }
    for (int k = 0; k < row->count; k++) {
        weak = weak && view->marks[row->marks[k]].weak;
    }
    if (h < 5 || w < 2 ||
        (weak && (row->count > 1 ? h < 7 : h < 7 || w > 0.6 * h || w < 0.15 * h))) {
        return false;
    }
    return true;
}

static bool line_has_cjk(const struct model_ocr_line *line)
{
    for (int i = 0; i < line->count; i++) {
        if (model_has_cjk(line->words[i].text)) {
            return true;
        }
    }
    return false;
}

/* Reads a row in the second language; the first keeps what it is sure of. */
static void read_again(struct model_reading *reading, int worker, const struct model_row *row,
                       const uint8_t *ink, struct model_ocr_line *line)
{
    struct model_ocr_line other;
    /* Two Han characters may pass for two capitals. */
    bool brief = line->count == 1 && strlen(line->words[0].text) <= 3;
    if (line->count > 0 && line->confidence > SURE && !brief) {
        return;
    }
    read_scaled(reading, worker, row, ink, CROP_INK, 1, LINE_MODE, &other);
    static const int sizes[] = {28, 46};
    for (int i = 0; i < 2 && (other.count == 0 || other.confidence < MODEL_DOUBTFUL - 10); i++) {
        struct model_ocr_line third;
        read_scaled(reading, worker, row, ink, sizes[i], 1, LINE_MODE, &third);
        keep_better(&other, &third);
    }
    if (other.count > 0 && line_has_cjk(&other) && other.confidence > line->confidence - 5) {
        model_ocr_line_release(line);
        *line = other;
    } else {
        model_ocr_line_release(&other);
    }
}

void model_text_read_row(void *context, int i, int worker)
{
    struct model_reading *reading = context;
    const struct model_row *row = &reading->view->rows[i];
    struct model_ocr_line *line = &reading->lines[i];
    if (!is_worth_reading(reading->view, row)) {
        return;
    }
    int w = row->r.x1 - row->r.x0;
    int h = row->r.y1 - row->r.y0;
    uint8_t *ink = malloc((size_t)w * (size_t)h);
    if (ink == NULL) {
        return;
    }
    model_text_draw_ink(reading->view, row, ink);
    if (reading->again) {
        read_again(reading, worker, row, ink, line);
        free(ink);
        return;
    }
    read_scaled(reading, worker, row, ink, CROP_INK, 1, LINE_MODE, line);
    struct model_ocr_line other;
    bool missed = line->count == 0 && row->count > 1 && w >= 2 * h && h <= CROP_INK;
    if (missed || (line->count > 0 && line->confidence < MODEL_DOUBTFUL)) {
        read_scaled(reading, worker, row, ink, 24, 1, LINE_MODE, &other);
        keep_better(line, &other);
        if (line->confidence < MODEL_DOUBTFUL) {
            read_scaled(reading, worker, row, ink, 48, 0.75, LINE_MODE, &other);
            keep_better(line, &other);
        }
    }
    if (w < 2.2 * h && (line->count == 0 || line->confidence < MODEL_DOUBTFUL)) {
        read_scaled(reading, worker, row, ink, CROP_INK, 1, CHAR_MODE, &other);
        keep_better(line, &other);
    }
    free(ink);
}

bool model_text_read(struct model_text *text, struct model_ocr *ocr, bool again, int threads,
                     struct glmv_err *err)
{
    if (text->lines == NULL) {
        text->count = text->view->row_count;
        text->lines = calloc((size_t)text->count + 1, sizeof *text->lines);
    }
    if (text->lines == NULL) {
        return glmv_fail_memory(err);
    }
    struct model_reading reading = {
        .view = text->view, .ocr = ocr, .again = again, .lines = text->lines};
    model_parallel(threads, text->count, model_text_read_row, &reading);
    return true;
}

void model_text_release(struct model_text *text)
{
    for (int i = 0; text->lines != NULL && i < text->count; i++) {
        model_ocr_line_release(&text->lines[i]);
    }
    free(text->lines);
    text->lines = NULL;
}
