/* A conversation made ready: pictures through the tower, ids, positions; and the prompt through the
 * text model as far as it differs from the last one. */
#include <stdlib.h>
#include <string.h>

#include "model/glm/engine.h"

static uint64_t hash_picture(const struct glmv_image *image)
{
    uint64_t h = 0x9E3779B97F4A7C15u ^ (uint64_t)image->width << 32 ^ (uint64_t)image->height;
    const size_t len = (size_t)image->width * (size_t)image->height * 4;
    for (size_t i = 0; i < len; i += 8) { /* two pixels; the last may be alone */
        uint64_t v = 0;
        memcpy(&v, image->rgba + i, len - i < 8 ? 4 : 8);
        h = (h ^ v) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
    }
    return h | 1ull << 63; /* above every token id */
}

/* The rows of a picture: kept ones, or from the tower. */
static struct glm_sight *look(struct glm_engine *e, const struct glmv_image *image,
                              struct glmv_err *err)
{
    struct glm_sight *oldest = &e->sights[0];
    uint64_t hash = hash_picture(image);
    for (size_t i = 0; i < sizeof e->sights / sizeof e->sights[0]; i++) {
        if (e->sights[i].hash == hash) {
            e->sights[i].used = ++e->clock;
            return &e->sights[i];
        }
        oldest = e->sights[i].used < oldest->used ? &e->sights[i] : oldest;
    }
    const struct glm_config *c = &e->model->config;
    const int side = c->vision.patch * c->vision.merge;
    int width, height;
    if (!glm_picture_size(c, image->width, image->height, &width, &height, err)) {
        return NULL;
    }
    struct glm_sight_rows *rows = glm_runner_encode(e->runner, image, err);
    if (rows != NULL) {
        glm_runner_forget(e->runner, oldest->rows);
        *oldest = (struct glm_sight){hash, rows, {height / side, width / side}, ++e->clock};
    }
    return rows != NULL ? oldest : NULL;
}

static bool collect(struct glm_engine *e, const struct glmv_chat_message *messages, size_t count,
                    struct glm_turn *turn, const atomic_bool *cancel, struct glmv_err *err)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < messages[i].chunk_count; k++) {
            const struct glmv_image *image = messages[i].chunks[k].image;
            if (image == NULL || messages[i].role == GLMV_CHAT_ASSISTANT) {
                continue;
            }
            if (turn->pictures == GLM_MAX_PICTURES) {
                return glmv_fail(err, GLMV_ERR_LIMIT, "more than %d pictures in a conversation",
                                 GLM_MAX_PICTURES);
            }
            if (cancel != NULL && atomic_load(cancel)) {
                return glmv_fail(err, GLMV_ERR_CANCELLED, "stopped");
            }
            struct glm_sight *s = look(e, image, err);
            if (s == NULL) {
                return false;
            }
            turn->seen[turn->pictures] = s;
            turn->spans[turn->pictures++] = s->span;
        }
    }
    return true;
}

bool glm_turn_make(struct glm_engine *e, const struct glmv_chat_message *messages, size_t count,
                   const struct glmv_chat_options *options, struct glm_turn *turn,
                   struct glmv_err *err)
{
    struct glm_ids plain = {0};
    const int image = e->model->config.image_token;
    bool ok = collect(e, messages, count, turn, options->cancel, err) &&
              glm_prompt_render(e->tokenizer, e->dialect, messages, count, options, &plain, err) &&
              glm_prompt_expand(&plain, image, turn->spans, turn->pictures, &turn->ids, err);
    glm_ids_release(&plain);
    if (!ok) {
        return false;
    }
    if (turn->ids.len + 1 >= e->runner->capacity) {
        return glmv_fail(err, GLMV_ERR_LIMIT,
                         "the conversation has %zu tokens, the context holds %zu; send fewer or "
                         "smaller pictures",
                         turn->ids.len, e->runner->capacity);
    }
    turn->positions = malloc(turn->ids.len * 3 * sizeof *turn->positions);
    turn->keys = malloc(turn->ids.len * sizeof *turn->keys);
    if (turn->positions == NULL || turn->keys == NULL) {
        return glmv_fail_memory(err);
    }
    turn->prompt = turn->ids.len;
    turn->next = glm_prompt_positions(&turn->ids, image, turn->spans, turn->positions);
    size_t at = 0, left = 0;
    for (size_t i = 0; i < turn->ids.len; i++) {
        bool picture = turn->ids.data[i] == image;
        if (picture && left == 0) {
            left = (size_t)turn->spans[at].rows * (size_t)turn->spans[at].cols;
            at++;
        }
        left -= picture ? 1 : 0;
        turn->keys[i] = picture ? turn->seen[at - 1]->hash : (uint64_t)turn->ids.data[i];
    }
    return true;
}

