/* The renderers of a check: a few, kept warm, lent to more threads than there are renderers, so
 * that pages are compared while others are drawn. Private to replicate's check. */
#ifndef GLMV_REPLICATE_CHECK_POOL_H
#define GLMV_REPLICATE_CHECK_POOL_H

#include "render/render.h"

struct check_pool;

/* NULL without memory. Renderers start when they are first lent. */
struct check_pool *check_pool_new(int renderers, struct glmv_err *err);
/* NULL is allowed. */
void check_pool_free(struct check_pool *pool);

/* Renders with the first renderer that is free; url NULL: the html. */
struct glmv_render *check_pool_render(struct check_pool *pool, const char *url, const char *html,
                                      size_t len, const struct glmv_render_options *options,
                                      struct glmv_err *err);

#endif
