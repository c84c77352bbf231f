/* Which type a line is set in: the family by the widths of its words, the weight by its ink, the
 * size by both. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/faces.h"
#include "model/tracer/perception.h"
#include "model/tracer/proof.h"

enum {
    MAX_WORDS = 64,
    VOTERS = 40, /* lines that choose the page's families */
    UNLIKE = 4, /* what a word that looks altogether different costs, as px of misplaced edges do */
    PAGE_FAMILIES = 3,
    REGULAR = 400,
    BOLD = 700,
};

/* How one face explains one line. */
struct fit {
    double size;
    double spacing;
    double residual; /* px, root of the mean square over word edges */
    double baseline;
    double advance;
    double mass; /* log of measured over expected ink */
    double tall; /* log of measured over expected height */
};

/* The sum of a line's ink, 0..1 a px. */
static double ink_mass(const struct model_view *view, const struct glmv_scene_line *line)
{
    uint8_t fg[3] = {(uint8_t)(line->color >> 24), (uint8_t)(line->color >> 16),
                     (uint8_t)(line->color >> 8)};
    uint8_t bg[3] = {(uint8_t)(line->background >> 24), (uint8_t)(line->background >> 16),
                     (uint8_t)(line->background >> 8)};
    int full = model_max(model_distance(fg, bg), 1);
    double sum = 0;
    for (int y = (int)line->ink.y; y < (int)(line->ink.y + line->ink.h); y++) {
        for (int x = (int)line->ink.x; x < (int)(line->ink.x + line->ink.w); x++) {
            if (view->text_mask[y * view->w + x]) {
                sum += fmin(1, (double)model_distance(model_px(view, x, y), bg) / full);
            }
        }
    }
    return sum;
}

/* Least squares of word edges: x = origin + size * place [+ spacing * characters before]. */
static void solve_widths(const struct glmv_scene_line *line, const double *left,
                         const double *right, int n, struct fit *fit)
{
    double sx = 0;
    double sp = 0;
    double spp = 0;
    double spx = 0;
    for (int i = 0; i < n; i++) {
        double a = line->words[i].ink.x;
        double b = a + line->words[i].ink.w;
        sx += a + b;
        sp += left[i] + right[i];
        spp += left[i] * left[i] + right[i] * right[i];
        spx += a * left[i] + b * right[i];
    }
    double m = 2.0 * n;
    double det = spp - sp * sp / m;
    fit->size = det > 1e-9 ? (spx - sp * sx / m) / det : 0;
    double origin = (sx - fit->size * sp) / m;
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double a = line->words[i].ink.x - origin - fit->size * left[i];
        double b = line->words[i].ink.x + line->words[i].ink.w - origin - fit->size * right[i];
        sum += a * a + b * b;
    }
    fit->residual = sqrt(sum / m);
}

static bool fit_face(struct model_face *face, const struct glmv_scene_line *line, double mass,
                     struct fit *fit)
{
    double left[MAX_WORDS];
    double right[MAX_WORDS];
    for (int i = 0; i < MAX_WORDS; i++) {
        left[i] = 1e9;
        right[i] = -1e9;
    }
    struct model_measure m = {.word_left = left, .word_right = right, .words = MAX_WORDS};
    if (!model_face_measure(face, line->text, &m)) {
        return false;
    }
    int n = line->word_count < MAX_WORDS ? (int)line->word_count : MAX_WORDS;
    for (int i = 0; i < n; i++) {
        if (right[i] < left[i]) {
            return false;
        }
    }
    *fit = (struct fit){0};
    solve_widths(line, left, right, n, fit);
    if (fit->size <= 1) {
        return false;
    }
    double by_height = line->ink.h / (m.bottom - m.top);
    fit->tall = log(by_height / fit->size);
    /* Han characters fill their squares: width tells more than the height of the few that are
     * there. */
    double allowed = (face->cjk ? 0.2 : 0.05) + 0.7 / line->ink.h;
    /* The ink of letters on photos seems taller than it is, not wider. */
    bool blurred = line->on_picture && fit->tall > 0 && fit->tall < 0.35;
    if (fabs(fit->tall) > allowed && m.glyphs > 1 && !blurred) {
        /* Another face, or spaced letters: the height gives the size, spacing the width. */
        fit->size = by_height * (fit->tall > 0 ? 0.98 : 1.02);
        double natural = (m.right - m.left) * fit->size;
        fit->spacing = (line->ink.w - natural) / (m.glyphs - 1);
    }
    fit->mass = log(fmax(mass, 0.5) / (m.area * fit->size * fit->size));
    fit->advance = m.advance * fit->size + fit->spacing * m.glyphs;
    double from_bottom = line->ink.y + line->ink.h - m.bottom * fit->size;
    double from_top = line->ink.y - m.top * fit->size;
    fit->baseline = round((from_bottom + from_top) / 2);
    return true;
}

