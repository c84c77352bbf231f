/* From sampled tokens to an answer: thoughts, text and tool calls, told to the watcher in whole
 * characters. Private to model/glm. */
#ifndef GLMV_MODEL_GLM_SPEAK_H
#define GLMV_MODEL_GLM_SPEAK_H

#include "model/chat.h"
#include "model/glm/tokenizer.h"
#include "model/server/text.h"

enum glm_place { GLM_PLACE_TEXT, GLM_PLACE_THOUGHT, GLM_PLACE_CALL };

struct glm_speaker {
    const struct glm_tokenizer *tokenizer;
    const struct glmv_chat_options *options;
    const struct glmv_chat_watch *watch;
    struct glmv_chat_result *result;
    enum glm_place place;
    struct server_utf8 rest; /* of the present place */
    struct glmv_buf call;    /* the inside of a tool call */
    size_t told;             /* bytes of the text the watcher has */
    int thoughts;            /* tokens of reasoning so far */
    bool stopped;            /* a stop text was reached */
    int32_t think, think_end, call_begin, call_end, answer, answer_end;
};

void glm_speaker_init(struct glm_speaker *speaker, const struct glm_tokenizer *tokenizer,
                      const struct glmv_chat_options *options, const struct glmv_chat_watch *watch,
                      struct glmv_chat_result *result);
void glm_speaker_release(struct glm_speaker *speaker);
bool glm_speaker_token(struct glm_speaker *speaker, int32_t id, struct glmv_err *err);
/* The token that has to come next: the end of a thought that used up its budget; or -1. */
int32_t glm_speaker_forced(const struct glm_speaker *speaker);
/* Nothing follows: tells what was held back. */
bool glm_speaker_end(struct glm_speaker *speaker, struct glmv_err *err);

#endif
