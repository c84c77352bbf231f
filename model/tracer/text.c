/* Reads rows of marks as lines of text: a normalised crop of each goes to the OCR, words come back
 * to their marks. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/perception.h"

enum {
    CROP_INK = 36,    /* px of height that the LSTM works with */
    CROP_BORDER = 10, /* px */
    CROP_MAX_WIDTH = 9000,
    LINE_MODE = 7, /* Tesseract's page segmentation modes */
    CHAR_MODE = 10,
    DOUBTFUL = 80,        /* confidence below which a line is read again */
    LETTERS_ON_PHOTO = 3, /* marks of the shortest row that may be text there */
    SURE_ON_PHOTO = 70,
    SURE = 90,         /* confidence above which no other language is tried */
    SPLIT_COLOUR = 64, /* levels between words that make two runs of one line */
};

struct reading {
    struct model_view *view;
    struct model_ocr *ocr;
    bool again; /* a second language: only doubtful lines, kept where it is surer */
    struct model_ocr_line *lines; /* of each row, boxes in px of the page */
};

/* Ink of a row as 0..255 into a buffer of its box. */
static void draw_ink(const struct model_view *view, const struct model_row *row, uint8_t *ink)
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

static bool read_scaled(struct reading *reading, int worker, const struct model_row *row,
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
    if (row->surface < 0 && (row->count < LETTERS_ON_PHOTO || w < h)) {
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

static bool has_cjk(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c >= 0xe3 && (unsigned char)*c <= 0xe9) {
            return true;
        }
    }
    return false;
}

static bool line_has_cjk(const struct model_ocr_line *line)
{
    for (int i = 0; i < line->count; i++) {
        if (has_cjk(line->words[i].text)) {
            return true;
        }
    }
    return false;
}

/* Reads a row in the second language; the first keeps what it is sure of. */
static void read_again(struct reading *reading, int worker, const struct model_row *row,
                       const uint8_t *ink, struct model_ocr_line *line)
{
    struct model_ocr_line other;
    if (line->count > 0 && line->confidence > SURE) {
        return;
    }
    read_scaled(reading, worker, row, ink, CROP_INK, 1, LINE_MODE, &other);
    static const int sizes[] = {28, 46};
    for (int i = 0; i < 2 && (other.count == 0 || other.confidence < DOUBTFUL - 10); i++) {
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

static void read_row(void *context, int i, int worker)
{
    struct reading *reading = context;
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
    draw_ink(reading->view, row, ink);
    if (reading->again) {
        read_again(reading, worker, row, ink, line);
        free(ink);
        return;
    }
    read_scaled(reading, worker, row, ink, CROP_INK, 1, LINE_MODE, line);
    struct model_ocr_line other;
    if (line->count > 0 && line->confidence < DOUBTFUL) {
        read_scaled(reading, worker, row, ink, 24, 1, LINE_MODE, &other);
        keep_better(line, &other);
        if (line->confidence < DOUBTFUL) {
            read_scaled(reading, worker, row, ink, 48, 0.75, LINE_MODE, &other);
            keep_better(line, &other);
        }
    }
    if (w < 2.2 * h && (line->count == 0 || line->confidence < DOUBTFUL)) {
        read_scaled(reading, worker, row, ink, CROP_INK, 1, CHAR_MODE, &other);
        keep_better(line, &other);
    }
    free(ink);
}

static bool has_alnum(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (isalnum((unsigned char)*c) || (unsigned char)*c >= 0xc3) {
            return true;
        }
    }
    return false;
}

/* A bar inside a word of letters is an I that lost its context. */
static void mend_bars(char *text)
{
    if (!has_alnum(text)) {
        return;
    }
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '|') {
            *c = 'I';
        }
    }
    size_t capitals = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (capitals > 0 && text[capitals] == 'l' && text[capitals + 1] == '\0') {
        text[capitals] = 'I'; /* UI, API */
    }
}

/* Icons come back as short words of low confidence. */
static bool is_plausible(const struct model_ocr_word *word, int words_in_line)
{
    size_t len = strlen(word->text);
    if (!has_alnum(word->text)) {
        bool plain = strspn(word->text, "-+|/&$%:.,*#()[]{}<>=!?\"'~_^;\\") == len;
        return words_in_line > 1 ? word->confidence > 40 && (plain || word->confidence > 75)
                                 : plain && word->confidence > 60;
    }
    if (len <= 2) {
        return word->confidence > (words_in_line > 1 ? 45 : 60);
    }
    return word->confidence > 25;
}

