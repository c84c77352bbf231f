#include <string.h>

#include "diff/shift.h"

static bool is_removed(const struct glmv_gap *gaps, size_t count, int y)
{
    for (size_t i = 0; i < count; i++) {
        if (!gaps[i].inserted && y >= gaps[i].y && y < gaps[i].y + gaps[i].h) {
            return true;
        }
    }
    return false;
}

struct glmv_image *glmv_diff_align(const struct glmv_image *a, const struct glmv_image *b,
                                   const struct glmv_band *bands, size_t band_count,
                                   const struct glmv_gap *gaps, size_t gap_count,
                                   struct glmv_err *err)
{
    struct glmv_image *out = glmv_image_new(b->width, a->height, err);
    int shared = a->width < b->width ? a->width : b->width;
    for (size_t i = 0; out != NULL && i < band_count; i++) {
        for (int y = bands[i].y; y < bands[i].y + bands[i].h; y++) {
            uint8_t *to = out->rgba + (size_t)y * (size_t)b->width * 4;
            int from = y + bands[i].dy;
            if (from >= 0 && from < b->height && !is_removed(gaps, gap_count, y)) {
                memcpy(to, b->rgba + (size_t)from * (size_t)b->width * 4, (size_t)b->width * 4);
            } else {
                memcpy(to, a->rgba + (size_t)y * (size_t)a->width * 4, (size_t)shared * 4);
            }
        }
    }
    return out;
}
