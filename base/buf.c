#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

void glmv_buf_init(struct glmv_buf *buf, size_t max)
{
    buf->data = NULL;
    buf->len = 0;
    buf->cap = 0;
    buf->max = max;
}

void glmv_buf_release(struct glmv_buf *buf)
{
    free(buf->data);
    glmv_buf_init(buf, buf->max);
}

void glmv_buf_clear(struct glmv_buf *buf)
{
    buf->len = 0;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

bool glmv_buf_reserve(struct glmv_buf *buf, size_t len, struct glmv_err *err)
{
    size_t need;
    if (!glmv_size_add(buf->len, len, &need) || need > buf->max || need == SIZE_MAX) {
        size_t max = buf->max;
        glmv_buf_release(buf);
        return glmv_fail(err, GLMV_ERR_LIMIT, "more than %zu bytes; that is the limit", max);
    }
    if (need + 1 <= buf->cap) {
        return true;
    }
    size_t cap = buf->cap < 64 ? 64 : buf->cap;
    while (cap < need + 1) {
        cap = cap > SIZE_MAX / 2 ? need + 1 : cap * 2;
    }
    char *data = realloc(buf->data, cap);
    if (data == NULL) {
        glmv_buf_release(buf);
        return glmv_fail_memory(err);
    }
    buf->data = data;
    buf->cap = cap;
    buf->data[buf->len] = '\0';
    return true;
}

bool glmv_buf_append(struct glmv_buf *buf, const void *bytes, size_t len, struct glmv_err *err)
{
    if (!glmv_buf_reserve(buf, len, err)) {
        return false;
    }
    if (len > 0) {
        memcpy(buf->data + buf->len, bytes, len);
    }
    buf->len += len;
    buf->data[buf->len] = '\0';
    return true;
}

bool glmv_buf_append_str(struct glmv_buf *buf, const char *text, struct glmv_err *err)
{
    return glmv_buf_append(buf, text, strlen(text), err);
}

bool glmv_buf_appendf(struct glmv_buf *buf, struct glmv_err *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (need < 0) {
        glmv_buf_release(buf);
        return glmv_fail(err, GLMV_ERR_FORMAT, "a text could not be formatted");
    }
    if (!glmv_buf_reserve(buf, (size_t)need, err)) {
        return false;
    }
    va_start(args, format);
    vsnprintf(buf->data + buf->len, (size_t)need + 1, format, args);
    va_end(args);
    buf->len += (size_t)need;
    return true;
}

char *glmv_buf_take(struct glmv_buf *buf, size_t *len)
{
    char *data = buf->data != NULL ? buf->data : calloc(1, 1);
    if (len != NULL) {
        *len = buf->len;
    }
    glmv_buf_init(buf, buf->max);
    return data;
}

bool glmv_buf_append_html(struct glmv_buf *buf, const char *text, struct glmv_err *err)
{
    bool ok = true;
    for (; *text != '\0' && ok; text++) {
        switch (*text) {
        case '<':
            ok = glmv_buf_append_str(buf, "&lt;", err);
            break;
        case '>':
            ok = glmv_buf_append_str(buf, "&gt;", err);
            break;
        case '&':
            ok = glmv_buf_append_str(buf, "&amp;", err);
            break;
        case '"':
            ok = glmv_buf_append_str(buf, "&quot;", err);
            break;
        case '\n':
            ok = glmv_buf_append(buf, text, 1, err);
            break;
        default:
            ok = glmv_buf_append(buf, (unsigned char)*text < 32 ? " " : text, 1, err);
        }
    }
    return ok;
}

bool glmv_buf_append_json(struct glmv_buf *buf, const char *text, struct glmv_err *err)
{
    bool ok = glmv_buf_append_str(buf, "\"", err);
    for (; *text != '\0' && ok; text++) {
        if ((unsigned char)*text < 32) {
            ok = glmv_buf_appendf(buf, err, "\\u%04x", (unsigned)*text);
        } else {
            ok = (*text != '"' && *text != '\\') || glmv_buf_append_str(buf, "\\", err);
            ok = ok && glmv_buf_append(buf, text, 1, err);
        }
    }
    return ok && glmv_buf_append_str(buf, "\"", err);
}
