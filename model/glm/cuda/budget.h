/*
 * The memory of the device that a model needs, known before anything is loaded. Private to
 * model/glm.
 */
#ifndef GLMV_MODEL_GLM_CUDA_BUDGET_H
#define GLMV_MODEL_GLM_CUDA_BUDGET_H

#include "model/glm/cuda/weights.h"

#define GLM_CUDA_SCREEN_WIDTH 1920 /* the screenshot that has to fit beside everything else */
#define GLM_CUDA_SCREEN_HEIGHT 1080
#define GLM_CUDA_BATCH 2048              /* items of a prompt taken at a time */
#define GLM_CUDA_CONTEXT_BYTES 500000000 /* what a driver takes for itself, about */

struct glm_cuda_budget {
    size_t capacity, batch;
    size_t text, embed, tower; /* weights */
    size_t cache;              /* keys and values of capacity tokens */
    size_t steps;              /* of a step, or of the tower while it reads the screenshot */
    size_t scratch;            /* that, and what lasts longer */
    size_t picture;            /* rows of the screenshot */
    size_t total;
};

/* Forms: "bf16", "fp8", "int8", "int4", "int4-g128"; NULL is bf16. */
bool glm_cuda_kept_parse(const char *name, struct glm_cuda_kept *kept, struct glmv_err *err);
const char *glm_cuda_kept_name(struct glm_cuda_kept kept);

/* What is needed for so many tokens. model: its matrices may have no data. */
bool glm_cuda_budget_make(struct glm_cuda_budget *budget, struct glm_model *model,
                          struct glm_cuda_kept kept, size_t capacity, struct glmv_err *err);
/* The same with as many tokens, wanted at most, as fit into so many bytes. False with both numbers
 * where not even a short conversation does. */
bool glm_cuda_budget_fit(struct glm_cuda_budget *budget, struct glm_model *model,
                         struct glm_cuda_kept kept, size_t wanted, size_t bytes,
                         struct glmv_err *err);
/* "text 4.84 + ... = 9.10 GB"; 256 bytes are enough. */
void glm_cuda_budget_say(const struct glm_cuda_budget *budget, char *out, size_t size);

#endif
