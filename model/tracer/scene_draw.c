/* The scene drawn over its picture: boxes blue, words green, pictures orange. */
#include <math.h>
#include <string.h>

#include "model/tracer/perception.h"

static void outline(struct glmv_image *image, struct glmv_box box, const uint8_t *rgb)
{
    int x0 = model_max((int)floor(box.x), 0);
    int y0 = model_max((int)floor(box.y), 0);
    int x1 = model_min((int)ceil(box.x + box.w), image->width) - 1;
    int y1 = model_min((int)ceil(box.y + box.h), image->height) - 1;
    for (int y = y0; y <= y1; y++) {
        for (int x = x0; x <= x1; x++) {
            if (y == y0 || y == y1 || x == x0 || x == x1) {
                memcpy(image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4, rgb, 3);
            } else {
                x = x < x1 - 1 ? x1 - 1 : x;
            }
        }
    }
}

struct glmv_image *glmv_scene_draw(const struct glmv_scene *scene, const struct glmv_image *image,
                                   struct glmv_err *err)
{
    static const uint8_t blue[3] = {0x1e, 0x6f, 0xff};
    static const uint8_t green[3] = {0x00, 0xa0, 0x40};
    static const uint8_t orange[3] = {0xff, 0x80, 0x00};
    struct glmv_image *copy = glmv_image_crop(image, 0, 0, image->width, image->height, err);
    if (copy == NULL) {
        return NULL;
    }
    glmv_image_flatten(copy, 0xffffff);
    for (size_t i = 0; i < scene->box_count; i++) {
        outline(copy, scene->boxes[i].box, blue);
    }
    for (size_t i = 0; i < scene->picture_count; i++) {
        outline(copy, scene->pictures[i].box, orange);
    }
    for (size_t i = 0; i < scene->line_count; i++) {
        for (size_t k = 0; k < scene->lines[i].word_count; k++) {
            outline(copy, scene->lines[i].words[k].ink, green);
        }
    }
    return copy;
}
