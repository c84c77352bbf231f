#include "replicate/shrink.h"

#include <math.h>
#include <string.h>

/* How much of the px i lies between from and to. */
static double share(int i, double from, double to)
{
    return fmin(to, i + 1) - fmax(from, i);
}

static void mean(const struct glmv_image *shot, double x0, double y0, double x1, double y1,
                 uint8_t out[4])
{
    double sum[4] = {0};
    double area = 0;
    for (int y = (int)y0; y < y1 && y < shot->height; y++) {
        for (int x = (int)x0; x < x1 && x < shot->width; x++) {
            double part = share(x, x0, x1) * share(y, y0, y1);
            const uint8_t *p = shot->rgba + ((size_t)y * (size_t)shot->width + (size_t)x) * 4;
            for (int c = 0; c < 4; c++) {
                sum[c] += part * p[c];
            }
            area += part;
        }
    }
    for (int c = 0; c < 4; c++) {
        out[c] = (uint8_t)lround(sum[c] / area);
    }
}

struct glmv_image *replicate_shrink(const struct glmv_image *shot, double scale,
                                    struct glmv_err *err)
{
    int width = (int)fmax(1, lround(shot->width / scale));
    int height = (int)fmax(1, lround(shot->height / scale));
    struct glmv_image *small = glmv_image_new(width, height, err);
    if (small == NULL) {
        return NULL;
    }
    double sx = (double)shot->width / width;
    double sy = (double)shot->height / height;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            mean(shot, x * sx, y * sy, (x + 1) * sx, (y + 1) * sy,
                 small->rgba + ((size_t)y * (size_t)width + (size_t)x) * 4);
        }
    }
    return small;
}

/* Whether a picture is what lies at x, y, but for what is transparent. */
static bool is_cut(const struct glmv_image *picture, const struct glmv_image *from, int x, int y)
{
    if (x < 0 || y < 0 || x + picture->width > from->width || y + picture->height > from->height) {
        return false;
    }
    for (int row = 0; row < picture->height; row++) {
        const uint8_t *p = picture->rgba + (size_t)row * (size_t)picture->width * 4;
        const uint8_t *q = from->rgba + ((size_t)(y + row) * (size_t)from->width + (size_t)x) * 4;
        for (int i = 0; i < picture->width * 4; i += 4) {
            if (p[i + 3] != 0 && (p[i + 3] != 255 || memcmp(p + i, q + i, 3) != 0)) {
                return false;
            }
        }
    }
    return true;
}

/* What is transparent in the small picture is transparent in the large one. */
static void cut_out(struct glmv_image *large, const struct glmv_image *small)
{
    for (int y = 0; y < large->height; y++) {
        int from = y * small->height / large->height;
        for (int x = 0; x < large->width; x++) {
            size_t at =
                (size_t)from * (size_t)small->width + (size_t)(x * small->width / large->width);
            large->rgba[((size_t)y * (size_t)large->width + (size_t)x) * 4 + 3] =
                small->rgba[at * 4 + 3];
        }
    }
}

bool replicate_sharpen(struct glmv_scene *scene, const struct glmv_image *small,
                       const struct glmv_image *shot, double scale, struct glmv_err *err)
{
    for (size_t i = 0; i < scene->picture_count; i++) {
        struct glmv_scene_picture *picture = &scene->pictures[i];
        const struct glmv_box *box = &picture->box;
        if (picture->image == NULL ||
            !is_cut(picture->image, small, (int)lround(box->x), (int)lround(box->y))) {
            continue;
        }
        struct glmv_image *large =
            glmv_image_crop(shot, (int)lround(box->x * scale), (int)lround(box->y * scale),
                            (int)lround(box->w * scale), (int)lround(box->h * scale), err);
        if (large == NULL) {
            return false;
        }
        cut_out(large, picture->image);
        glmv_image_free(picture->image);
        picture->image = large;
    }
    return true;
}
