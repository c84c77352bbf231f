/*
 * Draft, measure, tell, again: a model writes a page, a measurement judges it, the model is told
 * what is wrong in numbers. The measurement alone decides. A round is accepted only when the score
 * rises and no slice of the page falls by more than a margin; the page that comes back is the best
 * one measured.
 * Private to replicate.
 */
#ifndef GLMV_REPLICATE_ROUNDS_H
#define GLMV_REPLICATE_ROUNDS_H

#include "diff/diff.h"
#include "render/render.h"
#include "replicate/author.h"
#include "replicate/referee.h"
#include "replicate/trace.h"

#define REPLICATE_MAX_PAGE (64u << 20) /* with its pictures */

struct replicate_rounds_options {
    int rounds;            /* revisions after the draft; 3 */
    double target;         /* a score at which to stop; 0.99 */
    int64_t budget_tokens; /* 0: no limit */
    double budget_seconds; /* 0: no limit */
    double gain;           /* the least rise that counts; 0.002 */
    double margin;         /* how far one slice may fall; 0.03 */
    int patience;          /* rejections in a row before it stops; 2 */
    int corrections;       /* renders that may correct numbers after each page that is kept; 5 */
    void (*log)(void *arg, const char *sentence); /* may be NULL */
    void *log_arg;
};

enum replicate_stop {
    REPLICATE_STOP_TARGET,
    REPLICATE_STOP_ROUNDS,
    REPLICATE_STOP_PLATEAU,
    REPLICATE_STOP_BUDGET,
    REPLICATE_STOP_PERFECT, /* nothing left that the measurement could name */
    REPLICATE_STOP_FAILED,  /* the model failed; the best page so far is kept */
};

struct replicate_rounds_result {
    struct glmv_buf html;       /* as written by the model, slots unfilled */
    struct glmv_buf page;       /* the same with its pictures: what was measured */
    struct glmv_render *render; /* of the page; NULL when there is none */
    struct glmv_score score;
    int tried, accepted; /* rounds, the draft not counted */
    int64_t tokens;      /* of all conversations; set by replicate_model_page_write only */
    int corrected;       /* numbers that were put right without the model */
    enum replicate_stop stop;
    struct replicate_round history[REPLICATE_MAX_ROUNDS + 1]; /* the draft, then every revision that
                                                                 was drawn; changed: facts told */
    int history_count;
    struct glmv_scene *scene; /* of the target; owned; set by replicate_model_page_write only */
    double look_seconds;      /* that the scene took */
};

struct replicate_rounds_options replicate_rounds_defaults(void);

/* false with err set when the model failed or was cancelled; a page that was measured before is in
 * the result nevertheless. The caller releases the result either way. */
bool replicate_rounds_run(struct replicate_author *author, const struct replicate_referee *referee,
                          const struct replicate_rounds_options *options,
                          struct replicate_rounds_result *result, struct glmv_err *err);
void replicate_rounds_release(struct replicate_rounds_result *result);

/* Whether a round may replace the best one. why (80 bytes) says why not. */
bool replicate_rounds_accepts(const struct replicate_rounds_options *options,
                              const struct glmv_score *best, const struct glmv_score *candidate,
                              char *why);

#endif