static double badness(const struct fit *fit)
{
    return fmin(fit->residual, 6) + 0.5 * fmin(fabs(fit->mass), 1.5) +
           4 * fmax(0, fabs(fit->tall) - 0.05) + 0.6 * fabs(fit->spacing);
}

static int longer_first(const void *pa, const void *pb)
{
    size_t a = strlen((*(struct glmv_scene_line *const *)pa)->text);
    size_t b = strlen((*(struct glmv_scene_line *const *)pb)->text);
    return a < b ? 1 : a > b ? -1 : 0;
}

/* The first face of each family that wins; count is at most PAGE_FAMILIES. */
struct choice {
    const char *family[PAGE_FAMILIES];
    int count;
};

static size_t family_end(const struct model_faces *faces, size_t from)
{
    size_t to = from;
    while (to < faces->count && strcmp(faces->items[to].family, faces->items[from].family) == 0) {
        to++;
    }
    return to;
}

static bool is_common_weight(int weight)
{
    return weight == 400 || weight == 700;
}

/* A word that shows the shapes of its face: long, but not so long that comparing it takes long. */
static const struct glmv_scene_word *sample_word(const struct glmv_scene_line *line)
{
    const struct glmv_scene_word *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < line->word_count; i++) {
        size_t letters = strlen(line->words[i].text);
        if (letters > most && letters <= 10) {
            best = &line->words[i];
            most = letters;
        }
    }
    return best;
}

static double unlikeness(struct model_faces *faces, struct model_face *face, const char *text,
                         double size, const struct model_ink *seen)
{
    struct model_ink drawn;
    if (!model_face_draw(faces, face, text, size, &drawn)) {
        return 1;
    }
    double alike = model_ink_likeness(seen, &drawn);
    model_ink_release(&drawn);
    return 1 - alike;
}

/* Every line gives each family its best badness; families are then picked greedily for what they
 * add. */
static void vote(const struct model_view *view, struct model_faces *faces,
                 struct glmv_scene_line **lines, int n, struct choice *choice)
{
    static const double unknown = 6;
    size_t starts[128];
    size_t families = 0;
    for (size_t f = 0; f < faces->count && families < 128; f = family_end(faces, f)) {
        starts[families++] = f;
    }
    double *cost = malloc((families * (size_t)n + 1) * sizeof *cost);
    double best[VOTERS];
    if (cost == NULL) {
        return;
    }
    for (int i = 0; i < n; i++) {
        const struct glmv_scene_word *word = sample_word(lines[i]);
        struct model_ink seen = {0};
        bool inked = word != NULL && model_ink_take(view, &word->ink, lines[i]->background, &seen);
        for (size_t f = 0; f < families; f++) {
            cost[f * (size_t)n + (size_t)i] = unknown;
            for (size_t k = starts[f]; k < family_end(faces, starts[f]); k++) {
                struct fit fit;
                if (is_common_weight(faces->items[k].weight) &&
                    fit_face(&faces->items[k], lines[i], 1, &fit)) {
                    fit.mass = 0;
                    double bad = badness(&fit);
                    double unlike = inked && bad < unknown ? unlikeness(faces, &faces->items[k],
                                                                        word->text, fit.size, &seen)
                                                           : 0.5;
                    cost[f * (size_t)n + (size_t)i] =
                        fmin(cost[f * (size_t)n + (size_t)i], bad + UNLIKE * unlike);
                }
            }
        }
        model_ink_release(&seen);
    }
    for (int i = 0; i < n; i++) {
        best[i] = unknown;
    }
    while (choice->count < PAGE_FAMILIES) {
        double top = 0;
        size_t winner = families;
        for (size_t f = 0; f < families; f++) {
            double gain = 0;
            for (int i = 0; i < n; i++) {
                gain += fmax(0, best[i] - cost[f * (size_t)n + (size_t)i]);
            }
            if (gain > top) {
                top = gain;
                winner = f;
            }
        }
        if (winner == families || (choice->count > 0 && top < 0.35 * n)) {
            break;
        }
        choice->family[choice->count++] = faces->items[starts[winner]].family;
        for (int i = 0; i < n; i++) {
            best[i] = fmin(best[i], cost[winner * (size_t)n + (size_t)i]);
        }
    }
    free(cost);
}

