#include "model/glm/picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

#define BITS GLM_TAP_BITS

bool glm_picture_size(const struct glm_config *config, int width, int height, int *out_width,
                      int *out_height, struct glmv_err *err)
{
    const int side = config->vision.patch * config->vision.merge;
    const double t = config->vision.temporal;
    int h = height, w = width;
    if (h < side || w < side) {
        double scale = fmax((double)side / h, (double)side / w);
        h = (int)(h * scale);
        w = (int)(w * scale);
    }
    if ((double)(h > w ? h : w) / (h < w ? h : w) > 200) {
        return glmv_fail(
            err, GLMV_ERR_LIMIT,
            "the picture is %dx%d: one side is more than 200 times the other, which the "
            "model cannot read; cut it into parts",
            width, height);
    }
    double hb = nearbyint((double)h / side) * side, wb = nearbyint((double)w / side) * side;
    double tb = nearbyint(t / config->vision.temporal) * config->vision.temporal;
    double low = (double)config->picture.min_area, high = (double)config->picture.max_area;
    if (tb * hb * wb > high) {
        double beta = sqrt(t * h * w / high);
        hb = fmax(side, floor(h / beta / side) * side);
        wb = fmax(side, floor(w / beta / side) * side);
    } else if (tb * hb * wb < low) {
        double beta = sqrt(low / (t * h * w));
        hb = ceil(h * beta / side) * side;
        wb = ceil(w * beta / side) * side;
    }
    if (hb < side || wb < side || hb > 65536 || wb > 65536 || hb * wb > 1e8) {
        return glmv_fail(err, GLMV_ERR_LIMIT,
                         "the picture is %dx%d, which preprocessor_config.json "
                         "turns into %.0fx%.0f: too large",
                         width, height, wb, hb);
    }
    *out_width = (int)wb;
    *out_height = (int)hb;
    return true;
}

static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0) {
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    }
    return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * a : 0.0;
}

bool glm_taps_make(struct glm_taps *taps, int in, int out)
{
    double scale = (double)in / out, filter = scale < 1 ? 1 : scale, support = 2.0 * filter;
    taps->outs = out;
    taps->most = (int)ceil(support) * 2 + 1;
    taps->first = malloc((size_t)out * 2 * sizeof(int));
    taps->weights = malloc((size_t)out * (size_t)taps->most * sizeof(int32_t));
    double *k = malloc((size_t)taps->most * sizeof *k);
    if (taps->first == NULL || taps->weights == NULL || k == NULL) {
        free(k);
        return false;
    }
    taps->count = taps->first + out;
    for (int o = 0; o < out; o++) {
        double centre = (o + 0.5) * scale, sum = 0, inverse = 1.0 / filter;
        int low = (int)(centre - support + 0.5), high = (int)(centre + support + 0.5);
        low = low < 0 ? 0 : low;
        high = high > in ? in : high;
        for (int x = 0; x < high - low; x++) {
            k[x] = cubic((x + low - centre + 0.5) * inverse);
            sum += k[x];
        }
        for (int x = 0; x < high - low; x++) {
            double w = sum != 0 ? k[x] / sum : k[x];
            taps->weights[(size_t)o * (size_t)taps->most + (size_t)x] =
                (int32_t)((w < 0 ? -0.5 : 0.5) + w * (1 << BITS));
        }
        taps->first[o] = low;
        taps->count[o] = high - low;
    }
    free(k);
    return true;
}

void glm_taps_release(struct glm_taps *taps)
{
    free(taps->first);
    free(taps->weights);
    memset(taps, 0, sizeof *taps);
}

