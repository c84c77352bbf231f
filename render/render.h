/*
 * Turns HTML into pixels and facts with WebKitGTK, without trusting the page: it runs in a worker
 * process that has no network, sees no files but those of one asset folder, and is stopped when it
 * takes too long or too much memory. It does not judge what it renders.
 *
 *     struct glmv_render_options options = glmv_render_defaults();
 *     struct glmv_renderer *renderer = glmv_renderer_open(NULL, &err);  // starts meanwhile
 *     struct glmv_render *shot = glmv_renderer_render(renderer, html, len, &options, &err);
 *     ... shot->image, shot->page ...
 *     glmv_render_free(shot);
 *     glmv_renderer_close(renderer);
 */
#ifndef GLMV_RENDER_RENDER_H
#define GLMV_RENDER_RENDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/image.h"
#include "base/page.h"

struct glmv_renderer;

struct glmv_render_options {
    int width, height;  /* viewport in CSS px, 1..16384; 1280 x 800 */
    double scale;       /* device px per CSS px, 0.25..4; 1 */
    bool viewport_only; /* the picture ends at the viewport instead of the document */
    int max_height;     /* CSS px; a longer document is cut there and flagged; 16384 */
    double timeout_s;   /* for the whole job; 10 */
    bool scripts;       /* run the page's own scripts; false */
    bool dark;          /* prefers-color-scheme: dark; false */
    const char *assets; /* the only folder relative addresses may reach; NULL for none */

    const char *wait_for;         /* CSS selector of something that must be visible first; NULL */
    int settle_ms;                /* waits so much longer when the page is ready, 0..60000; 0 */
    const char *const *selectors; /* what they match comes back in glmv_render.found; NULL */
    size_t selector_count;
    bool picture_only; /* the page's texts and elements stay empty: saves measuring them; false */
};

/* Where something that a selector matches lies. */
struct glmv_render_found {
    size_t selector; /* index in the options' selectors */
    struct glmv_box box;
};

struct glmv_render {
    struct glmv_image *image;        /* owned; opaque, device px */
    struct glmv_page *page;          /* owned */
    struct glmv_render_found *found; /* owned; in the order of the selectors */
    size_t found_count;
    bool cut;       /* the document was higher than max_height */
    double seconds; /* from request to answer */
    bool sandboxed; /* the page ran inside bubblewrap; false where user namespaces are forbidden */
    bool isolated; /* the browser had no network at all; the content filter blocks it in any case */
};

struct glmv_render_options glmv_render_defaults(void);

/*
 * Starts a worker and returns without waiting for it. worker: path of glmv-render-worker, or NULL
 * to look beside the running program and in the libexec folder. NULL with GLMV_ERR_MISSING when it
 * cannot be started at all.
 */
struct glmv_renderer *glmv_renderer_open(const char *worker, struct glmv_err *err);

/*
 * The same, but its pages reach the network of this machine: for addresses that the user named.
 * Everything else about the worker stays. glmv_renderer_load works with such a renderer only.
 */
struct glmv_renderer *glmv_renderer_open_online(const char *worker, struct glmv_err *err);

/* Renders what an http or https address answers. The asset folder is not used. */
struct glmv_render *glmv_renderer_load(struct glmv_renderer *renderer, const char *url,
                                       const struct glmv_render_options *options,
                                       struct glmv_err *err);

/*
 * Renders one document; several threads may each use a renderer of their own. A page that hangs,
 * crashes or eats memory ends in GLMV_ERR_RENDER, and the next call works. The caller frees the
 * result with glmv_render_free.
 */
struct glmv_render *glmv_renderer_render(struct glmv_renderer *renderer, const char *html,
                                         size_t len, const struct glmv_render_options *options,
                                         struct glmv_err *err);

/*
 * Appends the facts as JSON: width, height, cut, sandboxed, isolated, texts[], elements[],
 * console[], blocked[], with the names and units of base/page.h, boxes as [x, y, w, h] and colours
 * as "#rrggbbaa".
 */
bool glmv_render_dom_json(const struct glmv_render *render, struct glmv_buf *out,
                          struct glmv_err *err);

/* NULL is allowed. */
void glmv_render_free(struct glmv_render *render);

/*
 * Lets the worker take itself down while the caller does something else; renders fail from here
 * on, and glmv_renderer_close is still due. NULL is allowed.
 */
void glmv_renderer_dismiss(struct glmv_renderer *renderer);

/* Stops the worker and every process it started, and waits for them. NULL is allowed. */
void glmv_renderer_close(struct glmv_renderer *renderer);

#endif
