#include "replicate/feedback.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replicate/pairing.h"

#define MAX_CANDIDATES 256
#define SHOWN 60        /* bytes of a text that are quoted */
#define SURE_WORD 75    /* OCR confidence from which one word that the page lacks is told */
#define SMALL_BOX 1500  /* px; smaller boxes without text are not worth a sentence */
#define ANOTHER_WIDTH 6 /* percent by which a text of the right size is too wide or too narrow */

struct search {
    const struct replicate_pairing *pairing;
    const struct glmv_render *render;
    const struct glmv_scene *target;
    const struct glmv_page *page;
    double scale;
    struct replicate_pair *pairs;
    struct replicate_fact found[MAX_CANDIDATES];
    int count;
};

static struct replicate_fact *add(struct search *s, enum replicate_fact_kind kind,
                                  struct glmv_box box, double weight)
{
    s->count += s->count < MAX_CANDIDATES; /* past that the last place is written again */
    struct replicate_fact *fact = &s->found[s->count - 1];
    fact->kind = kind;
    fact->box = box;
    fact->weight = weight;
    return fact;
}

static struct glmv_box to_target(const struct search *s, struct glmv_box b)
{
    return (struct glmv_box){b.x * s->scale, b.y * s->scale, b.w * s->scale, b.h * s->scale};
}

static bool inside(struct glmv_box small, struct glmv_box large)
{
    double x = small.x + small.w / 2, y = small.y + small.h / 2;
    return x >= large.x && x < large.x + large.w && y >= large.y && y < large.y + large.h;
}

/* Quotes the start of a text. */
static void quote(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    const char *more = "";
    if (len > SHOWN) {
        len = SHOWN;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
            len--;
        }
        more = "…";
    }
    snprintf(out, size, "'%.*s%s'", (int)len, text, more);
}

/* "heading 'Pricing'", so that a reader finds it at once. */
static void name_line(const struct search *s, const struct glmv_scene_line *line, char *out,
                      size_t size)
{
    char quoted[SHOWN + 8];
    quote(quoted, sizeof quoted, line->text);
    snprintf(out, size, "%s %s", line->font_px >= 1.3 * s->pairing->body_px ? "heading" : "text",
             quoted);
}

/* -- facts ------------------------------------------------------------------------------------ */

/* The smallest painted box round a line, with all of whose text the page does without. */
static const struct glmv_scene_box *missing_box(const struct search *s,
                                                const struct replicate_pair *pair)
{
    const struct glmv_scene_box *best = NULL;
    double page_area = (double)s->target->width * s->target->height;
    for (size_t i = 0; i < s->target->box_count; i++) {
        const struct glmv_scene_box *box = &s->target->boxes[i];
        bool all = inside(pair->line->ink, box->box) && box->box.w * box->box.h < 0.5 * page_area;
        for (size_t j = 0; all && j < s->target->line_count; j++) {
            all = !inside(s->pairs[j].line->ink, box->box) ||
                  replicate_pair_missing(s->pairing, &s->pairs[j]);
        }
        /* The largest such box: the card, not the button in it. */
        if (all && (best == NULL || box->box.w * box->box.h > best->box.w * best->box.h)) {
            best = box;
        }
    }
    return best;
}

static void say_missing_box(struct search *s, const struct glmv_scene_box *box)
{
    char words[200] = "";
    for (size_t j = 0; j < s->target->line_count; j++) {
        struct replicate_pair *pair = &s->pairs[j];
        size_t used = strlen(words);
        if (inside(pair->line->ink, box->box)) {
            pair->grouped = true;
            char quoted[SHOWN + 8];
            quote(quoted, sizeof quoted, pair->line->text);
            if (used + strlen(quoted) + 2 < sizeof words) {
                snprintf(words + used, sizeof words - used, "%s%s", used > 0 ? ", " : "", quoted);
            }
        }
    }
    struct replicate_fact *fact =
        add(s, REPLICATE_FACT_MISSING, box->box, 1000 + box->box.w * box->box.h);
    snprintf(fact->sentence, sizeof fact->sentence,
             "missing: the box at x %.0f, y %.0f, %.0f x %.0f px, filled #%06x, with the text %s",
             box->box.x, box->box.y, box->box.w, box->box.h, (unsigned)(box->color >> 8), words);
}

