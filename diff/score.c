#include <stdlib.h>
#include <string.h>

#include "diff/diff.h"

#define WINDOW 7

bool glmv_diff_pixel(const uint8_t *a, const uint8_t *b, double threshold)
{
    if (memcmp(a, b, 3) == 0) {
        return false;
    }
    double r = a[0] - b[0];
    double g = a[1] - b[1];
    double blue = a[2] - b[2];
    double y = r * 0.29889531 + g * 0.58662247 + blue * 0.11448223;
    double i = r * 0.59597799 - g * 0.27417610 - blue * 0.32180189;
    double q = r * 0.21147017 - g * 0.52261711 + blue * 0.31114694;
    return 0.5053 * y * y + 0.299 * i * i + 0.1957 * q * q > 35215 * threshold * threshold;
}

/* Grey values of the top left w x h pixels, averaged over step x step px. */
static uint8_t *grey_of(const struct glmv_image *image, int w, int h, int step)
{
    int gw = w / step;
    int gh = h / step;
    uint8_t *grey = malloc((size_t)gw * (size_t)gh + 1);
    for (int y = 0; grey != NULL && y < gh; y++) {
        for (int x = 0; x < gw; x++) {
            unsigned sum = 0;
            for (int dy = 0; dy < step; dy++) {
                const uint8_t *p =
                    image->rgba +
                    ((size_t)(y * step + dy) * (size_t)image->width + (size_t)(x * step)) * 4;
                for (int dx = 0; dx < step; dx++, p += 4) {
                    sum += 299u * p[0] + 587u * p[1] + 114u * p[2];
                }
            }
            unsigned area = 1000u * (unsigned)(step * step);
            grey[(size_t)y * (size_t)gw + (size_t)x] = (uint8_t)((sum + area / 2) / area);
        }
    }
    return grey;
}

/* Sums over the window's rows, one for each column. */
struct column {
    int a, b, aa, bb, ab;
};

static void add_row(struct column *columns, const uint8_t *a, const uint8_t *b, int w, int sign)
{
    for (int x = 0; x < w; x++) {
        int p = a[x];
        int q = b[x];
        columns[x].a += sign * p;
        columns[x].b += sign * q;
        columns[x].aa += sign * p * p;
        columns[x].bb += sign * q * q;
        columns[x].ab += sign * p * q;
    }
}

/* SSIM of a window from its sums (Wang et al. 2004, K1 = 0.01, K2 = 0.03, L = 255, unbiased
 * variances). */
