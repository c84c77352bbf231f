/*
 * Lines that seem far too tall for their width. A page set in a narrow face has many; a few of them
 * have something in their box that is no letter: a badge, an icon, a frame. Those get the size that
 * their width tells, at the height where most of their ink is.
 */
#include <math.h>

#include "base/utf8.h"
#include "model/tracer/type.h"

#define SQUEEZED -0.09       /* letter-spacing in font sizes that no installed face would need */
#define NARROW_SHARE 0.2     /* of a page's lines that are squeezed where its face is narrow */
enum { SETTLE_LETTERS = 3 }; /* of a line whose width tells its size */

static bool is_squeezed(const struct glmv_scene_line *line)
{
    return line->letter_spacing < SQUEEZED * line->font_px;
}

/* The top of the band of that height which holds the most of a line's ink. */
static int densest_band(const struct model_view *view, const struct glmv_scene_line *line,
                        int height)
{
    int y0 = (int)line->ink.y;
    int y1 = (int)(line->ink.y + line->ink.h);
    int best = y0;
    int most = -1;
    for (int top = y0; top + height <= y1; top++) {
        int ink = 0;
        for (int y = top; y < top + height; y++) {
            for (int x = (int)line->ink.x; x < (int)(line->ink.x + line->ink.w); x++) {
                ink += view->text_mask[y * view->w + x];
            }
        }
        if (ink > most) {
            most = ink;
            best = top;
        }
    }
    return best;
}

static void clip_to(struct glmv_box *box, double y0, double y1)
{
    double top = fmax(box->y, y0);
    double bottom = fmin(box->y + box->h, y1);
    if (bottom > top) {
        box->y = top;
        box->h = bottom - top;
    }
}

static void settle(const struct model_view *view, struct glmv_scene_line *line)
{
    int gaps = (int)glmv_utf8_count(line->text) - 1;
    double natural = line->ink.w - gaps * line->letter_spacing;
    double shrink = line->ink.w / natural;
    int height = model_max((int)lround(line->ink.h * shrink), 1);
    int top = densest_band(view, line, height);
    line->baseline = round(top + (line->baseline - line->ink.y) * shrink);
    line->font_px = round(line->font_px * shrink * 10) / 10;
    line->letter_spacing = 0;
    line->advance = line->ink.w;
    line->inked = line->ink.w;
    clip_to(&line->ink, top, top + height);
    for (size_t i = 0; i < line->word_count; i++) {
        clip_to(&line->words[i].ink, top, top + height);
    }
}

void model_type_settle(const struct model_view *view, struct glmv_scene *scene)
{
    size_t squeezed = 0;
    for (size_t i = 0; i < scene->line_count; i++) {
        squeezed += is_squeezed(&scene->lines[i]);
    }
    if ((double)squeezed > NARROW_SHARE * (double)scene->line_count && squeezed > 2) {
        return;
    }
    for (size_t i = 0; i < scene->line_count; i++) {
        if (is_squeezed(&scene->lines[i]) &&
            glmv_utf8_count(scene->lines[i].text) >= SETTLE_LETTERS) {
            settle(view, &scene->lines[i]);
        }
    }
}
