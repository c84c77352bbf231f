/*
 * Lines agree on the colours of their page. Strokes that are thinner than a px let their ground
 * shine through, so that small text is measured paler than its author's colour: between it and the
 * ground. A colour that hardly any px of a line shows in full is doubtful, and gives way to one
 * that others show and that explains it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/text.h"

enum { WITNESSES = 3 }; /* lines of one colour that make it sure */

#define FULL 0.985          /* of the measured colour: a px shows all of it */
#define SURE_SHARE 0.12     /* of a line's ink that shows its colour in full where that is exact */
#define LEAST_CONTRAST 55.0 /* levels between a colour and its ground, or no share tells anything  \
                             */
#define OFF_BLEND 3.0       /* levels by which a blend of two colours may be off in a channel */
#define KIN_COVER 0.8       /* of a px, what thin strokes of the same type cover at most */
#define TINY_COVER 0.7      /* the same of type below TINY px */
#define TINY 12.0
#define OTHER_COVER 0.86 /* and those of any text */
#define SAME_TYPE 0.06   /* relative; of sizes of one type */
#define SAME_GROUND 12.0 /* levels; doubtful colours tell of each other on one ground alone */

static void split(uint32_t rgba, double rgb[3])
{
    for (int c = 0; c < 3; c++) {
        rgb[c] = rgba >> (24 - 8 * c) & 255;
    }
}

/* How much of a colour over a ground shows in another one, 0..1; above 1 where that is stronger,
 * and 0 where it is no blend of both. */
static double cover(uint32_t seen, uint32_t color, uint32_t ground)
{
    double s[3];
    double t[3];
    double g[3];
    split(seen, s);
    split(color, t);
    split(ground, g);
    double along = 0;
    double length = 0;
    for (int c = 0; c < 3; c++) {
        along += (s[c] - g[c]) * (t[c] - g[c]);
        length += (t[c] - g[c]) * (t[c] - g[c]);
    }
    if (length < LEAST_CONTRAST * LEAST_CONTRAST) {
        return 0;
    }
    double part = along / length;
    for (int c = 0; c < 3; c++) {
        if (fabs(s[c] - g[c] - part * (t[c] - g[c])) > OFF_BLEND) {
            return 0;
        }
    }
    return part;
}

/* The share of a line's ink that shows its colour in full. */
static double full_share(const struct model_view *view, const struct glmv_scene_line *line)
{
    double color[3];
    double ground[3];
    double full = 0;
    double ink = 0;
    double length = 0;
    split(line->color, color);
    split(line->background, ground);
    for (int c = 0; c < 3; c++) {
        length += (color[c] - ground[c]) * (color[c] - ground[c]);
    }
    int x1 = model_min((int)(line->ink.x + line->ink.w), view->w);
    int y1 = model_min((int)(line->ink.y + line->ink.h), view->h);
    for (int y = model_max((int)line->ink.y, 0); length > 0 && y < y1; y++) {
        for (int x = model_max((int)line->ink.x, 0); x < x1; x++) {
            const uint8_t *px = model_px(view, x, y);
            double along = 0;
            for (int c = 0; c < 3; c++) {
                along += (px[c] - ground[c]) * (color[c] - ground[c]) / length;
            }
            full += along >= FULL;
            ink += fmin(1, fmax(0, along));
        }
    }
    return ink > 0 ? full / ink : 1;
}

static bool is_kin(const struct glmv_scene_line *a, const struct glmv_scene_line *b)
{
    return a->weight == b->weight && strcmp(a->font, b->font) == 0 &&
           fabs(a->font_px - b->font_px) <= SAME_TYPE * a->font_px;
}

static bool on_one_ground(const struct glmv_scene_line *a, const struct glmv_scene_line *b)
{
    double p[3];
    double q[3];
    split(a->background, p);
    split(b->background, q);
    return fmax(fabs(p[0] - q[0]), fmax(fabs(p[1] - q[1]), fabs(p[2] - q[2]))) <= SAME_GROUND;
}

/* The colour that a doubtful line has: the nearest one that others show in full, best of all lines
 * of its type; without one the strongest of its type, for no stroke is stronger than its colour. */
static uint32_t settle(const struct glmv_scene *scene, const bool *sure, size_t at)
{
    const struct glmv_scene_line *line = &scene->lines[at];
    uint32_t best = line->color;
    double best_rank = 0;
    for (size_t i = 0; i < scene->line_count; i++) {
        const struct glmv_scene_line *other = &scene->lines[i];
        bool kin = is_kin(line, other);
        if (other->color == line->color || (!kin && !sure[i])) {
            continue;
        }
        double part = cover(line->color, other->color, line->background);
        double least = !kin ? OTHER_COVER : line->font_px < TINY ? TINY_COVER : KIN_COVER;
        bool explains = part >= least && part < 1;
        if (!explains || (!sure[i] && !on_one_ground(line, other))) {
            continue;
        }
        double rank = sure[i] ? (kin ? 2 : 1) + part : 1 - part;
        if (rank > best_rank) {
            best_rank = rank;
            best = other->color;
        }
    }
    return best;
}

/* Whether a line shows its colour in full, or other words were measured in the very same one. */
static bool is_sure(const struct model_view *view, const struct glmv_scene *scene, size_t at)
{
    const struct glmv_scene_line *line = &scene->lines[at];
    int witnesses = 1;
    for (size_t i = 0; i < scene->line_count; i++) {
        const struct glmv_scene_line *other = &scene->lines[i];
        witnesses += other->color == line->color && strcmp(other->text, line->text) != 0;
    }
    return witnesses >= WITNESSES || full_share(view, line) >= SURE_SHARE;
}

bool model_text_agree_colors(const struct model_view *view, struct glmv_scene *scene,
                             struct glmv_err *err)
{
    bool *sure = calloc(scene->line_count + 1, sizeof *sure);
    uint32_t *colors = calloc(scene->line_count + 1, sizeof *colors);
    bool ok = sure != NULL && colors != NULL;
    for (size_t i = 0; ok && i < scene->line_count; i++) {
        sure[i] = is_sure(view, scene, i);
    }
    for (size_t i = 0; ok && i < scene->line_count; i++) {
        colors[i] = sure[i] ? scene->lines[i].color : settle(scene, sure, i);
    }
    for (size_t i = 0; ok && i < scene->line_count; i++) {
        scene->lines[i].color = colors[i];
    }
    free(sure);
    free(colors);
    return ok || glmv_fail_memory(err);
}
