#include "replicate/feedback.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CANDIDATES 256
#define SHOWN 60      /* bytes of a text that are quoted */
#define SURE 60       /* OCR confidence from which a word counts */
#define MOVED_PX 3.0  /* smaller shifts are not worth a sentence */
#define TEXT_STEPS 14 /* of 255 in one channel; the colour of thin type is measured less surely */
#define PAINT_STEPS 6
#define FAR_PX 40.0        /* a line that far off its place is worth a third of its place */
#define ASCENT_SHARE 0.805 /* of ascent + descent; within 0.01 for the families in use */

/* A line of the target beside the text of the page that matches it. */
struct pair {
    const struct glmv_scene_line *line;
    const struct glmv_page_text *text; /* NULL: none does */
    double dx, dy;                     /* px of the target; page minus target */
    bool grouped;
};

struct search {
    const struct glmv_scene *target;
    const struct glmv_page *page;
    double scale;
    struct pair *pairs; /* one for each line of the target */
    bool *used;         /* one for each text of the page */
    struct replicate_fact found[MAX_CANDIDATES];
    int count;
    double body_px; /* median size of type */
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

static double channel_distance(uint32_t a, uint32_t b)
{
    double most = 0;
    for (int shift = 8; shift < 32; shift += 8) {
        most = fmax(most, fabs((double)(a >> shift & 255) - (double)(b >> shift & 255)));
    }
    return most;
}

static struct glmv_box to_target(const struct search *s, struct glmv_box b)
{
    return (struct glmv_box){b.x * s->scale, b.y * s->scale, b.w * s->scale, b.h * s->scale};
}

static double overlap(struct glmv_box a, struct glmv_box b)
{
    double w = fmin(a.x + a.w, b.x + b.w) - fmax(a.x, b.x);
    double h = fmin(a.y + a.h, b.y + b.h) - fmax(a.y, b.y);
    double both = w > 0 && h > 0 ? w * h : 0;
    double all = a.w * a.h + b.w * b.h - both;
    return all > 0 ? both / all : 0;
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
    snprintf(out, size, "%s %s", line->font_px >= 1.3 * s->body_px ? "heading" : "text", quoted);
}

/* -- words ------------------------------------------------------------------------------------ */

static uint64_t hash_word(const char *word, size_t len)
{
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (uint64_t)tolower((unsigned char)word[i])) * 1099511628211u;
    }
    return hash;
}

/* Moves at to the next word (letters, digits and everything beyond ASCII); returns its length, 0 at
 * the end. */
static size_t next_word(const char **at)
{
    const char *p = *at;
    while (*p != '\0' && !isalnum((unsigned char)*p) && (unsigned char)*p < 0x80) {
        p++;
    }
    *at = p;
    while (isalnum((unsigned char)*p) || (unsigned char)*p >= 0x80) {
        p++;
    }
    return (size_t)(p - *at);
}

/* Words of a that b has as well, over the longer one's words: 0..1. */
static double likeness(const char *a, const char *b)
{
    uint64_t words[64];
    size_t count = 0, more = 0, shared = 0, len;
    for (const char *p = b; (len = next_word(&p)) > 0; p += len) {
        if (count < 64) {
            words[count++] = hash_word(p, len);
        }
    }
    size_t left = count;
    for (const char *p = a; (len = next_word(&p)) > 0; p += len) {
        uint64_t hash = hash_word(p, len);
        more++;
        for (size_t i = 0; i < left; i++) {
            if (words[i] == hash) {
                words[i] = words[--left];
                shared++;
                break;
            }
        }
    }
    size_t longest = more > count ? more : count;
    return longest > 0 ? (double)shared / (double)longest : 0;
}

/* -- matching --------------------------------------------------------------------------------- */

static double baseline_of(const struct search *s, const struct glmv_page_text *text)
{
    return (text->box.y + ASCENT_SHARE * text->box.h) * s->scale;
}

