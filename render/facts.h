/* Reads what facts.js wrote. Private to render. */
#ifndef GLMV_RENDER_FACTS_H
#define GLMV_RENDER_FACTS_H

#include "base/err.h"
#include "base/page.h"
#include "render/render.h"

/* NULL when it is not the JSON that facts.js writes, or memory ran out. Free with glmv_page_free.
 */
struct glmv_page *render_facts_read(const char *json, size_t len, struct glmv_err *err);

/* The boxes of what the job's selectors match; a list for free(), or NULL without memory. */
struct glmv_render_found *render_facts_found(const char *json, size_t len, size_t *count,
                                             struct glmv_err *err);

#endif
