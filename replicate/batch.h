/*
 * A folder of screenshots becomes a folder of pages: NAME.png becomes NAME.html, and NAME.json says
 * how it went. A page that is there and not older than its screenshot is done, so a run that was
 * stopped goes on where it was. Private to replicate.
 */
#ifndef GLMV_REPLICATE_BATCH_H
#define GLMV_REPLICATE_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "replicate/model_options.h"

struct replicate_batch_options {
    const char *folder, *output;
    int jobs;                            /* pages at a time */
    int rounds;                          /* for each page */
    double target;                       /* a score at which a page is done */
    const char *lang;                    /* NULL: guess */
    const struct replicate_model *model; /* NULL: the tracer */
    const atomic_bool *cancel;
};

struct replicate_batch_count {
    size_t total;   /* screenshots */
    size_t skipped; /* done before this run */
    size_t done, failed;
};

/* What became of one page. */
struct replicate_batch_event {
    const char *page;    /* name of the screenshot */
    const char *problem; /* "" or one sentence; a page that failed late was written nevertheless */
    bool written;
    double score, seconds;
    int rounds, accepted;
};

/* Told of every page that ends, one at a time. */
typedef void replicate_batch_watch(void *arg, const struct replicate_batch_event *event,
                                   const struct replicate_batch_count *count);

/*
 * Rebuilds what is missing. A page whose model fails is tried three times. false with err set when
 * the folder cannot be read, the output cannot be written, every page fails from some point on, or
 * it was cancelled; count tells how far it came. Failures of single pages are counted only.
 */
bool replicate_batch_run(const struct replicate_batch_options *options,
                         replicate_batch_watch *watch, void *arg,
                         struct replicate_batch_count *count, struct glmv_err *err);

#endif
