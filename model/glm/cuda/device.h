/*
 * A CUDA device with our kernels on it: loading them, launching them, memory cut into pieces.
 * Private to model/glm/cuda.
 *
 *     struct glm_cuda_norm norm = {...};
 *     ok = glm_cuda_run(&device, glm_cuda_norm_launch(&norm), &norm, &err);
 */
#ifndef GLMV_MODEL_GLM_CUDA_DEVICE_H
#define GLMV_MODEL_GLM_CUDA_DEVICE_H

#include "model/glm/cuda/driver.h"
#include "model/glm/cuda/kernels.h"

#define GLM_CUDA_LIBRARIES 32
#define GLM_CUDA_ALIGN 256 /* bytes */

struct glm_cuda_device {
    struct glm_cuda cuda;
    glm_cu_library libraries[GLM_CUDA_LIBRARIES];
    size_t library_count;
    glm_cu_function functions[GLM_CUDA_KERNEL_COUNT];
    uint32_t shared[GLM_CUDA_KERNEL_COUNT]; /* bytes of dynamic shared memory allowed so far */
    glm_cu_stream stream;                   /* everything happens in it, in order */
    bool early;                             /* a kernel may begin while the one before it ends */
    uint32_t wide;     /* processors, where the kernels for warpgroups run; else 0 */
    bool after_kernel; /* the last thing put into the stream was a kernel */
    size_t launches;   /* so far */
};

/* Opens the device and loads the kernels. A failure leaves nothing open. */
bool glm_cuda_device_open(struct glm_cuda_device *device, int ordinal, struct glmv_err *err);
/* A zeroed one is allowed. */
void glm_cuda_device_close(struct glm_cuda_device *device);

/* True where kernels were built into the program. */
bool glm_cuda_built(struct glmv_err *err);

/* args: the structure that belongs to the kernel. */
bool glm_cuda_run(struct glm_cuda_device *device, struct glm_cuda_launch launch, void *args,
                  struct glmv_err *err);
/* Copies in the order of the stream, without waiting. Memory of the host, pinned or not, stays as
 * it is until that is done. */
bool glm_cuda_send(struct glm_cuda_device *device, void *to, const void *from, size_t bytes,
                   struct glmv_err *err);
bool glm_cuda_fetch(struct glm_cuda_device *device, void *to, const void *from, size_t bytes,
                    struct glmv_err *err);
bool glm_cuda_move(struct glm_cuda_device *device, void *to, const void *from, size_t bytes,
                   struct glmv_err *err);
/* Until everything in the stream is done. A wait that fails is tried once more, since what is left in
 * the stream may read memory of the host that is given up next. The first one's code. */
int glm_cuda_drain(struct glm_cuda_device *device);
bool glm_cuda_wait(struct glm_cuda_device *device, struct glmv_err *err);

/* A piece of device memory that is handed out from its beginning. Without memory (base 0) it only
 * counts, so that the same code says what is needed and hands it out. */
struct glm_cuda_arena {
    glm_device_ptr base;
    size_t used, size;
};
/* A device address; of a counting arena, one that must not be used. */
void *glm_cuda_take(struct glm_cuda_arena *arena, size_t bytes);

#endif
