/* Where the ink of a line lies in a render, against where it lies in the picture. Private to the
 * tracer. */
#ifndef GLMV_MODEL_TRACER_MATCH_H
#define GLMV_MODEL_TRACER_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/box.h"
#include "base/image.h"

/* What a line is painted with, 0xRRGGBBAA: its ink is measured along the way from one to the other.
 */
struct tracer_ink {
    uint32_t color, paper;
};

/* The render against the target; positive: to the right, below, wider. */
struct tracer_offset {
    double dx;    /* px at the left end of the line */
    double dy;    /* whole px */
    double wider; /* px over the length of the line */
    double alike; /* 0..1, the correlation of both inks once they lie over each other */
};

/*
 * Lays the pieces of a line over a render: area is where its ink is in the target, down the px by
 * which it is expected lower in the render. False where there is no ink, or none that corresponds.
 */
bool tracer_match(const struct glmv_image *target, const struct glmv_image *render,
                  struct glmv_box area, struct tracer_ink ink, double down,
                  struct tracer_offset *out);

#endif
