/* Undoes PNG's filters: rows of 8-bit RGB or RGBA become rows of RGBA. Private to base. */
#ifndef GLMV_BASE_UNFILTER_H
#define GLMV_BASE_UNFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE_UNFILTER_SLACK 16 /* bytes behind the filtered rows that must be readable */

/*
 * raw holds count rows, each its filter and width * channels bytes; out receives them at
 * width * 4 bytes each. up is the row above the first, RGBA; above a picture it is zeros, whose
 * alpha is 255 for three channels. False for a filter that PNG has not.
 */
bool base_unfilter(const uint8_t *raw, size_t width, int channels, size_t count, const uint8_t *up,
                   uint8_t *out);
/* What it chooses from, all with the same result; the second only where the processor has AVX2. */
bool base_unfilter_plain(const uint8_t *raw, size_t width, int channels, size_t count,
                         const uint8_t *up, uint8_t *out);
bool base_unfilter_avx2(const uint8_t *raw, size_t width, int channels, size_t count,
                        const uint8_t *up, uint8_t *out);

#endif
