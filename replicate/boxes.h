/* Places that a model names in its answer: bounding boxes in thousandths of a picture.
 * Private to replicate. */
#ifndef GLMV_REPLICATE_BOXES_H
#define GLMV_REPLICATE_BOXES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/box.h"
#include "base/image.h"

struct replicate_place {
    struct glmv_box box; /* px of the picture */
    char label[80];      /* "" without one */
};

/* Finds four numbers in any kind of brackets. Numbers above 1000 are taken as px, the rest as
 * thousandths. Returns how many were stored, at most max. */
size_t replicate_boxes_find(const char *text, int width, int height, struct replicate_place *places,
                            size_t max);

/* Draws a frame round every place, each in a colour of its own. */
void replicate_boxes_draw(struct glmv_image *image, const struct replicate_place *places,
                          size_t count);

#endif
