/* Proof-reading: a short word at the end of a line that does not look like its letters is an icon.
 */
#include "model/tracer/proof.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tracer/text.h"

static bool is_han(const char *text)
{
    return (unsigned char)text[0] >= 0xe3 && (unsigned char)text[0] <= 0xe9;
}

bool model_ink_take(const struct model_view *view, const struct glmv_box *box, uint32_t background,
                    struct model_ink *ink)
{
    uint8_t bg[3] = {(uint8_t)(background >> 24), (uint8_t)(background >> 16),
                     (uint8_t)(background >> 8)};
    *ink = (struct model_ink){.w = (int)box->w, .h = (int)box->h};
    ink->px = ink->w > 0 && ink->h > 0 ? calloc((size_t)ink->w, (size_t)ink->h) : NULL;
    if (ink->px == NULL) {
        return false;
    }
    int most = 1;
    for (int pass = 0; pass < 2; pass++) {
        for (int y = 0; y < ink->h; y++) {
            for (int x = 0; x < ink->w; x++) {
                size_t at = (size_t)((int)box->y + y) * (size_t)view->w + (size_t)((int)box->x + x);
                if (!view->text_mask[at]) {
                    continue;
                }
                int d = model_distance(view->image->rgba + at * 4, bg);
                if (pass == 0) {
                    most = model_max(most, d);
                } else {
                    ink->px[(size_t)y * (size_t)ink->w + (size_t)x] = (uint8_t)(d * 255 / most);
                }
            }
        }
    }
    return true;
}

static struct model_face *han_face(struct model_faces *faces)
{
    for (size_t i = 0; i < faces->count; i++) {
        if (faces->items[i].cjk && faces->items[i].weight == 400) {
            return &faces->items[i];
        }
    }
    return NULL;
}

/* What speaks for a word being what was read, in the type of the line beside it. */
struct evidence {
    double likeness;
    double top, bottom; /* in em, how far the ink reaches out of the place of the word */
};

static double best_likeness(struct model_faces *faces, const struct model_face *own,
                            const char *text, double size, const struct model_ink *seen)
{
    static const char *const common[] = {"Liberation Sans", "Liberation Serif", "Liberation Mono",
                                         "DejaVu Sans"};
    double best = 0;
    for (size_t i = 0; i < faces->count; i++) {
        struct model_face *face = &faces->items[i];
        bool tried = face == own || (face->cjk && is_han(text));
        for (size_t k = 0; k < sizeof common / sizeof common[0]; k++) {
            tried = tried || strcmp(face->family, common[k]) == 0;
        }
        struct model_ink drawn;
        if (tried && model_face_is_common(face) &&
            model_face_draw(faces, face, text, size, &drawn)) {
            best = fmax(best, model_ink_likeness(seen, &drawn));
            model_ink_release(&drawn);
        }
    }
    return best;
}

static bool judge(const struct model_view *view, struct model_faces *faces,
                  const struct glmv_scene_line *type, const struct glmv_scene_word *word,
                  struct evidence *out)
{
    struct model_face *face =
        is_han(word->text) ? han_face(faces) : model_faces_find(faces, type->font, type->weight);
    struct model_ink seen;
    struct model_measure m = {0};
    if (face == NULL || !model_face_measure(face, word->text, &m)) {
        return false;
    }
    bool ok = model_ink_take(view, &word->ink, type->background, &seen);
    if (ok) {
        out->likeness = best_likeness(faces, face, word->text, type->font_px, &seen);
        out->top = (type->baseline + m.ink.top * type->font_px - word->ink.y) / type->font_px;
        out->bottom = (word->ink.y + word->ink.h - type->baseline - m.ink.bottom * type->font_px) /
                      type->font_px;
    }
    model_ink_release(&seen);
    return ok;
}

/* Whether what was read is an icon: it looks unlike its letters, stands far off or out of the line.
 */
static bool is_icon(const struct evidence *e, const struct glmv_scene_word *word, size_t words,
                    double gap, double size)
{
    enum { LARGE = 18 }; /* px of ink: letters that stand alone are hardly ever that high */
    double score = e->likeness + (word->confidence - 90) / 200;
    if (words > 1) {
        double out = fmax(0, fmin(e->top, 0.4) - 0.1) + fmax(0, fmin(e->bottom, 0.4) - 0.1);
        score -= 0.8 * out + 0.3 * fmax(0, fmin(gap, 1.2) - 0.5);
    }
    size_t letters = 0;
    for (const char *c = word->text; *c != '\0'; c++) {
        letters += isalnum((unsigned char)*c) != 0;
    }
    /* A word that the reader is sure of is more often a rare face than an icon. */
    double wanted = letters > 1 && word->confidence >= 90 ? 0.2
                    : letters == 1 && word->text[1] == '\0'
                        ? (words == 1 && isalpha((unsigned char)word->text[0]) ? 0.75 : 0.5)
                        : 0.55;
    wanted += words == 1 && letters == 1 && word->ink.h >= LARGE ? 0.1 : 0;
    /* Icons hardly ever stand a space away with the very height that the letters read would have.
     */
    double slack = 0.05 + 0.7 / size; /* of an em: ink ends on whole px */
    bool in_place = words > 1 && gap < 0.4 && fabs(e->top) <= slack && fabs(e->bottom) <= slack;
    return score < wanted - (words > 4 || in_place ? 0.15 : 0);
}

