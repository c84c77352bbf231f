#include "model/glm/cuda/choose.h"

#include <stdlib.h>
#include <string.h>

#define DRAW 0x9E3779B97F4A7C15u /* by which a draw moves the state of the sampler */

void glm_cuda_choose_take(struct glm_cuda_choose *c, struct glm_cuda_arena *arena, size_t vocab)
{
    const size_t rows = GLM_CUDA_ROWS, best = rows * GLM_CUDA_BEST, parts = best * GLM_CUDA_PARTS;
    memset(c, 0, sizeof *c);
    c->vocab = vocab;
    c->words = (vocab + 31) / 32;
    c->banned = glm_cuda_take(arena, c->words * sizeof *c->banned);
    c->seen = glm_cuda_take(arena, c->words * sizeof *c->seen);
    c->part_logits = glm_cuda_take(arena, parts * sizeof *c->part_logits);
    c->part_ids = glm_cuda_take(arena, parts * sizeof *c->part_ids);
    c->best_ids = glm_cuda_take(arena, best * sizeof *c->best_ids);
    c->best_chances = glm_cuda_take(arena, best * sizeof *c->best_chances);
    c->cut = glm_cuda_take(arena, rows * sizeof *c->cut);
    c->mass = glm_cuda_take(arena, rows * sizeof *c->mass);
}

bool glm_cuda_choose_open(struct glm_cuda_choose *c, struct glm_cuda_device *device,
                          size_t capacity, const unsigned char *banned, struct glmv_err *err)
{
    void *pinned = NULL;
    c->device = device;
    c->history = malloc((capacity + 1) * sizeof *c->history);
    if (c->history == NULL) {
        return glmv_fail_memory(err);
    }
    if (!glm_cuda_alloc_host(&device->cuda, c->words * sizeof *c->seen_host, &pinned, err)) {
        return false;
    }
    c->seen_host = pinned;
    memset(c->seen_host, 0, c->words * sizeof *c->seen_host);
    for (size_t i = 0; i < c->vocab; i++) {
        c->seen_host[i / 32] |= (banned[i] ? 1u : 0u) << i % 32;
    }
    bool ok = glm_cuda_send(device, c->banned, c->seen_host, c->words * sizeof *c->banned, err) &&
              glm_cuda_wait(device, err);
    memset(c->seen_host, 0, c->words * sizeof *c->seen_host);
    return ok;
}

void glm_cuda_choose_close(struct glm_cuda_choose *c)
{
    free(c->history);
    if (c->seen_host != NULL) {
        glm_cuda_free_host(&c->device->cuda, c->seen_host);
    }
    memset(c, 0, sizeof *c);
}

struct glm_cuda_settings glm_cuda_settings_of(const struct glm_sampler *s)
{
    const bool greedy = !(s->temperature > 0) || s->top_k == 1;
    const uint32_t top_k = s->top_k > 0 ? (uint32_t)s->top_k : 0;
    const bool sorted = top_k > 0 && top_k <= GLM_CUDA_BEST;
    struct glm_cuda_settings settings = {.temperature = greedy ? 0 : s->temperature,
                                         .top_p = greedy ? 1 : s->top_p,
                                         .penalty =
                                             s->repetition_penalty > 0 ? s->repetition_penalty : 1,
                                         .want = greedy   ? 1
                                                 : sorted ? top_k
                                                          : 0,
                                         .top_k = greedy || sorted ? 0 : top_k};
    return settings;
}

void glm_cuda_choose_prepare(struct glm_cuda_choose *c, const struct glm_cuda_settings *settings,
                             const struct glm_step *step)
{
    if (!(settings->penalty < 1 || settings->penalty > 1)) {
        return;
    }
    const size_t len = step->history_len;
    if (c->history_len > len ||
        memcmp(c->history, step->history, c->history_len * sizeof *c->history) != 0) {
        memset(c->seen_host, 0, c->words * sizeof *c->seen_host);
        c->history_len = 0;
    }
    for (; c->history_len < len; c->history_len++) {
        size_t id = (size_t)step->history[c->history_len];
        c->history[c->history_len] = step->history[c->history_len];
        if (id < c->vocab) {
            c->seen_host[id / 32] |= 1u << id % 32;
        }
    }
}

bool glm_cuda_choose_run(struct glm_cuda_choose *c, const struct glm_cuda_settings *settings,
                         const struct glm_cuda_text *text, size_t n, struct glmv_err *err)
{
    const struct glm_cuda_input *input = &text->decode_input;
    const bool penalty = settings->penalty < 1 || settings->penalty > 1;
    struct glm_cuda_sample a = {.logits = text->decode.logits,
                                .banned = c->banned,
                                .seen = penalty ? c->seen : NULL,
                                .ids = glm_cuda_input_ids(input, input->device),
                                .state = glm_cuda_input_state(input, input->device),
                                .part_logits = c->part_logits,
                                .part_ids = c->part_ids,
                                .best_ids = c->best_ids,
                                .best_chances = c->best_chances,
                                .best_count = glm_cuda_input_counts(input, input->device),
                                .cut = c->cut,
                                .mass = c->mass,
                                .temperature = settings->temperature,
                                .top_p = settings->top_p,
                                .penalty = settings->penalty,
                                .n = (uint32_t)n,
                                .vocab = (uint32_t)c->vocab,
                                .want = settings->want,
                                .top_k = settings->top_k};
    const bool whole = settings->want == 0;
    const struct glm_cuda_launch first = whole ? glm_cuda_whole_limit_launch(&a)
                                               : glm_cuda_best_parts_launch(&a),
                                 second = whole ? glm_cuda_whole_draw_launch(&a)
                                                : glm_cuda_best_merge_launch(&a);
    return (!penalty ||
            glm_cuda_send(c->device, c->seen, c->seen_host, c->words * sizeof *c->seen, err)) &&
           glm_cuda_run(c->device, first, &a, err) && glm_cuda_run(c->device, second, &a, err) &&
           glm_cuda_run(c->device, glm_cuda_verify_launch(&a), &a, err);
}

size_t glm_cuda_choose_read(const struct glm_step *step, const struct glm_cuda_state *state,
                            const int32_t *counts, struct glm_choice *choices)
{
    const size_t most = step->guessed + 1;
    size_t count = state->count < 1 ? 1 : (size_t)state->count;
    uint64_t random = step->sampler->random;
    count = count < most ? count : most;
    for (size_t i = 0; i < count; i++) {
        random += counts[i] > 1 ? DRAW : 0; /* a draw only where there was a choice */
        choices[i] = (struct glm_choice){state->tokens[i], random};
    }
    return count;
}
