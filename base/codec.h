/* The picture formats behind image.h. Private to base. */
#ifndef GLMV_BASE_CODEC_H
#define GLMV_BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/image.h"

/* Checks a size from a file against the limits before anything is allocated for it. */
bool base_image_fits(uint64_t width, uint64_t height, const char *name, struct glmv_err *err);

struct glmv_image *base_png_decode(const unsigned char *bytes, size_t len, const char *name,
                                   struct glmv_err *err);
struct glmv_image *base_webp_decode(const unsigned char *bytes, size_t len, const char *name,
                                    struct glmv_err *err);

#endif
