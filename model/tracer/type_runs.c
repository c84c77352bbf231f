/*
 * Runs of another kind in a line: bold or slanted words of a sentence, a small text after a
 * heading. A line is parted only where its words fall into two groups that the picture shows
 * clearly, and where a group is what its own face looks like.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tracer/proof.h"
#include "model/tracer/text.h"
#include "model/tracer/type.h"

enum {
    LEAST_LETTERS = 3, /* of a word that tells its kind itself */
    MOST_RUNS = 7,     /* in a line; more is noise */
};

#define HEAVIER                                                                                    \
    0.17             /* between the logarithms of the ink of regular and of bold words, at least   \
                      */
#define CLEAR 0.25   /* where one word on either side tells */
#define APART 1.2    /* times as much as the words of a kind differ from each other, at least */
#define LIKER 0.02   /* by which a run looks more like its own weight than like the other */
#define SLANTED 0.9  /* sharpness of slanted words when they are sheared upright, at least */
#define UPRIGHT 0.78 /* and of upright ones, at most */
#define LEANING 1.6  /* times as sharp as the same word drawn upright: letters have slants too */
#define SMALLER 0.16 /* between the logarithms of the sizes of two runs, at least */
#define AGREES 0.09  /* between those of the sizes that height and width tell */

/* What a word shows. */
struct trait {
    double mass;       /* logarithm of its ink over that of the regular face at the line's size */
    double slant;      /* as model_type_slant */
    double tall, wide; /* logarithms of the size by its height and its width over the line's */
    bool sure;         /* it has the letters to tell */
    int kind;          /* 0: as most, 1: of the other group */
};

struct sorting {
    const struct model_view *view;
    struct model_faces *faces;
    const struct glmv_scene_line *line;
    struct model_face *regular, *bold;
    struct trait *traits;
    size_t count;
};

static bool measure(struct sorting *s)
{
    size_t sure = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct glmv_scene_word *word = &s->line->words[i];
        struct trait *t = &s->traits[i];
        struct model_measure m = {0};
        *t = (struct trait){.slant = 1};
        size_t letters = glmv_utf8_count(word->text);
        if (letters < LEAST_LETTERS || !model_has_alnum(word->text) ||
            !model_face_measure(s->regular, word->text, &m) || m.ink.right <= m.ink.left) {
            continue;
        }
        double size = s->line->font_px;
        double mass = model_type_mass(s->view, s->line, &word->ink);
        t->mass = log(fmax(mass, 0.5) / (m.area * size * size));
        t->slant = model_type_slant(s->view, s->line, &word->ink);
        t->tall = log(word->ink.h / ((m.ink.bottom - m.ink.top) * size));
        /* Letters are set apart, hardly ever closer: that is how a line of two sizes seems. */
        double apart = fmax(0, s->line->letter_spacing) * (double)(letters - 1);
        t->wide = log(word->ink.w / ((m.ink.right - m.ink.left) * size + apart));
        t->sure = true;
        sure++;
    }
    return sure > 0 && s->count > 1;
}

static int compare_double(const void *pa, const void *pb)
{
    double a = *(const double *)pa;
    double b = *(const double *)pb;
    return a < b ? -1 : a > b ? 1 : 0;
}

/* The widest gap between neighbours of some sorted values; at: its middle. */
static double widest_gap(double *values, size_t n, double *at)
{
    double best = 0;
    qsort(values, n, sizeof *values, compare_double);
    for (size_t i = 1; i < n; i++) {
        if (values[i] - values[i - 1] > best) {
            best = values[i] - values[i - 1];
            *at = (values[i] + values[i - 1]) / 2;
        }
    }
    return best;
}

/* Words that cannot tell are of the other group only where they stand in the midst of it. */
static void fill_kinds(struct sorting *s)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t next = i;
        while (next < s->count && !s->traits[next].sure) {
            next++;
        }
        int before = i > 0 ? s->traits[i - 1].kind : 0;
        int after = next < s->count ? s->traits[next].kind : 0;
        s->traits[i].kind = s->traits[i].sure ? s->traits[i].kind : before && after;
    }
}

static size_t count_runs(const struct sorting *s)
{
    size_t runs = 1;
    for (size_t i = 1; i < s->count; i++) {
        runs += s->traits[i].kind != s->traits[i - 1].kind;
    }
    return runs;
}

/* How unlike a word is to a face at the size that its width tells. */
static double unlike(const struct sorting *s, const struct model_sample *sample,
                     struct model_face *face)
{
    struct model_measure m = {0};
    if (!model_face_measure(face, sample->word->text, &m) || m.ink.right <= m.ink.left) {
        return 1;
    }
    return model_sample_unlike(sample, s->faces, face,
                               sample->word->ink.w / (m.ink.right - m.ink.left));
}