/* The commonest of the colours farthest from the background. */
static uint32_t ink_colour(const struct model_view *view, const int *marks, int count)
{
    int far = 0;
    for (int k = 0; k < count; k++) {
        far = model_max(far, view->marks[marks[k]].contrast);
    }
    uint32_t seen[64];
    int votes[64];
    int used = 0;
    for (int k = 0; k < count; k++) {
        const struct model_mark *m = &view->marks[marks[k]];
        for (int y = m->r.y0; y < m->r.y1; y++) {
            for (int x = m->r.x0; x < m->r.x1; x++) {
                const uint8_t *p = model_px(view, x, y);
                if (!model_is_ink(view, m, x, y) || model_distance(p, m->bg) * 100 < far * 94) {
                    continue;
                }
                uint32_t colour = model_rgba(p);
                int i = 0;
                while (i < used && seen[i] != colour) {
                    i++;
                }
                if (i < used) {
                    votes[i]++;
                } else if (used < 64) {
                    seen[used] = colour;
                    votes[used++] = 1;
                }
            }
        }
    }
    int best = 0;
    for (int i = 1; i < used; i++) {
        best = votes[i] > votes[best] ? i : best;
    }
    return used > 0 ? seen[best] : 0xff;
}

/* A word of the row with its marks. */
struct found {
    const struct model_ocr_word *word;
    int *marks;
    int count;
    struct model_rect r;
    uint32_t colour;
};

static int distance_to(const struct model_rect *r, int x)
{
    return x < r->x0 ? r->x0 - x : x > r->x1 ? x - r->x1 : 0;
}

/* The box and the colour of a word from its marks. */
static void measure_found(const struct model_view *view, struct found *f)
{
    f->r = f->word->r;
    for (int k = 0; k < f->count; k++) {
        struct model_rect r = view->marks[f->marks[k]].r;
        f->r.x0 = k == 0 ? r.x0 : model_min(f->r.x0, r.x0);
        f->r.x1 = k == 0 ? r.x1 : model_max(f->r.x1, r.x1);
        f->r.y0 = k == 0 ? r.y0 : model_min(f->r.y0, r.y0);
        f->r.y1 = k == 0 ? r.y1 : model_max(f->r.y1, r.y1);
    }
    f->colour = ink_colour(view, f->marks, f->count);
}

/* Boxes of words slip by a letter or two: a word without a mark takes the one nearest to it from a
 * neighbour. */
static void give_marks(const struct model_view *view, struct found *words, int count)
{
    for (int i = 0; i < count; i++) {
        struct found *from = NULL;
        int best = -1;
        int nearest = 0;
        int x = (words[i].word->r.x0 + words[i].word->r.x1) / 2;
        for (int side = -1; side <= 1 && words[i].count == 0; side += 2) {
            struct found *other = i + side >= 0 && i + side < count ? &words[i + side] : NULL;
            for (int k = 0; other != NULL && other->count > 1 && k < other->count; k++) {
                int d = distance_to(&view->marks[other->marks[k]].r, x);
                if (best < 0 || d < nearest) {
                    from = other;
                    best = k;
                    nearest = d;
                }
            }
        }
        if (from != NULL && nearest <= words[i].word->r.y1 - words[i].word->r.y0) {
            words[i].marks[words[i].count++] = from->marks[best];
            from->marks[best] = from->marks[--from->count];
        }
    }
}

static void assign_marks(const struct model_view *view, const struct model_row *row,
                         struct found *words, int count)
{
    for (int k = 0; k < row->count; k++) {
        const struct model_mark *m = &view->marks[row->marks[k]];
        int best = 0;
        for (int i = 1; i < count; i++) {
            int x = (m->r.x0 + m->r.x1) / 2;
            if (distance_to(&words[i].word->r, x) < distance_to(&words[best].word->r, x)) {
                best = i;
            }
        }
        words[best].marks[words[best].count++] = row->marks[k];
    }
    give_marks(view, words, count);
    for (int i = 0; i < count; i++) {
        measure_found(view, &words[i]);
    }
}

