/* The page that a model's answer holds. Private to replicate. */
#ifndef GLMV_REPLICATE_EXTRACT_H
#define GLMV_REPLICATE_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the document. GLMV_ERR_MODEL with the reason when there is none, when it is cut off, or
 * when it says in a comment that the rest stays as it was. */
bool replicate_extract(const char *answer, size_t len, struct glmv_buf *html, struct glmv_err *err);

#endif
