#include "model/server/sse.h"

#include <string.h>

void server_sse_init(struct server_sse *sse, server_event_fn *event, void *arg)
{
    memset(sse, 0, sizeof *sse);
    glmv_buf_init(&sse->line, SERVER_SSE_MAX_EVENT);
    glmv_buf_init(&sse->data, SERVER_SSE_MAX_EVENT);
    sse->event = event;
    sse->arg = arg;
}

void server_sse_release(struct server_sse *sse)
{
    glmv_buf_release(&sse->line);
    glmv_buf_release(&sse->data);
}

static bool dispatch(struct server_sse *sse, struct glmv_err *err)
{
    if (!sse->has_data) {
        return true;
    }
    sse->has_data = false;
    bool more =
        sse->event(sse->arg, sse->data.data != NULL ? sse->data.data : "", sse->data.len, err);
    glmv_buf_clear(&sse->data);
    return more;
}

static bool take_line(struct server_sse *sse, struct glmv_err *err)
{
    const char *line = sse->line.data;
    size_t len = sse->line.len;
    if (!sse->started) {
        sse->started = true;
        if (len >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
            line += 3;
            len -= 3;
        }
    }
    bool ok = true;
    if (len == 0) {
        ok = dispatch(sse, err);
    } else if (len >= 4 && memcmp(line, "data", 4) == 0 && (len == 4 || line[4] == ':')) {
        size_t start = len == 4 ? 4 : 5;
        if (start < len && line[start] == ' ') {
            start++;
        }
        ok = (!sse->has_data || glmv_buf_append(&sse->data, "\n", 1, err)) &&
             glmv_buf_append(&sse->data, line + start, len - start, err);
        sse->has_data = true;
    }
    glmv_buf_clear(&sse->line); /* comments and the fields event, id and retry say nothing to us */
    return ok;
}

bool server_sse_feed(struct server_sse *sse, const char *bytes, size_t len, struct glmv_err *err)
{
    size_t at = 0;
    while (at < len) {
        if (sse->after_cr) {
            sse->after_cr = false;
            if (bytes[at] == '\n') {
                at++;
                continue;
            }
        }
        size_t end = at;
        while (end < len && bytes[end] != '\n' && bytes[end] != '\r') {
            end++;
        }
        if (!glmv_buf_append(&sse->line, bytes + at, end - at, err)) {
            return false;
        }
        if (end == len) {
            return true;
        }
        sse->after_cr = bytes[end] == '\r';
        at = end + 1;
        if (!take_line(sse, err)) {
            return false;
        }
    }
    return true;
}

bool server_sse_end(struct server_sse *sse, struct glmv_err *err)
{
    if (sse->line.len > 0 && !take_line(sse, err)) {
        return false;
    }
    return dispatch(sse, err);
}
