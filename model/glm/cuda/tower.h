/* The vision tower on a device. Private to model/glm/cuda. */
#ifndef GLMV_MODEL_GLM_CUDA_TOWER_H
#define GLMV_MODEL_GLM_CUDA_TOWER_H

#include "model/glm/cuda/patches.h"
#include "model/glm/cuda/weights.h"

/* Bytes of device memory that a picture needs while it is read. */
size_t glm_cuda_tower_bytes(const struct glm_config *config, const struct glm_cuda_shape *shape);

/* The kernels for a picture; rows, [n / merge^2][out] floats of the device, get the result. arena:
 * at least that many bytes. The picture may be given up when this returns. */
bool glm_cuda_tower_read(struct glm_cuda_device *device, const struct glm_config *config,
                         const struct glm_cuda_weights *weights, struct glm_cuda_arena arena,
                         const struct glm_cuda_shape *shape, const struct glmv_image *image,
                         float *rows, struct glmv_err *err);

#endif
