/* Soft spots of colour: what finds them and what fits them share this. Private to glows*.c. */
#ifndef GLMV_MODEL_TRACER_GLOWS_H
#define GLMV_MODEL_TRACER_GLOWS_H

#include "model/tracer/perception.h"

/* A disc that is blurred, in px of the page. */
struct glows_spot {
    double x, y, radius, deviation;
    uint32_t color; /* its alpha is that of its middle */
};

/* The fewest spots, over each other on one colour, that are what the px of label 0 in a rectangle
 * show; the first lies lowest. Returns how many, 0 when none are. */
int glows_fit_spots(const struct model_view *view, const int32_t *label, struct model_rect r,
                    uint32_t ground, struct glows_spot out[GLMV_SCENE_GLOWS]);

#endif
