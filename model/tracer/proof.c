/* Proof-reading: a short word at the end of a line that does not look like its letters is an icon.
 */
#include "model/tracer/proof.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
                    double gap)
{
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
    /* Icons hardly ever stand a space away with the very height that the letters read would have.
     */
    bool in_place = words > 1 && gap < 0.4 && fabs(e->top) <= 0.05 && fabs(e->bottom) <= 0.05;
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
    for (const char *c = text; *c != '\0'; c++, letters++) {
        if ((unsigned char)*c >= 0x80) {
            /* One Han character; the faces at hand say little about other scripts. */
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
        const struct glmv_box *b = &rest->words[i].ink;
        double x1 = fmax(all.x + all.w, b->x + b->w);
        double y1 = fmax(all.y + all.h, b->y + b->h);
        all.x = fmin(all.x, b->x);
        all.y = fmin(all.y, b->y);
        all.w = x1 - all.x;
        all.h = y1 - all.y;
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
    struct evidence e = {0};
    if (!judge(view, faces, &rest, word, &e) || !is_icon(&e, word, line->word_count, gap)) {
        free(text);
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
