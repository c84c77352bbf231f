/* What measuring and drawing of faces share. Private to faces*.c. */
#ifndef GLMV_MODEL_TRACER_FACES_DRAW_H
#define GLMV_MODEL_TRACER_FACES_DRAW_H

#include <hb.h>

#include "model/tracer/faces.h"

/* The face for shaping, opened at its first use; its scale is the em. Borrowed. */
hb_font_t *model_face_font(struct model_face *face);
/* The glyphs of a text in it, in order; hb_buffer_destroy() frees them. */
hb_buffer_t *model_face_shape(hb_font_t *font, const char *text);
/* Closes what drawing opened. */
void model_faces_undraw(struct model_faces *faces);

#endif
