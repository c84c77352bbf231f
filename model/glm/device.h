/*
 * Where a model runs: on the processor, on a CUDA device, or on whichever is there. Opens the
 * weights as that place wants them. Private to model/glm.
 */
#ifndef GLMV_MODEL_GLM_DEVICE_H
#define GLMV_MODEL_GLM_DEVICE_H

#include "base/buf.h"
#include "model/glm/cuda/cuda.h"
#include "model/glm/runner.h"

enum glm_device_kind { GLM_DEVICE_AUTO, GLM_DEVICE_CPU, GLM_DEVICE_CUDA };

struct glm_device {
    enum glm_device_kind kind;
    int ordinal; /* of a CUDA device */
};

/* "auto", "cpu", "cuda" or "cuda:N"; NULL is GLMV_DEVICE, or auto where that is not set. */
bool glm_device_parse(const char *text, struct glm_device *device, struct glmv_err *err);

/* True for what can stand for how weights are kept somewhere: on the processor the names of
 * glm_store_parse, on a device also fp8. */
bool glm_device_name(const char *name, struct glmv_err *err);

/* Opens the weights of a folder or file for a CUDA device, from where they are copied: as they are
 * stored, or as the pack in the cache has them where there is one. */
struct glm_model *glm_device_open_cuda(const char *where, const char *name, struct glmv_err *err);

/* Keeps what the device has quantised as a pack in the cache, so that the next start reads a
 * quarter of the bytes, on the processor too: the bits are the same. Does nothing where one was
 * there, where weights are not quantised, and where none can be written. */
void glm_device_keep_pack(struct glm_model *model, const char *name, struct glm_runner *runner);

/* One line of what a model needs on a device that can be used; said: there is such a line. Only
 * where a CUDA device was asked for does it fail without one. */
bool glm_device_need(const struct glm_config *config, const char *name, struct glm_device device,
                     struct glmv_buf *out, bool *said, struct glmv_err *err);
/* Lines for model-info: the device, and the memory that each form needs on one. */
bool glm_device_say(struct glm_model *model, struct glmv_buf *out, struct glmv_err *err);

#endif