/* Takes the nearest of the equal texts first, then of the similar ones. */
static void match(struct search *s, double least)
{
    for (size_t i = 0; i < s->target->line_count; i++) {
        struct pair *pair = &s->pairs[i];
        double best = INFINITY;
        size_t at = SIZE_MAX;
        pair->line = &s->target->lines[i];
        for (size_t j = 0; pair->text == NULL && j < s->page->text_count; j++) {
            const struct glmv_page_text *text = &s->page->texts[j];
            if (s->used[j] || likeness(pair->line->text, text->text) < least) {
                continue;
            }
            double away = fabs(baseline_of(s, text) - pair->line->baseline) +
                          fabs(text->box.x * s->scale - pair->line->ink.x);
            if (away < best) {
                best = away;
                at = j;
            }
        }
        if (at != SIZE_MAX) {
            pair->text = &s->page->texts[at];
            s->used[at] = true;
            pair->dy = baseline_of(s, pair->text) - pair->line->baseline;
            double page_x = pair->text->box.x * s->scale, line_x = pair->line->ink.x;
            double page_c = page_x + pair->text->box.w * s->scale / 2;
            double line_c = line_x + pair->line->ink.w / 2;
            /* The side that moved less: type of another width moves one side only. */
            pair->dx =
                fabs(page_c - line_c) < fabs(page_x - line_x) ? page_c - line_c : page_x - line_x;
        }
    }
}

/* Whether the page says all words of a line somewhere: broken differently is not missing. */
static double said_elsewhere(const struct search *s, const char *line)
{
    size_t words = 0, said = 0, len;
    for (const char *p = line; (len = next_word(&p)) > 0; p += len) {
        uint64_t hash = hash_word(p, len);
        bool found = false;
        words++;
        for (size_t j = 0; !found && j < s->page->text_count; j++) {
            size_t n;
            for (const char *q = s->page->texts[j].text; (n = next_word(&q)) > 0; q += n) {
                found = found || hash_word(q, n) == hash;
            }
        }
        said += found;
    }
    return words > 0 ? (double)said / (double)words : 1;
}

/* -- facts ------------------------------------------------------------------------------------ */

/* Whether some element of the page lies about where a painted box of the target lies. */
static const struct glmv_page_element *element_at(const struct search *s, struct glmv_box box,
                                                  bool painted)
{
    const struct glmv_page_element *best = NULL;
    double most = 0.6;
    for (size_t i = 0; i < s->page->element_count; i++) {
        const struct glmv_page_element *element = &s->page->elements[i];
        double share = overlap(to_target(s, element->box), box);
        if (share > most && (!painted || (element->background & 255) == 255)) {
            most = share;
            best = element;
        }
    }
    return best;
}

static bool is_missing(const struct search *s, const struct pair *pair)
{
    return pair->text == NULL && pair->line->confidence >= SURE &&
           said_elsewhere(s, pair->line->text) < 0.5;
}

