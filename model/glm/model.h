/*
 * The weights of a checkpoint, bound to their places: the vision tower and the text model. Private
 * to model/glm.
 */
#ifndef GLMV_MODEL_GLM_MODEL_H
#define GLMV_MODEL_GLM_MODEL_H

#include "model/glm/backend.h"
#include "model/glm/config.h"
#include "model/glm/pack.h"
#include "model/glm/picture.h"

struct glm_text_layer {
    struct glm_matrix q, k, v, o, gate, up, down;
    float *q_bias, *k_bias, *v_bias;
    float *norm_in, *norm_attn_out, *norm_mlp_in, *norm_mlp_out;
};

struct glm_vision_block {
    struct glm_matrix qkv, proj, gate, up, down;
    float *norm1, *norm2;
};

struct glm_model {
    struct glm_config config;
    struct glm_weights weights;
    struct glm_pack pack;
    struct glm_pool *pool;
    struct glm_matrix embed, head;
    struct glm_text_layer *layers;
    float *norm;
    struct glm_matrix patch, downsample, merge_proj, merge_gate, merge_up, merge_down;
    struct glm_vision_block *blocks;
    bool half; /* decoders keep keys and values as half floats */
    float *patch_bias, *post_conv_norm, *positions, *post_norm, *downsample_bias;
    float *merge_norm, *merge_norm_bias;
    void **owned; /* what was converted or quantised */
    size_t owned_count, owned_cap;
};

/* Quantises the text model as store says (its head at INT8): from a pack in the cache, which is
 * made when it is not there, or in memory where no pack can be written. threads: see glm_pool_new.
 */
struct glm_model *glm_model_open(const char *folder, struct glm_store store, int threads,
                                 struct glmv_err *err);
/* For a model opened to be looked at: takes quantised weights from a pack in the cache. False where
 * there is none; nothing is changed then. */
bool glm_model_find_pack(struct glm_model *model, struct glm_store store);
/* For a model with its weights as stored, in 16 bits: keeps a pack of the text model in the cache,
 * whose part number i the maker makes of matrix i of glm_model_matrices. False, with nothing said,
 * where no pack belongs there or none can be written. */
bool glm_model_keep_pack(struct glm_model *model, struct glm_store store,
                         const struct glm_pack_maker *maker);
/* A model of these sizes without weights: its matrices, in bf16, have no data, its vectors are
 * ones. For what is known before weights are there, and for measurements with random ones. */
struct glm_model *glm_model_imagine(const struct glm_config *config, struct glmv_err *err);
/* bf16, int8, int4 (groups of 32) and int4-g128; NULL is bf16. */
bool glm_store_parse(const char *name, struct glm_store *store, struct glmv_err *err);
const char *glm_store_name(const struct glm_config *config, struct glm_store store);

/* Bytes that have to be in memory: weights of the text model, of the tower; keys and values of a
 * token of context. */
struct glm_need {
    double text, tower, token;
};
struct glm_need glm_model_need(const struct glm_config *config, struct glm_store store);
/* What this process may still use; 0 when nobody says. */
double glm_memory_free(void);
/* How many matrices of the text model are quantised, and these. */
#define GLM_LAYER_MATRICES 7
size_t glm_model_matrices(struct glm_model *model, struct glm_matrix **out);

/* NULL is allowed. */
void glm_model_close(struct glm_model *model);

/* Called with each intermediate result, for parity tests. */
struct glm_trace {
    void (*see)(void *arg, const char *stage, const float *data, size_t count);
    void *arg;
};

/* The tower: patches to rows of the text model's width, [count / merge^2][hidden]. The caller frees
 * them. trace may be NULL; cancel may be NULL. */
float *glm_vision_encode(struct glm_model *model, const struct glm_patches *patches,
                         const struct glm_trace *trace, struct glmv_err *err);

/* The text model with its memory of keys and values. */
struct glm_decoder {
    struct glm_model *model;
    /* [layer][kv_head][room][head_dim], floats or half floats; keys in blocks, see glm_attention */
    void *keys, *values;
    size_t capacity, len; /* positions */
    size_t room;          /* capacity, up to whole blocks */
    float *scratch;       /* for up to GLM_STEP rows at a time */
    float *x, *h, *q, *k, *v, *attn, *gate, *up;
    float *cos, *sin;
    uint64_t *attended; /* [layer] number of the job behind the one that has read its keys */
};

#define GLM_STEP 96  /* rows a step of the prefill takes: more are faster, but who cancels waits */
#define GLM_BATCH 64 /* rows whose logits can be wanted: a token and guesses */

bool glm_decoder_init(struct glm_decoder *decoder, struct glm_model *model, size_t capacity,
                      struct glmv_err *err);
/* A zeroed decoder is allowed. */
void glm_decoder_release(struct glm_decoder *decoder);

/* Appends n <= GLM_STEP tokens. input: [n][hidden]; positions: [n][3]. logits: NULL or
 * [wanted][vocab], of the last wanted tokens, GLM_BATCH at most. */
bool glm_decoder_step(struct glm_decoder *decoder, const float *input, const int32_t *positions,
                      size_t n, size_t wanted, float *logits, const struct glm_trace *trace,
                      struct glmv_err *err);

#endif
