/* A screenshot to the patches that the tower reads, on the device: 90 ms of one processor for
 * 1920x1080, nearly half of what a first token may take. Private to model/glm/cuda. */
#ifndef GLMV_MODEL_GLM_CUDA_PATCHES_H
#define GLMV_MODEL_GLM_CUDA_PATCHES_H

#include "model/glm/cuda/device.h"
#include "model/glm/picture.h"

/* Sizes of a picture, as it is and as it is read. */
struct glm_cuda_shape {
    int width, height, out_width, out_height;
    struct glm_cuda_grid grid;
};
bool glm_cuda_shape_of(const struct glm_config *config, int width, int height,
                       struct glm_cuda_shape *shape, struct glmv_err *err);

/* Bytes of device memory beside the patches themselves. */
size_t glm_cuda_patches_bytes(const struct glm_cuda_shape *shape);

/* Puts the kernels into the stream that leave the bits of glm_picture_patches, as bf16, in patches
 * [n][3 * temporal * patch^2]. arena: at least that many bytes. The picture may be given up when
 * this returns. */
bool glm_cuda_patches_read(struct glm_cuda_device *device, const struct glm_config *config,
                           struct glm_cuda_arena arena, const struct glm_cuda_shape *shape,
                           const struct glmv_image *image, uint16_t *patches, struct glmv_err *err);

#endif