/* The smallest painted box round a line, with all of whose text the page does without. */
static const struct glmv_scene_box *missing_box(const struct search *s, const struct pair *pair)
{
    const struct glmv_scene_box *best = NULL;
    double page_area = (double)s->target->width * s->target->height;
    for (size_t i = 0; i < s->target->box_count; i++) {
        const struct glmv_scene_box *box = &s->target->boxes[i];
        bool all = inside(pair->line->ink, box->box) && box->box.w * box->box.h < 0.5 * page_area;
        for (size_t j = 0; all && j < s->target->line_count; j++) {
            all = !inside(s->pairs[j].line->ink, box->box) || is_missing(s, &s->pairs[j]);
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
        struct pair *pair = &s->pairs[j];
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
        struct pair *pair = &s->pairs[i];
        if (pair->grouped || !is_missing(s, pair)) {
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

static void find_extra(struct search *s)
{
    for (size_t j = 0; j < s->page->text_count; j++) {
        const struct glmv_page_text *text = &s->page->texts[j];
        double best = 0;
        for (size_t i = 0; !s->used[j] && i < s->target->line_count; i++) {
            best = fmax(best, likeness(text->text, s->target->lines[i].text));
        }
        const char *p = text->text;
        if (s->used[j] || best > 0 || next_word(&p) < 3) {
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
    if (fabs(dx) >= MOVED_PX) {
        snprintf(across, sizeof across, "%.0f px too far %s", fabs(dx), dx > 0 ? "right" : "left");
    }
    if (fabs(dy) >= MOVED_PX) {
        snprintf(down, sizeof down, "%.0f px too %s", fabs(dy), dy > 0 ? "low" : "high");
    }
    snprintf(out, size, "%s%s%s", down, down[0] != '\0' && across[0] != '\0' ? ", " : "", across);
}

/* Lines that moved by the same amount are one fact. */
static void find_moved(struct search *s)
{
    for (size_t i = 0; i < s->target->line_count; i++) {
        struct pair *first = &s->pairs[i];
        double moved = fmax(fabs(first->dx), fabs(first->dy));
        if (first->text == NULL || first->grouped || moved < MOVED_PX) {
            continue;
        }
        int others = 0;
        for (size_t j = i + 1; j < s->target->line_count; j++) {
            struct pair *pair = &s->pairs[j];
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
                moved * (others + 1) * (first->line->font_px / s->body_px));
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
        const struct pair *pair = &s->pairs[i];
        double off = pair->text != NULL ? channel_distance(pair->line->color, pair->text->rgba) : 0;
        if (off < TEXT_STEPS || pair->line->on_picture) {
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
            box->fill == GLMV_FILL_SOLID ? element_at(s, box->box, true) : NULL;
        double off = element != NULL ? channel_distance(box->color, element->background) : 0;
        if (off < PAINT_STEPS) {
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
        const struct pair *pair = &s->pairs[i];
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

static int compare_sizes(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static bool median_size(struct search *s, struct glmv_err *err)
{
    size_t count = s->target->line_count;
    s->body_px = 16;
    if (count == 0) {
        return true;
    }
    double *sizes = calloc(count, sizeof *sizes);
    if (sizes == NULL) {
        return glmv_fail_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        sizes[i] = s->target->lines[i].font_px;
    }
    qsort(sizes, count, sizeof *sizes, compare_sizes);
    s->body_px = fmax(1, sizes[count / 2]);
    free(sizes);
    return true;
}

static void end(struct search *s)
{
    if (s != NULL) {
        free(s->pairs);
        free(s->used);
        free(s);
    }
}

/* Matches the lines of the target with the texts of the page. */
static struct search *begin(const struct glmv_scene *target, const struct glmv_page *page,
                            double scale, struct glmv_err *err)
{
    struct search *s = calloc(1, sizeof *s);
    if (s == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    s->target = target;
    s->page = page;
    s->scale = scale;
    s->pairs = calloc(target->line_count + 1, sizeof *s->pairs);
    s->used = calloc(page->text_count + 1, sizeof *s->used);
    if (s->pairs == NULL || s->used == NULL) {
        glmv_fail_memory(err);
    } else if (median_size(s, err)) {
        match(s, 1);
        match(s, 0.6);
        return s;
    }
    end(s);
    return NULL;
}

int replicate_feedback_find(const struct glmv_scene *target, const struct glmv_page *page,
                            double scale, struct replicate_fact *facts, struct glmv_err *err)
{
    struct search *s = begin(target, page, scale, err);
    if (s == NULL) {
        return -1;
    }
    find_missing(s);
    find_extra(s);
    find_height(s);
    find_moved(s);
    find_colours(s);
    find_type(s);
    int count = choose(s, facts);
    end(s);
    return count;
}

/* 0..1: how well a line of the target is there, at its place, in its colour and size. */
static double line_agreement(const struct search *s, const struct pair *pair)
{
    if (pair->text == NULL) {
        return 0.4 * said_elsewhere(s, pair->line->text);
    }
    double away = hypot(pair->dx, pair->dy) - MOVED_PX;
    double place = exp(-fmax(0, away) / FAR_PX);
    double off = channel_distance(pair->line->color, pair->text->rgba) - TEXT_STEPS;
    double colour = pair->line->on_picture ? 1 : 1 - fmin(1, fmax(0, off) / 128);
    double have = pair->text->font_px * s->scale, want = pair->line->font_px;
    double size = fmin(have, want) / fmax(1, fmax(have, want));
    return 0.4 + 0.6 * place * (0.5 + 0.5 * colour) * (size > 0.95 ? 1 : size);
}

bool replicate_feedback_agreement(const struct glmv_scene *target, const struct glmv_page *page,
                                  double scale, double *agreement, struct glmv_err *err)
{
    struct search *s = begin(target, page, scale, err);
    if (s == NULL) {
        return false;
    }
    double sum = 0, all = 0;
    for (size_t i = 0; i < target->line_count; i++) {
        double weight = (double)strlen(target->lines[i].text);
        if (target->lines[i].confidence >= SURE) {
            sum += weight * line_agreement(s, &s->pairs[i]);
            all += weight;
        }
    }
    for (size_t j = 0; j < page->text_count; j++) {
        double best = s->used[j] ? 1 : 0;
        for (size_t i = 0; best == 0 && i < target->line_count; i++) {
            best = likeness(page->texts[j].text, target->lines[i].text);
        }
        all += best == 0 && all > 0 ? (double)strlen(page->texts[j].text) : 0;
    }
    *agreement = all > 0 ? sum / all : 1;
    end(s);
    return true;
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