static double snap(double size)
{
    double whole = round(size);
    if (fabs(size - whole) <= 0.1 + 0.008 * size) {
        return whole;
    }
    return round(size * 10) / 10;
}

/* Slanted glyphs have sharper columns after they are sheared upright. */
static bool looks_italic(const struct model_view *view, const struct glmv_scene_line *line)
{
    enum { MAX_COLUMNS = 1400 };
    int w = (int)line->ink.w;
    int h = (int)line->ink.h;
    if (w + h >= MAX_COLUMNS || strlen(line->text) < 4) {
        return false;
    }
    double energy[2];
    for (int s = 0; s < 2; s++) {
        double column[MAX_COLUMNS] = {0};
        for (int y = 0; y < h; y++) {
            int shift = s == 0 ? 0 : (int)lround(0.21 * y);
            for (int x = 0; x < w; x++) {
                size_t i = (size_t)((int)line->ink.y + y) * (size_t)view->w +
                           (size_t)((int)line->ink.x + x);
                if (view->text_mask[i]) {
                    uint8_t bg[3] = {(uint8_t)(line->background >> 24),
                                     (uint8_t)(line->background >> 16),
                                     (uint8_t)(line->background >> 8)};
                    column[x + shift] += model_distance(view->image->rgba + i * 4, bg);
                }
            }
        }
        energy[s] = 0;
        for (int x = 1; x < MAX_COLUMNS; x++) {
            energy[s] += (column[x] - column[x - 1]) * (column[x] - column[x - 1]);
        }
    }
    return energy[1] > 1.25 * energy[0];
}

/* Fits one line in one weight; returns the logarithm of its ink over what that weight would leave.
 */
static double fit_line(const struct model_view *view, struct model_faces *faces,
                       const struct choice *choice, int weight, struct glmv_scene_line *line)
{
    double mass = ink_mass(view, line);
    double best = 1e9;
    struct fit kept = {0};
    const struct model_face *face = NULL;
    for (size_t k = 0; k < faces->count; k++) {
        struct model_face *candidate = &faces->items[k];
        int rank = 0;
        while (rank < choice->count && strcmp(choice->family[rank], candidate->family) != 0) {
            rank++;
        }
        struct fit fit;
        if (rank == choice->count || candidate->weight != weight ||
            !fit_face(candidate, line, mass, &fit)) {
            continue;
        }
        double cost = badness(&fit) + 0.5 * rank;
        if (cost < best) {
            best = cost;
            kept = fit;
            face = candidate;
        }
    }
    if (face == NULL && weight != REGULAR) {
        return 0; /* the regular fit stays */
    }
    if (face == NULL) {
        snprintf(line->font, sizeof line->font, "%s",
                 choice->count > 0 ? choice->family[0] : "sans-serif");
        line->font_px = fmax(6, round(line->ink.h * 1.1));
        line->weight = 400;
        line->baseline = round(line->ink.y + line->ink.h * 0.87);
        line->advance = line->ink.w;
        return 0;
    }
    snprintf(line->font, sizeof line->font, "%s", face->family);
    line->family = face->kind;
    line->weight = face->weight;
    line->italic = looks_italic(view, line);
    line->font_px = snap(kept.size);
    line->letter_spacing = fabs(kept.spacing) < 0.05 ? 0 : round(kept.spacing * 100) / 100;
    line->baseline = kept.baseline;
    line->advance = kept.advance;
    line->fit = 1 / (1 + best);
    return kept.mass;
}

struct weighed {
    double mass;
    size_t chars;
};

static int lighter_first(const void *pa, const void *pb)
{
    double a = ((const struct weighed *)pa)->mass;
    double b = ((const struct weighed *)pb)->mass;
    return a < b ? -1 : a > b ? 1 : 0;
}

static int brightness(uint32_t rgba)
{
    return (int)((rgba >> 24 & 255) * 3 + (rgba >> 16 & 255) * 6 + (rgba >> 8 & 255));
}

static bool is_light_on_dark(const struct glmv_scene_line *line)
{
    return brightness(line->color) > brightness(line->background);
}

/* The ink of the page's usual text: rasterisers draw light text thinner, and substitutes differ in
 * colour. */
static double usual_mass(const struct glmv_scene *scene, const double *mass, bool light,
                         struct weighed *room)
{
    size_t n = 0;
    size_t chars = 0;
    for (size_t i = 0; i < scene->line_count; i++) {
        if (is_light_on_dark(&scene->lines[i]) == light) {
            room[n] = (struct weighed){mass[i], strlen(scene->lines[i].text)};
            chars += room[n++].chars;
        }
    }
    qsort(room, n, sizeof *room, lighter_first);
    size_t passed = 0;
    for (size_t i = 0; i < n; i++) {
        passed += room[i].chars;
        if (passed * 2 >= chars) {
            return fmax(-0.25, fmin(0.2, room[i].mass));
        }
    }
    return 0;
}