static uint8_t clip8(int32_t sum)
{
    sum >>= BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* One pass: out sample (line, o) from in samples (line, first[o] ..). step: bytes between
 * neighbours along the pass, line_step: between lines. */
static void pass(const struct glm_taps *taps, const uint8_t *in, size_t in_step, size_t in_line,
                 uint8_t *out, size_t out_step, size_t out_line, int outs, int lines)
{
    for (int line = 0; line < lines; line++) {
        for (int o = 0; o < outs; o++) {
            const int32_t *w = taps->weights + (size_t)o * (size_t)taps->most;
            const uint8_t *p = in + (size_t)line * in_line + (size_t)taps->first[o] * in_step;
            int32_t sum[3] = {1 << (BITS - 1), 1 << (BITS - 1), 1 << (BITS - 1)};
            for (int i = 0; i < taps->count[o]; i++, p += in_step) {
                for (int c = 0; c < 3; c++) {
                    sum[c] += p[c] * w[i];
                }
            }
            uint8_t *q = out + (size_t)line * out_line + (size_t)o * out_step;
            for (int c = 0; c < 3; c++) {
                q[c] = clip8(sum[c]);
            }
        }
    }
}

uint8_t *glm_resize_rgb(const uint8_t *rgb, int width, int height, int out_width, int out_height)
{
    struct glm_taps across = {0}, down = {0};
    size_t row = (size_t)width * 3, out_row = (size_t)out_width * 3;
    uint8_t *wide = malloc(out_row * (size_t)height);
    uint8_t *out = malloc(out_row * (size_t)out_height);
    bool ok = wide != NULL && out != NULL && glm_taps_make(&across, width, out_width) &&
              glm_taps_make(&down, height, out_height);
    if (ok) {
        if (width == out_width) {
            memcpy(wide, rgb, row * (size_t)height);
        } else {
            pass(&across, rgb, 3, row, wide, 3, out_row, out_width, height);
        }
        if (height == out_height) {
            memcpy(out, wide, out_row * (size_t)height);
        } else {
            pass(&down, wide, out_row, 3, out, out_row, 3, out_height, out_width);
        }
    }
    glm_taps_release(&across);
    glm_taps_release(&down);
    free(wide);
    if (!ok) {
        free(out);
        return NULL;
    }
    return out;
}

static uint8_t *flat_rgb(const struct glmv_image *image)
{
    size_t count = (size_t)image->width * (size_t)image->height;
    uint8_t *rgb = malloc(count * 3);
    for (size_t i = 0; rgb != NULL && i < count; i++) {
        const uint8_t *p = image->rgba + i * 4;
        for (int c = 0; c < 3; c++) {
            rgb[i * 3 + (size_t)c] = (uint8_t)((p[c] * p[3] + 255 * (255 - p[3]) + 127) / 255);
        }
    }
    return rgb;
}

/* The reference scales in double, rounds to float, then subtracts and divides in float. */
void glm_picture_values(const struct glm_picture_config *config, float values[3][256])
{
    for (int c = 0; c < 3; c++) {
        for (int v = 0; v < 256; v++) {
            float x = (float)(v * config->rescale);
            x -= (float)config->mean[c];
            values[c][v] = x / (float)config->std[c];
        }
    }
}

static void cut(const struct glm_config *config, const uint8_t *rgb, struct glm_patches *out)
{
    float table[3][256];
    glm_picture_values(&config->picture, table);
    const int side = config->vision.patch, merge = config->vision.merge;
    const size_t area = (size_t)side * (size_t)side, line = (size_t)out->grid_w * (size_t)side * 3;
    float *row = out->rows;
    for (size_t n = 0; n < out->count; n++, row += out->width) {
        /* merge blocks row by row, inside a block row by row */
        int in = (int)(n % (size_t)(merge * merge)), block = (int)(n / (size_t)(merge * merge));
        int r = block / (out->grid_w / merge) * merge + in / merge;
        int q = block % (out->grid_w / merge) * merge + in % merge;
        const uint8_t *from = rgb + (size_t)(r * side) * line + (size_t)(q * side) * 3;
        for (int c = 0; c < 3; c++) {
            float *to = row + (size_t)c * (size_t)config->vision.temporal * area;
            for (size_t i = 0; i < area; i++) {
                to[i] = table[c][from[i / (size_t)side * line + i % (size_t)side * 3 + (size_t)c]];
            }
            for (int t = 1; t < config->vision.temporal; t++) {
                memcpy(to + (size_t)t * area, to, area * sizeof *to);
            }
        }
    }
}

bool glm_picture_patches(const struct glm_config *config, const struct glmv_image *image,
                         struct glm_patches *out, struct glmv_err *err)
{
    int w, h;
    memset(out, 0, sizeof *out);
    if (!glm_picture_size(config, image->width, image->height, &w, &h, err)) {
        return false;
    }
    const int side = config->vision.patch;
    out->grid_h = h / side;
    out->grid_w = w / side;
    out->count = (size_t)out->grid_h * (size_t)out->grid_w;
    out->width = 3 * (size_t)config->vision.temporal * (size_t)side * (size_t)side;
    uint8_t *rgb = flat_rgb(image);
    uint8_t *fit = rgb != NULL ? glm_resize_rgb(rgb, image->width, image->height, w, h) : NULL;
    out->rows = malloc(out->count * out->width * sizeof *out->rows);
    bool ok = fit != NULL && out->rows != NULL;
    if (ok) {
        cut(config, fit, out);
    } else {
        glm_patches_release(out);
        glmv_fail_memory(err);
    }
    free(rgb);
    free(fit);
    return ok;
}

void glm_patches_release(struct glm_patches *patches)
{
    free(patches->rows);
    memset(patches, 0, sizeof *patches);
}
