/* A picture to the rows the tower reads, as the reference processor makes them. Private to
 * model/glm. */
#ifndef GLMV_MODEL_GLM_PICTURE_H
#define GLMV_MODEL_GLM_PICTURE_H

#include "base/image.h"
#include "model/glm/config.h"

struct glm_patches {
    float *rows; /* owned; [grid_h * grid_w][3 * temporal * patch * patch] */
    size_t count, width;
    int grid_h, grid_w; /* patches a side */
};

/* The size a picture is read at. False for a side ratio above 200. */
bool glm_picture_size(const struct glm_config *config, int width, int height, int *out_width,
                      int *out_height, struct glmv_err *err);

/* Lays the picture over white, resizes, normalises and cuts it. Free with glm_patches_release. */
bool glm_picture_patches(const struct glm_config *config, const struct glmv_image *image,
                         struct glm_patches *out, struct glmv_err *err);
void glm_patches_release(struct glm_patches *patches);

/* Bicubic with antialias in 8 bits, bit for bit what Pillow does. [h][w][3] in and out; NULL when
 * memory ran out. */
uint8_t *glm_resize_rgb(const uint8_t *rgb, int width, int height, int out_width, int out_height);

#endif