/* By how much the bold face of a line's family looks more like its ink than the regular one. */
static double bold_likeness(const struct model_view *view, struct model_faces *faces,
                            const struct glmv_scene_line *line)
{
    const struct glmv_scene_word *word = sample_word(line);
    struct model_ink seen;
    if (word == NULL || strlen(word->text) < 3 ||
        !model_ink_take(view, &word->ink, line->background, &seen)) {
        return 0;
    }
    double unlike[2] = {1, 1};
    for (size_t k = 0; k < faces->count; k++) {
        struct model_face *face = &faces->items[k];
        if (is_common_weight(face->weight) && strcmp(face->family, line->font) == 0) {
            unlike[face->weight == BOLD] =
                unlikeness(faces, face, word->text, line->font_px, &seen);
        }
    }
    model_ink_release(&seen);
    return unlike[0] < 1 ? unlike[0] - unlike[1] : 0;
}

/* Bold faces hold 1.3 to 1.5 times the ink. mass: logarithm of a line's ink over that of the
 * regular face; usual: that of the page. The factors are a logistic regression over 1,400 lines of
 * known weight; it errs on 2 % of the text of pages that it was not made from. */
static bool is_bold(const struct model_view *view, struct model_faces *faces, double mass,
                    double usual, const struct glmv_scene_line *line)
{
    double heavier = mass + 0.36 * (mass - usual) - 0.29;
    return heavier > 0.4 ||
           (heavier > -0.4 && heavier + 0.75 * bold_likeness(view, faces, line) > 0);
}

/* Everything is fitted as regular first, then what is bold again. */
static bool fit_lines(const struct model_view *view, struct model_faces *faces,
                      const struct choice *choice, struct glmv_scene *scene)
{
    double *mass = calloc(scene->line_count + 1, sizeof *mass);
    struct weighed *room = calloc(scene->line_count + 1, sizeof *room);
    bool ok = mass != NULL && room != NULL;
    for (size_t i = 0; ok && i < scene->line_count; i++) {
        mass[i] = fit_line(view, faces, choice, REGULAR, &scene->lines[i]);
    }
    for (int light = 0; ok && light < 2; light++) {
        double usual = usual_mass(scene, mass, light == 1, room);
        for (size_t i = 0; i < scene->line_count; i++) {
            if (is_light_on_dark(&scene->lines[i]) == (light == 1) &&
                is_bold(view, faces, mass[i], usual, &scene->lines[i])) {
                fit_line(view, faces, choice, BOLD, &scene->lines[i]);
            }
        }
    }
    free(mass);
    free(room);
    return ok;
}

/* Whether two lines stand in one block: beside or below each other, in one colour. */
static bool are_near(const struct glmv_scene_line *a, const struct glmv_scene_line *b)
{
    double size = fmax(a->ink.h, b->ink.h);
    double across = fmax(a->ink.x, b->ink.x) - fmin(a->ink.x + a->ink.w, b->ink.x + b->ink.w);
    double down = fabs((a->ink.y + a->ink.h / 2) - (b->ink.y + b->ink.h / 2));
    return a->color == b->color && across <= 2 * size && down <= 2.2 * size;
}

/* How unlike its ink a line's word is in a face. */
static double unlike_in(const struct model_view *view, struct model_faces *faces,
                        struct model_face *face, double size, const struct glmv_scene_line *line)
{
    const struct glmv_scene_word *word = sample_word(line);
    struct model_ink seen;
    if (word == NULL || !model_ink_take(view, &word->ink, line->background, &seen)) {
        return 1;
    }
    double unlike = unlikeness(faces, face, word->text, size, &seen);
    model_ink_release(&seen);
    return unlike;
}

/* A page's few lines of code choose none of its families: what fits only when its letters are
 * spaced is tried in faces of one width. */
