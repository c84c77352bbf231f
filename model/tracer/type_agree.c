/*
 * Lines agree on the sizes of their page. The width of a short line tells its size to a few per
 * cent, that of a long one exactly; and where signs of a Chinese or Japanese line were misread for
 * narrow ones, its width says too much and its height tells.
 */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tracer/text.h"
#include "model/tracer/type.h"

enum {
    MOST_SIZES = 24,
    VOTER_LETTERS = 12, /* of a line that tells its size */
    USUAL_LETTERS = 40, /* on a page in a size that others may take */
};

#define NEAR 0.12       /* by which a size may differ from a usual one, relative */
#define WIDTH_SLACK 1.0 /* px by which ink may be wider than the usual size makes it */
#define HAN_NEAR 0.06   /* the same where signs may be misread */
#define LEAST_HAN 0.95  /* font sizes that a line of Han characters is high at least */
#define MOST_HAN 1.25
#define SPACED 0.02    /* font sizes between letters that a usual size may do without */
#define UNSPACED 0.008 /* and those that it may leave */

struct usual {
    const char *font;
    double px;
    size_t letters;
};

struct sizes {
    struct usual list[MOST_SIZES];
    int count;
};

/* Sizes as authors write them: the fit rounds to these where it can. */
static bool is_plain(double px)
{
    return fabs(px * 2 - round(px * 2)) < 0.01;
}

static void vote(struct sizes *sizes, const struct glmv_scene_line *line)
{
    size_t letters = glmv_utf8_count(line->text);
    if (letters < VOTER_LETTERS || line->letter_spacing != 0 || !is_plain(line->font_px)) {
        return;
    }
    int i = 0;
    while (i < sizes->count &&
           (sizes->list[i].px != line->font_px || strcmp(sizes->list[i].font, line->font) != 0)) {
        i++;
    }
    if (i == MOST_SIZES) {
        return;
    }
    if (i == sizes->count) {
        sizes->list[sizes->count++] = (struct usual){line->font, line->font_px, 0};
    }
    sizes->list[i].letters += letters;
}

/* How wide a line's ink is at another size, its letters unspaced. */
static double inked_at(const struct glmv_scene_line *line, double px)
{
    double bleed = 2 * MODEL_INK_BLEED;
    double spaced = line->letter_spacing * ((double)glmv_utf8_count(line->text) - 1);
    return (line->inked - spaced - bleed) * px / line->font_px + bleed;
}

static void set_size(struct glmv_scene_line *line, double px)
{
    line->inked = inked_at(line, px);
    line->advance = (line->advance - line->letter_spacing * (double)glmv_utf8_count(line->text)) *
                    px / line->font_px;
    line->font_px = px;
    line->letter_spacing = 0;
}

/* Whether a usual size explains the width of a line, or nearly does where signs are misread. A line
 * that is spaced for its height alone has the usual size where that needs hardly any spacing. */
static bool explains(const struct glmv_scene_line *line, double px, bool han)
{
    double off = fabs(px - line->font_px) / line->font_px;
    double wrong = fabs(line->ink.w - inked_at(line, px));
    if (line->letter_spacing != 0) {
        return off <= NEAR && fabs(line->letter_spacing) >= SPACED * line->font_px &&
               wrong <= UNSPACED * px * (double)glmv_utf8_count(line->text);
    }
    if (han && line->ink.h < LEAST_HAN * line->font_px) { /* its own size cannot be */
        return line->ink.h >= LEAST_HAN * px && line->ink.h <= MOST_HAN * px;
    }
    return (han && off <= HAN_NEAR) || (off <= NEAR && wrong <= WIDTH_SLACK);
}

static void agree(const struct sizes *sizes, struct glmv_scene_line *line)
{
    size_t letters = glmv_utf8_count(line->text);
    bool han = letters >= VOTER_LETTERS && model_has_cjk(line->text);
    const struct usual *best = NULL;
    for (int i = 0; i < sizes->count; i++) {
        const struct usual *one = &sizes->list[i];
        if (one->letters < USUAL_LETTERS || strcmp(one->font, line->font) != 0) {
            continue;
        }
        if (explains(line, one->px, han) && (best == NULL || one->letters > best->letters)) {
            best = one;
        }
    }
    if (best == NULL || (best->px == line->font_px && line->letter_spacing == 0)) {
        return;
    }
    set_size(line, best->px);
    if (han) { /* a sign that was misread says nothing about the spacing of the others */
        line->inked = line->ink.w;
    }
}

void model_type_agree(struct glmv_scene *scene)
{
    struct sizes sizes = {.count = 0};
    for (size_t i = 0; i < scene->line_count; i++) {
        vote(&sizes, &scene->lines[i]);
    }
    for (size_t i = 0; i < scene->line_count; i++) {
        agree(&sizes, &scene->lines[i]);
    }
}
