/*
 * A screenshot and a model in, the best measured page out: perception for the hints, then the
 * rounds of replicate/rounds.h with the renderer and diff as the referee. Private to replicate.
 */
#ifndef GLMV_REPLICATE_MODEL_PAGE_H
#define GLMV_REPLICATE_MODEL_PAGE_H

#include "replicate/model_options.h"
#include "replicate/rounds.h"
#include "replicate/seats.h"

struct replicate_model_page {
    const struct replicate_model *model;
    const struct replicate_rounds_options *rounds;
    struct glmv_renderer *renderer;
    struct replicate_seats *seats;   /* borrowed; where renderers come from when renderer is NULL */
    struct glmv_chat *chat;          /* borrowed; NULL: opened for this page */
    int threads;                     /* for reading text; 0: one a processor */
    const struct glmv_image *target; /* opaque */
    const char *lang;                /* of its text, as Tesseract names it; NULL: guess */
    double scale;                    /* device px per CSS px; 0: guess */
    bool blocks;                     /* revisions may be search/replace blocks */
    bool tools;                      /* the model may draw, compare and crop while it answers */
};

/* As replicate_rounds_run: result is released by the caller also after a failure, and holds the
 * best page when there is one. */
bool replicate_model_page_write(const struct replicate_model_page *job,
                                struct replicate_rounds_result *result, struct glmv_err *err);

/* Where a command's results go; report, json and assets may be NULL. */
struct replicate_model_files {
    const char *shot, *output, *report, *json;
    const char *assets; /* folder for the page's pictures; NULL: in the page */
};

/* The same as a command: reads the screenshot, writes the files, says how it went. Fills in target
 * and renderer of the job. Returns an exit code. */
int replicate_with_model(const struct replicate_model_files *files,
                         struct replicate_model_page *job);

#endif
