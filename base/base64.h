/* Bytes as text, for data URIs. */
#ifndef GLMV_BASE_BASE64_H
#define GLMV_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the bytes in base64 with padding. */
bool glmv_base64_append(struct glmv_buf *out, const void *bytes, size_t len, struct glmv_err *err);

#endif
