/*
 * Pictures in memory: 8-bit RGBA, straight alpha, sRGB, top row first. Channel order in memory is
 * R, G, B, A and the stride is always width * 4 bytes. PNG and WebP are read, PNG and WebP are
 * written.
 *
 * Sixteen-bit, palette, grey and interlaced PNGs are converted; an animated WebP gives its first
 * frame.
 */
#ifndef GLMV_BASE_IMAGE_H
#define GLMV_BASE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define GLMV_IMAGE_MAX_SIDE 32767        /* px; WebKit's snapshot ends there too */
#define GLMV_IMAGE_MAX_PIXELS 134217728u /* 512 MiB of RGBA */
#define GLMV_IMAGE_MAX_FILE (256u << 20) /* bytes of an encoded picture */

struct glmv_image {
    int width;     /* px, 1 .. GLMV_IMAGE_MAX_SIDE */
    int height;    /* px, 1 .. GLMV_IMAGE_MAX_SIDE */
    uint8_t *rgba; /* owned; width * height * 4 bytes */
};

/* A picture of zeros (transparent black), or NULL: GLMV_ERR_LIMIT or GLMV_ERR_MEMORY. Free with
 * glmv_image_free. */
struct glmv_image *glmv_image_new(int width, int height, struct glmv_err *err);
/* NULL is allowed. */
void glmv_image_free(struct glmv_image *image);

/* Decodes PNG or WebP bytes, told apart by their first bytes. name is used in messages only. NULL
 * on failure. */
struct glmv_image *glmv_image_decode(const void *bytes, size_t len, const char *name,
                                     struct glmv_err *err);
/* The size that the head of a PNG states, without decoding; false for everything else and for sizes
 * outside the limits. */
bool glmv_image_size(const void *bytes, size_t len, int *width, int *height);
/* Reads and decodes a file ("-" is standard input). */
struct glmv_image *glmv_image_read(const char *path, struct glmv_err *err);

/* A copy of a part; the part is cut to the picture. NULL when nothing is left of it. */
struct glmv_image *glmv_image_crop(const struct glmv_image *image, int x, int y, int w, int h,
                                   struct glmv_err *err);
/* Lays every pixel over an opaque colour (0xRRGGBB); alpha is 255 afterwards. */
void glmv_image_flatten(struct glmv_image *image, uint32_t rgb);

/* Appends the encoded picture to out. level: zlib's 0..9. */
bool glmv_image_encode_png(const struct glmv_image *image, int level, struct glmv_buf *out,
                           struct glmv_err *err);
/* quality 0..100, or GLMV_WEBP_LOSSLESS. */
#define GLMV_WEBP_LOSSLESS (-1)
bool glmv_image_encode_webp(const struct glmv_image *image, int quality, struct glmv_buf *out,
                            struct glmv_err *err);
/* Writes a PNG file, whole or not at all. */
bool glmv_image_write_png(const struct glmv_image *image, const char *path, struct glmv_err *err);

#endif
