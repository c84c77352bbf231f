/*
 * What evaluates the model, behind one table of functions: the processor (runner_cpu.c) or a CUDA
 * device (cuda/runner.c). A runner owns the memory of keys and values and what the tower has read;
 * the engine, which knows conversations, speaks to nothing else. Private to model/glm.
 *
 *     struct glm_runner *r = glm_runner_cpu(model, capacity, banned, &err);
 *     struct glm_step step = {.items = items, .count = n, .sampler = &sampler};
 *     if (glm_runner_step(r, &step, choices, &count, &err)) { choices[0].id ... }
 *     glm_runner_close(r);
 */
#ifndef GLMV_MODEL_GLM_RUNNER_H
#define GLMV_MODEL_GLM_RUNNER_H

#include "model/glm/model.h"
#include "model/glm/sample.h"

/* Rows of a picture, in the text model's width. Belongs to the runner that made it. */
struct glm_sight_rows;

/* What stands at a place of the text: a token, or a row of a picture. */
struct glm_item {
    int32_t id;
    int32_t position[3];
    const struct glm_sight_rows *rows; /* NULL: the token */
    size_t row;
};

struct glm_step {
    const struct glm_item *items; /* appended to what is in memory */
    size_t count;                 /* at most the runner's batch */
    size_t guessed;               /* the last so many are guesses; all others are sure */
    /* How the next tokens are chosen; NULL: nothing is. Stays as it is. */
    const struct glm_sampler *sampler;
    /* Every token before the first guess, for the penalty. */
    const int32_t *history;
    size_t history_len;
};

struct glm_choice {
    int32_t id;      /* -1: the model gave no usable number */
    uint64_t random; /* the sampler's state afterwards */
};

struct glm_runner;

struct glm_runner_kind {
    const char *what; /* "cpu", "cuda" */
    /* The tower. NULL on failure. */
    struct glm_sight_rows *(*encode)(struct glm_runner *runner, const struct glmv_image *image,
                                     struct glmv_err *err);
    void (*forget)(struct glm_runner *runner, struct glm_sight_rows *rows);
    bool (*step)(struct glm_runner *runner, const struct glm_step *step, struct glm_choice *choices,
                 size_t *chosen, struct glmv_err *err);
    void (*close)(struct glm_runner *runner);
};

struct glm_runner {
    const struct glm_runner_kind *kind;
    size_t capacity; /* places */
    size_t len;      /* of them in use; the caller may lower it: what is behind is forgotten */
    size_t batch;    /* items a step takes at most, not less than GLM_BATCH */
    bool failed;     /* the last failure was the device's: it is gone, or has no memory left */
    char place[160]; /* where it runs, for people */
};

/* Reads a picture, which becomes a row for every merge^2 patches of glm_picture_size;
 * glm_runner_forget frees the rows. */
struct glm_sight_rows *glm_runner_encode(struct glm_runner *runner, const struct glmv_image *image,
                                         struct glmv_err *err);
/* NULL rows are allowed. */
void glm_runner_forget(struct glm_runner *runner, struct glm_sight_rows *rows);

/*
 * Evaluates a step. With a sampler, choices gets the token after the last sure item and, as long as
 * each choice is the guess that was made, the token after that guess; *chosen says how many there
 * are (1 .. guessed + 1). Each is chosen as it would be without guesses, from the same bits and
 * with the same draws. Items behind a wrong guess are forgotten again. guessed is below GLM_BATCH.
 */
bool glm_runner_step(struct glm_runner *runner, const struct glm_step *step,
                     struct glm_choice *choices, size_t *chosen, struct glmv_err *err);
/* NULL is allowed. */
void glm_runner_close(struct glm_runner *runner);

/* Logits to choices on the host; behind the runners. */
struct glm_chooser {
    const unsigned char *banned; /* borrowed */
    size_t vocab;
    struct glm_candidates candidates;
    int32_t *history; /* owned; [capacity + GLM_BATCH], for guesses behind the history */
};
bool glm_chooser_init(struct glm_chooser *chooser, size_t vocab, size_t capacity,
                      const unsigned char *banned, struct glmv_err *err);
/* A zeroed one is allowed. */
void glm_chooser_release(struct glm_chooser *chooser);
/* Tokens from logits, [guessed + 1][vocab], which are changed; returns how many. */
size_t glm_chooser_run(struct glm_chooser *chooser, const struct glm_step *step, float *logits,
                       struct glm_choice *choices);

/* On the processor. model and banned ([vocab], tokens that are never chosen) stay the caller's and
 * have to outlive the runner. */
struct glm_runner *glm_runner_cpu(struct glm_model *model, size_t capacity,
                                  const unsigned char *banned, struct glmv_err *err);

#endif
