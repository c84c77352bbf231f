#include "replicate/correct.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "replicate/correct_layout.h"
#include "replicate/pairing.h"
#include "replicate/wishes.h"

#define SIZE_PX 0.5 /* type that is nearer is left alone */

static bool wish_colour(struct wishes *wishes, int element, enum wish_property property,
                        uint32_t have, uint32_t want, double steps, double weight,
                        struct glmv_err *err)
{
    struct wish wish = {.element = element,
                        .property = property,
                        .change = replicate_colour_distance(have, want) >= steps,
                        .weight = weight};
    snprintf(wish.value, sizeof wish.value, "#%06x", (unsigned)((wish.change ? want : have) >> 8));
    return wishes_add(wishes, &wish, err);
}

/* A measured size is a whole number of px when it is near one: authors write those. */
static double tidy(double px)
{
    return fabs(px - round(px)) < 0.3 ? round(px) : round(px * 2) / 2;
}

static bool wish_type(struct wishes *wishes, const struct replicate_pairing *pairing,
                      const struct replicate_pair *pair, struct glmv_err *err)
{
    int element = pair->text->element;
    double have = pair->text->font_px, want = pair->line->font_px / pairing->scale;
    bool bold = pair->text->weight >= 600, wants_bold = pair->line->weight >= 600;
    struct wish size = {.element = element,
                        .property = WISH_FONT_SIZE,
                        .change = fabs(have - want) > fmax(SIZE_PX, 0.03 * want),
                        .weight = (double)strlen(pair->line->text)};
    struct wish weight = {.element = element,
                          .property = WISH_FONT_WEIGHT,
                          .change = bold != wants_bold,
                          .weight = size.weight};
    snprintf(size.value, sizeof size.value, "%gpx", size.change ? tidy(want) : have);
    snprintf(weight.value, sizeof weight.value, "%d",
             weight.change ? pair->line->weight : pair->text->weight);
    return wishes_add(wishes, &size, err) && wishes_add(wishes, &weight, err);
}

/* The distance of two lines that follow each other in one element. */
static bool wish_pitch(struct wishes *wishes, const struct replicate_pairing *pairing,
                       const struct replicate_pair *a, const struct replicate_pair *b,
                       struct glmv_err *err)
{
    double want = (b->line->baseline - a->line->baseline) / pairing->scale;
    double have = want + (b->dy - a->dy) / pairing->scale;
    struct wish wish = {.element = a->text->element,
                        .property = WISH_LINE_HEIGHT,
                        .change = fabs(have - want) >= 0.75,
                        .weight = (double)strlen(a->line->text)};
    if (b->text != a->text + 1 || b->text->element != a->text->element || want < 4 || have < 4) {
        return true;
    }
    snprintf(wish.value, sizeof wish.value, "%gpx", wish.change ? tidy(want) : have);
    return wishes_add(wishes, &wish, err);
}

static bool wish_paint(struct wishes *wishes, const struct replicate_pairing *pairing,
                       struct glmv_err *err)
{
    const struct glmv_scene *target = pairing->target;
    bool ok = true;
    for (size_t i = 0; ok && i < target->line_count; i++) {
        const struct replicate_pair *pair = &pairing->pairs[i];
        if (pair->text == NULL || pair->likeness < 1 || pair->line->confidence < REPLICATE_SURE) {
            continue;
        }
        const struct replicate_pair *next = i + 1 < target->line_count ? pair + 1 : NULL;
        ok = (pair->line->on_picture ||
              wish_colour(wishes, pair->text->element, WISH_COLOR, pair->text->rgba,
                          pair->line->color, REPLICATE_TEXT_STEPS, (double)strlen(pair->line->text),
                          err)) &&
             wish_type(wishes, pairing, pair, err) &&
             (next == NULL || next->text == NULL || next->likeness < 1 ||
              wish_pitch(wishes, pairing, pair, next, err));
    }
    for (size_t i = 0; ok && i < target->box_count; i++) {
        const struct glmv_scene_box *box = &target->boxes[i];
        const struct glmv_page_element *element =
            box->fill == GLMV_FILL_SOLID ? replicate_pairing_element(pairing, box->box, true)
                                         : NULL;
        ok = element == NULL ||
             wish_colour(wishes, (int)(element - pairing->page->elements), WISH_BACKGROUND,
                         element->background, box->color, REPLICATE_PAINT_STEPS,
                         sqrt(box->box.w * box->box.h), err);
    }
    return ok;
}

/* The canvas takes its colour from html or, when that has none, from body. */
static bool wish_ground(struct wishes *wishes, const struct replicate_pairing *pairing,
                        struct glmv_err *err)
{
    const struct glmv_page *page = pairing->page;
    int element = -1;
    for (size_t e = 0; e < page->element_count; e++) {
        bool body = strcmp(page->elements[e].tag, "body") == 0;
        if (body || strcmp(page->elements[e].tag, "html") == 0) {
            element = (int)e;
            if ((page->elements[e].background & 255) == 255 || body) {
                break;
            }
        }
    }
    if (element < 0) {
        return true;
    }
    uint32_t have = page->elements[element].background;
    have = (have & 255) == 255 ? have : 0xFFFFFFFF;
    return wish_colour(wishes, element, WISH_BACKGROUND, have, pairing->target->background,
                       REPLICATE_PAINT_STEPS, 1000, err);
}

bool replicate_correct(const struct glmv_scene *target, const struct glmv_render *render,
                       double scale, const char *html, size_t len, unsigned what,
                       struct glmv_buf *out, int *changed, struct glmv_err *err)
{
    struct wishes wishes = {0};
    struct replicate_pairing *pairing = replicate_pairing_new(target, render, scale, err);
    struct replicate_sheet *sheet =
        pairing != NULL ? replicate_sheet_read(html, len, render->page, err) : NULL;
    bool ok = sheet != NULL;
    wishes.sheet = sheet;
    *changed = 0;
    if (ok && (what & REPLICATE_CORRECT_PAINT)) {
        ok = wish_paint(&wishes, pairing, err) && wish_ground(&wishes, pairing, err);
    }
    if (ok && (what & REPLICATE_CORRECT_LAYOUT)) {
        ok = correct_layout(&wishes, pairing, err);
    }
    ok = ok && wishes_write(&wishes, out, changed, err);
    wishes_release(&wishes);
    replicate_sheet_free(sheet);
    replicate_pairing_free(pairing);
    return ok;
}
