/*
 * What is said to models. The texts are the files of replicate/prompts, built into the program; a
 * folder named by GLMV_PROMPTS replaces those it holds. {{name}} in a text is a place to fill.
 * Private to replicate.
 */
#ifndef GLMV_REPLICATE_PROMPT_H
#define GLMV_REPLICATE_PROMPT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct replicate_prompt {
    const char *name, *text;
};

/* Ends with a NULL name. */
extern const struct replicate_prompt replicate_prompts[];

struct replicate_fill {
    const char *name, *value;
};

/* Appends the text with its places filled; a place without a value becomes empty. fills ends with a
 * NULL name and may be NULL. */
bool replicate_prompt_write(const char *name, const struct replicate_fill *fills,
                            struct glmv_buf *out, struct glmv_err *err);

#endif
