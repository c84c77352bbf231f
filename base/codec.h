/* The picture formats behind image.h. Private to base. */
#ifndef GLMV_BASE_CODEC_H
#define GLMV_BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/image.h"

/* Checks a size from a file against the limits before anything is allocated for it. */
bool base_image_fits(uint64_t width, uint64_t height, const char *name, struct glmv_err *err);

/* Memory for a picture, not cleared; large ones in huge pages, whose first touch costs a fifth.
 * Free with free(); NULL without memory. */
uint8_t *base_pixels_new(size_t size);

/* 8-bit RGB or RGBA without interlace; NULL for everything else, broken files among it. */
struct glmv_image *base_png_decode_plain(const unsigned char *bytes, size_t len);
/* Every kind of PNG, by libpng. */
struct glmv_image *base_png_decode(const unsigned char *bytes, size_t len, const char *name,
                                   struct glmv_err *err);
struct glmv_image *base_webp_decode(const unsigned char *bytes, size_t len, const char *name,
                                    struct glmv_err *err);

#endif
