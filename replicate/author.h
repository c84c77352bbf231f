/*
 * A model as the author of a page: what it is told and what it answers. Each round is a short
 * conversation of its own (screenshot and measured facts, the best page so far, what is wrong with
 * it), so that a long history cannot crowd out the page, and its start is the same every time.
 * Private to replicate.
 */
#ifndef GLMV_REPLICATE_AUTHOR_H
#define GLMV_REPLICATE_AUTHOR_H

#include "base/buf.h"
#include "base/err.h"
#include "base/image.h"
#include "model/chat.h"
#include "model/tracer/scene.h"
#include "replicate/feedback.h"

#define REPLICATE_MAX_HTML (8u << 20)

struct replicate_author {
    struct glmv_chat *chat;           /* borrowed */
    struct glmv_chat_options options; /* its cancel flag stops a round */
    struct glmv_chat_watch watch;
    const struct glmv_image *target; /* borrowed */
    const struct glmv_scene *scene;  /* borrowed */
    const char *part;                /* what to know about a slice of a taller page; "" for none */
    struct replicate_tools *tools;   /* borrowed; NULL: the model may call none */
    bool blocks;                     /* revisions may be search/replace blocks */
    int64_t tokens;                  /* used so far, prompt and answer */
    char warning[256];               /* the last one that a conversation had */
};

/* What a revision starts from. */
struct replicate_revision {
    const char *html;                /* the best page so far, with its slots unfilled */
    const struct glmv_image *render; /* of it */
    const struct replicate_fact *facts;
    int fact_count;
    const char *tried; /* a sentence on what did not help; "" for none */
};

/* Appends a whole answer (it may hold more than the page). A cut-off answer was asked to go on. */
bool replicate_author_draft(struct replicate_author *author, struct glmv_buf *answer,
                            struct glmv_err *err);
bool replicate_author_revise(struct replicate_author *author,
                             const struct replicate_revision *revision, struct glmv_buf *answer,
                             struct glmv_err *err);

#endif
