/*
 * One CUDA device through NVIDIA's driver, which is found when a device is opened and not before:
 * the program needs neither toolkit nor driver to build and start. Every failure of the driver
 * becomes one sentence, and memory that is refused says how much was asked for and how much is
 * free. A device that failed for good (struct glm_cuda.lost) says so at every later call. Private
 * to model/glm.
 *
 *     struct glm_cuda cuda;
 *     if (glm_cuda_open(&cuda, 0, &err)) { ...; glm_cuda_close(&cuda); }
 */
#ifndef GLMV_MODEL_GLM_CUDA_DRIVER_H
#define GLMV_MODEL_GLM_CUDA_DRIVER_H

#include <stdbool.h>

#include "base/err.h"
#include "model/glm/cuda/driver_api.h"

/* The oldest driver that loads what the toolkit we build with makes, as cuDriverGetVersion counts
 * (1000 * major + 10 * minor), and the branch of NVIDIA's drivers it came with. */
#define GLM_CUDA_DRIVER 13000
#define GLM_CUDA_BRANCH "580"

struct glm_cuda {
    struct glm_cu_api api;
    void *library; /* libcuda.so.1 */
    int ordinal, device;
    glm_cu_context context;
    char name[96];
    int driver; /* version */
    int major, minor, sms;
    size_t memory; /* bytes of the device */
    bool lost;     /* for good */
    bool failed;   /* something has failed; the caller may clear it */
};

/* What is known of a machine without opening a device. */
struct glm_cuda_found {
    int count; /* devices */
    int driver;
    char name[96]; /* of the wanted one */
    int major, minor;
    size_t memory;
};

/* Looks; nothing stays open. False with the reason where the device cannot be used: no driver
 * (GLMV_ERR_MISSING), one that is too old, no device, no such device, kernels not built in. */
bool glm_cuda_look(int ordinal, struct glm_cuda_found *found, struct glmv_err *err);

/* Opens a device and makes its context the calling thread's. */
bool glm_cuda_open(struct glm_cuda *cuda, int ordinal, struct glmv_err *err);
/* A zeroed one is allowed. */
void glm_cuda_close(struct glm_cuda *cuda);
/* Makes the context the calling thread's. */
bool glm_cuda_enter(struct glm_cuda *cuda, struct glmv_err *err);

/* True for GLM_CU_SUCCESS. Otherwise says what failed, "cannot DOING", and notes a lost device. */
bool glm_cuda_check(struct glm_cuda *cuda, int code, const char *doing, struct glmv_err *err);

/* Memory of the device; what: "the weights". Zeroed memory is not promised. */
bool glm_cuda_alloc(struct glm_cuda *cuda, size_t bytes, const char *what, glm_device_ptr *out,
                    struct glmv_err *err);
/* 0 is allowed. */
void glm_cuda_free(struct glm_cuda *cuda, glm_device_ptr ptr);
/* Memory of the host that the device reads by itself. */
bool glm_cuda_alloc_host(struct glm_cuda *cuda, size_t bytes, void **out, struct glmv_err *err);
/* NULL is allowed. */
void glm_cuda_free_host(struct glm_cuda *cuda, void *ptr);
/* Bytes of the device that nobody uses; 0 when it does not say. */
size_t glm_cuda_memory_free(struct glm_cuda *cuda);

/* Copies and waits until that is done. */
bool glm_cuda_put(struct glm_cuda *cuda, glm_device_ptr to, const void *from, size_t bytes,
                  glm_cu_stream stream, struct glmv_err *err);
bool glm_cuda_get(struct glm_cuda *cuda, void *to, glm_device_ptr from, size_t bytes,
                  glm_cu_stream stream, struct glmv_err *err);

#endif
