/* The answer, token by token, with guesses checked along the way. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "model/glm/engine.h"

#define DEFAULT_ANSWER 16384

struct glm_sampler glm_turn_sampler(const struct glm_engine *e,
                                    const struct glmv_chat_options *options)
{
    const struct glm_sampling_config *c = &e->model->config.sampling;
    struct glm_sampler s = {
        .temperature = options->temperature >= 0 ? options->temperature : c->temperature,
        .top_p = options->top_p >= 0 ? options->top_p : c->top_p,
        .top_k = options->top_k >= 0 ? options->top_k : c->top_k,
        .repetition_penalty =
            options->repetition_penalty > 0 ? options->repetition_penalty : c->repetition_penalty,
        .random = options->seed >= 0 ? (uint64_t)options->seed : (uint64_t)time(NULL)};
    if (!c->sample && options->temperature < 0) {
        s.temperature = 0;
    }
    return s;
}

/* What a checked row costs as a part of a step; at first, memory is taken to be the limit. */
static double price_of(const struct glm_engine *e)
{
    double price = e->step_seconds > 0 ? e->row_seconds / e->step_seconds : 0.1;
    return price < 0.01 ? 0.01 : price > 0.9 ? 0.9 : price;
}

/* Keeps an average of what steps cost. It decides how much is guessed, never what is said. */
static void note_cost(struct glm_engine *e, size_t rows, double seconds)
{
    if (rows == 1) {
        e->step_seconds += (seconds - e->step_seconds) * (e->step_seconds > 0 ? 0.2 : 1);
    } else if (e->step_seconds > 0) {
        double row = (seconds - e->step_seconds) / (double)(rows - 1);
        e->row_seconds += ((row > 0 ? row : 0) - e->row_seconds) * 0.2;
    }
}

/* Evaluates the last token, which stands at position next, together with guesses of what follows;
 * choices gets what comes after those that hold. */
static bool advance(struct glm_engine *e, const struct glm_turn *turn, int32_t next, bool drafting,
                    const struct glm_sampler *sampler, struct glm_choice *choices, size_t *chosen,
                    struct glmv_err *err)
{
    size_t room = e->runner->capacity - e->runner->len - 1;
    int32_t guess[GLM_BATCH];
    room = room < GLM_BATCH - 1 ? room : GLM_BATCH - 1;
    /* the cost of one row has to be known before more are worth anything */
    size_t guessed =
        drafting && e->step_seconds > 0 ? glm_draft_guess(&e->draft, guess, room, price_of(e)) : 0;
    for (size_t i = 0; i <= guessed; i++) {
        int32_t token = i == 0 ? turn->ids.data[turn->ids.len - 1] : guess[i - 1];
        int32_t at = next + (int32_t)i;
        e->items[i] = (struct glm_item){token, {at, at, at}, NULL, 0};
        e->past[e->runner->len + i] = (uint64_t)token;
    }
    struct glm_step step = {.items = e->items,
                            .count = guessed + 1,
                            .guessed = guessed,
                            .sampler = sampler,
                            .history = turn->ids.data,
                            .history_len = turn->ids.len};
    double started = glmv_now();
    bool ok = glm_runner_step(e->runner, &step, choices, chosen, err);
    note_cost(e, guessed + 1, glmv_now() - started);
    return ok;
}

/* Takes a token into the answer. done: it was the last one. */
static bool say(struct glm_engine *e, struct glm_turn *turn, int32_t id, size_t prompt,
                struct glm_speaker *speaker, struct glmv_chat_result *result, bool *done,
                struct glmv_err *err)
{
    *done = false;
    if (id < 0) {
        return glmv_fail(err, GLMV_ERR_MODEL,
                         "the model gave no usable numbers; the checkpoint is damaged");
    }
    result->usage.completion_tokens = (int64_t)(turn->ids.len - prompt + 1);
    if (glm_engine_end(e, id)) {
        result->finish = GLMV_CHAT_FINISH_STOP;
        *done = true;
        return true;
    }
    if (!glm_speaker_token(speaker, id, err) || !glm_ids_push(&turn->ids, id, err)) {
        return false;
    }
    glm_draft_push(&e->draft, id);
    if (speaker->stopped) {
        result->finish = GLMV_CHAT_FINISH_STOP;
        *done = true;
    } else if (glm_loops(turn->ids.data + prompt, turn->ids.len - prompt)) {
        snprintf(result->warning, sizeof result->warning,
                 "the model repeated itself; its answer was ended there");
        *done = true;
    }
    return true;
}

/*
 * A step evaluates one sure token and some guesses, and chooses what follows as far as the guesses
 * hold. What was guessed wrongly is forgotten; what holds may stay in the end although it was not
 * said, since e->past says what stands where. The end of a thought is forced, whatever was chosen.
 */
bool glm_turn_generate(struct glm_engine *e, struct glm_turn *turn,
                       const struct glmv_chat_options *options, struct glm_sampler *sampler,
                       const struct glm_choice *first, struct glm_speaker *speaker,
                       struct glmv_chat_result *result, double started, struct glmv_err *err)
{
    const size_t prompt = turn->prompt;
    const size_t most = options->max_tokens > 0 ? (size_t)options->max_tokens : DEFAULT_ANSWER;
    struct glm_choice choices[GLM_BATCH] = {*first};
    size_t chosen = 1, row = 0;
    result->finish = GLMV_CHAT_FINISH_LENGTH;
    if (turn->ids.len == prompt) {
        result->first_seconds = glmv_now() - started;
    }
    while (turn->ids.len - prompt < most) {
        if (options->cancel != NULL && atomic_load(options->cancel)) {
            return glmv_fail(err, GLMV_ERR_CANCELLED, "stopped");
        }
        const int32_t forced = glm_speaker_forced(speaker);
        bool done;
        if (forced < 0) {
            sampler->random = choices[row].random;
        }
        if (!say(e, turn, forced < 0 ? choices[row].id : forced, prompt, speaker, result, &done,
                 err)) {
            return false;
        }
        if (done) {
            break;
        }
        turn->next++;
        if (forced < 0 && row + 1 < chosen) {
            row++;
            continue;
        }
        e->runner->len -= chosen - 1 - row;
        row = 0;
        if (e->runner->len >= e->runner->capacity) {
            break;
        }
        if (!advance(e, turn, turn->next - 1, !options->plain_decoding, sampler, choices, &chosen,
                     err)) {
            return false;
        }
        result->steps++;
    }
    return true;
}
