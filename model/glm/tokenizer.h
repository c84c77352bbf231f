/*
 * Byte-level BPE from a tokenizer.json, with the GLM-4 pre-tokeniser. Text to ids and back, equal
 * to the reference for every valid UTF-8 text. Private to model/glm.
 */
#ifndef GLMV_MODEL_GLM_TOKENIZER_H
#define GLMV_MODEL_GLM_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GLM_MAX_IDS (1u << 24) /* ids in one list */

/* A growing list of token ids. */
struct glm_ids {
    int32_t *data; /* owned */
    size_t len, cap;
};

void glm_ids_release(struct glm_ids *ids);
bool glm_ids_push(struct glm_ids *ids, int32_t id, struct glmv_err *err);

struct glm_tokenizer;

/* vocab: rows of the model's embedding; an id past it is refused. NULL on failure. */
struct glm_tokenizer *glm_tokenizer_open(const char *path, int vocab, struct glmv_err *err);
struct glm_tokenizer *glm_tokenizer_parse(const char *json, size_t len, int vocab, const char *name,
                                          struct glmv_err *err);
/* From a folder's tokenizer.json, or from a GGUF file (gguf.h). */
struct glm_tokenizer *glm_tokenizer_find(const char *where, int vocab, struct glmv_err *err);
/* From the tree of a tokenizer.json. */
struct cJSON;
struct glm_tokenizer *glm_tokenizer_build(const struct cJSON *root, int vocab, const char *name,
                                          struct glmv_err *err);
/* NULL is allowed. */
void glm_tokenizer_close(struct glm_tokenizer *tokenizer);

/* Appends the ids of text. added: literal "<|user|>" and the like become their token; text that
 * comes from people or files is encoded without, so that it cannot play another role. */
bool glm_tokenizer_encode(const struct glm_tokenizer *tokenizer, const char *text, size_t len,
                          bool added, struct glm_ids *out, struct glmv_err *err);

/* The bytes of a token (borrowed; possibly part of a character), or NULL for an id without one. */
const char *glm_tokenizer_bytes(const struct glm_tokenizer *tokenizer, int32_t id, size_t *len);
/* The id of an added token by its text, or -1. */
int32_t glm_tokenizer_added(const struct glm_tokenizer *tokenizer, const char *text);
/* True for the marks that are not part of an answer's text. */
bool glm_tokenizer_special(const struct glm_tokenizer *tokenizer, int32_t id);
/* One past the largest id. */
int glm_tokenizer_count(const struct glm_tokenizer *tokenizer);

/* Length in bytes of the next piece of the pre-tokeniser. len > 0. */
size_t glm_piece_next(const char *text, size_t len);

#endif