static void find_missing(struct search *s)
{
    for (size_t i = 0; i < s->target->line_count; i++) {
        struct replicate_pair *pair = &s->pairs[i];
        if (pair->grouped || !replicate_pair_missing(s->pairing, pair)) {
            continue;
        }
        const struct glmv_scene_box *box = missing_box(s, pair);
        if (box != NULL) {
            say_missing_box(s, box);
            continue;
        }
        char name[SHOWN + 24];
        name_line(s, pair->line, name, sizeof name);
        struct replicate_fact *fact =
            add(s, REPLICATE_FACT_MISSING, pair->line->ink, pair->line->ink.w * pair->line->ink.h);
        snprintf(fact->sentence, sizeof fact->sentence,
                 "missing: %s at x %.0f, baseline y %.0f, %.0f px high type, #%06x", name,
                 pair->line->ink.x, pair->line->baseline, pair->line->font_px,
                 (unsigned)(pair->line->color >> 8));
    }
}

/* The words of a line that stand nowhere on the page, when OCR was sure of them. */
static void lacking_words(const struct search *s, const struct glmv_scene_line *line, char *out,
                          size_t size)
{
    out[0] = '\0';
    for (size_t w = 0; w < line->word_count; w++) {
        const char *word = line->words[w].text;
        size_t used = strlen(out);
        bool lacks = line->words[w].confidence >= SURE_WORD && strlen(word) > 1 &&
                     replicate_pairing_said(s->pairing, word) < 0.5;
        if (lacks && used + strlen(word) + 2 < size) {
            snprintf(out + used, size - used, "%s%s", used > 0 ? " " : "", word);
        }
    }
}

/* Lines that are there, but not with all of their words. */
static void find_missing_words(struct search *s)
{
    for (size_t i = 0; i < s->target->line_count; i++) {
        const struct replicate_pair *pair = &s->pairs[i];
        char words[160], name[SHOWN + 24], quoted[SHOWN + 8];
        if (pair->text == NULL || pair->likeness >= 1) {
            continue;
        }
        lacking_words(s, pair->line, words, sizeof words);
        if (words[0] == '\0') {
            continue;
        }
        name_line(s, pair->line, name, sizeof name);
        quote(quoted, sizeof quoted, pair->text->text);
        struct replicate_fact *fact =
            add(s, REPLICATE_FACT_MISSING, pair->line->ink,
                (1 - pair->likeness) * pair->line->ink.w * pair->line->ink.h);
        snprintf(fact->sentence, sizeof fact->sentence, "%s: missing words: %s (your page says %s)",
                 name, words, quoted);
    }
}

/* Whether the render has another colour than the box just inside three of its four sides. */
static bool not_painted(const struct search *s, const struct glmv_scene_box *box)
{
    const struct glmv_image *image = s->render->image;
    const struct glmv_box b = box->box;
    const double inset = 3;
    const double at[4][2] = {{b.x + b.w / 2, b.y + inset},
                             {b.x + b.w / 2, b.y + b.h - 1 - inset},
                             {b.x + inset, b.y + b.h / 2},
                             {b.x + b.w - 1 - inset, b.y + b.h / 2}};
    int other = 0;
    for (int i = 0; i < 4; i++) {
        int x = (int)at[i][0], y = (int)at[i][1];
        bool on = x >= 0 && y >= 0 && x < image->width && y < image->height;
        const uint8_t *p = on ? image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4
                              : (const uint8_t[]){0, 0, 0, 0};
        uint32_t rgba = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | 255;
        other += !on || replicate_colour_distance(rgba, box->color) > REPLICATE_TEXT_STEPS;
    }
    return other >= 3;
}

/* Boxes and pictures of which the page has nothing at their place. Boxes with text are named by
 * their text before. */
