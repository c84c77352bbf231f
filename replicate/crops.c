#include "replicate/crops.h"

#include <string.h>

#define CROP_MARGIN 40 /* px round the place */
#define GAP 16

struct glmv_image *replicate_crop_pair(const struct glmv_image *target,
                                       const struct glmv_image *render, struct glmv_box box,
                                       struct glmv_err *err)
{
    int x = (int)box.x - CROP_MARGIN, y = (int)box.y - CROP_MARGIN;
    x = x < 0 ? 0 : x;
    y = y < 0 ? 0 : y;
    int w = (int)(box.x + box.w) + CROP_MARGIN - x, h = (int)(box.y + box.h) + CROP_MARGIN - y;
    w = w > target->width - x ? target->width - x : w;
    h = h > target->height - y ? target->height - y : h;
    if (w < 1 || h < 1) {
        x = y = 0;
        w = target->width;
        h = target->height < 800 ? target->height : 800;
    }
    struct glmv_image *pair = glmv_image_new(2 * w + 16, h, err);
    const struct glmv_image *sides[] = {target, render};
    for (int side = 0; pair != NULL && side < 2; side++) {
        for (int row = 0; row < h && y + row < sides[side]->height; row++) {
            int have = sides[side]->width - x < w ? sides[side]->width - x : w;
            if (have > 0) {
                size_t to = (size_t)row * (size_t)pair->width + (size_t)(side * (w + 16));
                size_t from = (size_t)(y + row) * (size_t)sides[side]->width + (size_t)x;
                memcpy(pair->rgba + to * 4, sides[side]->rgba + from * 4, (size_t)have * 4);
            }
        }
    }
    if (pair != NULL) {
        glmv_image_flatten(pair, 0x808080);
    }
    return pair;
}
