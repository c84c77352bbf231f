/* The answer, token by token, with guesses checked along the way. */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "model/glm/engine.h"

#define DEFAULT_ANSWER 16384

static struct glm_sampler sampler_of(const struct glm_engine *e,
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

static int32_t choose(struct glm_engine *e, struct glm_sampler *sampler,
                      const struct glm_turn *turn, const struct glm_speaker *speaker, float *logits)
{
    const size_t vocab = (size_t)e->model->config.text.vocab;
    int32_t forced = glm_speaker_forced(speaker);
    if (forced >= 0) {
        return forced;
    }
    for (size_t i = 0; i < vocab; i++) {
        if (e->banned[i] || !isfinite(logits[i])) {
            logits[i] = -INFINITY;
        }
    }
    return glm_sample(sampler, &e->candidates, logits, vocab, turn->ids.data, turn->ids.len);
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

/* Evaluates the last token together with guesses of what follows; e->logits gets a row for each. */
static bool advance(struct glm_engine *e, int32_t id, int32_t next, bool drafting, int32_t *guess,
                    size_t *guessed, struct glmv_err *err)
{
    const size_t h = (size_t)e->model->config.text.hidden;
    size_t room = e->decoder.capacity - e->decoder.len - 1;
    int32_t places[GLM_BATCH][3];
    room = room < GLM_BATCH - 1 ? room : GLM_BATCH - 1;
    /* the cost of one row has to be known before more are worth anything */
    *guessed =
        drafting && e->step_seconds > 0 ? glm_draft_guess(&e->draft, guess, room, price_of(e)) : 0;
    for (size_t i = 0; i <= *guessed; i++) {
        int32_t token = i == 0 ? id : guess[i - 1];
        places[i][0] = places[i][1] = places[i][2] = next + (int32_t)i;
        glm_row(&e->model->embed, (size_t)token, e->input + i * h);
        e->past[e->decoder.len + i] = (uint64_t)token;
    }
    double started = glmv_now();
    bool ok = glm_decoder_step(&e->decoder, e->input, places[0], *guessed + 1, *guessed + 1,
                               e->logits, NULL, err);
    note_cost(e, *guessed + 1, glmv_now() - started);
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
 * A step evaluates one sure token and some guesses. The token after each is chosen as it would be
 * without guesses, from the same bits and with the same draws; as long as it is the one guessed,
 * the next row is there already. What was guessed wrongly is forgotten; at the end it may stay,
 * since e->past says what stands where.
 */
bool glm_turn_generate(struct glm_engine *e, struct glm_turn *turn,
                       const struct glmv_chat_options *options, struct glm_speaker *speaker,
                       struct glmv_chat_result *result, double started, struct glmv_err *err)
{
    struct glm_sampler sampler = sampler_of(e, options);
    const size_t prompt = turn->ids.len, vocab = (size_t)e->model->config.text.vocab;
    const size_t most = options->max_tokens > 0 ? (size_t)options->max_tokens : DEFAULT_ANSWER;
    int32_t guess[GLM_BATCH];
    size_t guessed = 0, row = 0;
    result->finish = GLMV_CHAT_FINISH_LENGTH;
    while (turn->ids.len - prompt < most) {
        if (options->cancel != NULL && atomic_load(options->cancel)) {
            return glmv_fail(err, GLMV_ERR_CANCELLED, "stopped");
        }
        int32_t id = choose(e, &sampler, turn, speaker, e->logits + row * vocab);
        if (turn->ids.len == prompt) {
            result->first_seconds = glmv_now() - started;
        }
        bool done;
        if (!say(e, turn, id, prompt, speaker, result, &done, err)) {
            return false;
        }
        if (done) {
            break;
        }
        turn->next++;
        if (row < guessed && guess[row] == id) {
            row++;
            continue;
        }
        e->decoder.len -= guessed - row;
        row = 0;
        if (e->decoder.len >= e->decoder.capacity) {
            break;
        }
        if (!advance(e, id, turn->next - 1, !options->plain_decoding, guess, &guessed, err)) {
            return false;
        }
        result->steps++;
    }
    return true;
}
