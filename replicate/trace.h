/*
 * The tracer's loop: measure the screenshot, lay it out, render, correct by what the render shows,
 * keep what scores higher. Private to replicate.
 */
#ifndef GLMV_REPLICATE_TRACE_H
#define GLMV_REPLICATE_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "diff/diff.h"
#include "model/tracer/tracer.h"
#include "render/render.h"

#define REPLICATE_MAX_ROUNDS 20

struct replicate_trace_options {
    int rounds;    /* renders that may correct the page after the first; 0..REPLICATE_MAX_ROUNDS */
    double target; /* a score at which to stop; above 1: never */
    struct glmv_look_options look; /* scale: of the screenshot; the page is in CSS px; 0: one */
    struct glmv_emit_options emit;
    const atomic_bool *cancel;                     /* may be NULL */
    void (*progress)(void *arg, const char *what); /* may be NULL */
    void *progress_arg;
};

/* One render and what became of it. */
struct replicate_round {
    struct glmv_score score;
    bool accepted;
    int changed;    /* numbers that moved before it */
    double seconds; /* of this round */
};

struct replicate_trace {
    struct glmv_buf html;       /* the page for people */
    struct glmv_scene *scene;   /* owned */
    struct glmv_draft *draft;   /* owned; of the page */
    double scale;               /* of the screenshot and the render, device px per CSS px */
    struct glmv_render *render; /* owned; of the page; NULL when it was not rendered */
    struct glmv_score score;
    struct replicate_round rounds[REPLICATE_MAX_ROUNDS + 1];
    int round_count;
    double look_seconds, total_seconds;
};

struct replicate_trace_options replicate_trace_defaults(void);

/*
 * Traces an opaque picture. Returns false with err set on failure; a page that was measured before,
 * say when the user interrupted, is in the result nevertheless. The caller releases the result
 * either way.
 */
bool replicate_trace_run(const struct glmv_image *target,
                         const struct replicate_trace_options *options, struct replicate_trace *out,
                         struct glmv_err *err);
void replicate_trace_release(struct replicate_trace *trace);

#endif
