/*
 * A screenshot and a model in, the best measured page out: perception for the hints, then the
 * rounds of replicate/rounds.h with the renderer and diff as the referee. Private to replicate.
 */
#ifndef GLMV_REPLICATE_MODEL_PAGE_H
#define GLMV_REPLICATE_MODEL_PAGE_H

#include "replicate/model_options.h"
#include "replicate/rounds.h"
#include "replicate/seats.h"

#define REPLICATE_SLICE_PX 2400

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
    int slice_px; /* CSS px: pages much taller go in slices of about this height; 0: never */
    bool tools;   /* the model may draw, compare and crop while it answers */
};

/* As replicate_rounds_run: result is released by the caller also after a failure, and holds the
 * best page when there is one. */
bool replicate_model_page_write(const struct replicate_model_page *job,
                                struct replicate_rounds_result *result, struct glmv_err *err);

/* The same for one picture that is not cut, with a conversation that is open. part: what to know
 * when it is a slice of a taller page; "" otherwise. */
bool replicate_model_page_one(const struct replicate_model_page *job, struct glmv_chat *chat,
                              const char *part, struct replicate_rounds_result *result,
                              struct glmv_err *err);
/* Renders and measures against the job's target. NULL on failure. */
struct glmv_render *replicate_model_page_measure(const struct replicate_model_page *job,
                                                 const struct glmv_scene *scene, const char *html,
                                                 size_t len, struct glmv_score *score,
                                                 struct glmv_err *err);

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
