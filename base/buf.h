/*
 * A growing string of bytes with a limit. It cannot be made without its limit, and it releases
 * itself when an append fails, so that a caller that ignores one failure cannot use half a buffer.
 *
 * data always ends in a NUL that len does not count, except before the first append, when data is
 * NULL.
 */
#ifndef GLMV_BASE_BUF_H
#define GLMV_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct glmv_buf {
    char *data; /* owned */
    size_t len;
    size_t cap;
    size_t max; /* bytes; an append past it fails with GLMV_ERR_LIMIT */
};

/* Makes an empty buffer in the caller's storage. Nothing is allocated yet. */
void glmv_buf_init(struct glmv_buf *buf, size_t max);
/* Frees the bytes. A zeroed or released buffer is allowed. The limit stays. */
void glmv_buf_release(struct glmv_buf *buf);
/* Forgets the bytes, keeps the memory. */
void glmv_buf_clear(struct glmv_buf *buf);

bool glmv_buf_append(struct glmv_buf *buf, const void *bytes, size_t len, struct glmv_err *err);
bool glmv_buf_append_str(struct glmv_buf *buf, const char *text, struct glmv_err *err);
bool glmv_buf_appendf(struct glmv_buf *buf, struct glmv_err *err, const char *format, ...)
    GLMV_PRINTF(3, 4);

/* Makes room for len more bytes without changing the content. */
bool glmv_buf_reserve(struct glmv_buf *buf, size_t len, struct glmv_err *err);

/* Hands the bytes over: the caller frees them with free(). Never NULL unless memory ran out. Leaves
 * buf empty. */
char *glmv_buf_take(struct glmv_buf *buf, size_t *len);

/* Text for HTML and XML; control characters but line feeds become spaces. */
bool glmv_buf_append_html(struct glmv_buf *buf, const char *text, struct glmv_err *err);
/* Text as a JSON string, quotes included. */
bool glmv_buf_append_json(struct glmv_buf *buf, const char *text, struct glmv_err *err);

#endif
