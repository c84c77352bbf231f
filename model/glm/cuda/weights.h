/*
 * The weights on a device: which form each matrix gets, how many bytes that is, and the way there.
 * Threads copy what is mapped into pinned memory, from which the device takes it while the next
 * piece is read; what has to change its form changes on the device. Private to model/glm/cuda.
 */
#ifndef GLMV_MODEL_GLM_CUDA_WEIGHTS_H
#define GLMV_MODEL_GLM_CUDA_WEIGHTS_H

#include "model/glm/cuda/device.h"
#include "model/glm/model.h"

/* How the text model is kept on the device. */
struct glm_cuda_kept {
    enum glm_cuda_form form; /* BF16: as stored, blocks of GGUF files in their own forms */
    uint32_t group;          /* 32 or 128 with INT8 and INT4 */
};

struct glm_cuda_layer {
    struct glm_cuda_matrix qkv[3], o, gate, up, down;
    const float *bias; /* q, k, v */
    const float *norm_in, *norm_attn_out, *norm_mlp_in, *norm_mlp_out;
};

struct glm_cuda_block {
    struct glm_cuda_matrix qkv, proj, gate, up, down;
    const float *norm1, *norm2;
};

/* Addresses are the device's. */
struct glm_cuda_weights {
    struct glm_cuda_layer *layers; /* owned, [layers] */
    struct glm_cuda_block *blocks; /* owned, [depth] */
    const uint16_t *embed;
    struct glm_cuda_matrix head;
    const float *norm, *freq;
    struct glm_cuda_matrix patch, downsample, merge_proj, merge_gate, merge_up, merge_down;
    const float *patch_bias, *post_conv_norm, *positions, *post_norm, *downsample_bias;
    const float *merge_norm, *merge_norm_bias, *turn_freq;
    struct glm_cuda_arena arena;
    size_t text_bytes, embed_bytes, tower_bytes; /* of the arena */
};

/* False with the reason where the kernels do not take a model of these sizes. */
bool glm_cuda_fits(const struct glm_config *config, struct glmv_err *err);

/* Fills in the three sizes and what each matrix would be; nothing is loaded and no address is one.
 * A matrix of the model whose data is NULL counts. Release it with a NULL device. */
bool glm_cuda_weights_count(struct glm_cuda_weights *weights, struct glm_model *model,
                            struct glm_cuda_kept store, struct glmv_err *err);

/*
 * Loads. Where a matrix of the model has no data, it gets random numbers, for measurements. seed:
 * of these. The model is not needed afterwards.
 */
bool glm_cuda_weights_load(struct glm_cuda_weights *weights, struct glm_cuda_device *device,
                           struct glm_model *model, struct glm_cuda_kept store, uint64_t seed,
                           struct glmv_err *err);
/* Matrix number at of glm_model_matrices, whose tiles (or rows of fp8) come back; free() data and scales. False for
 * other forms than that. */
bool glm_cuda_weights_fetch(const struct glm_cuda_weights *weights, struct glm_cuda_device *device,
                            int layers, size_t at, const struct glm_store *wanted,
                            struct glm_matrix *out, struct glmv_err *err);
/* A zeroed one is allowed. */
void glm_cuda_weights_release(struct glm_cuda_weights *weights, struct glm_cuda_device *device);

#endif
