/*
 * The tensors of a checkpoint folder: model.safetensors, or the shards that
 * model.safetensors.index.json names. Files are mapped read-only and nothing in them is believed: a
 * tensor exists only when its shape times its type is exactly its bytes and these lie inside the
 * file. Private to model/glm.
 */
#ifndef GLMV_MODEL_GLM_WEIGHTS_H
#define GLMV_MODEL_GLM_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GLM_MAX_DIMS 5
#define GLM_MAX_TENSORS 16384
#define GLM_MAX_SHARDS 512

/* From GLM_Q4_0 on: blocks of a GGUF file, see blocks.h. */
enum glm_type {
    GLM_F32,
    GLM_F16,
    GLM_BF16,
    GLM_I64,
    GLM_U8,
    GLM_I32,
    GLM_Q4_0,
    GLM_Q4_1,
    GLM_Q5_0,
    GLM_Q5_1,
    GLM_Q8_0,
    GLM_Q4_K,
    GLM_Q5_K,
    GLM_Q6_K,
    GLM_IQ4_NL,
    GLM_IQ4_XS,
    GLM_PACKED_ROWS, /* see packed.h */
    GLM_PACKED_AWQ,
    GLM_TYPES
};

struct glm_tensor {
    char *name; /* owned by the set; wrapping prefixes are stripped, see glm_weights_open */
    enum glm_type type;
    int dims;
    int64_t shape[GLM_MAX_DIMS];
    const void *data; /* inside the mapping; aligned to nothing */
    size_t bytes;
};

struct glm_mapping {
    void *base;
    size_t len;
};

struct glm_weights {
    struct glm_tensor *tensors; /* sorted by name */
    size_t count;
    struct glm_mapping maps[GLM_MAX_SHARDS];
    size_t map_count;
    size_t total_bytes;
    char *where, *tower; /* for messages; the tower's is NULL unless it has a file of its own */
    void *made;          /* tensors that stand in pieces in the file; owned */
};

/* False for what is not there. */
bool glm_is_folder(const char *path);

/* Bytes of a number; 0 for a type that comes in blocks. */
size_t glm_type_size(enum glm_type type);

/*
 * Opens a folder, a single .safetensors file, or GGUF files (gguf.h). Names of the text model
 * become "layers.N...", "embed_tokens.weight", "norm.weight", "lm_head.weight"; those of the tower
 * "visual....", whatever wrapper an exporter put around them.
 */
bool glm_weights_open(struct glm_weights *weights, const char *path, struct glmv_err *err);
/* A zeroed set is allowed. */
void glm_weights_close(struct glm_weights *weights);

/* Borrowed, or NULL. */
const struct glm_tensor *glm_weights_find(const struct glm_weights *weights, const char *name);
/* The tensor with this name and exactly this shape; says what is wrong otherwise. */
const struct glm_tensor *glm_weights_need(const struct glm_weights *weights, const char *name,
                                          int dims, const int64_t *shape, struct glmv_err *err);

/* Reads the header of one safetensors file that lies in memory. For tests and fuzzing: data stays
 * borrowed. */
bool glm_weights_parse(struct glm_weights *weights, const unsigned char *bytes, size_t len,
                       const char *name, struct glmv_err *err);
/* After the last parse: sorts and refuses a name that occurs twice. */
bool glm_weights_finish(struct glm_weights *weights, struct glmv_err *err);

#endif