static void find_missing_paint(struct search *s)
{
    for (size_t i = 0; i < s->target->box_count; i++) {
        const struct glmv_scene_box *box = &s->target->boxes[i];
        bool has_text = false;
        for (size_t j = 0; j < s->target->line_count; j++) {
            has_text = has_text || inside(s->pairs[j].line->ink, box->box);
        }
        if (has_text || box->fill != GLMV_FILL_SOLID || box->box.w * box->box.h < SMALL_BOX ||
            box->box.w < 8 || box->box.h < 8 ||
            replicate_pairing_element(s->pairing, box->box, true) != NULL || !not_painted(s, box)) {
            continue;
        }
        struct replicate_fact *fact =
            add(s, REPLICATE_FACT_MISSING, box->box, 0.3 * box->box.w * box->box.h);
        snprintf(fact->sentence, sizeof fact->sentence,
                 "missing: the box at x %.0f, y %.0f, %.0f x %.0f px, filled #%06x", box->box.x,
                 box->box.y, box->box.w, box->box.h, (unsigned)(box->color >> 8));
    }
    for (size_t i = 0; i < s->target->picture_count; i++) {
        const struct glmv_scene_picture *picture = &s->target->pictures[i];
        struct glmv_box b = picture->box;
        if (b.w * b.h < SMALL_BOX || !replicate_flat(s->render->image, b)) {
            continue;
        }
        struct replicate_fact *fact = add(s, REPLICATE_FACT_MISSING, b, b.w * b.h);
        snprintf(fact->sentence, sizeof fact->sentence,
                 "missing: the picture slot:%zu at x %.0f, y %.0f, %.0f x %.0f px", i, b.x, b.y,
                 b.w, b.h);
    }
}

static void find_extra(struct search *s)
{
    for (size_t j = 0; j < s->page->text_count; j++) {
        const struct glmv_page_text *text = &s->page->texts[j];
        double best = 0;
        for (size_t i = 0; !s->pairing->used[j] && i < s->target->line_count; i++) {
            best = fmax(best, replicate_words_likeness(text->text, s->target->lines[i].text));
        }
        const char *p = text->text;
        if (s->pairing->used[j] || s->pairing->unseen[j] || best > 0 ||
            replicate_word_next(&p) < 3) {
            continue;
        }
        char quoted[SHOWN + 8];
        quote(quoted, sizeof quoted, text->text);
        struct glmv_box box = to_target(s, text->box);
        struct replicate_fact *fact = add(s, REPLICATE_FACT_EXTRA, box, box.w * box.h);
        snprintf(fact->sentence, sizeof fact->sentence,
                 "text %s at y %.0f is not in the target: remove it", quoted, box.y);
    }
}

static void describe_shift(double dx, double dy, char *out, size_t size)
{
    char across[64] = "", down[64] = "";
    if (fabs(dx) >= REPLICATE_MOVED_PX) {
        snprintf(across, sizeof across, "%.0f px too far %s", fabs(dx), dx > 0 ? "right" : "left");
    }
    if (fabs(dy) >= REPLICATE_MOVED_PX) {
        snprintf(down, sizeof down, "%.0f px too %s", fabs(dy), dy > 0 ? "low" : "high");
    }
    snprintf(out, size, "%s%s%s", down, down[0] != '\0' && across[0] != '\0' ? ", " : "", across);
}

/* Lines that moved by the same amount are one fact. */
static void find_moved(struct search *s)
{
    for (size_t i = 0; i < s->target->line_count; i++) {
        struct replicate_pair *first = &s->pairs[i];
        double moved = fmax(fabs(first->dx), fabs(first->dy));
        if (first->text == NULL || first->grouped || moved < REPLICATE_MOVED_PX) {
            continue;
        }
        int others = 0;
        for (size_t j = i + 1; j < s->target->line_count; j++) {
            struct replicate_pair *pair = &s->pairs[j];
            if (pair->text != NULL && !pair->grouped && fabs(pair->dx - first->dx) < 2 &&
                fabs(pair->dy - first->dy) < 2) {
                pair->grouped = true;
                others++;
            }
        }
        char name[SHOWN + 24], shift[160], more[64] = "";
        name_line(s, first->line, name, sizeof name);
        describe_shift(first->dx, first->dy, shift, sizeof shift);
        if (others > 0) {
            snprintf(more, sizeof more, ", and so are %d more lines", others);
        }
        struct replicate_fact *fact =
            add(s, REPLICATE_FACT_LAYOUT, first->line->ink,
                moved * (others + 1) * (first->line->font_px / s->pairing->body_px));
        snprintf(fact->sentence, sizeof fact->sentence,
                 "%s: %s (its baseline is at y %.0f and should be at %.0f)%s", name, shift,
                 first->line->baseline + first->dy, first->line->baseline, more);
    }
}

