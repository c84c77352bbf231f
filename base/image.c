#include "base/image.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/size.h"

#define HUGE_PAGE ((size_t)2 << 20) /* bytes */

bool base_image_fits(uint64_t width, uint64_t height, const char *name, struct glmv_err *err)
{
    if (width == 0 || height == 0) {
        return glmv_fail(err, GLMV_ERR_FORMAT, "%s: the picture has no pixels", name);
    }
    if (width > GLMV_IMAGE_MAX_SIDE || height > GLMV_IMAGE_MAX_SIDE ||
        width * height > GLMV_IMAGE_MAX_PIXELS) {
        return glmv_fail(
            err, GLMV_ERR_LIMIT,
            "%s: %llu x %llu pixels; at most %d a side and %u in all: crop or scale it down", name,
            (unsigned long long)width, (unsigned long long)height, GLMV_IMAGE_MAX_SIDE,
            GLMV_IMAGE_MAX_PIXELS);
    }
    return true;
}

uint8_t *base_pixels_new(size_t size)
{
    if (size < HUGE_PAGE) {
        return malloc(size);
    }
    size_t rounded = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    uint8_t *pixels = aligned_alloc(HUGE_PAGE, rounded);
    if (pixels != NULL) {
        madvise(pixels, rounded, MADV_HUGEPAGE); /* a hint: without it everything works slower */
    }
    return pixels;
}

struct glmv_image *glmv_image_new(int width, int height, struct glmv_err *err)
{
    if (width <= 0 || height <= 0 ||
        !base_image_fits((uint64_t)width, (uint64_t)height, "picture", err)) {
        glmv_fail(err, GLMV_ERR_LIMIT, "a picture of %d x %d pixels cannot be made", width, height);
        return NULL;
    }
    struct glmv_image *image = malloc(sizeof *image);
    uint8_t *rgba = calloc((size_t)width * (size_t)height, 4);
    if (image == NULL || rgba == NULL) {
        free(image);
        free(rgba);
        glmv_fail_memory(err);
        return NULL;
    }
    image->width = width;
    image->height = height;
    image->rgba = rgba;
    return image;
}

void glmv_image_free(struct glmv_image *image)
{
    if (image != NULL) {
        free(image->rgba);
        free(image);
    }
}

struct glmv_image *glmv_image_decode(const void *bytes, size_t len, const char *name,
                                     struct glmv_err *err)
{
    const unsigned char *p = bytes;
    if (len >= 8 && memcmp(p, "\x89PNG\r\n\x1a\n", 8) == 0) {
        struct glmv_image *image = base_png_decode_plain(p, len);
        return image != NULL ? image : base_png_decode(p, len, name, err);
    }
    if (len >= 12 && memcmp(p, "RIFF", 4) == 0 && memcmp(p + 8, "WEBP", 4) == 0) {
        return base_webp_decode(p, len, name, err);
    }
    if (len == 0) {
        glmv_fail(err, GLMV_ERR_FORMAT, "%s: the file is empty", name);
    } else if (len >= 3 && memcmp(p, "\xff\xd8\xff", 3) == 0) {
        glmv_fail(err, GLMV_ERR_UNSUPPORTED, "%s: a JPEG; save the screenshot as PNG or WebP",
                  name);
    } else {
        glmv_fail(err, GLMV_ERR_FORMAT,
                  "%s: neither PNG nor WebP; save the screenshot as one of them", name);
    }
    return NULL;
}

bool glmv_image_size(const void *bytes, size_t len, int *width, int *height)
{
    const unsigned char *p = bytes;
    if (len >= 24 && memcmp(p, "\x89PNG\r\n\x1a\n", 8) == 0 && memcmp(p + 12, "IHDR", 4) == 0) {
        uint32_t side[2];
        for (int i = 0; i < 2; i++) {
            const unsigned char *q = p + 16 + i * 4;
            side[i] = (uint32_t)q[0] << 24 | (uint32_t)q[1] << 16 | (uint32_t)q[2] << 8 | q[3];
        }
        *width = (int)side[0];
        *height = (int)side[1];
        return base_image_fits(side[0], side[1], "", NULL);
    }
    return false;
}

struct glmv_image *glmv_image_read(const char *path, struct glmv_err *err)
{
    struct glmv_buf buf;
    glmv_buf_init(&buf, (size_t)GLMV_IMAGE_MAX_FILE + 65536);
    struct glmv_image *image = NULL;
    if (glmv_file_read(path, GLMV_IMAGE_MAX_FILE, &buf, err)) {
        image = glmv_image_decode(buf.data, buf.len,
                                  strcmp(path, "-") == 0 ? "standard input" : path, err);
    }
    glmv_buf_release(&buf);
    return image;
}

struct glmv_image *glmv_image_crop(const struct glmv_image *image, int x, int y, int w, int h,
                                   struct glmv_err *err)
{
    int64_t left = x < 0 ? 0 : x;
    int64_t top = y < 0 ? 0 : y;
    int64_t right = (int64_t)x + w > image->width ? image->width : (int64_t)x + w;
    int64_t bottom = (int64_t)y + h > image->height ? image->height : (int64_t)y + h;
    if (left >= right || top >= bottom) {
        glmv_fail(err, GLMV_ERR_USAGE,
                  "the part %d,%d,%d,%d lies outside the picture of %d x %d pixels", x, y, w, h,
                  image->width, image->height);
        return NULL;
    }
    struct glmv_image *part = glmv_image_new((int)(right - left), (int)(bottom - top), err);
    if (part == NULL) {
        return NULL;
    }
    for (int row = 0; row < part->height; row++) {
        size_t from = ((size_t)(top + row) * (size_t)image->width + (size_t)left) * 4;
        memcpy(part->rgba + (size_t)row * (size_t)part->width * 4, image->rgba + from,
               (size_t)part->width * 4);
    }
    return part;
}

void glmv_image_flatten(struct glmv_image *image, uint32_t rgb)
{
    const unsigned back[3] = {(rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255};
    size_t count = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < count; i++) {
        uint8_t *p = image->rgba + i * 4;
        unsigned a = p[3];
        if (a == 255) {
            continue;
        }
        for (int c = 0; c < 3; c++) {
            p[c] = (uint8_t)((p[c] * a + back[c] * (255 - a) + 127) / 255);
        }
        p[3] = 255;
    }
}

bool glmv_image_write_png(const struct glmv_image *image, const char *path, struct glmv_err *err)
{
    struct glmv_buf out;
    glmv_buf_init(&out, (size_t)1 << 30);
    bool ok =
        glmv_image_encode_png(image, 6, &out, err) && glmv_file_write(path, out.data, out.len, err);
    glmv_buf_release(&out);
    return ok;
}
