/* Tokens chosen on the device: what its kernels are given. Private to model/glm/cuda. */
#ifndef GLMV_MODEL_GLM_CUDA_CHOOSE_H
#define GLMV_MODEL_GLM_CUDA_CHOOSE_H

#include "model/glm/cuda/device.h"
#include "model/glm/cuda/text.h"
#include "model/glm/runner.h"

/* How a step chooses, as far as its kernels depend on it. */
struct glm_cuda_settings {
    double temperature, top_p, penalty;
    uint32_t want;  /* best tokens of a row; 0: of top_k, or of all */
    uint32_t top_k; /* where want is 0; 0: all */
};

struct glm_cuda_choose {
    struct glm_cuda_device *device;
    size_t vocab, words;
    uint32_t *banned, *seen; /* of the device */
    uint32_t *seen_host;     /* pinned */
    int32_t *history;        /* owned; the tokens that seen_host has */
    size_t history_len;
    float *part_logits;
    int32_t *part_ids, *best_ids;
    double *best_chances;
    uint64_t *cut, *mass;
};

/* Takes device memory from an arena that may only count. */
void glm_cuda_choose_take(struct glm_cuda_choose *choose, struct glm_cuda_arena *arena,
                          size_t vocab);
/* After that, with real memory; banned: [vocab]. */
bool glm_cuda_choose_open(struct glm_cuda_choose *choose, struct glm_cuda_device *device,
                          size_t capacity, const unsigned char *banned, struct glmv_err *err);
/* A zeroed one is allowed. */
void glm_cuda_choose_close(struct glm_cuda_choose *choose);

struct glm_cuda_settings glm_cuda_settings_of(const struct glm_sampler *sampler);
/* Brings seen_host up to the history, where a penalty needs it. */
void glm_cuda_choose_prepare(struct glm_cuda_choose *choose,
                             const struct glm_cuda_settings *settings, const struct glm_step *step);
/* The kernels, after those of n rows. */
bool glm_cuda_choose_run(struct glm_cuda_choose *choose, const struct glm_cuda_settings *settings,
                         const struct glm_cuda_text *text, size_t n, struct glmv_err *err);
/* From what came back to choices: returns how many. */
size_t glm_cuda_choose_read(const struct glm_step *step, const struct glm_cuda_state *state,
                            const int32_t *counts, struct glm_choice *choices);

#endif
