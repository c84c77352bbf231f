/* The parts of the engine, which share its state: engine.c opens and closes it, turn.c makes a
 * conversation ready, generate.c says the answer. Private to model/glm. */
#ifndef GLMV_MODEL_GLM_ENGINE_H
#define GLMV_MODEL_GLM_ENGINE_H

#include "model/glm/device.h"
#include "model/glm/draft.h"
#include "model/glm/model.h"
#include "model/glm/prompt.h"
#include "model/glm/runner.h"
#include "model/glm/speak.h"

#define GLM_MAX_PICTURES 32
#define GLM_KEPT_PICTURES 8

/* A picture the tower has read. */
struct glm_sight {
    uint64_t hash; /* of its pixels; 0: free */
    struct glm_sight_rows *rows;
    struct glm_span span;
    unsigned used; /* when last */
};

struct glm_engine {
    char *where, *name; /* owned; what was opened, and how its weights are kept or NULL */
    struct glm_device device;
    char note[700];
    struct glm_model *model;
    struct glm_tokenizer *tokenizer;
    enum glm_dialect dialect;
    struct glm_runner *runner;
    uint64_t *past; /* [capacity] what stands at each place: an id, or a picture's hash */
    struct glm_sight sights[GLM_MAX_PICTURES + GLM_KEPT_PICTURES];
    unsigned clock;
    struct glm_item *items; /* [items_cap], not less than runner->batch */
    size_t items_cap;
    unsigned char *banned;
    struct glm_draft draft;
    double step_seconds, row_seconds; /* of a step with one row; of each row more */
};

/* A conversation made ready. */
struct glm_turn {
    struct glm_ids ids;
    int32_t *positions;
    uint64_t *keys; /* as engine.past */
    struct glm_sight *seen[GLM_MAX_PICTURES];
    struct glm_span spans[GLM_MAX_PICTURES];
    size_t pictures;
    size_t prompt; /* ids of it; what follows is the answer */
    int32_t next;  /* position of the first new token */
};

/* True for the marks that end an answer. */
bool glm_engine_end(const struct glm_engine *engine, int32_t id);

/* The ids, positions and pictures of a conversation. Release the turn either way. */
bool glm_turn_make(struct glm_engine *engine, const struct glmv_chat_message *messages,
                   size_t count, const struct glmv_chat_options *options, struct glm_turn *turn,
                   struct glmv_err *err);
void glm_turn_release(struct glm_turn *turn);
/* Appends what was said of the answer before, so that it goes on from there. */
bool glm_turn_resume(struct glm_turn *turn, const int32_t *said, size_t count,
                     struct glmv_err *err);
/* Evaluates prompt and answer so far from the first place that differs from what is in memory;
 * cached says how many tokens were there, first what comes after it. */
bool glm_turn_prefill(struct glm_engine *engine, const struct glm_turn *turn,
                      const struct glm_sampler *sampler, const atomic_bool *cancel, size_t *cached,
                      struct glm_choice *first, struct glmv_err *err);
/* How the options and the checkpoint want tokens chosen. */
struct glm_sampler glm_turn_sampler(const struct glm_engine *engine,
                                    const struct glmv_chat_options *options);
/* Says the answer, which goes on with first. started: when the conversation came. */
bool glm_turn_generate(struct glm_engine *engine, struct glm_turn *turn,
                       const struct glmv_chat_options *options, struct glm_sampler *sampler,
                       const struct glm_choice *first, struct glm_speaker *speaker,
                       struct glmv_chat_result *result, double started, struct glmv_err *err);

#endif
