/*
 * What the client and the worker say to each other over a stream socket. Both are built together
 * and run on one machine, so the messages are plain structs; each is still checked on arrival.
 * Private to render.
 *
 *     worker -> client   struct render_hello, message          once: ready, or why it cannot be
 *     client -> worker   struct render_job, html, ask           with the asset folder as descriptor
 *     worker -> client   struct render_reply, facts, message   with the pixels as descriptor
 */
#ifndef GLMV_RENDER_WIRE_H
#define GLMV_RENDER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RENDER_MAGIC 0x474c4d57u
#define RENDER_MAX_HTML ((size_t)64 << 20)  /* bytes */
#define RENDER_MAX_FACTS ((size_t)64 << 20) /* bytes */
#define RENDER_MAX_ASK ((size_t)1 << 20)    /* bytes */
#define RENDER_ONLINE "--online"            /* the worker's one argument */
#define RENDER_SOCKET_FD 3                  /* in the worker */
#define RENDER_LIFE_FD                                                                             \
    4 /* in the worker: end of file means that the client is gone or wants it gone */

struct render_hello {
    uint32_t magic;
    uint32_t code; /* enum glmv_err_code */
    uint32_t sandboxed;
    uint32_t isolated;
    uint32_t message_len;
};

struct render_job {
    uint32_t magic;
    int32_t width, height, max_height;
    double scale;
    double timeout_s;
    uint32_t scripts, dark, viewport_only, has_assets;
    uint32_t is_url;  /* the html is an address to load */
    uint32_t ask_len; /* JSON for facts.js, behind the html */
    uint64_t html_len;
};

struct render_reply {
    uint32_t magic;
    uint32_t code;         /* enum glmv_err_code */
    int32_t width, height; /* of the picture, device px; 0 on failure */
    uint32_t cut;
    uint64_t facts_len;
    uint32_t message_len;
};

/* All bytes or nothing, with at most one descriptor (-1 for none). False on a closed or broken
 * socket. */
bool render_wire_send(int socket, const void *bytes, size_t len, int fd);
/* Waits until the deadline (CLOCK_MONOTONIC seconds, 0 for no end). fd may be NULL; receives -1
 * when none came. */
bool render_wire_receive(int socket, void *bytes, size_t len, int *fd, double deadline);

#endif