static struct glmv_box to_box(struct model_rect r)
{
    return (struct glmv_box){r.x0, r.y0, r.x1 - r.x0, r.y1 - r.y0};
}

static void mask_marks(struct model_view *view, const struct found *f)
{
    for (int k = 0; k < f->count; k++) {
        const struct model_mark *m = &view->marks[f->marks[k]];
        for (int y = m->r.y0; y < m->r.y1; y++) {
            for (int x = m->r.x0; x < m->r.x1; x++) {
                int32_t l = view->label[y * view->w + x];
                if (!model_is_ink(view, m, x, y)) {
                    continue;
                }
                view->text_mask[y * view->w + x] = 1;
                if (l >= 0) {
                    view->regions[l].is_text = true;
                }
            }
        }
    }
}

static bool add_line(struct model_view *view, struct glmv_scene *scene, const struct found *words,
                     int count, struct glmv_err *err)
{
    struct glmv_scene_line *line =
        model_grow((void **)&scene->lines, &scene->line_count, sizeof *scene->lines, err);
    if (line == NULL) {
        return false;
    }
    size_t len = 1;
    for (int i = 0; i < count; i++) {
        len += strlen(words[i].word->text) + 1;
    }
    line->text = calloc(len, 1);
    line->words = calloc((size_t)count, sizeof *line->words);
    if (line->text == NULL || line->words == NULL) {
        return glmv_fail_memory(err);
    }
    struct model_rect all = words[0].r;
    double weight = 0;
    int longest = 0;
    for (int i = 0; i < count; i++) {
        struct glmv_scene_word *w = &line->words[line->word_count];
        w->text = strdup(words[i].word->text);
        if (w->text == NULL) {
            return glmv_fail_memory(err);
        }
        line->word_count++;
        bool before_small = i + 1 < count && islower((unsigned char)words[i + 1].word->text[0]);
        if (strcmp(w->text, "|") == 0 && before_small) {
            w->text[0] = 'I'; /* a separator stands before a capital */
        }
        mend_bars(w->text);
        w->ink = to_box(words[i].r);
        w->confidence = words[i].word->confidence;
        bool cjk_pair = i > 0 && has_cjk(words[i - 1].word->text) && has_cjk(w->text);
        strcat(line->text, i > 0 && !cjk_pair ? " " : "");
        strcat(line->text, w->text);
        double n = (double)strlen(w->text);
        line->confidence += w->confidence * n;
        weight += n;
        all.x0 = model_min(all.x0, words[i].r.x0);
        all.x1 = model_max(all.x1, words[i].r.x1);
        all.y0 = model_min(all.y0, words[i].r.y0);
        all.y1 = model_max(all.y1, words[i].r.y1);
        longest = words[i].count > words[longest].count ? i : longest;
        mask_marks(view, &words[i]);
    }
    line->confidence /= weight;
    line->ink = to_box(all);
    line->color = words[longest].colour;
    line->on_picture = words[longest].count > 0 && view->marks[words[longest].marks[0]].surface < 0;
    line->background = words[longest].count > 0
                           ? model_rgba(view->marks[words[longest].marks[0]].bg)
                           : model_rgba(view->regions[view->page >= 0 ? view->page : 0].rgb);
    return true;
}

static int colour_gap(uint32_t a, uint32_t b)
{
    uint8_t pa[3] = {(uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8)};
    uint8_t pb[3] = {(uint8_t)(b >> 24), (uint8_t)(b >> 16), (uint8_t)(b >> 8)};
    return model_distance(pa, pb);
}

