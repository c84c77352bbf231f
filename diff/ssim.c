#include "diff/ssim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diff/diff.h"

#define RADIUS 5
#define TAPS (2 * RADIUS + 1)
#define SIGMA 1.5
#define SCALES 5
#define SMALLEST 22 /* px; a smaller scale is the last */

struct plane {
    float *v; /* owned */
    int w, h;
};

enum { MEAN_A, MEAN_B, SQUARE_A, SQUARE_B, PRODUCT, MAPS };

static bool plane_init(struct plane *p, int w, int h)
{
    *p = (struct plane){malloc(((size_t)w * (size_t)h + 1) * sizeof *p->v), w, h};
    return p->v != NULL;
}

static void fill_grey(const struct glmv_image *image, struct plane *p)
{
    for (int y = 0; y < p->h; y++) {
        const uint8_t *row = image->rgba + (size_t)y * (size_t)image->width * 4;
        for (int x = 0; x < p->w; x++) {
            const uint8_t *c = row + (size_t)x * 4;
            p->v[(size_t)y * (size_t)p->w + (size_t)x] =
                0.299F * c[0] + 0.587F * c[1] + 0.114F * c[2];
        }
    }
}

/* The plane at half its size, each value the mean of 2 x 2. */
static bool halve(const struct plane *p, struct plane *out)
{
    if (!plane_init(out, p->w / 2, p->h / 2)) {
        return false;
    }
    for (int y = 0; y < out->h; y++) {
        const float *top = p->v + (size_t)(2 * y) * (size_t)p->w;
        const float *low = top + p->w;
        for (int x = 0; x < out->w; x++, top += 2, low += 2) {
            out->v[(size_t)y * (size_t)out->w + (size_t)x] =
                (top[0] + top[1] + low[0] + low[1]) / 4;
        }
    }
    return true;
}

/* Beyond the rim the picture is mirrored, the outermost pixel twice. */
static int mirror(int i, int n)
{
    while (i < 0 || i >= n) {
        i = i < 0 ? -1 - i : 2 * n - 1 - i;
    }
    return i;
}

static void gaussian(float taps[TAPS])
{
    double sum = 0;
    for (int i = 0; i < TAPS; i++) {
        sum += exp(-(i - RADIUS) * (i - RADIUS) / (2 * SIGMA * SIGMA));
    }
    for (int i = 0; i < TAPS; i++) {
        taps[i] = (float)(exp(-(i - RADIUS) * (i - RADIUS) / (2 * SIGMA * SIGMA)) / sum);
    }
}

/* One row of the five maps, blurred downwards: line has RADIUS values of rim on both sides. */
static void blur_down(const struct plane *a, const struct plane *b, int y, const float *taps,
                      float *lines[MAPS])
{
    for (int k = 0; k < MAPS; k++) {
        memset(lines[k], 0, ((size_t)a->w + (size_t)2 * RADIUS) * sizeof(float));
    }
    for (int t = 0; t < TAPS; t++) {
        size_t row = (size_t)mirror(y + t - RADIUS, a->h) * (size_t)a->w;
        const float *p = a->v + row;
        const float *q = b->v + row;
        float f = taps[t];
        for (int x = 0; x < a->w; x++) {
            lines[MEAN_A][x + RADIUS] += f * p[x];
            lines[MEAN_B][x + RADIUS] += f * q[x];
            lines[SQUARE_A][x + RADIUS] += f * p[x] * p[x];
            lines[SQUARE_B][x + RADIUS] += f * q[x] * q[x];
            lines[PRODUCT][x + RADIUS] += f * p[x] * q[x];
        }
    }
    for (int k = 0; k < MAPS; k++) {
        for (int i = 1; i <= RADIUS; i++) {
            lines[k][RADIUS - i] = lines[k][RADIUS + mirror(-i, a->w)];
            lines[k][RADIUS + a->w - 1 + i] = lines[k][RADIUS + mirror(a->w - 1 + i, a->w)];
        }
    }
}

