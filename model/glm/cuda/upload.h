/* From mapped files into the device's memory: several threads fill pinned pieces, the device takes
 * them one after the other. Private to model/glm/cuda. */
#ifndef GLMV_MODEL_GLM_CUDA_UPLOAD_H
#define GLMV_MODEL_GLM_CUDA_UPLOAD_H

#include <pthread.h>

#include "model/glm/backend.h"
#include "model/glm/cuda/device.h"

#define GLM_CUDA_PIECE ((size_t)8 << 20) /* bytes */
#define GLM_CUDA_SLOTS 12

struct glm_cuda_slot {
    void *memory; /* pinned, GLM_CUDA_PIECE */
    glm_cu_event taken;
    pthread_mutex_t lock;
};

struct glm_cuda_upload {
    struct glm_cuda_device *device;
    struct glm_pool *pool;
    struct glm_cuda_slot slots[GLM_CUDA_SLOTS];
    size_t slot_count;
};

bool glm_cuda_upload_open(struct glm_cuda_upload *upload, struct glm_cuda_device *device,
                          struct glm_pool *pool, struct glmv_err *err);
/* A zeroed one is allowed; waits for nothing that was sent. */
void glm_cuda_upload_close(struct glm_cuda_upload *upload);

/* Puts bytes into the stream's order; from may be given up when this returns. */
bool glm_cuda_upload_bytes(struct glm_cuda_upload *upload, void *to, const void *from, size_t bytes,
                           struct glmv_err *err);
/* The same for count rows of a matrix of any form, as bf16. */
bool glm_cuda_upload_rows(struct glm_cuda_upload *upload, void *to, const struct glm_matrix *from,
                          size_t row, size_t count, struct glmv_err *err);

#endif
