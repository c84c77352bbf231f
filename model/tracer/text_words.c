/* Words: what was read comes back to its marks, and becomes lines of the scene. */
#include "model/tracer/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum {
    SPLIT_COLOUR = 64, /* levels between words that make two runs of one line */
    SENTENCE = 4,      /* words of a line that is one */
};

/* A bar inside a word of letters is an I that lost its context. */
static void mend_bars(char *text)
{
    if (!model_has_alnum(text)) {
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

/* Where the letters of some words stand: what most of their marks reach down to. */
static int foot_of(const struct model_view *view, const struct model_found *words, int count)
{
    enum { MOST = 256 };
    int bottoms[MOST];
    int n = 0;
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < words[i].count && n < MOST; k++) {
            const struct model_rect *r = &view->marks[words[i].marks[k]].r;
            bottoms[n] = r->y1;
            n += (r->y1 - r->y0) * 3 > words[i].r.y1 - words[i].r.y0; /* no accent, no dot */
        }
    }
    return model_middle(bottoms, n);
}

/* A bar that stands where letters stand is an I; separators reach below. */
static void mend_standing_bars(char *text, const struct model_found *word, int foot)
{
    bool stands = word->r.y1 <= foot + 1 && word->r.y1 >= foot - 1;
    for (char *c = text; stands && *c != '\0'; c++) {
        if (*c == '|') {
            *c = 'I';
        }
    }
}

/* Icons come back as short words of low confidence. */
static bool is_plausible(const struct model_ocr_word *word, int words_in_line)
{
    if (word->confidence >= MODEL_CERTAIN) {
        return true;
    }
    size_t len = strlen(word->text);
    if (!model_has_alnum(word->text)) {
        bool plain = strspn(word->text, "-+|/&$%:.,*#()[]{}<>=!?\"'~_^;\\") == len;
        return words_in_line > 1 ? word->confidence > 40 && (plain || word->confidence > 75)
                                 : plain && word->confidence > 60;
    }
    if (len <= 2) {
        return word->confidence > (words_in_line > 1 ? 45 : 60);
    }
    /* In the midst of a sentence a word with letters that the reader does not know is no icon. */
    return word->confidence > (words_in_line >= SENTENCE ? 5 : 25);
}

/* Whether a mark is about as wide as high, told by how far its ink spreads from its middle: on whole
 * px a short dash may seem hardly wider than high, as its faint ones count like the others. */
static bool is_round(const struct model_view *view, const struct model_mark *mark)
{
    const double most = 1.6; /* times as wide as high, or as high as wide */
    double sum = 0;
    double first[2] = {0};
    double second[2] = {0};
    for (int y = model_max(0, mark->r.y0 - 1); y < model_min(view->h, mark->r.y1 + 1); y++) {
        for (int x = model_max(0, mark->r.x0 - 1); x < model_min(view->w, mark->r.x1 + 1); x++) {
            double ink = model_distance(model_px(view, x, y), mark->bg);
            double at[2] = {x - mark->r.x0, y - mark->r.y0};
            sum += ink;
            for (int i = 0; i < 2; i++) {
                first[i] += ink * at[i];
                second[i] += ink * at[i] * at[i];
            }
        }
    }
    double size[2] = {1, 1}; /* square, of a box that spreads as far */
    for (int i = 0; sum > 0 && i < 2; i++) {
        double middle = first[i] / sum;
        size[i] = fmax(1, 12 * (second[i] / sum - middle * middle) - 1); /* 1: spread of a px */
    }
    return size[0] <= most * most * size[1] && size[1] <= most * most * size[0];
}

/* A dot between words stands in the middle of their height; OCR takes it for a dash, or for nothing
 * much. NULL where a word is none. */
static const char *read_dot(const struct model_view *view, const struct model_found *before,
                            const struct model_found *word)
{
    if (word->count != 1 || model_has_alnum(word->word->text) || before->count == 0) {
        return NULL;
    }
    const struct model_rect *dot = &view->marks[word->marks[0]].r;
    int tall = before->r.y1 - before->r.y0;
    int w = dot->x1 - dot->x0;
    int h = dot->y1 - dot->y0;
    int middle = (dot->y0 + dot->y1) / 2 - before->r.y0;
    bool round = w <= h + 1 && h <= w + 1 && h * 12 >= tall && h * 5 <= tall * 2;
    /* Letters that reach below the line would make a full stop stand in the middle. */
    bool above = (foot_of(view, before, 1) - dot->y1) * 12 >= tall;
    bool high = above && middle * 10 > tall * 3 && middle * 4 < tall * 3;
    if (!round || !high || !is_round(view, &view->marks[word->marks[0]])) {
        return NULL;
    }
    return h * 10 < tall * 3 ? "·" : "•";
}

