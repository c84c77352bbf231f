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

/* How samples of one side are made of those of another: sample o of first[o] .. first[o] + count[o]
 * - 1 with weights[o * most ..], whole numbers of which GLM_TAP_BITS are a fraction. */
#define GLM_TAP_BITS 22
struct glm_taps {
    int *first, *count; /* one piece; first is owned */
    int32_t *weights;   /* owned */
    int outs, most;
};
/* False when memory ran out; released either way. */
bool glm_taps_make(struct glm_taps *taps, int in, int out);
void glm_taps_release(struct glm_taps *taps);
/* What the tower reads for each number of a channel. */
void glm_picture_values(const struct glm_picture_config *config, float values[3][256]);

/* Bicubic with antialias in 8 bits, bit for bit what Pillow does. [h][w][3] in and out; NULL when
 * memory ran out. */
uint8_t *glm_resize_rgb(const uint8_t *rgb, int width, int height, int out_width, int out_height);

#endif
