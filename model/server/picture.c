#include <math.h>

#include "base/size.h"
#include "model/server/request.h"

/* Weight of the source pixel i in the destination span [from, to). */
static double cover(int i, double from, double to)
{
    double low = i > from ? i : from;
    double high = i + 1 < to ? i + 1 : to;
    return high - low;
}

static void average(const struct glmv_image *image, double x0, double x1, double y0, double y1,
                    uint8_t *out)
{
    double sum[4] = {0}, weight = 0;
    for (int y = (int)y0; y < y1 && y < image->height; y++) {
        for (int x = (int)x0; x < x1 && x < image->width; x++) {
            double w = cover(x, x0, x1) * cover(y, y0, y1);
            const uint8_t *p = image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
            double alpha = w * p[3];
            for (int c = 0; c < 3; c++) {
                sum[c] += alpha * p[c];
            }
            sum[3] += alpha;
            weight += w;
        }
    }
    for (int c = 0; c < 3; c++) {
        out[c] = sum[3] > 0 ? (uint8_t)lrint(sum[c] / sum[3]) : 0;
    }
    out[3] = weight > 0 ? (uint8_t)lrint(sum[3] / weight) : 0;
}

struct glmv_image *server_image_scale(const struct glmv_image *image, int width, int height,
                                      struct glmv_err *err)
{
    struct glmv_image *small = glmv_image_new(width, height, err);
    if (small == NULL) {
        return NULL;
    }
    double sx = (double)image->width / width, sy = (double)image->height / height;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            average(image, x * sx, (x + 1) * sx, y * sy, (y + 1) * sy,
                    small->rgba + ((size_t)y * (size_t)width + (size_t)x) * 4);
        }
    }
    return small;
}
