/*
 * One question to a model and its whole answer: a cut-off answer is asked to go on, and calls of
 * tools are carried out in between. Private to replicate.
 */
#ifndef GLMV_REPLICATE_TALK_H
#define GLMV_REPLICATE_TALK_H

#include "replicate/author.h"

/* Appends the answer. The tokens and warnings are added to the author's. */
bool replicate_talk(struct replicate_author *author, const struct glmv_chat_message *messages,
                    size_t count, struct glmv_buf *answer, struct glmv_err *err);

#endif
