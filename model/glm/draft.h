/*
 * Guesses what the model says next, without a model: an edit of a page mostly repeats the page, and
 * any page repeats itself. A guess costs nothing when it is wrong but the rows that checked it; the
 * answer is the same with and without. Private to model/glm.
 */
#ifndef GLMV_MODEL_GLM_DRAFT_H
#define GLMV_MODEL_GLM_DRAFT_H

#include "model/glm/tokenizer.h"

/* Everything known of the conversation in one list: the last answer, the prompt, and the present
 * answer as it grows. The cursor walks through what came before. */
struct glm_draft {
    int32_t *ids; /* owned */
    size_t len, cap;
    size_t start;      /* where the present answer begins */
    size_t cursor;     /* the place that is expected to come next; 0: none */
    size_t run;        /* tokens in a row that the cursor foretold */
    size_t lost;       /* tokens since it did not */
    uint32_t *table;   /* owned; hash of NEAR tokens to one past their latest place */
    uint32_t *distant; /* owned; the same for FAR tokens */
};

/* cap: tokens that fit; nothing is allocated later. False when memory ran out. */
bool glm_draft_init(struct glm_draft *draft, size_t cap, struct glmv_err *err);
/* A zeroed draft is allowed. */
void glm_draft_release(struct glm_draft *draft);

/* Begins an answer: what the previous one said is kept in front as far as it fits. */
void glm_draft_begin(struct glm_draft *draft, const int32_t *prompt, size_t len);
/* A token was said. */
void glm_draft_push(struct glm_draft *draft, int32_t id);
/* Up to most tokens that may come next; fewer the less certain they are. price: what checking one
 * costs, as a part of a step (0 .. 1). */
size_t glm_draft_guess(struct glm_draft *draft, int32_t *out, size_t most, double price);

#endif
