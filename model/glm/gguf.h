/*
 * GGUF: one file with named values and named tensors. A model is a pair of them, the text model and
 * the tower ("mmproj"). Nothing in a file is believed: every length, count and place is checked
 * against the bytes that are there before it is used. Private to model/glm.
 */
#ifndef GLMV_MODEL_GLM_GGUF_H
#define GLMV_MODEL_GLM_GGUF_H

#include "model/glm/config.h"
#include "model/glm/tokenizer.h"
#include "model/glm/weights.h"

enum glm_gguf_type {
    GLM_GGUF_U8,
    GLM_GGUF_I8,
    GLM_GGUF_U16,
    GLM_GGUF_I16,
    GLM_GGUF_U32,
    GLM_GGUF_I32,
    GLM_GGUF_F32,
    GLM_GGUF_BOOL,
    GLM_GGUF_STRING,
    GLM_GGUF_ARRAY,
    GLM_GGUF_U64,
    GLM_GGUF_I64,
    GLM_GGUF_F64
};

/* Everything points into the file's bytes. */
struct glm_gguf_value {
    const char *key; /* not terminated */
    size_t key_len;
    enum glm_gguf_type type; /* of the elements, where it is an array */
    bool array;
    size_t count; /* 1 unless an array */
    const unsigned char *at;
    size_t bytes;
};

struct glm_gguf_tensor {
    const char *name; /* not terminated */
    size_t name_len;
    enum glm_type type;
    int dims;
    int64_t shape[4]; /* the last one runs fastest, as in safetensors */
    const unsigned char *data;
    size_t bytes;
};

struct glm_gguf {
    char *path; /* for messages */
    struct glm_mapping map;
    struct glm_gguf_value *values;
    size_t value_count;
    struct glm_gguf_tensor *tensors;
    size_t tensor_count;
};

/* Reads a file that lies in memory; bytes stay the caller's and are needed as long as this is. */
bool glm_gguf_parse(struct glm_gguf *file, const unsigned char *bytes, size_t len, const char *name,
                    struct glmv_err *err);
/* Maps and reads a file. */
bool glm_gguf_open(struct glm_gguf *file, const char *path, struct glmv_err *err);
/* A zeroed file is allowed. */
void glm_gguf_close(struct glm_gguf *file);

/* Borrowed, or NULL. */
const struct glm_gguf_value *glm_gguf_find(const struct glm_gguf *file, const char *key);
const struct glm_gguf_tensor *glm_gguf_tensor(const struct glm_gguf *file, const char *name);
/* False where there is no such number (or no such element of an array of numbers). */
bool glm_gguf_number(const struct glm_gguf *file, const char *key, size_t at, double *out);
/* True where there is such a string and it is this one. */
bool glm_gguf_is(const struct glm_gguf *file, const char *key, const char *text);
/* The next string of an array of strings: place starts at 0 and moves on. False at the end. */
bool glm_gguf_next(const struct glm_gguf_value *value, size_t *place, const char **text,
                   size_t *len);

/* The two files of a model. */
struct glm_gguf_pair {
    struct glm_gguf text, tower;
};

/* True for a .gguf file, and for a folder with such files and without a config.json. */
bool glm_gguf_here(const char *where);
/* where: the text model's file, beside which the tower's lies, or a folder that holds both. */
bool glm_gguf_pair_open(struct glm_gguf_pair *pair, const char *where, struct glmv_err *err);
/* A zeroed pair is allowed. */
void glm_gguf_pair_close(struct glm_gguf_pair *pair);

bool glm_gguf_config(const struct glm_gguf_pair *pair, struct glm_config *config,
                     struct glmv_err *err);
/* The tensors under the names of the safetensors checkpoint. They point into the pair's files. */
bool glm_gguf_weights(const struct glm_gguf_pair *pair, struct glm_weights *weights,
                      struct glmv_err *err);
/* NULL on failure. */
struct glm_tokenizer *glm_gguf_tokenizer(const struct glm_gguf *text, int vocab,
                                         struct glmv_err *err);

#endif
