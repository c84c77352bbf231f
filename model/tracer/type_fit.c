/* How one face explains one line: size and spacing by its words' edges, baseline by its height. */
#include "model/tracer/type.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/tracer/proof.h"
#include "model/tracer/text.h"

enum { SOUND_LETTERS = 3 }; /* of a word whose height says something */

double model_type_mass(const struct model_view *view, const struct glmv_scene_line *line,
                       const struct glmv_box *box)
{
    uint8_t fg[3] = {(uint8_t)(line->color >> 24), (uint8_t)(line->color >> 16),
                     (uint8_t)(line->color >> 8)};
    uint8_t bg[3] = {(uint8_t)(line->background >> 24), (uint8_t)(line->background >> 16),
                     (uint8_t)(line->background >> 8)};
    int full = model_max(model_distance(fg, bg), 1);
    double sum = 0;
    for (int y = (int)box->y; y < (int)(box->y + box->h); y++) {
        for (int x = (int)box->x; x < (int)(box->x + box->w); x++) {
            if (view->text_mask[y * view->w + x]) {
                sum += fmin(1, (double)model_distance(model_px(view, x, y), bg) / full);
            }
        }
    }
    return sum;
}

/* Least squares of word edges: x = origin + size * place [+ spacing * characters before]. */
static void solve_widths(const struct glmv_scene_line *line, const struct model_extent *word, int n,
                         struct model_fit *fit)
{
    double sx = 0;
    double sp = 0;
    double spp = 0;
    double spx = 0;
    for (int i = 0; i < n; i++) {
        double a = line->words[i].ink.x + MODEL_INK_BLEED;
        double b = line->words[i].ink.x + line->words[i].ink.w - MODEL_INK_BLEED;
        sx += a + b;
        sp += word[i].left + word[i].right;
        spp += word[i].left * word[i].left + word[i].right * word[i].right;
        spx += a * word[i].left + b * word[i].right;
    }
    double m = 2.0 * n;
    double det = spp - sp * sp / m;
    fit->size = det > 1e-9 ? (spx - sp * sx / m) / det : 0;
    double origin = (sx - fit->size * sp) / m;
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double x = line->words[i].ink.x - origin;
        double a = x + MODEL_INK_BLEED - fit->size * word[i].left;
        double b = x + line->words[i].ink.w - MODEL_INK_BLEED - fit->size * word[i].right;
        sum += a * a + b * b;
    }
    fit->residual = sqrt(sum / m);
}

/* By how much ink may be taller or lower than a size says. Han characters fill their squares: width
 * tells more than the height of the few that are there. */
static double height_slack(const struct glmv_scene_line *line, const struct model_face *face,
                           double height)
{
    return (face->cjk || model_has_cjk(line->text) ? 0.2 : 0.05) + 0.7 / height;
}

/* A rule, an icon or a part of another line makes a word seem taller and leaves the others as they
 * are: the word that stands in the middle by its height over what the size says, the lower of two.
 * -1 where that one does not agree with the size either. */