static double ssim_of(const struct column *s)
{
    const double n = WINDOW * WINDOW;
    const double c1 = 6.5025;
    const double c2 = 58.5225;
    double ma = s->a / n;
    double mb = s->b / n;
    double va = (s->aa - n * ma * ma) / (n - 1);
    double vb = (s->bb - n * mb * mb) / (n - 1);
    double cov = (s->ab - n * ma * mb) / (n - 1);
    return ((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
}

static double row_of_windows(const struct column *columns, int w)
{
    struct column s = {0};
    double sum = 0;
    for (int x = 0; x < w; x++) {
        const struct column *in = &columns[x];
        s = (struct column){s.a + in->a, s.b + in->b, s.aa + in->aa, s.bb + in->bb, s.ab + in->ab};
        if (x >= WINDOW) {
            const struct column *out = &columns[x - WINDOW];
            s = (struct column){s.a - out->a, s.b - out->b, s.aa - out->aa, s.bb - out->bb,
                                s.ab - out->ab};
        }
        if (x >= WINDOW - 1) {
            sum += ssim_of(&s);
        }
    }
    return sum / (w - WINDOW + 1);
}

/* Mean SSIM; rows (may be NULL) receives it for each row of pixels. Pictures below the window's
 * size compare exactly. */
static double ssim_map(const uint8_t *a, const uint8_t *b, int w, int h, double *rows)
{
    struct column *columns = w >= WINDOW && h >= WINDOW ? calloc((size_t)w, sizeof *columns) : NULL;
    if (columns == NULL) {
        double same = memcmp(a, b, (size_t)w * (size_t)h) == 0;
        for (int y = 0; rows != NULL && y < h; y++) {
            rows[y] = same;
        }
        return same;
    }
    double total = 0;
    for (int y = 0; y < h; y++) {
        add_row(columns, a + (size_t)y * (size_t)w, b + (size_t)y * (size_t)w, w, 1);
        if (y >= WINDOW) {
            size_t old = (size_t)(y - WINDOW) * (size_t)w;
            add_row(columns, a + old, b + old, w, -1);
        }
        if (y >= WINDOW - 1) {
            double value = row_of_windows(columns, w);
            total += value;
            if (rows != NULL) {
                rows[y - WINDOW / 2] = value;
            }
        }
    }
    for (int k = 0; rows != NULL && k < WINDOW / 2; k++) {
        rows[k] = rows[WINDOW / 2];
        rows[h - 1 - k] = rows[h - 1 - WINDOW / 2];
    }
    free(columns);
    return total / (h - WINDOW + 1);
}

/* The share of agreeing pixels of each row of the overlap. */
static double pixel_rows(const struct glmv_image *a, const struct glmv_image *b, int w, int h,
                         double *rows)
{
    double total = 0;
    for (int y = 0; y < h; y++) {
        const uint8_t *p = a->rgba + (size_t)y * (size_t)a->width * 4;
        const uint8_t *q = b->rgba + (size_t)y * (size_t)b->width * 4;
        int same = w;
        if (memcmp(p, q, (size_t)w * 4) != 0) {
            for (int x = 0; x < w; x++) {
                same -= glmv_diff_pixel(p + x * 4, q + x * 4, GLMV_DIFF_THRESHOLD);
            }
        }
        rows[y] = (double)same / w;
        total += rows[y];
    }
    return total / h;
}

static void fill_slices(struct glmv_score *score, const double *pixel, const double *ssim, int h)
{
    score->slice_px = GLMV_DIFF_SLICE_PX;
    while ((h + score->slice_px - 1) / score->slice_px > GLMV_DIFF_SLICES) {
        score->slice_px *= 2;
    }
    score->slice_count = (h + score->slice_px - 1) / score->slice_px;
    for (int i = 0; i < score->slice_count; i++) {
        int from = i * score->slice_px;
        int to = from + score->slice_px < h ? from + score->slice_px : h;
        double sum = 0;
        for (int y = from; y < to; y++) {
            sum += (pixel[y] + ssim[y]) / 2;
        }
        score->slices[i] = sum / (to - from);
    }
}

bool glmv_diff_score(const struct glmv_image *a, const struct glmv_image *b,
                     struct glmv_score *score, struct glmv_err *err)
{
    int w = a->width < b->width ? a->width : b->width;
    int h = a->height < b->height ? a->height : b->height;
    double canvas = (double)(a->width > b->width ? a->width : b->width) *
                    (double)(a->height > b->height ? a->height : b->height);
    memset(score, 0, sizeof *score);
    uint8_t *grey_a = grey_of(a, w, h, 1);
    uint8_t *grey_b = grey_of(b, w, h, 1);
    uint8_t *small_a = grey_of(a, w, h, w >= 4 && h >= 4 ? 4 : 1);
    uint8_t *small_b = grey_of(b, w, h, w >= 4 && h >= 4 ? 4 : 1);
    double *pixel = malloc((size_t)h * sizeof *pixel);
    double *ssim = malloc((size_t)h * sizeof *ssim);
    bool ok = grey_a != NULL && grey_b != NULL && small_a != NULL && small_b != NULL &&
              pixel != NULL && ssim != NULL;
    if (ok) {
        int step = w >= 4 && h >= 4 ? 4 : 1;
        score->pixel = pixel_rows(a, b, w, h, pixel);
        score->ssim = ssim_map(grey_a, grey_b, w, h, ssim);
        score->ssim_quarter = ssim_map(small_a, small_b, w / step, h / step, NULL);
        score->size = (double)w * h / canvas;
        score->total = (score->pixel + score->ssim + score->ssim_quarter) / 3 * score->size;
        fill_slices(score, pixel, ssim, h);
    }
    free(grey_a);
    free(grey_b);
    free(small_a);
    free(small_b);
    free(pixel);
    free(ssim);
    return ok || glmv_fail_memory(err);
}

void glmv_score_charge_width(struct glmv_score *score, int shown, int whole)
{
    if (whole > shown && shown > 0) {
        double share = (double)shown / whole;
        score->size *= share;
        score->total *= share;
    }
}