/* Longer words are checked where they stand alone: bars of a chart, rows of faces. */
static bool is_checked(const struct glmv_scene_word *word, size_t words)
{
    const char *text = word->text;
    if (word->confidence >= MODEL_CERTAIN) {
        return false;
    }
    size_t letters = 0;
    for (const char *c = text; *c != '\0'; c += glmv_utf8_first(c), letters++) {
        /* One Han character; of other scripts the faces at hand say little, but all have quotes,
         * dashes and the sign of copyright. */
        bool sign = strncmp(c, "\xe2\x80", 2) == 0 || (unsigned char)*c == 0xc2;
        if ((unsigned char)*c >= 0x80 && !sign) {
            return is_han(text) && strlen(text) == 3;
        }
    }
    return letters <= (words == 1 ? 5 : 3) && strcmp(text, "-") != 0;
}

/* The line without its first or last word, fitted anew; text is room for its words. */
static void take_rest(const struct glmv_scene_line *line, bool first, struct glmv_scene_line *rest,
                      char *text)
{
    *rest = *line;
    rest->words = line->words + (first ? 1 : 0);
    rest->word_count = line->word_count - 1;
    rest->text = text;
    const char *from = first ? line->text + strlen(line->words[0].text) : line->text;
    from += *from == ' ';
    size_t length = strlen(from) - (first ? 0 : strlen(line->words[rest->word_count].text));
    memcpy(text, from, length);
    while (length > 0 && text[length - 1] == ' ') {
        length--;
    }
    text[length] = '\0';
    struct glmv_box all = rest->words[0].ink;
    for (size_t i = 1; i < rest->word_count; i++) {
        all = glmv_box_joined(all, rest->words[i].ink);
    }
    rest->ink = all;
}

static double gap_beside(const struct glmv_scene_line *line, bool first)
{
    const struct glmv_box *a = first ? &line->words[0].ink : &line->words[line->word_count - 2].ink;
    const struct glmv_box *b = first ? &line->words[1].ink : &line->words[line->word_count - 1].ink;
    return b->x - a->x - a->w;
}

/* What lies in the box is a picture's again. */
static void unmask(struct model_view *view, const struct glmv_box *box)
{
    for (int y = (int)box->y; y < (int)(box->y + box->h); y++) {
        for (int x = (int)box->x; x < (int)(box->x + box->w); x++) {
            size_t at = (size_t)y * (size_t)view->w + (size_t)x;
            if (view->text_mask[at] && view->label[at] >= 0) {
                view->regions[view->label[at]].is_text = false;
            }
            view->text_mask[at] = 0;
        }
    }
}

/* Capitals of one height may be read as small letters where no other letter tells them apart. */
static bool mend_capitals(const struct model_view *view, struct model_faces *faces,
                          struct glmv_scene_line *line, const struct glmv_scene_line *rest,
                          bool first, double gap, double likeness)
{
    enum { LEAST = 2 };
    const double better = 0.1;
    struct glmv_scene_word *word = &line->words[first ? 0 : line->word_count - 1];
    size_t length = strlen(word->text);
    char *capitals = length >= LEAST ? strdup(word->text) : NULL;
    size_t changed = 0;
    for (size_t i = 0; capitals != NULL && i < length; i++) {
        changed += islower((unsigned char)capitals[i]) != 0;
        capitals[i] = (char)toupper((unsigned char)capitals[i]);
    }
    struct glmv_scene_word other = *word;
    other.text = capitals;
    struct evidence e = {0};
    if (changed == 0 || !judge(view, faces, rest, &other, &e) || e.likeness < likeness + better ||
        is_icon(&e, &other, line->word_count, gap, rest->font_px)) {
        free(capitals);
        return false;
    }
    memcpy(word->text, capitals, length);
    memcpy(line->text + (first ? 0 : strlen(line->text) - length), capitals, length);
    free(capitals);
    return true;
}

static bool has_ink(const struct model_view *view, int x0, int x1, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        for (int x = x0; x < x1; x++) {
            if (view->text_mask[(size_t)y * (size_t)view->w + (size_t)x]) {
                return true;
            }
        }
    }
    return false;
}