/* By how much the words of a kind look more like the bold face than like the regular one. */
static double bolder(const struct sorting *s, int kind)
{
    double sum = 0;
    size_t letters = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct glmv_scene_word *word = &s->line->words[i];
        struct model_sample sample = {.word = word};
        if (!s->traits[i].sure || s->traits[i].kind != kind ||
            !model_ink_take(s->view, &word->ink, s->line->background, &sample.ink)) {
            continue;
        }
        double n = (double)strlen(word->text);
        sum += n * (unlike(s, &sample, s->regular) - unlike(s, &sample, s->bold));
        letters += strlen(word->text);
        model_sample_release(&sample);
    }
    return letters > 0 ? sum / (double)letters : 0;
}

/* How far the words of a kind lie apart in weight. */
static double spread_of(const struct sorting *s, int kind)
{
    double least = 1e9;
    double most = -1e9;
    for (size_t i = 0; i < s->count; i++) {
        if (s->traits[i].sure && s->traits[i].kind == kind) {
            least = fmin(least, s->traits[i].mass);
            most = fmax(most, s->traits[i].mass);
        }
    }
    return fmax(0, most - least);
}

/* Kind 1: bold. */
static bool sort_by_weight(struct sorting *s, double *values)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->traits[i].sure) {
            values[n++] = s->traits[i].mass;
        }
    }
    double at = 0;
    double gap = widest_gap(values, n, &at);
    if (s->bold == NULL || gap < (n == 2 ? CLEAR : HEAVIER)) {
        return false;
    }
    for (size_t i = 0; i < s->count; i++) {
        s->traits[i].kind = s->traits[i].mass > at;
    }
    if (gap < APART * fmax(spread_of(s, 0), spread_of(s, 1)) || bolder(s, 1) < LIKER ||
        bolder(s, 0) > -LIKER) {
        return false;
    }
    fill_kinds(s);
    return true;
}

/* Whether a word leans more than it does when drawn upright. */
static bool leans(const struct sorting *s, size_t i)
{
    struct model_face *face =
        s->line->weight >= MODEL_BOLD && s->bold != NULL ? s->bold : s->regular;
    struct model_ink drawn;
    if (!model_face_draw(s->faces, face, s->line->words[i].text, s->line->font_px, &drawn)) {
        return true;
    }
    double upright = model_ink_slant(&drawn);
    model_ink_release(&drawn);
    return s->traits[i].slant >= LEANING * upright;
}

/* Kind 1: slanted. */
static bool sort_by_slant(struct sorting *s)
{
    size_t slanted = 0;
    size_t upright = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct trait *t = &s->traits[i];
        t->kind = t->slant >= SLANTED;
        slanted += t->sure && t->kind;
        upright += t->sure && t->slant <= UPRIGHT;
        if (t->sure && (t->kind ? !leans(s, i) : t->slant > UPRIGHT)) {
            return false;
        }
    }
    if (slanted == 0 || upright == 0) {
        return false;
    }
    fill_kinds(s);
    return true;
}

/* Kind 1: smaller. Two groups, one after the other. */
static bool sort_by_size(struct sorting *s, double *values)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->traits[i].sure) {
            values[n++] = s->traits[i].wide;
        }
    }
    double at = 0;
    if (widest_gap(values, n, &at) < SMALLER) {
        return false;
    }
    double mean[2] = {0};
    double wide[2] = {0};
    int words[2] = {0};
    for (size_t i = 0; i < s->count; i++) {
        struct trait *t = &s->traits[i];
        t->kind = t->wide < at;
        if (t->sure) {
            mean[t->kind] += t->tall;
            wide[t->kind] += t->wide;
            words[t->kind]++;
        }
    }
    double by_height = mean[0] / words[0] - mean[1] / words[1];
    double by_width = wide[0] / words[0] - wide[1] / words[1];
    if (fabs(by_height - by_width) > AGREES) {
        return false;
    }
    fill_kinds(s);
    return count_runs(s) == 2;
}

enum sorted { SORTED_NOT, SORTED_WEIGHT, SORTED_SLANT, SORTED_SIZE };

