/* Size arithmetic that cannot wrap. Every product or sum that comes from a file or a page goes
 * through here. */
#ifndef GLMV_BASE_SIZE_H
#define GLMV_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stores a * b and returns true, or returns false (and leaves *out alone) when the product does not
 * fit. */
static inline bool glmv_size_mul(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b) {
        return false;
    }
    *out = a * b;
    return true;
}

/* Stores a + b and returns true, or returns false (and leaves *out alone) when the sum does not
 * fit. */
static inline bool glmv_size_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b) {
        return false;
    }
    *out = a + b;
    return true;
}

#endif