static void find_height(struct search *s)
{
    double height = s->page->height * s->scale, want = s->target->height;
    if (fabs(height - want) > fmax(8, 0.01 * want)) {
        struct glmv_box all = {0, 0, s->target->width, s->target->height};
        struct replicate_fact *fact = add(s, REPLICATE_FACT_LAYOUT, all, fabs(height - want));
        snprintf(fact->sentence, sizeof fact->sentence,
                 "the page is %.0f px high and should be %.0f", height / s->scale, want / s->scale);
    }
}

static void find_colours(struct search *s)
{
    for (size_t i = 0; i < s->target->line_count; i++) {
        const struct replicate_pair *pair = &s->pairs[i];
        double off =
            pair->text != NULL ? replicate_colour_distance(pair->line->color, pair->text->rgba) : 0;
        if (off < REPLICATE_TEXT_STEPS || pair->line->on_picture) {
            continue;
        }
        char name[SHOWN + 24];
        name_line(s, pair->line, name, sizeof name);
        struct replicate_fact *fact = add(s, REPLICATE_FACT_COLOUR, pair->line->ink,
                                          off * pair->line->ink.w * pair->line->ink.h * 0.3);
        snprintf(fact->sentence, sizeof fact->sentence, "%s: colour #%06x should be #%06x", name,
                 (unsigned)(pair->text->rgba >> 8), (unsigned)(pair->line->color >> 8));
    }
    for (size_t i = 0; i < s->target->box_count; i++) {
        const struct glmv_scene_box *box = &s->target->boxes[i];
        const struct glmv_page_element *element =
            box->fill == GLMV_FILL_SOLID ? replicate_pairing_element(s->pairing, box->box, true)
                                         : NULL;
        double off =
            element != NULL ? replicate_colour_distance(box->color, element->background) : 0;
        if (off < REPLICATE_PAINT_STEPS) {
            continue;
        }
        struct replicate_fact *fact =
            add(s, REPLICATE_FACT_COLOUR, box->box, off * box->box.w * box->box.h);
        snprintf(fact->sentence, sizeof fact->sentence,
                 "background of the %s at x %.0f, y %.0f, %.0f x %.0f px: #%06x should be #%06x",
                 element->tag, box->box.x, box->box.y, box->box.w, box->box.h,
                 (unsigned)(element->background >> 8), (unsigned)(box->color >> 8));
    }
}

static void find_type(struct search *s)
{
    for (size_t i = 0; i < s->target->line_count; i++) {
        const struct replicate_pair *pair = &s->pairs[i];
        if (pair->text == NULL) {
            continue;
        }
        double have = pair->text->font_px * s->scale, want = pair->line->font_px;
        bool size = fabs(have - want) > fmax(1, 0.05 * want);
        bool weight = (pair->text->weight >= 600) != (pair->line->weight >= 600);
        if (!size && !weight) {
            continue;
        }
        char name[SHOWN + 24], sizes[96] = "", weights[64] = "";
        name_line(s, pair->line, name, sizeof name);
        if (size) {
            snprintf(sizes, sizeof sizes, "font-size %.0f px should be %.0f px", have / s->scale,
                     want / s->scale);
        }
        if (weight) {
            snprintf(weights, sizeof weights, "font-weight %d should be %d", pair->text->weight,
                     pair->line->weight);
        }
        struct replicate_fact *fact = add(s, REPLICATE_FACT_TYPE, pair->line->ink,
                                          (size ? fabs(have - want) : 1) * pair->line->ink.w);
        snprintf(fact->sentence, sizeof fact->sentence, "%s: %s%s%s", name, sizes,
                 size && weight ? ", " : "", weights);
    }
}

/* A following line of one paragraph that stands closer or farther than it should. */
static bool find_pitch(struct search *s, size_t i, const struct glmv_page_element **last)
{
    const struct replicate_pair *a = &s->pairs[i], *b = &s->pairs[i + 1];
    bool follow = a->text != NULL && b->text != NULL && b->text == a->text + 1 &&
                  b->text->element == a->text->element && a->likeness >= 1 && b->likeness >= 1;
    const struct glmv_page_element *element = follow ? &s->page->elements[a->text->element] : NULL;
    double want = b->line->baseline - a->line->baseline, have = want + b->dy - a->dy;
    if (!follow || element == *last || want <= 0 || have <= 0 ||
        fabs(have - want) < fmax(1, 0.04 * want)) {
        return false;
    }
    *last = element;
    char name[SHOWN + 24];
    name_line(s, a->line, name, sizeof name);
    struct replicate_fact *fact =
        add(s, REPLICATE_FACT_SPACING, a->line->ink, fabs(have - want) * a->line->ink.w);
    snprintf(fact->sentence, sizeof fact->sentence,
             "%s: its lines are %.0f px apart and should be %.0f px (line-height)", name,
             have / s->scale, want / s->scale);
    return true;
}