static int sound_word(const struct model_face *face, const struct glmv_scene_line *line,
                      const struct model_extent *word, int n, double size)
{
    double tall[MODEL_TYPE_WORDS];
    int order[MODEL_TYPE_WORDS]; /* by height, lowest first */
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (strlen(line->words[i].text) < SOUND_LETTERS) {
            continue;
        }
        tall[i] = log(line->words[i].ink.h / ((word[i].bottom - word[i].top) * size));
        int at = count++;
        for (; at > 0 && tall[order[at - 1]] > tall[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    int middle = count > 0 ? order[(count - 1) / 2] : -1;
    return middle >= 0 && fabs(tall[middle]) <= height_slack(line, face, line->words[middle].ink.h)
               ? middle
               : -1;
}

/* Size, spacing and baseline from a height that the width does not explain. */
static void settle_height(const struct model_face *face, const struct glmv_scene_line *line,
                          const struct model_measure *m, int n, struct model_fit *fit)
{
    struct glmv_box ink = line->ink;
    struct model_extent by = m->ink;
    double by_height = ink.h / (by.bottom - by.top);
    fit->tall = log(by_height / fit->size);
    /* The ink of letters on photos seems taller than it is, not wider. */
    bool blurred = line->on_picture && fit->tall > 0 && fit->tall < 0.35;
    if (fabs(fit->tall) > height_slack(line, face, ink.h) && m->glyphs > 1 && !blurred) {
        int sound = fit->tall > 0 ? sound_word(face, line, m->word, n, fit->size) : -1;
        if (sound >= 0) {
            ink = line->words[sound].ink;
            by = m->word[sound];
            fit->tall = log(ink.h / ((by.bottom - by.top) * fit->size));
        } else if (fit->tall < 0 || !model_has_cjk(line->text)) {
            /* Another face, or spaced letters: the height gives the size, spacing the width. No
             * face has Han characters that are higher than wide. */
            fit->size = by_height * (fit->tall > 0 ? 0.98 : 1.02);
            double natural = (by.right - by.left) * fit->size;
            fit->spacing = (ink.w - 2 * MODEL_INK_BLEED - natural) / (m->glyphs - 1);
        }
    }
    double from_bottom = ink.y + ink.h - by.bottom * fit->size;
    double from_top = ink.y - by.top * fit->size;
    fit->baseline = round((from_bottom + from_top) / 2);
}

/* Where a line's words begin in its text: between Han characters no blank tells. Returns how many
 * were found. */
static int find_words(const struct glmv_scene_line *line, size_t starts[MODEL_TYPE_WORDS])
{
    const char *from = line->text;
    int n = 0;
    while (n < MODEL_TYPE_WORDS && n < (int)line->word_count) {
        const char *at = strstr(from, line->words[n].text);
        if (at == NULL) {
            break;
        }
        starts[n] = (size_t)(at - line->text);
        from = at + strlen(line->words[n++].text);
    }
    return n;
}

bool model_type_fit_face(struct model_face *face, const struct glmv_scene_line *line, double mass,
                         struct model_fit *fit)
{
    struct model_extent word[MODEL_TYPE_WORDS];
    size_t starts[MODEL_TYPE_WORDS];
    int n = find_words(line, starts);
    struct model_measure m = {.word = word, .words = n, .starts = starts};
    if (!model_face_measure(face, line->text, &m)) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        if (word[i].right < word[i].left) {
            return false;
        }
    }
    *fit = (struct model_fit){0};
    solve_widths(line, word, n, fit);
    if (fit->size <= 1) {
        return false;
    }
    settle_height(face, line, &m, n, fit);
    fit->mass = log(fmax(mass, 0.5) / (m.area * fit->size * fit->size));
    fit->advance = m.advance * fit->size + fit->spacing * m.glyphs;
    fit->inked = (m.ink.right - m.ink.left) * fit->size + fit->spacing * (m.glyphs - 1);
    return true;
}

double model_type_badness(const struct model_fit *fit)
{
    return fmin(fit->residual, 6) + 0.5 * fmin(fabs(fit->mass), 1.5) +
           4 * fmax(0, fabs(fit->tall) - 0.05) + 0.6 * fabs(fit->spacing);
}

static double snap(double size)
{
    double whole = round(size);
    if (fabs(size - whole) <= 0.1 + 0.008 * size) {
        return whole;
    }
    return round(size * 10) / 10;
}

double model_ink_slant(const struct model_ink *ink)
{
    enum { MAX_COLUMNS = 1400 };
    if (ink->w + ink->h >= MAX_COLUMNS) {
        return 1;
    }
    double energy[2];
    for (int s = 0; s < 2; s++) {
        double column[MAX_COLUMNS] = {0};
        for (int y = 0; y < ink->h; y++) {
            int shift = s == 0 ? 0 : (int)lround(0.21 * y);
            for (int x = 0; x < ink->w; x++) {
                column[x + shift] += ink->px[(size_t)y * (size_t)ink->w + (size_t)x];
            }
        }
        energy[s] = 0;
        for (int x = 1; x < MAX_COLUMNS; x++) {
            energy[s] += (column[x] - column[x - 1]) * (column[x] - column[x - 1]);
        }
    }
    return energy[0] > 0 ? energy[1] / energy[0] : 1;
}

double model_type_slant(const struct model_view *view, const struct glmv_scene_line *line,
                        const struct glmv_box *box)
{
    struct model_ink ink;
    if (!model_ink_take(view, box, line->background, &ink)) {
        return 1;
    }
    double slant = model_ink_slant(&ink);
    model_ink_release(&ink);
    return slant;
}

static bool looks_italic(const struct model_view *view, const struct glmv_scene_line *line)
{
    return strlen(line->text) >= 4 && model_type_slant(view, line, &line->ink) > 1.25;
}

double model_type_fit_line(const struct model_typing *typing, const struct model_choice *choice,
                           int weight, struct glmv_scene_line *line)
{
    const struct model_view *view = typing->view;
    struct model_faces *faces = typing->faces;
    double mass = model_type_mass(view, line, &line->ink);
    double best = 1e9;
    struct model_fit kept = {0};
    const struct model_face *face = NULL;
    for (size_t k = 0; k < faces->count; k++) {
        struct model_face *candidate = &faces->items[k];
        int rank = 0;
        while (rank < choice->count && strcmp(choice->family[rank], candidate->family) != 0) {
            rank++;
        }
        struct model_fit fit;
        if (rank == choice->count || candidate->weight != weight ||
            !model_type_fit_face(candidate, line, mass, &fit)) {
            continue;
        }
        double cost = model_type_badness(&fit) + 0.5 * rank;
        if (cost < best) {
            best = cost;
            kept = fit;
            face = candidate;
        }
    }
    if (face == NULL && weight != MODEL_REGULAR) {
        return 0; /* the regular fit stays */
    }
    if (face == NULL) {
        snprintf(line->font, sizeof line->font, "%s",
                 choice->count > 0 ? choice->family[0] : "sans-serif");
        line->font_px = fmax(6, round(line->ink.h * 1.1));
        line->weight = 400;
        line->baseline = round(line->ink.y + line->ink.h * 0.87);
        line->advance = line->ink.w;
        line->inked = line->ink.w;
        return 0;
    }
    snprintf(line->font, sizeof line->font, "%s", face->family);
    line->family = face->kind;
    line->weight = face->weight;
    line->italic = looks_italic(view, line);
    line->font_px = snap(kept.size);
    line->letter_spacing = fabs(kept.spacing) < 0.05 ? 0 : round(kept.spacing * 100) / 100;
    line->baseline = kept.baseline;
    /* What rounding the size takes away is no spacing of letters. */
    double rounded = line->font_px / kept.size;
    line->advance = kept.advance * rounded;
    line->inked = kept.inked * rounded + 2 * MODEL_INK_BLEED;
    line->fit = 1 / (1 + best);
    return kept.mass;
}

/* A word that shows the shapes of its face: long, but not so long that comparing it takes long,
 * where there is a shorter one. */
static const struct glmv_scene_word *sample_word(const struct glmv_scene_line *line)
{
    enum { ENOUGH = 10, TOO_LONG = 80 };
    const struct glmv_scene_word *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < line->word_count; i++) {
        size_t letters = strlen(line->words[i].text);
        bool better = letters <= ENOUGH ? letters > most || most > ENOUGH
                                        : letters <= TOO_LONG && (most == 0 || letters < most);
        if (better) {
            best = &line->words[i];
            most = letters;
        }
    }
    return best;
}

bool model_sample_take(const struct model_view *view, const struct glmv_scene_line *line,
                       struct model_sample *out)
{
    *out = (struct model_sample){.word = sample_word(line)};
    return out->word != NULL && model_ink_take(view, &out->word->ink, line->background, &out->ink);
}

void model_sample_release(struct model_sample *sample)
{
    model_ink_release(&sample->ink);
    sample->word = NULL;
}

double model_sample_unlike(const struct model_sample *sample, struct model_faces *faces,
                           struct model_face *face, double size)
{
    struct model_ink drawn;
    if (!model_face_draw(faces, face, sample->word->text, size, &drawn)) {
        return 1;
    }
    double alike = model_ink_likeness(&sample->ink, &drawn);
    model_ink_release(&drawn);
    return 1 - alike;
}
