/* What a vocabulary is once it was read (vocabulary.c), for the encoder (tokenizer.c). Private to
 * model/glm. */
#ifndef GLMV_MODEL_GLM_VOCABULARY_H
#define GLMV_MODEL_GLM_VOCABULARY_H

#include "model/glm/tokenizer.h"

#define GLM_MAX_ADDED 4096

struct glm_token {
    char *bytes; /* owned; NULL where no token has this id */
    uint32_t len;
    bool special;
};

struct glm_merge {
    uint64_t pair; /* left << 32 | right; UINT64_MAX: free */
    int32_t rank, id;
};

struct glm_tokenizer {
    struct glm_token *tokens; /* by id */
    int count;
    int32_t *slots; /* hash of the bytes to id; -1: free */
    size_t slot_mask;
    struct glm_merge *merges;
    size_t merge_mask;
    int32_t byte_ids[256];
    int32_t added[GLM_MAX_ADDED];
    size_t added_count;
    bool added_first[256]; /* some added token starts with this byte */
    bool ignore_merges;
};

/* The plain token with these bytes, or -1. */
int32_t glm_vocabulary_token(const struct glm_tokenizer *t, const char *bytes, size_t len);
/* How two neighbours merge, or NULL. */
const struct glm_merge *glm_vocabulary_merge(const struct glm_tokenizer *t, int32_t left,
                                             int32_t right);

#endif
