#include "replicate/pairing.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FAR_PX 40.0        /* a line that far off its place is worth a third of its place */
#define ASCENT_SHARE 0.805 /* of ascent + descent; within 0.01 for the families in use */
#define INK_STEPS 12       /* of 255; less is a background's own shading */

double replicate_colour_distance(uint32_t a, uint32_t b)
{
    double most = 0;
    for (int shift = 8; shift < 32; shift += 8) {
        most = fmax(most, fabs((double)(a >> shift & 255) - (double)(b >> shift & 255)));
    }
    return most;
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

size_t replicate_word_next(const char **at)
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

bool replicate_word_in(const char *word, size_t len, const char *text)
{
    uint64_t hash = hash_word(word, len);
    size_t n;
    for (const char *p = text; (n = replicate_word_next(&p)) > 0; p += n) {
        if (hash_word(p, n) == hash) {
            return true;
        }
    }
    return false;
}

double replicate_words_likeness(const char *a, const char *b)
{
    uint64_t words[64];
    size_t count = 0, more = 0, shared = 0, len;
    for (const char *p = b; (len = replicate_word_next(&p)) > 0; p += len) {
        if (count < 64) {
            words[count++] = hash_word(p, len);
        }
    }
    size_t left = count;
    for (const char *p = a; (len = replicate_word_next(&p)) > 0; p += len) {
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

/* -- boxes ------------------------------------------------------------------------------------ */

static double overlap(struct glmv_box a, struct glmv_box b)
{
    double w = fmin(a.x + a.w, b.x + b.w) - fmax(a.x, b.x);
    double h = fmin(a.y + a.h, b.y + b.h) - fmax(a.y, b.y);
    double both = w > 0 && h > 0 ? w * h : 0;
    double all = a.w * a.h + b.w * b.h - both;
    return all > 0 ? both / all : 0;
}

const struct glmv_page_element *replicate_pairing_element(const struct replicate_pairing *s,
                                                          struct glmv_box box, bool painted)
{
    const struct glmv_page_element *best = NULL;
    double most = 0.6;
    for (size_t i = 0; i < s->page->element_count; i++) {
        const struct glmv_page_element *element = &s->page->elements[i];
        struct glmv_box b = {element->box.x * s->scale, element->box.y * s->scale,
                             element->box.w * s->scale, element->box.h * s->scale};
        double share = overlap(b, box);
        if (share > most && (!painted || (element->background & 255) == 255)) {
            most = share;
            best = element;
        }
    }
    return best;
}

/* -- matching --------------------------------------------------------------------------------- */

static double baseline_of(const struct replicate_pairing *s, const struct glmv_page_text *text)
{
    return (text->box.y + ASCENT_SHARE * text->box.h) * s->scale;
}

/* Takes the nearest of the equal texts first, then of the similar ones. */
static void match(struct replicate_pairing *s, double least)
{
    for (size_t i = 0; i < s->target->line_count; i++) {
        struct replicate_pair *pair = &s->pairs[i];
        double best = INFINITY;
        size_t at = SIZE_MAX;
        pair->line = &s->target->lines[i];
        for (size_t j = 0; pair->text == NULL && j < s->page->text_count; j++) {
            const struct glmv_page_text *text = &s->page->texts[j];
            if (s->used[j] || s->unseen[j] ||
                replicate_words_likeness(pair->line->text, text->text) < least) {
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
            pair->likeness = replicate_words_likeness(pair->line->text, pair->text->text);
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

double replicate_pairing_said(const struct replicate_pairing *s, const char *line)
{
    size_t words = 0, said = 0, len;
    for (const char *p = line; (len = replicate_word_next(&p)) > 0; p += len) {
        bool found = false;
        words++;
        for (size_t j = 0; !found && j < s->page->text_count; j++) {
            found = !s->unseen[j] && replicate_word_in(p, len, s->page->texts[j].text);
        }
        said += found;
    }
    return words > 0 ? (double)said / (double)words : 1;
}

static int compare_sizes(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static bool median_size(struct replicate_pairing *s, struct glmv_err *err)
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

/* 0..1: how well a line of the target is there, at its place, in its colour and size. */
static double line_agreement(const struct replicate_pairing *s, const struct replicate_pair *pair)
{
    if (pair->text == NULL) {
        return 0.4 * replicate_pairing_said(s, pair->line->text);
    }
    double away = hypot(pair->dx, pair->dy) - REPLICATE_MOVED_PX;
    double place = exp(-fmax(0, away) / FAR_PX);
    double off =
        replicate_colour_distance(pair->line->color, pair->text->rgba) - REPLICATE_TEXT_STEPS;
    double colour = pair->line->on_picture ? 1 : 1 - fmin(1, fmax(0, off) / 128);
    double have = pair->text->font_px * s->scale, want = pair->line->font_px;
    double size = fmin(have, want) / fmax(1, fmax(have, want));
    return 0.4 + 0.6 * place * (0.5 + 0.5 * colour) * (size > 0.95 ? 1 : size);
}

double replicate_pairing_agreement(const struct replicate_pairing *s)
{
    const struct glmv_scene *target = s->target;
    double sum = 0, all = 0;
    for (size_t i = 0; i < target->line_count; i++) {
        double weight = (double)strlen(target->lines[i].text);
        if (target->lines[i].confidence >= REPLICATE_SURE) {
            sum += weight * line_agreement(s, &s->pairs[i]);
            all += weight;
        }
    }
    for (size_t j = 0; j < s->page->text_count; j++) {
        double best = s->used[j] || s->unseen[j] ? 1 : 0;
        for (size_t i = 0; best == 0 && i < target->line_count; i++) {
            best = replicate_words_likeness(s->page->texts[j].text, target->lines[i].text);
        }
        all += best == 0 && all > 0 ? (double)strlen(s->page->texts[j].text) : 0;
    }
    return all > 0 ? sum / all : 1;
}

bool replicate_pair_missing(const struct replicate_pairing *s, const struct replicate_pair *pair)
{
    return pair->text == NULL && pair->line->confidence >= REPLICATE_SURE &&
           replicate_pairing_said(s, pair->line->text) < 0.5;
}

/* -- making ----------------------------------------------------------------------------------- */

bool replicate_flat(const struct glmv_image *image, struct glmv_box box)
{
    int x0 = (int)fmax(0, floor(box.x)), y0 = (int)fmax(0, floor(box.y));
    int x1 = (int)fmin(image->width, ceil(box.x + box.w));
    int y1 = (int)fmin(image->height, ceil(box.y + box.h));
    uint8_t low[3] = {255, 255, 255}, high[3] = {0};
    for (int y = y0; y < y1; y++) {
        const uint8_t *p = image->rgba + ((size_t)y * (size_t)image->width + (size_t)x0) * 4;
        for (int x = x0; x < x1; x++, p += 4) {
            for (int c = 0; c < 3; c++) {
                low[c] = p[c] < low[c] ? p[c] : low[c];
                high[c] = p[c] > high[c] ? p[c] : high[c];
                if (high[c] - low[c] > INK_STEPS) {
                    return false;
                }
            }
        }
    }
    return true;
}

void replicate_pairing_free(struct replicate_pairing *pairing)
{
    if (pairing != NULL) {
        free(pairing->pairs);
        free(pairing->used);
        free(pairing->unseen);
        free(pairing);
    }
}

struct replicate_pairing *replicate_pairing_new(const struct glmv_scene *target,
                                                const struct glmv_render *render, double scale,
                                                struct glmv_err *err)
{
    struct replicate_pairing *s = calloc(1, sizeof *s);
    if (s == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    s->target = target;
    s->page = render->page;
    s->scale = scale;
    s->pairs = calloc(target->line_count + 1, sizeof *s->pairs);
    s->used = calloc(s->page->text_count + 1, sizeof *s->used);
    s->unseen = calloc(s->page->text_count + 1, sizeof *s->unseen);
    if (s->pairs == NULL || s->used == NULL || s->unseen == NULL) {
        glmv_fail_memory(err);
    } else if (median_size(s, err)) {
        for (size_t j = 0; j < s->page->text_count; j++) {
            struct glmv_box b = s->page->texts[j].box;
            s->unseen[j] =
                replicate_flat(render->image, (struct glmv_box){b.x * scale, b.y * scale,
                                                                b.w * scale, b.h * scale});
        }
        match(s, 1);
        match(s, 0.6);
        return s;
    }
    replicate_pairing_free(s);
    return NULL;
}
