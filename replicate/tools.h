/*
 * What a model may call while it writes a page: render_page, compare and crop. They answer with
 * numbers and pictures; a wrong call gets a sentence, never an error. Private to replicate.
 */
#ifndef GLMV_REPLICATE_TOOLS_H
#define GLMV_REPLICATE_TOOLS_H

#include "base/buf.h"
#include "base/image.h"
#include "diff/diff.h"
#include "model/chat.h"
#include "model/tracer/scene.h"
#include "replicate/referee.h"

#define REPLICATE_MAX_CALLS 8 /* for one answer */

struct replicate_tools {
    const struct replicate_referee *referee; /* borrowed */
    const struct glmv_image *target;         /* borrowed */
    const struct glmv_scene *scene;          /* borrowed */
    const struct glmv_render *shown;         /* borrowed: of the page to revise; NULL for a draft */
    struct glmv_render *render;              /* owned: of the page drawn last; NULL before */
    struct glmv_buf best;                    /* the best page that was drawn; slots unfilled */
    struct glmv_score score;                 /* of it */
    int calls;                               /* made so far */
};

struct replicate_tool_answer {
    struct glmv_buf text;
    struct glmv_image *image; /* NULL for none */
};

/* What is told to the model. */
extern const struct glmv_chat_tool replicate_tool_list[];
extern const size_t replicate_tool_count;

/* Forgets the pages of the answer before. */
void replicate_tools_reset(struct replicate_tools *tools);
/* false without memory or when it was cancelled. The caller releases the answer either way. */
bool replicate_tools_call(struct replicate_tools *tools, const struct glmv_chat_call *call,
                          struct replicate_tool_answer *answer, struct glmv_err *err);
void replicate_tool_answer_release(struct replicate_tool_answer *answer);
void replicate_tools_release(struct replicate_tools *tools);

#endif
