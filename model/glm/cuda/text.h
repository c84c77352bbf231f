/*
 * The text model on a device: the kernels of a step in their order, and the memory they share.
 * Steps that choose tokens take the weight-streaming products, whose rows have the same bits in any
 * company; what only fills the memory of keys and values takes the tensor cores. Private to
 * model/glm/cuda.
 */
#ifndef GLMV_MODEL_GLM_CUDA_TEXT_H
#define GLMV_MODEL_GLM_CUDA_TEXT_H

#include "model/glm/cuda/weights.h"

/* What is copied to the device before a step, in this order, for so many rows as fit:
 * struct glm_cuda_state, counts[GLM_CUDA_ROWS], ids[rows], positions[rows][3]. The first two come
 * back after it. */
struct glm_cuda_input {
    size_t rows, bytes, answer_bytes;
    unsigned char *host; /* pinned */
    void *device;
};
struct glm_cuda_state *glm_cuda_input_state(const struct glm_cuda_input *input, void *base);
int32_t *glm_cuda_input_counts(const struct glm_cuda_input *input, void *base);
int32_t *glm_cuda_input_ids(const struct glm_cuda_input *input, void *base);
int32_t *glm_cuda_input_positions(const struct glm_cuda_input *input, void *base);
/* Fills in the sizes. */
void glm_cuda_input_measure(struct glm_cuda_input *input, size_t rows);

/* Memory of a step of rows; addresses are the device's. */
struct glm_cuda_rows {
    float *extra; /* [rows][hidden] of pictures */
    float *x;     /* [rows][hidden] */
    uint16_t *h;  /* [rows][hidden] */
    float *parts; /* products, in slices */
    uint16_t *q;  /* [rows][heads * dim] */
    uint16_t *attended;
    float *splits; /* of attention; decode only */
    uint16_t *gate;
    float *logits; /* [rows][vocab]; decode only */
};

struct glm_cuda_text {
    struct glm_cuda_device *device;
    const struct glm_text_config *config;
    const struct glm_cuda_weights *weights;
    uint16_t *keys, *values; /* [layer][kv_head][capacity][dim] */
    size_t capacity;
    struct glm_cuda_rows decode, prefill;
    struct glm_cuda_input decode_input, prefill_input;
};

/* Takes the memory of a step of up to rows from an arena that may only count. */
void glm_cuda_rows_take(struct glm_cuda_rows *rows, struct glm_cuda_arena *arena,
                        const struct glm_text_config *config,
                        const struct glm_cuda_weights *weights, size_t count, size_t capacity,
                        bool decode);

/* Kernels for n rows whose input was copied: first stands at place len. */
bool glm_cuda_text_prefill(struct glm_cuda_text *text, size_t n, size_t len, struct glmv_err *err);
/* The same, up to decode.logits, n <= GLM_CUDA_ROWS; splits: see glm_cuda_attend. */
bool glm_cuda_text_decode(struct glm_cuda_text *text, size_t n, size_t splits,
                          struct glmv_err *err);

#endif
