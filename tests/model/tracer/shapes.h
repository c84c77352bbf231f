/* Shapes that the tests of surfaces and pictures paint. */
#ifndef GLMV_TESTS_MODEL_TRACER_SHAPES_H
#define GLMV_TESTS_MODEL_TRACER_SHAPES_H

#include <math.h>

#include "tests/model/tracer/painted.h"

static inline void put(struct glmv_image *image, int x, int y, const double *rgb, double alpha)
{
    uint8_t *p = image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
    for (int c = 0; c < 3; c++) {
        p[c] = (uint8_t)lround(rgb[c] * alpha + p[c] * (1 - alpha));
    }
    p[3] = 255;
}

static inline void fill(struct glmv_image *image, int x0, int y0, int w, int h, uint32_t rgb)
{
    const double colour[3] = {rgb >> 16, rgb >> 8 & 255, rgb & 255};
    for (int y = y0; y < y0 + h; y++) {
        for (int x = x0; x < x0 + w; x++) {
            put(image, x, y, colour, 1);
        }
    }
}

static inline struct glmv_image *blank(int w, int h, uint32_t rgb)
{
    struct glmv_image *image = new_picture(w, h);
    fill(image, 0, 0, w, h, rgb);
    return image;
}

static inline void paint_disc(struct glmv_image *image, double cx, double cy, double r,
                              uint32_t rgb, double alpha)
{
    const double colour[3] = {rgb >> 16, rgb >> 8 & 255, rgb & 255};
    for (int y = (int)(cy - r) - 1; y <= cy + r + 1; y++) {
        for (int x = (int)(cx - r) - 1; x <= cx + r + 1; x++) {
            double d = hypot(x + 0.5 - cx, y + 0.5 - cy) - r;
            put(image, x, y, colour, alpha * fmin(1, fmax(0, 0.5 - d)));
        }
    }
}

/* Something like a photo: no two px beside each other are alike. */
static inline void paint_photo(struct glmv_image *image, int x0, int y0, int w, int h)
{
    for (int y = y0; y < y0 + h; y++) {
        for (int x = x0; x < x0 + w; x++) {
            double v = 100 + 60 * sin((x - x0) / 5.0) * cos((y - y0) / 4.0) + (x * 7 + y * 3) % 11;
            const double rgb[3] = {v, 0.7 * v, 160 - v / 2};
            put(image, x, y, rgb, 1);
        }
    }
}

/* box-shadow: 0 DYpx BLURpx rgb(0 0 0 / ALPHA) */
static inline void cast_shadow(struct glmv_image *image, int x0, int y0, int w, int h, double dy,
                               double blur, double alpha)
{
    const double black[3] = {0, 0, 0};
    double s = blur / 2 * sqrt(2);
    for (int y = 0; y < image->height; y++) {
        for (int x = 0; x < image->width; x++) {
            double ax = erf((x + 0.5 - x0) / s) - erf((x + 0.5 - x0 - w) / s);
            double ay = erf((y + 0.5 - y0 - dy) / s) - erf((y + 0.5 - y0 - dy - h) / s);
            put(image, x, y, black, alpha * ax * ay / 4);
        }
    }
}

/* box-shadow: 0 4px 16px rgb(0 0 0 / 0.3) */
static inline void paint_shadow(struct glmv_image *image, int x0, int y0, int w, int h)
{
    cast_shadow(image, x0, y0, w, h, 4, 16, 0.3);
}

static inline const struct glmv_scene_box *box_at(const struct glmv_scene *scene, double x,
                                                  double y, double w, double h)
{
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_box *b = &scene->boxes[i].box;
        if (fabs(b->x - x) <= 1 && fabs(b->y - y) <= 1 && fabs(b->w - w) <= 1 &&
            fabs(b->h - h) <= 1) {
            return &scene->boxes[i];
        }
    }
    CHECK_MSG(false, "no box at %g, %g of %g x %g", x, y, w, h);
    return NULL;
}

#endif
