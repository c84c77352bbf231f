/* Fitting of gradients: what linear and radial ones share. Private to model/tracer/ramps*.c. */
#ifndef GLMV_MODEL_TRACER_RAMPS_H
#define GLMV_MODEL_TRACER_RAMPS_H

#include "model/tracer/perception.h"

enum { RAMP_BINS = 96 };

#define RAMP_AGREE 0.93 /* share of the px that are on a gradient */

struct ramp_px {
    float x, y; /* from the corner of the region */
    float c[3];
};

struct ramp_fit {
    struct ramp_px *places; /* owned */
    int count;
    double share; /* of the px that have to be on the gradient */
    struct model_ramp ramp; /* where it points or lies; no stops yet */
    double from, to;        /* along it, px */
    double mean[RAMP_BINS][3];
    int n[RAMP_BINS];
};

/* The mean colours along the gradient. */
void ramp_fill_bins(struct ramp_fit *f);
/* Mean square of what px are off them; agree is the share that is not off by much. */
double ramp_misfit(const struct ramp_fit *f, double *agree);
/* Finds the middle of a radial gradient, and how wide it is for its height, and fills the bins.
 * False where it is none. */
bool ramp_find_middle(const struct model_view *view, int label, struct model_rect r,
                      struct ramp_fit *f);

#endif
