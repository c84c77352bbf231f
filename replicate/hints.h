/* What was measured in a screenshot, as the words of a draft prompt. Private to replicate. */
#ifndef GLMV_REPLICATE_HINTS_H
#define GLMV_REPLICATE_HINTS_H

#include "base/buf.h"
#include "base/err.h"
#include "model/tracer/scene.h"

/* Appends the prompt "draft": lines of text, painted boxes, palette, picture slots. part: what to
 * know about a slice of a taller page; "" for a whole one. */
bool replicate_hints_write(const struct glmv_scene *scene, const char *part, struct glmv_buf *out,
                           struct glmv_err *err);

#endif
