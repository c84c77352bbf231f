/* Changes a page by an instruction and proves what changed. Private to replicate. */
#ifndef GLMV_REPLICATE_EDIT_H
#define GLMV_REPLICATE_EDIT_H

#include "base/buf.h"
#include "model/chat.h"
#include "render/render.h"

struct replicate_edit_request {
    struct glmv_chat *chat;
    const struct glmv_chat_options *options;
    const struct glmv_chat_watch *watch; /* may be NULL */
    struct glmv_renderer *renderer;
    const struct glmv_render_options *render_options;
    const char *html;
    const struct glmv_render *before; /* of html */
    const char *instruction;
    bool has_region;
    struct glmv_box region; /* CSS px */
};

struct replicate_edit_result {
    struct glmv_buf html;
    struct glmv_render *after;
    size_t leak;                /* pixels outside the region that changed; 0 without a region */
    struct glmv_box leak_where; /* round them, px of the render */
    size_t changed;             /* pixels that changed at all */
    int tries;
    char warning[256];
};

/* Asks, renders, compares. When pixels outside the region changed, the model is told where and
 * asked once more; the answer with the smaller leak stays. The caller releases the result either
 * way. */
bool replicate_edit(const struct replicate_edit_request *request,
                    struct replicate_edit_result *result, struct glmv_err *err);
void replicate_edit_release(struct replicate_edit_result *result);

#endif