bool glm_turn_resume(struct glm_turn *turn, const int32_t *said, size_t count, struct glmv_err *err)
{
    const size_t all = turn->ids.len + count;
    int32_t *positions = realloc(turn->positions, all * 3 * sizeof *positions);
    turn->positions = positions != NULL ? positions : turn->positions;
    uint64_t *keys = realloc(turn->keys, all * sizeof *keys);
    turn->keys = keys != NULL ? keys : turn->keys;
    if (positions == NULL || keys == NULL) {
        return glmv_fail_memory(err);
    }
    for (size_t i = 0; i < count; i++, turn->next++) {
        const size_t at = turn->ids.len;
        positions[3 * at] = positions[3 * at + 1] = positions[3 * at + 2] = turn->next;
        keys[at] = (uint64_t)said[i];
        if (!glm_ids_push(&turn->ids, said[i], err)) {
            return false;
        }
    }
    return true;
}

/* The place of the prompt at i, which is a row of a picture where picture and row say so: they are
 * moved on. */
static struct glm_item item_at(const struct glm_engine *e, const struct glm_turn *turn, size_t i,
                               size_t *picture, size_t *row)
{
    const int32_t *p = turn->positions + i * 3;
    struct glm_item item = {turn->ids.data[i], {p[0], p[1], p[2]}, NULL, 0};
    if (item.id == e->model->config.image_token) {
        const struct glm_span *span = &turn->spans[*picture];
        item.rows = turn->seen[*picture]->rows;
        item.row = *row;
        if (++*row == (size_t)span->rows * (size_t)span->cols) {
            *row = 0;
            ++*picture;
        }
    }
    return item;
}

/* Evaluates the prompt from the first place that differs from what is in memory. */
bool glm_turn_prefill(struct glm_engine *e, const struct glm_turn *turn,
                      const struct glm_sampler *sampler, const atomic_bool *cancel, size_t *cached,
                      struct glm_choice *first, struct glmv_err *err)
{
    const size_t len = turn->ids.len;
    size_t same = 0, picture = 0, row = 0, filled = 0, chosen;
    while (same + 1 < len && same < e->runner->len && e->past[same] == turn->keys[same]) {
        same++;
    }
    *cached = same;
    e->runner->len = same;
    for (size_t i = 0; i < len; i++) {
        struct glm_item item = item_at(e, turn, i, &picture, &row);
        if (i < same) {
            continue;
        }
        e->items[filled] = item;
        e->past[i] = turn->keys[i];
        if (++filled < e->runner->batch && i + 1 < len) {
            continue;
        }
        if (cancel != NULL && atomic_load(cancel)) {
            return glmv_fail(err, GLMV_ERR_CANCELLED, "stopped");
        }
        struct glm_step step = {.items = e->items,
                                .count = filled,
                                .sampler = i + 1 == len ? sampler : NULL,
                                .history = turn->ids.data,
                                .history_len = len};
        if (!glm_runner_step(e->runner, &step, first, &chosen, err)) {
            return false;
        }
        filled = 0;
    }
    return true;
}

void glm_turn_release(struct glm_turn *turn)
{
    glm_ids_release(&turn->ids);
    free(turn->positions);
    free(turn->keys);
    memset(turn, 0, sizeof *turn);
}