/* A word's box without what stands at its left up to the first blank: what may be an icon. */
static bool without_head(const struct model_view *view, const struct glmv_box *box,
                         struct glmv_box *head, struct glmv_box *tail)
{
    int x0 = (int)box->x;
    int x1 = (int)(box->x + box->w);
    int y0 = (int)box->y;
    int y1 = (int)(box->y + box->h);
    int end = x0;
    while (end < x1 && has_ink(view, end, end + 1, y0, y1)) {
        end++;
    }
    int next = end;
    while (next < x1 && !has_ink(view, next, next + 1, y0, y1)) {
        next++;
    }
    if ((end - x0) * 2 < y1 - y0 || x1 - next < y1 - y0 || next - end < 2) {
        return false;
    }
    *head = (struct glmv_box){x0, y0, end - x0, y1 - y0};
    while (!has_ink(view, next, x1, y0, y0 + 1)) {
        y0++;
    }
    while (!has_ink(view, next, x1, y1 - 1, y1)) {
        y1--;
    }
    *tail = (struct glmv_box){next, y0, x1 - next, y1 - y0};
    return true;
}

/* An icon may have been taken for a part of the first word: it is one if the word alone looks like
 * what was read. */
static bool part_head(struct model_view *view, struct model_faces *faces,
                      struct glmv_scene_line *line, const struct glmv_scene_line *rest, double gap)
{
    struct glmv_scene_word *word = &line->words[0];
    struct glmv_scene_word other = *word;
    struct glmv_box head;
    struct evidence e = {0};
    if (strlen(word->text) < 2 || !without_head(view, &word->ink, &head, &other.ink) ||
        !judge(view, faces, rest, &other, &e) ||
        is_icon(&e, &other, line->word_count, gap, rest->font_px)) {
        return false;
    }
    unmask(view, &head);
    word->ink = other.ink;
    double right = line->ink.x + line->ink.w;
    line->ink.x = word->ink.x;
    line->ink.w = right - word->ink.x;
    if (line->word_count == 1) {
        line->ink = word->ink;
    }
    return true;
}

/* Whether the first or the last word of a line is no icon, or none after a change. */
static bool is_kept(struct model_view *view, struct model_faces *faces,
                    struct glmv_scene_line *line, const struct glmv_scene_line *rest, bool first,
                    double gap, bool *changed)
{
    struct glmv_scene_word *word = &line->words[first ? 0 : line->word_count - 1];
    struct evidence e = {0};
    if (!judge(view, faces, rest, word, &e)) {
        return true;
    }
    bool icon = is_icon(&e, word, line->word_count, gap, rest->font_px);
    *changed = ((icon || line->word_count == 1) &&
                mend_capitals(view, faces, line, rest, first, gap, e.likeness)) ||
               (icon && first && part_head(view, faces, line, rest, gap));
    return !icon || *changed;
}

/* Drops the first or the last word of a line where it is an icon. */
static bool proof_end(struct model_view *view, struct model_faces *faces,
                      struct glmv_scene_line *line, bool first, model_refit_fn *refit,
                      void *context)
{
    struct glmv_scene_word *word = &line->words[first ? 0 : line->word_count - 1];
    char *text = is_checked(word, line->word_count) ? calloc(strlen(line->text) + 1, 1) : NULL;
    if (text == NULL) {
        return false;
    }
    struct glmv_scene_line rest = *line;
    double gap = 0;
    if (line->word_count > 1) {
        take_rest(line, first, &rest, text);
        refit(context, &rest);
        gap = gap_beside(line, first) / rest.font_px;
    }
    bool changed = false;
    if (is_kept(view, faces, line, &rest, first, gap, &changed)) {
        free(text);
        if (changed) {
            refit(context, line);
        }
        return false;
    }
    unmask(view, &word->ink);
    free(word->text);
    if (line->word_count == 1) {
        free(text);
        line->word_count = 0;
        return true;
    }
    struct glmv_scene_word *words = line->words;
    memmove(words, rest.words, rest.word_count * sizeof *words);
    free(line->text);
    *line = rest;
    line->words = words;
    return true;
}

void model_proof(struct model_view *view, struct model_faces *faces, struct glmv_scene *scene,
                 model_refit_fn *refit, void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < scene->line_count; i++) {
        struct glmv_scene_line line = scene->lines[i];
        while (line.word_count > 0 && proof_end(view, faces, &line, true, refit, context)) {
        }
        while (line.word_count > 1 && proof_end(view, faces, &line, false, refit, context)) {
        }
        if (line.word_count == 0) {
            free(line.text);
            free(line.words);
            continue;
        }
        scene->lines[kept++] = line;
    }
    scene->line_count = kept;
}