/* Makes dots of what stands between words and is one. */
static void mend_dots(const struct model_view *view, struct model_ocr_line *read,
                      struct model_found *words, int count)
{
    for (int i = 1; i + 1 < count; i++) {
        const char *dot = read_dot(view, &words[i - 1], &words[i]);
        struct model_ocr_word *word = &read->words[words[i].word - read->words];
        char *text = dot != NULL && word->confidence < MODEL_CERTAIN ? strdup(dot) : NULL;
        if (text != NULL) {
            free(word->text);
            word->text = text;
            word->confidence = MODEL_CERTAIN;
        }
    }
}

static struct glmv_box to_box(struct model_rect r)
{
    return (struct glmv_box){r.x0, r.y0, r.x1 - r.x0, r.y1 - r.y0};
}

static void mask_marks(struct model_view *view, const struct model_found *f)
{
    for (int k = 0; k < f->count; k++) {
        const struct model_mark *m = &view->marks[f->marks[k]];
        int room = (m->r.x1 - m->r.x0) * (m->r.y1 - m->r.y0);
        for (int y = m->r.y0; y < m->r.y1; y++) {
            for (int x = m->r.x0; x < m->r.x1; x++) {
                int32_t l = view->label[y * view->w + x];
                if (!model_is_ink(view, m, x, y)) {
                    continue;
                }
                view->text_mask[y * view->w + x] = 1;
                /* What reaches beyond the mark lies behind it. */
                if (l >= 0 && view->regions[l].area <= room) {
                    view->regions[l].is_text = true;
                }
            }
        }
    }
}

