/*
 * The worker: a supervisor process that makes a private place (network namespace, folder, display)
 * and watches over a browser process that renders in it. Private to the worker program.
 */
#ifndef GLMV_RENDER_WORKER_WORKER_H
#define GLMV_RENDER_WORKER_WORKER_H

#include <stdbool.h>

#include "base/err.h"

struct worker_place {
    char folder[64]; /* private temporary folder, 0700, removed at the end */
    bool isolated;   /* no network but loopback of its own */
    bool online;     /* the client asked for the network */
    bool away;       /* the namespaces are made */
    bool own_tmp;    /* /tmp is ours alone */
    bool sandboxed;  /* bubblewrap works for this user */
    int display;     /* X display number */
};

/* Runs the browser process until the socket closes. Never returns to the supervisor's code. */
int worker_browse(int socket, const struct worker_place *place);

/* Says hello with an error and gives up. */
void worker_refuse(int socket, const struct glmv_err *err);

#endif
