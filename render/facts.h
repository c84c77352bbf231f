/* Reads what facts.js wrote. Private to render. */
#ifndef GLMV_RENDER_FACTS_H
#define GLMV_RENDER_FACTS_H

#include "base/err.h"
#include "base/page.h"

/* NULL when it is not the JSON that facts.js writes, or memory ran out. Free with glmv_page_free.
 */
struct glmv_page *render_facts_read(const char *json, size_t len, struct glmv_err *err);

#endif
