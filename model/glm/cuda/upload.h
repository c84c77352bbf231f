/* From mapped files into the device's memory: several threads fill pinned pieces, the device takes
 * them one after the other. Private to model/glm/cuda. */
#ifndef GLMV_MODEL_GLM_CUDA_UPLOAD_H
#define GLMV_MODEL_GLM_CUDA_UPLOAD_H

#include <pthread.h>
#include <string.h>

#include "model/glm/backend.h"
#include "model/glm/cuda/device.h"

#define GLM_CUDA_PIECE ((size_t)4 << 20) /* bytes */
#define GLM_CUDA_SLOTS 24                /* more than threads: some are on their way */

struct glm_cuda_slot {
    void *memory; /* pinned, GLM_CUDA_PIECE */
    glm_cu_event taken;
    pthread_mutex_t lock;
};

/* Rounded to the nearest, ties to even. */
static inline uint16_t glm_cuda_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)(x != x ? 0x7FC0 : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/* What one slot takes at a time. */
struct glm_cuda_piece {
    unsigned char *to; /* of the device */
    const unsigned char *from;
    size_t bytes;
};

struct glm_cuda_upload {
    struct glm_cuda_device *device;
    struct glm_pool *pool;
    struct glm_cuda_slot slots[GLM_CUDA_SLOTS];
    size_t slot_count;
    struct glm_cuda_piece *pieces; /* owned; put off */
    size_t piece_count, piece_room;
};

void glm_cuda_upload_open(struct glm_cuda_upload *upload, struct glm_cuda_device *device,
                          struct glm_pool *pool);
/* A zeroed one is allowed; waits for nothing that was sent. */
void glm_cuda_upload_close(struct glm_cuda_upload *upload);

/* Notes bytes for glm_cuda_upload_all, until when from has to stay: many small matrices together
 * give every thread work, each for itself does not. */
bool glm_cuda_upload_later(struct glm_cuda_upload *upload, void *to, const void *from, size_t bytes,
                           struct glmv_err *err);
/* Puts all that was noted into the stream's order. */
bool glm_cuda_upload_all(struct glm_cuda_upload *upload, struct glmv_err *err);
/* Puts count rows of a matrix of any form, as bf16, into the stream's order at once; from may be
 * given up when this returns. */
bool glm_cuda_upload_rows(struct glm_cuda_upload *upload, void *to, const struct glm_matrix *from,
                          size_t row, size_t count, struct glmv_err *err);

#endif
