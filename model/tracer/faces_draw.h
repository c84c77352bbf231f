/* What measuring and drawing of faces share. Private to model/tracer. */
#ifndef GLMV_MODEL_TRACER_FACES_DRAW_H
#define GLMV_MODEL_TRACER_FACES_DRAW_H

#include <hb.h>

#include "model/tracer/faces.h"

/* The face for shaping, opened at its first use; its scale is the em. Borrowed. */
hb_font_t *model_face_font(struct model_face *face);

/* A glyph where it stands. */
struct model_glyph {
    struct model_face *face; /* borrowed: the one asked for, or its fallback */
    hb_codepoint_t id;       /* 0: neither has the character */
    size_t at;               /* byte of the text */
    double x, y;             /* em from the beginning of the text, y up */
};
struct model_laid {
    struct model_glyph *glyphs; /* owned, in order */
    size_t count;
    double advance; /* em */
    bool known;     /* there is text, and a glyph for each character */
};
/* Shapes a text in a face, and what it has not in its fallback. False without memory. */
bool model_face_lay(struct model_face *face, const char *text, struct model_laid *out);
void model_laid_release(struct model_laid *laid);
/* Draws a glyph into a picture that is there: its origin at x and on the line y; hinted: its heights
 * brought to whole px, as many desktops do. False where there is nothing to draw. */
bool model_glyph_draw(struct model_faces *faces, const struct model_glyph *glyph, double size,
                      double x, int y, bool hinted, struct model_ink *on);
/* Closes what drawing opened. */
void model_faces_undraw(struct model_faces *faces);

#endif
