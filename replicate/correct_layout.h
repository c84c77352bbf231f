/* Positions and sizes. Private to replicate/correct*.c. */
#ifndef GLMV_REPLICATE_CORRECT_LAYOUT_H
#define GLMV_REPLICATE_CORRECT_LAYOUT_H

#include "replicate/pairing.h"
#include "replicate/wishes.h"

/* Adds what moves the page's elements to where the target has them. */
bool correct_layout(struct wishes *wishes, const struct replicate_pairing *pairing,
                    struct glmv_err *err);

#endif