/* One mark of no great width holds one letter, or it is a picture. */
static bool is_picture(const struct model_row *row, const struct model_ocr_line *read)
{
    int w = row->r.x1 - row->r.x0;
    int h = row->r.y1 - row->r.y0;
    if (row->count > 1 || w > 2 * h) {
        return false;
    }
    const char *text = read->words[0].text;
    size_t first = 1;
    while (((unsigned char)text[first] & 0xc0) == 0x80) {
        first++;
    }
    /* Letters may touch: bold ones do, and Han characters. */
    size_t letters = 0;
    for (const char *c = text; *c != '\0'; c++) {
        letters += ((unsigned char)*c & 0xc0) != 0x80;
    }
    double wide = has_cjk(text) ? 0.8 : 0.4;
    bool touching = read->count == 1 && letters > 1 && read->confidence >= 88 &&
                    w >= wide * h * (double)letters;
    if (touching && has_alnum(text)) {
        return false;
    }
    if (read->count == 1 && text[1] == '\0' && strchr("{}[]()", text[0]) != NULL &&
        read->confidence >= 80) {
        return false; /* the end of a block of code */
    }
    return read->count > 1 || text[first] != '\0' || read->confidence < 80 || !has_alnum(text) ||
           h > 60;
}

/* Chinese and Japanese come back in scraps whose boxes slip: what stands close together is one
 * word. */
static void join_scraps(struct model_ocr_line *line)
{
    int n = 0;
    for (int i = 0; i < line->count; i++) {
        struct model_ocr_word *word = &line->words[i];
        struct model_ocr_word *last = n > 0 ? &line->words[n - 1] : NULL;
        int tall = word->r.y1 - word->r.y0;
        bool both = last != NULL && has_cjk(word->text) && has_cjk(last->text);
        bool one = last != NULL && (has_cjk(word->text) || has_cjk(last->text));
        int gap = last != NULL ? word->r.x0 - last->r.x1 : 0;
        if (!(both && gap < tall) && !(one && gap * 10 < tall * 3)) {
            line->words[n++] = *word;
            continue;
        }
        size_t a = strlen(last->text);
        size_t b = strlen(word->text);
        char *joined = realloc(last->text, a + b + 1);
        if (joined == NULL) {
            line->words[n++] = *word;
            continue;
        }
        memcpy(joined + a, word->text, b + 1);
        last->text = joined;
        last->confidence =
            (last->confidence * (double)a + word->confidence * (double)b) / (double)(a + b);
        last->r.x0 = model_min(last->r.x0, word->r.x0);
        last->r.x1 = model_max(last->r.x1, word->r.x1);
        free(word->text);
    }
    line->count = n;
}

/* Where a Han word begins with something that stands apart, that may be an icon: it becomes a word
 * of its own. The new word is the last of read. Returns how many words there are. */
static int split_first(const struct model_view *view, struct model_ocr_line *read,
                       struct found *words, int count)
{
    struct found *first = &words[0];
    const char *text = first->word->text;
    size_t letter = 1;
    while (((unsigned char)text[letter] & 0xc0) == 0x80) {
        letter++;
    }
    if (!has_cjk(text) || text[letter] == '\0' || first->count < 2) {
        return count;
    }
    int tall = first->r.y1 - first->r.y0;
    int edge = first->r.x0; /* right end of what begins the word */
    for (bool grown = true; grown;) {
        grown = false;
        for (int k = 0; k < first->count; k++) {
            const struct model_rect *r = &view->marks[first->marks[k]].r;
            if (r->x0 <= edge + model_max(1, tall / 8) && r->x1 > edge) {
                edge = r->x1;
                grown = true;
            }
        }
    }
    int next = first->r.x1;
    for (int k = 0; k < first->count; k++) {
        const struct model_rect *r = &view->marks[first->marks[k]].r;
        next = r->x0 >= edge ? model_min(next, r->x0) : next;
    }
    if (edge >= first->r.x1 || (next - edge) * 5 < tall || edge - first->r.x0 > tall * 3 / 2) {
        return count;
    }
    struct model_ocr_word *apart = &read->words[read->count];
    *apart = *first->word;
    apart->text = strndup(text, letter);
    if (apart->text == NULL) {
        return count;
    }
    read->count++;
    memmove((char *)text, text + letter, strlen(text + letter) + 1);
    memmove(&words[1], &words[0], (size_t)count * sizeof *words);
    struct found *rest = &words[1];
    words[0].word = apart;
    words[0].count = 0;
    words[0].marks = rest->marks + rest->count;
    int kept = 0;
    int *all = rest->marks;
    int moved = rest->count;
    for (int k = 0; k < moved; k++) { /* the marks of the icon move behind those of the rest */
        if (view->marks[all[k]].r.x0 >= edge) {
            int mark = all[k];
            all[k] = all[kept];
            all[kept++] = mark;
        }
    }
    words[0].marks = all + kept;
    words[0].count = moved - kept;
    rest->count = kept;
    measure_found(view, &words[0]);
    measure_found(view, rest);
    return count + 1;
}

