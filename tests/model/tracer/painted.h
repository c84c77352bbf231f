/* Pictures that the tests of perception paint, and what the tracer sees in them. */
#ifndef GLMV_TESTS_MODEL_TRACER_PAINTED_H
#define GLMV_TESTS_MODEL_TRACER_PAINTED_H

#include "model/tracer/tracer.h"
#include "tests/check.h"

/* What the tracer measures in a picture, which it frees. Skips the program where OCR's data is not
 * installed. */
static inline struct glmv_scene *look_at(struct glmv_image *image)
{
    struct glmv_err err = {0};
    struct glmv_look_options options = {.threads = 2, .lang = "eng"};
    struct glmv_scene *scene = glmv_tracer_look(image, &options, &err);
    if (scene == NULL && err.code == GLMV_ERR_MISSING) {
        SKIP(err.message);
    }
    CHECK_MSG(scene != NULL, "%s", err.message);
    glmv_image_free(image);
    return scene;
}

static inline struct glmv_image *new_picture(int w, int h)
{
    struct glmv_err err = {0};
    struct glmv_image *image = glmv_image_new(w, h, &err);
    if (image == NULL) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    return image;
}

#endif