static void find_spacing(struct search *s)
{
    const struct glmv_page_element *last = NULL;
    for (size_t i = 0; i < s->target->line_count; i++) {
        const struct replicate_pair *pair = &s->pairs[i];
        if (pair->text == NULL || pair->likeness < 1 ||
            (i + 1 < s->target->line_count && find_pitch(s, i, &last))) {
            continue;
        }
        double size = pair->text->font_px * s->scale / fmax(1, pair->line->font_px);
        double have = pair->text->box.w * s->scale, want = pair->line->ink.w;
        bool weight = (pair->text->weight >= 600) == (pair->line->weight >= 600);
        if (size < 0.97 || size > 1.03 || !weight ||
            fabs(have - want) < fmax(6, ANOTHER_WIDTH * want / 100)) {
            continue;
        }
        char name[SHOWN + 24];
        name_line(s, pair->line, name, sizeof name);
        struct replicate_fact *fact =
            add(s, REPLICATE_FACT_SPACING, pair->line->ink, fabs(have - want));
        snprintf(fact->sentence, sizeof fact->sentence,
                 "%s: %.0f px wide and should be %.0f px at the same size (letter-spacing, or "
                 "another font)",
                 name, have / s->scale, want / s->scale);
    }
}

/* -- choice ----------------------------------------------------------------------------------- */

static int by_kind_and_weight(const void *a, const void *b)
{
    const struct replicate_fact *x = a, *y = b;
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    return x->weight > y->weight ? -1 : x->weight < y->weight;
}

/* Two of a kind first, so that colours are heard beside a page full of shifts; then what fits. */
static int choose(struct search *s, struct replicate_fact *facts)
{
    bool taken[MAX_CANDIDATES] = {0};
    int total = 0;
    qsort(s->found, (size_t)s->count, sizeof s->found[0], by_kind_and_weight);
    for (int pass = 0; pass < 2; pass++) {
        int of_kind[REPLICATE_FACT_KINDS] = {0};
        for (int i = 0; i < s->count && total < REPLICATE_MAX_FACTS; i++) {
            bool room = pass > 0 || of_kind[s->found[i].kind]++ < 2;
            if (!taken[i] && room) {
                taken[i] = true;
                total++;
            }
        }
    }
    int out = 0;
    for (int i = 0; i < s->count; i++) {
        if (taken[i]) {
            facts[out++] = s->found[i];
        }
    }
    return out;
}

int replicate_feedback_find(const struct glmv_scene *target, const struct glmv_render *render,
                            double scale, struct replicate_fact *facts, struct glmv_err *err)
{
    struct replicate_pairing *pairing = replicate_pairing_new(target, render, scale, err);
    struct search *s = pairing != NULL ? calloc(1, sizeof *s) : NULL;
    int count = -1;
    if (s != NULL) {
        *s = (struct search){.pairing = pairing,
                             .render = render,
                             .target = target,
                             .page = render->page,
                             .scale = scale,
                             .pairs = pairing->pairs};
        find_missing(s);
        find_missing_words(s);
        find_missing_paint(s);
        find_extra(s);
        find_height(s);
        find_moved(s);
        find_colours(s);
        find_type(s);
        find_spacing(s);
        count = choose(s, facts);
    } else if (pairing != NULL) {
        glmv_fail_memory(err);
    }
    free(s);
    replicate_pairing_free(pairing);
    return count;
}

bool replicate_feedback_write(const struct replicate_fact *facts, int count, int width, int height,
                              struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        const struct glmv_box *b = &facts[i].box;
        ok = glmv_buf_appendf(out, err, "%d. %s [%.0f,%.0f,%.0f,%.0f]\n", i + 1, facts[i].sentence,
                              1000 * b->x / width, 1000 * b->y / height,
                              1000 * (b->x + b->w) / width, 1000 * (b->y + b->h) / height);
    }
    return ok;
}
