/* Proof-reading of the scene's text. Private to model/tracer. */
#ifndef GLMV_MODEL_TRACER_PROOF_H
#define GLMV_MODEL_TRACER_PROOF_H

#include "model/tracer/faces.h"
#include "model/tracer/perception.h"

/* The ink of a box on a ground, as far as it was taken for text. Free with model_ink_release. */
bool model_ink_take(const struct model_view *view, const struct glmv_box *box, uint32_t background,
                    struct model_ink *ink);

/* Fits the type of a line that changed. */
typedef void model_refit_fn(void *context, struct glmv_scene_line *line);

/* Lays short words at the ends of lines over what is there, and drops those that are icons: their
 * ink is free for pictures again. */
void model_proof(struct model_view *view, struct model_faces *faces, struct glmv_scene *scene,
                 model_refit_fn *refit, void *context);

#endif