/* Sums of contrast-structure and of the whole product over one row. */
static void sum_row(float *lines[MAPS], int w, const float *taps, double sums[2])
{
    const double c1 = 6.5025;
    const double c2 = 58.5225;
    for (int x = 0; x < w; x++) {
        double m[MAPS] = {0};
        for (int k = 0; k < MAPS; k++) {
            for (int t = 0; t < TAPS; t++) {
                m[k] += (double)(taps[t] * lines[k][x + t]);
            }
        }
        double va = fmax(0, m[SQUARE_A] - m[MEAN_A] * m[MEAN_A]);
        double vb = fmax(0, m[SQUARE_B] - m[MEAN_B] * m[MEAN_B]);
        double cov = m[PRODUCT] - m[MEAN_A] * m[MEAN_B];
        double cs = (2 * cov + c2) / (va + vb + c2);
        double light =
            (2 * m[MEAN_A] * m[MEAN_B] + c1) / (m[MEAN_A] * m[MEAN_A] + m[MEAN_B] * m[MEAN_B] + c1);
        sums[0] += cs;
        sums[1] += cs * light;
    }
}

/* Means of contrast-structure and of SSIM; false without memory. */
static bool compare(const struct plane *a, const struct plane *b, double means[2])
{
    float taps[TAPS];
    gaussian(taps);
    float *room = malloc(MAPS * ((size_t)a->w + (size_t)2 * RADIUS) * sizeof *room);
    if (room == NULL) {
        return false;
    }
    float *lines[MAPS];
    for (int k = 0; k < MAPS; k++) {
        lines[k] = room + (size_t)k * ((size_t)a->w + (size_t)2 * RADIUS);
    }
    means[0] = means[1] = 0;
    for (int y = 0; y < a->h; y++) {
        blur_down(a, b, y, taps, lines);
        sum_row(lines, a->w, taps, means);
    }
    free(room);
    for (int i = 0; i < 2; i++) {
        means[i] /= (double)a->w * a->h;
    }
    return true;
}

static double share_of_pixels(const struct glmv_image *a, const struct glmv_image *b, int w, int h)
{
    double same = 0;
    for (int y = 0; y < h; y++) {
        const uint8_t *p = a->rgba + (size_t)y * (size_t)a->width * 4;
        const uint8_t *q = b->rgba + (size_t)y * (size_t)b->width * 4;
        for (int x = 0; x < w; x++) {
            same += !glmv_diff_pixel(p + (size_t)x * 4, q + (size_t)x * 4, GLMV_DIFF_THRESHOLD);
        }
    }
    return same;
}

/* All scales: planes[k][0..1] are the pictures at 1 / 2^k; the first is filled. */
static bool measure_scales(struct plane planes[SCALES][2], struct glmv_ssim *out)
{
    static const double weights[SCALES] = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};
    double left = 1;
    bool ended = false;
    out->multi = 1;
    for (int k = 0; k < SCALES; k++) {
        double means[2];
        const struct plane *p = planes[k];
        if (p->w == 0 || p->h == 0 || (ended && k > 2)) {
            break;
        }
        if (!compare(&p[0], &p[1], means)) {
            return false;
        }
        if (k == 0) {
            out->ssim = fmax(0, means[1]);
            out->quarter = out->ssim;
        } else if (k == 2) {
            out->quarter = fmax(0, means[1]);
        }
        bool last = k == SCALES - 1 || (p->w < p->h ? p->w : p->h) < SMALLEST;
        if (!ended) {
            out->multi *= pow(fmax(0, means[last]), last ? left : weights[k]);
        }
        left -= weights[k];
        ended = ended || last;
        if (k + 1 < SCALES &&
            (!halve(&p[0], &planes[k + 1][0]) || !halve(&p[1], &planes[k + 1][1]))) {
            return false;
        }
    }
    return true;
}

bool glmv_diff_ssim(const struct glmv_image *a, const struct glmv_image *b, struct glmv_ssim *out,
                    struct glmv_err *err)
{
    struct plane planes[SCALES][2] = {0};
    int w = a->width < b->width ? a->width : b->width;
    int h = a->height < b->height ? a->height : b->height;
    double canvas = (double)(a->width > b->width ? a->width : b->width) *
                    (double)(a->height > b->height ? a->height : b->height);
    *out = (struct glmv_ssim){0};
    bool ok = plane_init(&planes[0][0], w, h) && plane_init(&planes[0][1], w, h);
    if (ok) {
        fill_grey(a, &planes[0][0]);
        fill_grey(b, &planes[0][1]);
        ok = measure_scales(planes, out);
        double cover = (double)w * h / canvas;
        out->ssim *= cover;
        out->quarter *= cover;
        out->multi *= cover;
        out->pixels = share_of_pixels(a, b, w, h) / canvas;
    }
    for (int k = 0; k < SCALES; k++) {
        free(planes[k][0].v);
        free(planes[k][1].v);
    }
    return ok || glmv_fail_memory(err);
}