/* Drops implausible words and makes a line of every run of one colour. */
static bool take_row(struct model_view *view, const struct model_row *row,
                     struct model_ocr_line *read, struct glmv_scene *scene, struct glmv_err *err)
{
    struct found *words = calloc((size_t)read->count + 1, sizeof *words);
    int *marks = malloc(((size_t)row->count * (size_t)read->count + 1) * sizeof *marks);
    bool ok = words != NULL && marks != NULL;
    for (int i = 0; ok && i < read->count; i++) {
        words[i].word = &read->words[i];
        words[i].marks = marks + (size_t)i * (size_t)row->count;
    }
    if (ok) {
        assign_marks(view, row, words, read->count);
    } else {
        glmv_fail_memory(err);
    }
    int n = 0;
    int all = ok ? split_first(view, read, words, read->count) : 0;
    for (int i = 0; i < all; i++) {
        if (words[i].count > 0 && is_plausible(words[i].word, read->count)) {
            words[n++] = words[i];
        }
    }
    for (int from = 0; ok && from < n;) {
        int to = from + 1;
        while (to < n && colour_gap(words[to].colour, words[from].colour) < SPLIT_COLOUR) {
            to++;
        }
        ok = add_line(view, scene, words + from, to - from, err);
        from = to;
    }
    free(words);
    free(marks);
    return ok;
}

static int by_place(const void *pa, const void *pb)
{
    const struct glmv_scene_line *a = pa;
    const struct glmv_scene_line *b = pb;
    if (a->ink.y != b->ink.y) {
        return a->ink.y < b->ink.y ? -1 : 1;
    }
    return a->ink.x < b->ink.x ? -1 : a->ink.x > b->ink.x ? 1 : 0;
}

static bool is_doubtful(const struct model_text *text, int i)
{
    return text->lines[i].count > 0 && text->view->rows[i].count >= 4 &&
           text->lines[i].confidence < DOUBTFUL - 10;
}

bool model_text_looks_cjk(const struct model_text *text)
{
    int doubtful = 0;
    int all = 0;
    for (int i = 0; i < text->count; i++) {
        const struct model_row *row = &text->view->rows[i];
        if (text->lines[i].count > 0 && row->count >= 6) {
            all++;
            doubtful += text->lines[i].confidence < DOUBTFUL - 10;
        }
    }
    return doubtful >= 2 && doubtful * 8 >= all;
}

/* What a language makes of the doubtful rows. */
struct trial {
    double sure; /* letters of the script, weighted by confidence */
    int letters;
    int kana;
};

static void count_letters(const struct model_ocr_line *line, struct trial *trial)
{
    for (int i = 0; i < line->count; i++) {
        for (const char *c = line->words[i].text; *c != '\0'; c++) {
            unsigned char a = (unsigned char)c[0];
            unsigned char b = a >= 0xe3 && a <= 0xe9 ? (unsigned char)c[1] : 0;
            bool kana = a == 0xe3 && b >= 0x81 && b <= 0x83;
            if (b != 0 && (kana || a > 0xe3)) {
                trial->letters++;
                trial->kana += kana;
                trial->sure += line->words[i].confidence / 100;
            }
        }
    }
}

/* Reads some of the doubtful rows, all over the page: many pages repeat one row. */
static struct trial try_language(const struct model_text *text, struct model_ocr *ocr)
{
    enum { TRIES = 16 };
    struct reading reading = {.view = text->view, .ocr = ocr, .again = true};
    struct trial trial = {0};
    int doubtful = 0;
    for (int i = 0; i < text->count; i++) {
        doubtful += is_doubtful(text, i);
    }
    reading.lines = calloc((size_t)text->count + 1, sizeof *reading.lines);
    int step = doubtful / TRIES + 1;
    int seen = 0;
    for (int i = 0; reading.lines != NULL && i < text->count; i++) {
        if (!is_doubtful(text, i) || seen++ % step != 0) {
            continue;
        }
        read_row(&reading, i, 0);
        if (reading.lines[i].count > 0) {
            count_letters(&reading.lines[i], &trial);
        }
        model_ocr_line_release(&reading.lines[i]);
    }
    free(reading.lines);
    return trial;
}

