/* Logits to a token, in the order of the reference: penalty, bans, temperature, top-k, top-p.
 * Private to model/glm. */
#ifndef GLMV_MODEL_GLM_SAMPLE_H
#define GLMV_MODEL_GLM_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GLM_MAX_TOP 64 /* candidates that are looked at */

struct glm_sampler {
    double temperature; /* 0: the best token */
    double top_p, repetition_penalty;
    int top_k;       /* 0: GLM_MAX_TOP */
    uint64_t random; /* state; its first value is the seed */
};

/* history: every token so far, for the penalty. logits are changed. */
int32_t glm_sample(struct glm_sampler *sampler, float *logits, size_t vocab, const int32_t *history,
                   size_t len, unsigned char *marks);

/* True when the last tokens are the same ones at least min_times in a row, with min_length tokens
 * repeated altogether. A page repeats its tags, so short periods need many repeats. */
bool glm_loops(const int32_t *ids, size_t len);

#endif
