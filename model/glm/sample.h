/* Logits to a token, in the order of the reference: penalty, bans, temperature, top-k, top-p.
 * Private to model/glm. */
#ifndef GLMV_MODEL_GLM_SAMPLE_H
#define GLMV_MODEL_GLM_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct glm_sampler {
    double temperature; /* 0: the best token */
    double top_p, repetition_penalty;
    int top_k;       /* 0: all */
    uint64_t random; /* state; its first value is the seed */
};

/* Memory for one vocabulary, made once. */
struct glm_candidates {
    int32_t *ids;         /* owned; the ones that may be chosen, the likeliest first */
    double *p;            /* owned; their chances */
    unsigned char *marks; /* owned */
    size_t count;
};

bool glm_candidates_init(struct glm_candidates *candidates, size_t vocab, struct glmv_err *err);
/* Zeroed ones are allowed. */
void glm_candidates_release(struct glm_candidates *candidates);

/* Fills ids and p, whose sum is 1. history: every token so far, for the penalty. logits are
 * changed; one that is -infinity is never chosen. */
void glm_candidates_find(struct glm_candidates *candidates, const struct glm_sampler *sampler,
                         float *logits, size_t vocab, const int32_t *history, size_t len);
/* One of them by a draw of the sampler; -1 when there are none. */
int32_t glm_sample(struct glm_sampler *sampler, struct glm_candidates *candidates, float *logits,
                   size_t vocab, const int32_t *history, size_t len);

/* True when the last tokens are the same ones at least min_times in a row, with min_length tokens
 * repeated altogether. A page repeats its tags, so short periods need many repeats. */
bool glm_loops(const int32_t *ids, size_t len);

#endif
