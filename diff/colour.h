/* How different two colours look. */
#ifndef GLMV_DIFF_COLOUR_H
#define GLMV_DIFF_COLOUR_H

#include <stdint.h>

struct glmv_lab {
    double l, a, b;
};

/* CIELAB (D65) of an sRGB colour 0xRRGGBB. */
struct glmv_lab glmv_lab_of(uint32_t rgb);

/* CIEDE2000 (Sharma, Wu and Dalal 2005) with all weights 1: about 1 is just visible. */
double glmv_ciede2000(struct glmv_lab p, struct glmv_lab q);

#endif
