/* The runner on a CUDA device. Everything happens in one stream; the host waits once a step, for
 * the tokens that were chosen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/glm/cuda/cuda.h"
#include "model/glm/cuda/graphs.h"
#include "model/glm/cuda/tower.h"

struct runner {
    struct glm_runner base; /* first, so that a pointer to it is one to the whole */
    struct glm_config config;
    struct glm_cuda_device device;
    struct glm_cuda_weights weights;
    struct glm_cuda_text text;
    struct glm_cuda_choose choose;
    struct glm_cuda_graphs graphs;
    struct glm_cuda_budget budget;
    glm_device_ptr cache, work;  /* owned */
    struct glm_cuda_arena steps; /* of work: what a step or a picture may use */
    bool plain;
};

struct glm_sight_rows {
    float *device; /* owned; or */
    float *host;   /* owned */
};

/* A failure of the device decides about the runner, one of the caller's does not. */
static bool result_of(struct runner *r, bool ok)
{
    r->base.failed = !ok && r->device.cuda.failed;
    r->device.cuda.failed = false;
    return ok;
}

static void forget(struct glm_runner *runner, struct glm_sight_rows *rows)
{
    struct runner *r = (struct runner *)runner;
    if (rows->device != NULL) { /* also of a lost device: its context lives on in the driver */
        r->device.cuda.api.context_set(r->device.cuda.context);
        glm_cuda_free(&r->device.cuda, (glm_device_ptr)(uintptr_t)rows->device);
    }
    if (rows->host != NULL) { /* a copy to the device may still be under way */
        r->device.cuda.api.context_set(r->device.cuda.context);
        glm_cuda_drain(&r->device);
    }
    free(rows->host);
    free(rows);
}

/* The rows of a picture from the work memory to where they stay: on the device, or with the host
 * where the device has no room. */
static bool keep_rows(struct runner *r, const float *rows, size_t bytes, struct glm_sight_rows *out,
                      struct glmv_err *err)
{
    struct glm_cuda *cuda = &r->device.cuda;
    glm_device_ptr own = 0;
    int code = cuda->api.alloc(&own, bytes);
    if (code == GLM_CU_OUT_OF_MEMORY) {
        out->host = malloc(bytes);
        return (out->host != NULL || glmv_fail_memory(err)) &&
               glm_cuda_fetch(&r->device, out->host, rows, bytes, err);
    }
    out->device = (float *)(uintptr_t)own;
    return glm_cuda_check(cuda, code, "keep the rows of a picture", err) &&
           glm_cuda_move(&r->device, out->device, rows, bytes, err);
}

static bool read_picture(struct runner *r, const struct glmv_image *image,
                         struct glm_sight_rows *out, struct glmv_err *err)
{
    struct glm_cuda_shape shape;
    if (!glm_cuda_shape_of(&r->config, image->width, image->height, &shape, err)) {
        return false;
    }
    const size_t merge = (size_t)r->config.vision.merge, count = shape.grid.n / (merge * merge);
    const size_t bytes = count * (size_t)r->config.text.hidden * sizeof(float);
    const size_t needed = glm_cuda_tower_bytes(&r->config, &shape) + bytes + GLM_CUDA_ALIGN;
    struct glm_cuda_arena arena = r->steps;
    glm_device_ptr own = 0;
    bool ok = true;
    if (needed > arena.size) { /* larger than the screenshot that was reckoned with */
        ok = glm_cuda_alloc(&r->device.cuda, needed, "a picture of this size", &own, err);
        arena = (struct glm_cuda_arena){own, 0, needed};
    }
    float *rows = ok ? glm_cuda_take(&arena, bytes) : NULL;
    ok =
        ok &&
        glm_cuda_tower_read(&r->device, &r->config, &r->weights, arena, &shape, image, rows, err) &&
        keep_rows(r, rows, bytes, out, err) && glm_cuda_wait(&r->device, err);
    glm_cuda_free(&r->device.cuda, own);
    return ok;
}

