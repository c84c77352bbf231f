/*
 * CUDA behind the engine's table (model/glm/runner.h), and what the program says about it. Private
 * to model/glm.
 *
 *     struct glm_cuda_options options = {.ordinal = 0, .kept = kept, .capacity = 32768,
 *                                        .banned = banned};
 *     struct glm_runner *runner = glm_runner_cuda(model, &options, &err);
 */
#ifndef GLMV_MODEL_GLM_CUDA_CUDA_H
#define GLMV_MODEL_GLM_CUDA_CUDA_H

#include "model/glm/cuda/budget.h"
#include "model/glm/runner.h"

struct glm_cuda_options {
    int ordinal;
    struct glm_cuda_kept kept;
    size_t capacity;             /* tokens wanted; fewer are taken where memory is short */
    const unsigned char *banned; /* [vocab], read while opening; borrowed by the runner */
    uint64_t seed;               /* of weights that the model does not have */
    bool plain;                  /* without graphs; for tests and measurements */
};

/* Loads the model's weights; the model's configuration is copied, so it may be closed afterwards.
 */
struct glm_runner *glm_runner_cuda(struct glm_model *model, const struct glm_cuda_options *options,
                                   struct glmv_err *err);

/* What a runner has done, for tests and measurements. */
struct glm_cuda_counts {
    size_t launches, graphs_made, graphs_updated, graphs_launched;
    size_t memory; /* bytes of the device's weights and work */
};
struct glm_cuda_counts glm_runner_cuda_counts(const struct glm_runner *runner);
/* Logits of the last step that chose, [rows][vocab]. */
bool glm_runner_cuda_logits(struct glm_runner *runner, size_t rows, float *out,
                            struct glmv_err *err);
/* The weights and the device, for measurements. Borrowed. */
const struct glm_cuda_weights *glm_runner_cuda_weights(const struct glm_runner *runner);
struct glm_cuda_device *glm_runner_cuda_device(struct glm_runner *runner);

#endif
