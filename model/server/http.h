/*
 * One HTTP request at a time, with its answer in pieces. No total time limit: a limit until the
 * first byte and one for silence. Redirects are not followed, so that a key never travels to
 * another host. GLib and libsoup stay in http.c. Private to model/server.
 */
#ifndef GLMV_MODEL_SERVER_HTTP_H
#define GLMV_MODEL_SERVER_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct server_http;

enum server_more {
    SERVER_WAITING, /* nothing said yet: the limit for the first byte goes on */
    SERVER_MORE,
    SERVER_LAST_WORDS, /* the answer is there; what follows may come, within two seconds */
    SERVER_ENOUGH,
    SERVER_STOP, /* err is set */
};

struct server_reply {
    int status;            /* 0 when no HTTP answer came */
    char content_type[64]; /* lower case, without parameters */
    double retry_after;    /* seconds; -1 when not said */
    char location[256];    /* of a redirect */
    bool worth_retrying;   /* the connection broke or timed out before any answer */
    bool cut;              /* the connection ended in the middle of the answer's body */
};

/* Called with reply filled in. */
typedef enum server_more server_bytes_fn(void *arg, const struct server_reply *reply,
                                         const char *bytes, size_t len, struct glmv_err *err);

struct server_request {
    const char *url;
    const char *key;  /* NULL sends none */
    const char *body; /* JSON for a POST; NULL for a GET */
    size_t body_len;
    double first_s, idle_s; /* limits until the first byte of the answer, and between two pieces */
    const atomic_bool *cancel; /* may be NULL */
    server_bytes_fn *bytes;
    void *arg;
};

struct server_http *server_http_open(struct glmv_err *err);
/* NULL is allowed. */
void server_http_close(struct server_http *http);

/* false with err set when there is no complete answer; reply says what is known. Any status is an
 * answer. */
bool server_http_send(struct server_http *http, const struct server_request *request,
                      struct server_reply *reply, struct glmv_err *err);

/* Waits; false with GLMV_ERR_CANCELLED when cancel becomes true. */
bool server_http_wait(double seconds, const atomic_bool *cancel, struct glmv_err *err);

#endif