static struct glm_sight_rows *encode(struct glm_runner *runner, const struct glmv_image *image,
                                     struct glmv_err *err)
{
    struct runner *r = (struct runner *)runner;
    struct glm_sight_rows *out = calloc(1, sizeof *out);
    if (out == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    bool ok = glm_cuda_enter(&r->device.cuda, err) && read_picture(r, image, out, err);
    if (!result_of(r, ok)) {
        forget(runner, out);
        return NULL;
    }
    return out;
}

/* Items to where the device takes them from; rows of pictures, copied beside each other, get ids
 * below zero. */
static bool fill(struct runner *r, const struct glm_cuda_input *input,
                 const struct glm_cuda_rows *rows, const struct glm_item *items, size_t n,
                 struct glmv_err *err)
{
    const size_t h = (size_t)r->config.text.hidden;
    struct glm_cuda_state *state = glm_cuda_input_state(input, input->host);
    int32_t *ids = glm_cuda_input_ids(input, input->host);
    int32_t *positions = glm_cuda_input_positions(input, input->host);
    memset(state, 0, sizeof *state);
    state->len = (int32_t)r->base.len;
    state->place = items[n - 1].position[0];
    for (size_t i = 0; i < n; i++) {
        ids[i] = items[i].rows != NULL ? -1 - (int32_t)i : items[i].id;
        memcpy(positions + 3 * i, items[i].position, sizeof items[i].position);
    }
    bool ok = true;
    for (size_t i = 0, end; ok && i < n; i = end) {
        const struct glm_sight_rows *from = items[i].rows;
        for (end = i + 1; end < n && from != NULL && items[end].rows == from &&
                          items[end].row == items[end - 1].row + 1;
             end++) {
        }
        const size_t bytes = (end - i) * h * sizeof(float), at = items[i].row * h;
        if (from != NULL && from->device != NULL) {
            ok = glm_cuda_move(&r->device, rows->extra + i * h, from->device + at, bytes, err);
        } else if (from != NULL) {
            ok = glm_cuda_send(&r->device, rows->extra + i * h, from->host + at, bytes, err);
        }
    }
    return ok;
}

/* What is sure and asks for nothing. */
static bool prefill(struct runner *r, const struct glm_item *items, size_t n, struct glmv_err *err)
{
    const struct glm_cuda_input *input = &r->text.prefill_input;
    /* the copy before has to be done with the memory that is filled now */
    bool ok = glm_cuda_wait(&r->device, err) && fill(r, input, &r->text.prefill, items, n, err) &&
              glm_cuda_send(&r->device, input->device, input->host, input->bytes, err) &&
              glm_cuda_text_prefill(&r->text, n, r->base.len, err);
    r->base.len += ok ? n : 0;
    return ok;
}

struct recording {
    struct runner *runner;
    size_t n, splits;
    struct glm_cuda_settings settings;
};

/* Everything a step puts into the stream; also while it is recorded. */
static bool record(void *arg, struct glmv_err *err)
{
    const struct recording *c = arg;
    struct runner *r = c->runner;
    const struct glm_cuda_input *input = &r->text.decode_input;
    return glm_cuda_send(&r->device, input->device, input->host, input->bytes, err) &&
           glm_cuda_text_decode(&r->text, c->n, c->splits, err) &&
           glm_cuda_choose_run(&r->choose, &c->settings, &r->text, c->n, err) &&
           glm_cuda_fetch(&r->device, input->host, input->device, input->answer_bytes, err);
}

/* The last sure item and the guesses. */
static bool decode(struct runner *r, const struct glm_step *step, struct glm_choice *choices,
                   size_t *chosen, struct glmv_err *err)
{
    const size_t n = step->guessed + 1;
    const struct glm_cuda_input *input = &r->text.decode_input;
    struct recording c = {.runner = r,
                          .n = n,
                          .splits = glm_cuda_splits(r->base.len + n, r->base.capacity),
                          .settings = glm_cuda_settings_of(step->sampler)};
    if (!fill(r, input, &r->text.decode, step->items + step->count - n, n, err)) {
        return false;
    }
    glm_cuda_input_state(input, input->host)->random = step->sampler->random;
    glm_cuda_choose_prepare(&r->choose, &c.settings, step);
    bool ok = (r->plain ? record(&c, err)
                        : glm_cuda_graphs_run(&r->graphs, &r->device, n, c.splits, &c.settings,
                                              record, &c, err)) &&
              glm_cuda_wait(&r->device, err);
    if (ok) {
        *chosen = glm_cuda_choose_read(step, glm_cuda_input_state(input, input->host),
                                       glm_cuda_input_counts(input, input->host), choices);
    }
    r->base.len += ok ? *chosen : 0;
    return ok;
}

static bool step_of(struct glm_runner *runner, const struct glm_step *step,
                    struct glm_choice *choices, size_t *chosen, struct glmv_err *err)
{
    struct runner *r = (struct runner *)runner;
    const size_t last = step->sampler != NULL ? step->guessed + 1 : 0, sure = step->count - last;
    bool ok = glm_cuda_enter(&r->device.cuda, err) &&
              (sure == 0 || prefill(r, step->items, sure, err)) &&
              (last == 0 || decode(r, step, choices, chosen, err));
    return result_of(r, ok);
}

static void close_runner(struct glm_runner *runner)
{
    struct runner *r = (struct runner *)runner;
    struct glm_cuda *cuda = &r->device.cuda;
    if (cuda->context != NULL) {
        cuda->api.context_set(cuda->context);
        glm_cuda_graphs_release(&r->graphs, &r->device);
        glm_cuda_choose_close(&r->choose);
        glm_cuda_free_host(cuda, r->text.decode_input.host);
        glm_cuda_free_host(cuda, r->text.prefill_input.host);
        glm_cuda_free(cuda, r->work);
        glm_cuda_free(cuda, r->cache);
        glm_cuda_weights_release(&r->weights, &r->device);
        glm_cuda_device_close(&r->device);
    }
    free(r);
}

static const struct glm_runner_kind cuda_kind = {"cuda", encode, forget, step_of, close_runner};

static bool open_input(struct runner *r, struct glm_cuda_input *input, size_t rows,
                       struct glm_cuda_arena *arena, struct glmv_err *err)
{
    void *pinned = NULL;
    glm_cuda_input_measure(input, rows);
    input->device = glm_cuda_take(arena, input->bytes);
    if (!glm_cuda_alloc_host(&r->device.cuda, input->bytes, &pinned, err)) {
        return false;
    }
    input->host = pinned;
    memset(pinned, 0, input->bytes);
    return true;
}

/* The memory beside the weights, as the budget has it. */
static bool open_memory(struct runner *r, const unsigned char *banned, struct glmv_err *err)
{
    struct glm_cuda *cuda = &r->device.cuda;
    const struct glm_text_config *c = &r->config.text;
    const struct glm_cuda_budget *b = &r->budget;
    if (!glm_cuda_alloc(cuda, b->cache, "keys and values", &r->cache, err) ||
        !glm_cuda_alloc(cuda, b->scratch, "work", &r->work, err)) {
        return false;
    }
    struct glm_cuda_arena arena = {r->work, 0, b->scratch};
    glm_cuda_choose_take(&r->choose, &arena, (size_t)c->vocab);
    r->text.device = &r->device;
    r->text.config = c;
    r->text.weights = &r->weights;
    r->text.keys = (uint16_t *)(uintptr_t)r->cache;
    r->text.values = r->text.keys + b->cache / sizeof(uint16_t) / 2;
    r->text.capacity = b->capacity;
    if (!open_input(r, &r->text.prefill_input, b->batch, &arena, err) ||
        !open_input(r, &r->text.decode_input, GLM_CUDA_ROWS, &arena, err)) {
        return false;
    }
    r->steps = (struct glm_cuda_arena){r->work + arena.used, 0, b->scratch - arena.used};
    struct glm_cuda_arena decode_rows = r->steps, prefill_rows = r->steps;
    glm_cuda_rows_take(&r->text.decode, &decode_rows, c, &r->weights, GLM_CUDA_ROWS, b->capacity,
                       true);
    glm_cuda_rows_take(&r->text.prefill, &prefill_rows, c, &r->weights, b->batch, b->capacity,
                       false);
    return glm_cuda_choose_open(&r->choose, &r->device, b->capacity, banned, err);
}

struct glm_runner *glm_runner_cuda(struct glm_model *model, const struct glm_cuda_options *o,
                                   struct glmv_err *err)
{
    struct runner *r = calloc(1, sizeof *r);
    if (r == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    r->base.kind = &cuda_kind;
    r->config = model->config;
    r->plain = o->plain;
    bool ok = glm_cuda_fits(&model->config, err) &&
              glm_cuda_device_open(&r->device, o->ordinal, err) &&
              glm_cuda_budget_fit(&r->budget, model, o->kept, o->capacity,
                                  glm_cuda_memory_free(&r->device.cuda), err);
    ok = ok && glm_cuda_weights_load(&r->weights, &r->device, model, o->kept, o->seed, err) &&
         open_memory(r, o->banned, err);
    if (!ok) {
        close_runner(&r->base);
        return NULL;
    }
    r->base.capacity = r->budget.capacity;
    r->base.batch = r->budget.batch;
    snprintf(r->base.place, sizeof r->base.place, "cuda:%d, %s, %s, %.1f GB", o->ordinal,
             r->device.cuda.name, glm_cuda_kept_name(o->kept), (double)r->budget.total / 1e9);
    return &r->base;
}

struct glm_cuda_counts glm_runner_cuda_counts(const struct glm_runner *runner)
{
    const struct runner *r = (const struct runner *)runner;
    return (struct glm_cuda_counts){r->device.launches, r->graphs.made, r->graphs.updated,
                                    r->graphs.launched, r->budget.total};
}

bool glm_runner_cuda_logits(struct glm_runner *runner, size_t rows, float *out,
                            struct glmv_err *err)
{
    struct runner *r = (struct runner *)runner;
    return glm_cuda_enter(&r->device.cuda, err) &&
           glm_cuda_fetch(&r->device, out, r->text.decode.logits,
                          rows * (size_t)r->config.text.vocab * sizeof *out, err) &&
           glm_cuda_wait(&r->device, err);
}

const struct glm_cuda_weights *glm_runner_cuda_weights(const struct glm_runner *runner)
{
    return &((const struct runner *)runner)->weights;
}

struct glm_cuda_device *glm_runner_cuda_device(struct glm_runner *runner)
{
    return &((struct runner *)runner)->device;
}