static bool add_line(struct model_view *view, struct glmv_scene *scene,
                     const struct model_found *words, int count, struct glmv_err *err)
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
    int foot = foot_of(view, words, count);
    for (int i = 0; i < count; i++) {
        struct glmv_scene_word *w = &line->words[line->word_count];
        w->text = strdup(words[i].word->text);
        if (w->text == NULL) {
            return glmv_fail_memory(err);
        }
        line->word_count++;
        bool before_small = i + 1 < count && words[i].word->confidence < MODEL_CERTAIN &&
                            islower((unsigned char)words[i + 1].word->text[0]);
        if (strcmp(w->text, "|") == 0 && before_small) {
            w->text[0] = 'I'; /* a separator stands before a capital */
        }
        if (words[i].word->confidence < MODEL_CERTAIN) {
            if (count > 1 && foot > 0) {
                mend_standing_bars(w->text, &words[i], foot);
            }
            mend_bars(w->text);
        }
        w->ink = to_box(words[i].r);
        w->confidence = words[i].word->confidence;
        /* Without blanks, whose width would be taken for that of characters. */
        bool cjk_pair = i > 0 && model_has_cjk(words[i - 1].word->text) && model_has_cjk(w->text);
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

/* Whether a word's colour is another one that its background shines through. */
static bool is_paler(const struct model_view *view, const struct model_found *word, uint32_t full)
{
    enum { OFF = 24 }; /* levels */
    const uint8_t *bg = view->marks[word->marks[0]].bg;
    double step[3];
    double seen[3];
    double along = 0;
    double length = 1e-9;
    for (int c = 0; c < 3; c++) {
        step[c] = (double)(full >> (24 - 8 * c) & 255) - bg[c];
        seen[c] = (double)(word->colour >> (24 - 8 * c) & 255) - bg[c];
        along += step[c] * seen[c];
        length += step[c] * step[c];
    }
    double share = along / length;
    bool near = share > 0.3 && share < 1.1;
    for (int c = 0; c < 3; c++) {
        near = near && seen[c] - share * step[c] < OFF && share * step[c] - seen[c] < OFF;
    }
    return near;
}

/* Whether two words may be of one colour. No px of a short word of thin strokes may have all of it.
 */
static bool are_alike(const struct model_view *view, const struct model_found *a,
                      const struct model_found *b)
{
    enum { BRIEF = 2 };
    return colour_gap(a->colour, b->colour) < SPLIT_COLOUR ||
           (strlen(b->word->text) <= BRIEF && is_paler(view, b, a->colour)) ||
           (strlen(a->word->text) <= BRIEF && is_paler(view, a, b->colour));
}

/* Whether a word has the colour of the one behind it and not that of the run before it. */
static bool goes_with_next(const struct model_found *run, const struct model_found *word)
{
    return !word[1].apart && colour_gap(word[0].colour, word[1].colour) < SPLIT_COLOUR &&
           colour_gap(word[0].colour, run->colour) >= SPLIT_COLOUR;
}

/* One mark of no great width holds one letter, or it is a picture. */
static bool is_picture(const struct model_row *row, const struct model_ocr_line *read)
{
    if (read->confidence >= MODEL_CERTAIN) {
        return false;
    }
    int w = row->r.x1 - row->r.x0;
    int h = row->r.y1 - row->r.y0;
    if (row->count > 1 || w > 2 * h) {
        return false;
    }
    const char *text = read->words[0].text;
    size_t first = glmv_utf8_first(text);
    /* Letters may touch: bold ones do, and Han characters. */
    size_t letters = glmv_utf8_count(text);
    double wide = model_has_cjk(text) ? 0.8 : 0.4;
    bool touching = read->count == 1 && letters > 1 && read->confidence >= 88 &&
                    w >= wide * h * (double)letters;
    if (touching && model_has_alnum(text)) {
        return false;
    }
    if (read->count == 1 && text[1] == '\0' && strchr("{}[]()", text[0]) != NULL &&
        read->confidence >= 80) {
        return false; /* the end of a block of code */
    }
    return read->count > 1 || text[first] != '\0' || read->confidence < 80 ||
           !model_has_alnum(text) || h > 60;
}

/* Whether something as tall as letters, an icon, lies between two words that are kept. Beside Han
 * characters it is one that could not be read. */
static bool stands_between(const struct model_found *words, int from, int to)
{
    if (model_has_cjk(words[from].word->text) || model_has_cjk(words[to].word->text)) {
        return false;
    }
    for (int i = from + 1; i < to; i++) {
        int tall = words[i].r.y1 - words[i].r.y0;
        if (words[i].count > 0 && tall * 2 > words[from].r.y1 - words[from].r.y0) {
            return true;
        }
    }
    return false;
}

/* Drops implausible words and makes a line of every run of one colour without an icon in it. */
static bool take_row(struct model_view *view, const struct model_row *row,
                     struct model_ocr_line *read, struct glmv_scene *scene, struct glmv_err *err)
{
    struct model_found *words = calloc((size_t)read->count + 1, sizeof *words);
    int *marks = malloc(((size_t)row->count * (size_t)read->count + 1) * sizeof *marks);
    bool ok = words != NULL && marks != NULL;
    for (int i = 0; ok && i < read->count; i++) {
        words[i].word = &read->words[i];
        words[i].marks = marks + (size_t)i * (size_t)row->count;
    }
    if (ok) {
        model_found_assign(view, row, words, read->count);
    } else {
        glmv_fail_memory(err);
    }
    int n = 0;
    int last = -1;
    int all = ok ? model_found_split(view, read, words, read->count) : 0;
    mend_dots(view, read, words, all);
    for (int i = 0; i < all; i++) {
        if (words[i].count > 0 && is_plausible(words[i].word, read->count)) {
            words[i].apart = last >= 0 && stands_between(words, last, i);
            last = i;
        }
    }
    for (int i = 0; i < all; i++) {
        if (words[i].count > 0 && is_plausible(words[i].word, read->count)) {
            words[n++] = words[i];
        }
    }
    for (int from = 0; ok && from < n;) {
        int to = from + 1;
        int longest = from;
        while (to < n && !words[to].apart && are_alike(view, &words[longest], &words[to]) &&
               !(to + 1 < n && goes_with_next(&words[longest], &words[to]))) {
            bool longer = strlen(words[to].word->text) > strlen(words[longest].word->text);
            longest = longer ? to : longest;
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

/* Letters of a word on a photo that no mark was made of are ink as well. */
static void mask_lettering(struct model_view *view, const struct glmv_scene *scene)
{
    enum { FAINT = 20 }; /* levels */
    for (size_t i = 0; view->lettering != NULL && i < scene->line_count; i++) {
        const struct glmv_scene_line *line = &scene->lines[i];
        for (size_t k = 0; k < line->word_count; k++) {
            const struct glmv_box *b = &line->words[k].ink;
            for (int y = model_max(0, b->y - 1); y < model_min(view->h, b->y + b->h + 1); y++) {
                for (int x = model_max(0, b->x - 1); x < model_min(view->w, b->x + b->w + 1); x++) {
                    size_t at = (size_t)y * (size_t)view->w + (size_t)x;
                    view->text_mask[at] |= view->lettering[at] >= FAINT;
                }
            }
        }
    }
}

bool model_text_take(struct model_text *text, struct glmv_scene *scene, struct glmv_err *err)
{
    struct model_view *view = text->view;
    view->text_mask = calloc((size_t)view->w * (size_t)view->h, 1);
    bool ok = view->text_mask != NULL || glmv_fail_memory(err);
    for (int i = 0; i < text->count; i++) {
        model_text_join_scraps(&text->lines[i]);
        if (text->lines[i].count > 0 && is_picture(&view->rows[i], &text->lines[i])) {
            model_ocr_line_release(&text->lines[i]);
        }
    }
    model_text_settle(text);
    for (int i = 0; ok && i < text->count; i++) {
        if (text->lines[i].count > 0) {
            size_t before = scene->line_count;
            ok = take_row(view, &view->rows[i], &text->lines[i], scene, err);
            for (size_t k = before; k < scene->line_count; k++) {
                scene->lines[k].cell = view->rows[i].cell;
            }
        }
    }
    mask_lettering(view, scene);
    ok = ok && (model_text_join_lines(scene) || glmv_fail_memory(err));
    for (size_t i = 0; ok && i < scene->line_count; i++) {
        ok = model_text_break_scripts(view, &scene->lines[i], err);
    }
    if (ok && scene->line_count > 1) {
        qsort(scene->lines, scene->line_count, sizeof *scene->lines, by_place);
    }
    return ok;
}
