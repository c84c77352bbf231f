/*
 * Server-sent events, read as the WHATWG standard says: CR, LF or CRLF ends a line, a line that
 * starts with a colon is a comment, data lines of one event are joined by LF, a blank line sends
 * the event. One thing is kinder than the standard: an event that the end of the stream cut before
 * its blank line is still delivered, because some servers close right after their last line.
 * Private to model/server.
 */
#ifndef GLMV_MODEL_SERVER_SSE_H
#define GLMV_MODEL_SERVER_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define SERVER_SSE_MAX_EVENT (16u << 20) /* bytes of one event, and of one line */

/* Returns false to stop reading; then err is set, or the stream is complete. */
typedef bool server_event_fn(void *arg, const char *data, size_t len, struct glmv_err *err);

struct server_sse {
    struct glmv_buf line, data;
    bool started; /* the byte order mark was looked for */
    bool after_cr;
    bool has_data;
    server_event_fn *event;
    void *arg;
};

void server_sse_init(struct server_sse *sse, server_event_fn *event, void *arg);
void server_sse_release(struct server_sse *sse);
/* Returns what the event function returned; false with err set when an event is too long. */
bool server_sse_feed(struct server_sse *sse, const char *bytes, size_t len, struct glmv_err *err);
bool server_sse_end(struct server_sse *sse, struct glmv_err *err);

#endif