/* sizes: by size, or by all else. */
static enum sorted sort_words(struct sorting *s, bool sizes)
{
    double *values = calloc(s->count + 1, sizeof *values);
    enum sorted by = SORTED_NOT;
    if (values != NULL && measure(s)) {
        if (sizes) {
            by = sort_by_size(s, values) ? SORTED_SIZE : SORTED_NOT;
        } else if (sort_by_weight(s, values)) {
            by = SORTED_WEIGHT;
        } else if (sort_by_slant(s)) {
            by = SORTED_SLANT;
        }
    }
    free(values);
    size_t runs = by == SORTED_NOT ? 1 : count_runs(s);
    return runs > 1 && runs <= MOST_RUNS ? by : SORTED_NOT;
}

/* Fits the runs of a line that was parted, [first, last): those of one size get that of the longest
 * of the commoner kind. */
static void fit_runs(const struct model_typing *typing, struct glmv_scene *scene, size_t first,
                     size_t last, const int *kinds, enum sorted by)
{
    struct model_choice one = {{scene->lines[first].font}, 1};
    char family[sizeof scene->lines[first].font];
    memcpy(family, scene->lines[first].font, sizeof family);
    one.family[0] = family;
    double baseline = scene->lines[first].baseline;
    size_t main = first;
    for (size_t i = first; i < last; i++) {
        struct glmv_scene_line *run = &scene->lines[i];
        int weight = by != SORTED_WEIGHT ? run->weight
                     : kinds[i - first]  ? MODEL_BOLD
                                         : MODEL_REGULAR;
        model_type_fit_line(typing, &one, weight, run);
        run->weight = weight;
        if (by == SORTED_SLANT) {
            run->italic = kinds[i - first] == 1;
        }
        main = strlen(run->text) > strlen(scene->lines[main].text) ? i : main;
    }
    for (size_t i = first; i < last; i++) {
        struct glmv_scene_line *run = &scene->lines[i];
        run->baseline = by == SORTED_SIZE ? run->baseline : baseline;
        if (by != SORTED_SIZE) {
            run->font_px = scene->lines[main].font_px;
            run->letter_spacing = scene->lines[main].letter_spacing;
        }
        if (by == SORTED_WEIGHT) {
            run->italic = scene->lines[main].italic;
        }
    }
}

/* Parts line i by the kinds of its words and fits the parts; returns how many lines there are more.
 */
static size_t part(const struct model_typing *typing, struct glmv_scene *scene, size_t i,
                   const struct sorting *s, enum sorted by, struct glmv_err *err)
{
    int kinds[MOST_RUNS] = {s->traits[0].kind};
    size_t runs = 1;
    size_t from = 0;
    for (size_t k = 1; k < s->count; k++) {
        if (s->traits[k].kind == s->traits[k - 1].kind) {
            continue;
        }
        if (!model_line_split(scene, i + runs - 1, k - from, err)) {
            return runs - 1;
        }
        kinds[runs++] = s->traits[k].kind;
        from = k;
    }
    fit_runs(typing, scene, i, i + runs, kinds, by);
    return runs - 1;
}

static bool may_have_runs(const struct glmv_scene_line *line)
{
    return line->word_count > 1 && line->word_count <= MODEL_TYPE_WORDS && !line->on_picture &&
           !line->underline && line->family != GLMV_FAMILY_MONO && !model_has_cjk(line->text) &&
           line->rotation == 0 && line->font_px >= 9;
}

static bool part_all(const struct model_view *view, struct model_faces *faces,
                     struct glmv_scene *scene, bool sizes, struct glmv_err *err)
{
    struct model_typing typing = {view, faces};
    for (size_t i = 0; i < scene->line_count; i++) {
        const struct glmv_scene_line *line = &scene->lines[i];
        struct sorting s = {.view = view, .faces = faces, .line = line, .count = line->word_count};
        s.regular = may_have_runs(line) ? model_faces_find(faces, line->font, MODEL_REGULAR) : NULL;
        if (s.regular == NULL) {
            continue;
        }
        s.bold = model_faces_find(faces, line->font, MODEL_BOLD);
        s.traits = calloc(s.count, sizeof *s.traits);
        if (s.traits == NULL) {
            return glmv_fail_memory(err);
        }
        enum sorted by = sort_words(&s, sizes);
        i += by != SORTED_NOT ? part(&typing, scene, i, &s, by, err) : 0;
        free(s.traits);
    }
    return true;
}

bool model_type_sizes(const struct model_view *view, struct model_faces *faces,
                      struct glmv_scene *scene, struct glmv_err *err)
{
    return part_all(view, faces, scene, true, err);
}

bool model_type_runs(const struct model_view *view, struct model_faces *faces,
                     struct glmv_scene *scene, struct glmv_err *err)
{
    return part_all(view, faces, scene, false, err);
}
