/* The places of pictures in a page that a model wrote. Private to replicate. */
#ifndef GLMV_REPLICATE_SLOTS_H
#define GLMV_REPLICATE_SLOTS_H

#include "base/buf.h"
#include "base/err.h"
#include "model/tracer/scene.h"

/* Appends html with every "slot:N" replaced by picture N of the scene as a data URI. */
bool replicate_slots_fill(const struct glmv_scene *scene, const char *html, size_t len,
                          struct glmv_buf *out, struct glmv_err *err);
/* The same with pictures as files, picture-N.png, that are written into the folder. */
bool replicate_slots_write(const struct glmv_scene *scene, const char *html, size_t len,
                           const char *folder, struct glmv_buf *out, struct glmv_err *err);

/* The same with every number larger by so many. */
bool replicate_slots_shift(const char *html, size_t len, size_t by, struct glmv_buf *out,
                           struct glmv_err *err);

#endif
