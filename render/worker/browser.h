/*
 * What the parts of the browser process share. GLib and WebKit types stay in this folder.
 */
#ifndef GLMV_RENDER_WORKER_BROWSER_H
#define GLMV_RENDER_WORKER_BROWSER_H

#include <gtk/gtk.h>
#include <webkit2/webkit2.h>

#include "base/err.h"
#include "render/wire.h"
#include "render/worker/worker.h"

#define BROWSER_WORLD "glmv" /* the script world of our own scripts */

struct browser {
    int socket;
    WebKitWebContext *context;
    WebKitUserContentManager *content;
    WebKitWebView *view;
    GMainLoop *loop;

    /* The job at hand. */
    struct render_job job;
    unsigned number;
    char uri[64];
    char *ask; /* JSON for facts.js */
    bool committed, navigated;
    bool large; /* the document is beyond what a snapshot can hold, or beyond the limit */
    bool cut;
    guint timer;
    int dialogs;
    int assets;
    char *facts;
    cairo_surface_t *surface;
    struct glmv_err err;
};

/* --- browser.c --- */

/* Ends the wait for the job or step at hand. */
void browser_finish(struct browser *b);
/* The same, with GLMV_ERR_RENDER. */
void browser_fail(struct browser *b, const char *message);

/* --- view.c --- */

/* Context, content filter, style sheets and scripts that every page gets. False with b->err. */
bool browser_context_make(struct browser *b, const struct worker_place *place);
/* A fresh b->view. */
void browser_view_make(struct browser *b);
/* Ends the page's process too. NULL is allowed. */
void browser_view_drop(struct browser *b);
/* Gives the view its size, CSS px times scale. */
void browser_view_resize(struct browser *b, int width, int height);

/* --- refuse.c --- */

/* Answers relative addresses from the job's asset folder, and stops downloads. */
void browser_refuse_in_context(struct browser *b);
/* Navigations, windows, dialogs, printing, permissions, file choosers. */
void browser_refuse_in_view(struct browser *b);

#endif