struct model_ocr *model_text_choose(const struct model_text *text, const char *const *langs,
                                    int count, int *chosen)
{
    struct model_ocr *best = NULL;
    double best_score = 0;
    *chosen = -1;
    for (int i = 0; i < count; i++) {
        struct model_ocr *ocr = model_ocr_open(langs[i], 1, NULL);
        struct trial trial = {0};
        if (ocr != NULL) {
            trial = try_language(text, ocr);
        }
        /* Without kana it is not Japanese, whatever its reader makes of the characters. */
        bool japanese = strcmp(langs[i], "jpn") == 0;
        bool fits = !japanese || trial.kana * 10 >= trial.letters;
        double score = fits ? trial.sure : 0.5 * trial.sure;
        if (trial.letters > 0 && trial.sure >= 0.5 * trial.letters && score > best_score) {
            model_ocr_close(best);
            best = ocr;
            best_score = score;
            *chosen = i;
        } else {
            model_ocr_close(ocr);
        }
    }
    return best;
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
    struct reading reading = {.view = text->view, .ocr = ocr, .again = again, .lines = text->lines};
    model_parallel(threads, text->count, read_row, &reading);
    return true;
}

static bool lies_in(const struct model_rect *inner, const struct model_rect *outer)
{
    int x = (inner->x0 + inner->x1) / 2;
    int y = (inner->y0 + inner->y1) / 2;
    return x >= outer->x0 && x < outer->x1 && y >= outer->y0 && y < outer->y1;
}

/* Where a photo is even, its text is found twice: the reading on the surface counts if it is sure
 * and no shorter. */
static bool is_read_better(const struct model_text *text, int row)
{
    const struct model_rect *r = &text->view->rows[row].r;
    for (int i = 0; i < text->count; i++) {
        const struct model_rect *o = &text->view->rows[i].r;
        if (i != row && text->view->rows[i].surface >= 0 && text->lines[i].count > 0 &&
            text->lines[i].confidence >= SURE_ON_PHOTO && lies_in(r, o) &&
            o->x1 - o->x0 >= (r->x1 - r->x0) * 9 / 10) {
            return true;
        }
    }
    return false;
}

static void forget_row(struct model_text *text, int i)
{
    model_ocr_line_release(&text->lines[i]);
}

/* Of two readings of one text on a photo one is forgotten. */
static void settle_photos(struct model_text *text)
{
    for (int i = 0; i < text->count; i++) {
        if (text->view->rows[i].surface >= 0 || text->lines[i].count == 0) {
            continue;
        }
        /* Leaves and stones are read with little confidence. */
        if (text->lines[i].confidence < SURE_ON_PHOTO || is_read_better(text, i)) {
            forget_row(text, i);
            continue;
        }
        for (int k = 0; k < text->count; k++) {
            if (text->view->rows[k].surface >= 0 && text->lines[k].count > 0 &&
                lies_in(&text->view->rows[k].r, &text->view->rows[i].r)) {
                forget_row(text, k);
            }
        }
    }
}

bool model_text_take(struct model_text *text, struct glmv_scene *scene, struct glmv_err *err)
{
    struct model_view *view = text->view;
    view->text_mask = calloc((size_t)view->w * (size_t)view->h, 1);
    bool ok = view->text_mask != NULL || glmv_fail_memory(err);
    settle_photos(text);
    for (int i = 0; ok && i < text->count; i++) {
        join_scraps(&text->lines[i]);
        if (text->lines[i].count > 0 && !is_picture(&view->rows[i], &text->lines[i])) {
            ok = take_row(view, &view->rows[i], &text->lines[i], scene, err);
        }
    }
    if (ok && scene->line_count > 1) {
        qsort(scene->lines, scene->line_count, sizeof *scene->lines, by_place);
    }
    return ok;
}

void model_text_release(struct model_text *text)
{
    for (int i = 0; text->lines != NULL && i < text->count; i++) {
        model_ocr_line_release(&text->lines[i]);
    }
    free(text->lines);
    text->lines = NULL;
}
