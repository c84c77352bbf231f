/* A conversation as the model reads it: token ids with the pictures' places, and three positions a
 * token. Private to model/glm. */
#ifndef GLMV_MODEL_GLM_PROMPT_H
#define GLMV_MODEL_GLM_PROMPT_H

#include "model/chat.h"
#include "model/glm/config.h"
#include "model/glm/tokenizer.h"

enum glm_dialect { GLM_DIALECT_46V, GLM_DIALECT_41V };

/* Appends the template's ids. Every picture is one image token here; see glm_prompt_expand. Texts
 * are encoded without added tokens, so that a page that says <|user|> stays a page. */
bool glm_prompt_render(const struct glm_tokenizer *tokenizer, enum glm_dialect dialect,
                       const struct glmv_chat_message *messages, size_t count,
                       const struct glmv_chat_options *options, struct glm_ids *out,
                       struct glmv_err *err);

/* A picture in the prompt: its size in merged patches. */
struct glm_span {
    int rows, cols;
};

/* Repeats the image tokens to rows * cols each. False where their number is not count. */
bool glm_prompt_expand(const struct glm_ids *in, int image_token, const struct glm_span *spans,
                       size_t count, struct glm_ids *out, struct glmv_err *err);

/* positions: [len][3] for expanded ids. Returns the position of the next token. */
int32_t glm_prompt_positions(const struct glm_ids *ids, int image_token,
                             const struct glm_span *spans, int32_t *positions);

#endif
