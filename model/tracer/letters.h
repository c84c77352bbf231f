/* Letters and signs that the reader does not know, told by their ink. Private to model/tracer. */
#ifndef GLMV_MODEL_TRACER_LETTERS_H
#define GLMV_MODEL_TRACER_LETTERS_H

#include "model/tracer/proof.h"

/* Changes letters of the scene's lines to those that show the ink; refit fits the type of lines
 * that changed. False without memory. */
bool model_letters_mend(const struct model_view *view, struct model_faces *faces,
                        struct glmv_scene *scene, model_refit_fn *refit, void *context);

#endif
