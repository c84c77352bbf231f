/* The files of tests/model/glm/golden, and the picture that they are about. */
#ifndef GLMV_TESTS_MODEL_GLM_GOLDEN_H
#define GLMV_TESTS_MODEL_GLM_GOLDEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "base/image.h"

#define GOLD "tests/model/glm/golden/"

/* FNV-1a, 64 bits. */
static inline uint64_t golden_hash(const void *bytes, size_t len)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < len; i++) {
        h = (h ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    }
    return h;
}

static inline bool read_all(const char *path, struct glmv_buf *text)
{
    glmv_buf_init(text, 1 << 24);
    return glmv_file_read(path, text->max, text, NULL);
}

/* As reference.py paints it. */
static inline struct glmv_image *test_picture(int w, int h)
{
    struct glmv_image *image = glmv_image_new(w, h, NULL);
    for (int i = 0; i < w * h; i++) {
        int x = i % w, y = i / w;
        uint8_t *p = image->rgba + (size_t)i * 4;
        p[0] = (uint8_t)((x * 7 + y * 3) % 256);
        p[1] = (uint8_t)((x * x + y * 5) % 256);
        p[2] = (uint8_t)(((x ^ y) * 11) % 256);
        p[3] = 255;
    }
    return image;
}

#endif