static void find_code(const struct model_view *view, struct model_faces *faces,
                      struct glmv_scene *scene)
{
    static const double spaced = 0.03; /* em */
    for (size_t i = 0; i < scene->line_count; i++) {
        struct glmv_scene_line *line = &scene->lines[i];
        if (line->family == GLMV_FAMILY_MONO || line->on_picture || strlen(line->text) < 4 ||
            fabs(line->letter_spacing) < spaced * line->font_px) {
            continue;
        }
        struct model_face *own = NULL;
        for (size_t k = 0; k < faces->count; k++) {
            struct model_face *face = &faces->items[k];
            bool same = strcmp(face->family, line->font) == 0 && face->weight == line->weight;
            own = own == NULL && same ? face : own;
        }
        double limit = own != NULL ? unlike_in(view, faces, own, line->font_px, line) - 0.05 : 0;
        struct glmv_scene_line best = *line;
        for (size_t k = 0; k < faces->count; k++) {
            struct model_face *face = &faces->items[k];
            if (face->kind != GLMV_FAMILY_MONO || !is_common_weight(face->weight)) {
                continue;
            }
            struct glmv_scene_line as_code = *line;
            struct choice one = {{face->family}, 1};
            fit_line(view, faces, &one, face->weight, &as_code);
            double unlike = as_code.family == GLMV_FAMILY_MONO &&
                                    fabs(as_code.letter_spacing) < spaced * as_code.font_px
                                ? unlike_in(view, faces, face, as_code.font_px, line)
                                : 1;
            if (unlike < limit) {
                limit = unlike;
                best = as_code;
            }
        }
        *line = best;
    }
}

/* A short line beside code is code: one word fits many faces, a line of several words few. */
static void follow_code(const struct model_view *view, struct model_faces *faces,
                        struct glmv_scene *scene)
{
    for (size_t i = 0; i < scene->line_count; i++) {
        struct glmv_scene_line *line = &scene->lines[i];
        const struct glmv_scene_line *code = NULL;
        for (size_t k = 0;
             line->family != GLMV_FAMILY_MONO && line->word_count <= 3 && k < scene->line_count;
             k++) {
            const struct glmv_scene_line *other = &scene->lines[k];
            if (other->family == GLMV_FAMILY_MONO && are_near(line, other)) {
                code = other;
                break;
            }
        }
        if (code == NULL) {
            continue;
        }
        struct glmv_scene_line as_code = *line;
        struct choice one = {{code->font}, 1};
        double letter = code->advance / (double)strlen(code->text);
        double want = letter * (double)strlen(line->text);
        fit_line(view, faces, &one, code->weight, &as_code);
        if (as_code.family == GLMV_FAMILY_MONO && fabs(line->ink.w - want) < 0.7 * letter + 1) {
            *line = as_code;
            line->font_px = code->font_px;
            line->letter_spacing = 0;
            line->advance = want;
        }
    }
}

struct refit {
    const struct model_view *view;
    struct model_faces *faces;
    const struct choice *choice;
};

static void refit_line(void *context, struct glmv_scene_line *line)
{
    struct refit *r = context;
    fit_line(r->view, r->faces, r->choice, line->weight >= 600 ? BOLD : REGULAR, line);
}

bool model_type_fit(struct model_view *view, struct glmv_scene *scene, unsigned without,
                    struct glmv_err *err)
{
    struct model_faces faces;
    if (!model_faces_open(&faces, err)) {
        return false;
    }
    struct glmv_scene_line **order =
        malloc((scene->line_count + 1) * sizeof(struct glmv_scene_line *));
    if (order == NULL) {
        model_faces_close(&faces);
        return glmv_fail_memory(err);
    }
    size_t n = 0;
    for (size_t i = 0; i < scene->line_count; i++) {
        if (scene->lines[i].confidence >= 80 && scene->lines[i].word_count <= MAX_WORDS) {
            order[n++] = &scene->lines[i];
        }
    }
    qsort(order, n, sizeof(struct glmv_scene_line *), longer_first);
    struct choice choice = {0};
    bool ok = true;
    if ((without & GLMV_LOOK_FACES) != 0) {
        choice = (struct choice){{"Liberation Sans"}, 1};
        for (size_t i = 0; i < scene->line_count; i++) {
            fit_line(view, &faces, &choice, REGULAR, &scene->lines[i]);
        }
    } else {
        vote(view, &faces, order, n < VOTERS ? (int)n : VOTERS, &choice);
        ok = fit_lines(view, &faces, &choice, scene);
        find_code(view, &faces, scene);
        follow_code(view, &faces, scene);
        follow_code(view, &faces, scene); /* twice: what became code has neighbours of its own */
    }
    free(order);
    if ((without & GLMV_LOOK_ICONS) == 0) {
        struct refit refit = {view, &faces, &choice};
        model_proof(view, &faces, scene, refit_line, &refit);
    }
    model_faces_close(&faces);
    return ok || glmv_fail_memory(err);
}
