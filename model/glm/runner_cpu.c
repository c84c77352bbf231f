/* The table's functions that every runner shares, and the runner on the processor. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/glm/runner.h"

struct glm_sight_rows *glm_runner_encode(struct glm_runner *runner, const struct glmv_image *image,
                                         struct glmv_err *err)
{
    return runner->kind->encode(runner, image, err);
}

void glm_runner_forget(struct glm_runner *runner, struct glm_sight_rows *rows)
{
    if (rows != NULL) {
        runner->kind->forget(runner, rows);
    }
}

bool glm_runner_step(struct glm_runner *runner, const struct glm_step *step,
                     struct glm_choice *choices, size_t *chosen, struct glmv_err *err)
{
    if (step->count > runner->capacity - runner->len) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "the context of %zu tokens is used up",
                         runner->capacity);
    }
    return runner->kind->step(runner, step, choices, chosen, err);
}

void glm_runner_close(struct glm_runner *runner)
{
    if (runner != NULL) {
        runner->kind->close(runner);
    }
}

bool glm_chooser_init(struct glm_chooser *c, size_t vocab, size_t capacity,
                      const unsigned char *banned, struct glmv_err *err)
{
    *c = (struct glm_chooser){.banned = banned, .vocab = vocab};
    c->history = malloc((capacity + GLM_BATCH) * sizeof *c->history);
    return (c->history != NULL || glmv_fail_memory(err)) &&
           glm_candidates_init(&c->candidates, vocab, err);
}

void glm_chooser_release(struct glm_chooser *c)
{
    free(c->history);
    glm_candidates_release(&c->candidates);
}

static int32_t choose(struct glm_chooser *c, struct glm_sampler *sampler, float *logits, size_t len)
{
    for (size_t i = 0; i < c->vocab; i++) {
        if (c->banned[i] || !isfinite(logits[i])) {
            logits[i] = -INFINITY;
        }
    }
    return glm_sample(sampler, &c->candidates, logits, c->vocab, c->history, len);
}

size_t glm_chooser_run(struct glm_chooser *c, const struct glm_step *step, float *logits,
                       struct glm_choice *choices)
{
    const struct glm_item *guesses = step->items + step->count - step->guessed;
    struct glm_sampler sampler = *step->sampler;
    memcpy(c->history, step->history, step->history_len * sizeof *c->history);
    size_t row = 0;
    for (bool held = true; held; row++) {
        int32_t id = choose(c, &sampler, logits + row * c->vocab, step->history_len + row);
        choices[row] = (struct glm_choice){id, sampler.random};
        held = row < step->guessed && guesses[row].id == id;
        if (held) {
            c->history[step->history_len + row] = id;
        }
    }
    return row;
}

struct cpu {
    struct glm_runner base; /* first, so that a pointer to it is one to the whole */
    struct glm_model *model;
    struct glm_decoder decoder;
    struct glm_chooser chooser;
    float *input, *logits; /* [GLM_STEP][hidden], [GLM_BATCH][vocab] */
};

struct glm_sight_rows {
    float *rows; /* owned */
};

static struct glm_sight_rows *cpu_encode(struct glm_runner *runner, const struct glmv_image *image,
                                         struct glmv_err *err)
{
    struct cpu *cpu = (struct cpu *)runner;
    struct glm_patches patches;
    struct glm_sight_rows *out = malloc(sizeof *out);
    if (out == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    bool ok = glm_picture_patches(&cpu->model->config, image, &patches, err);
    out->rows = ok ? glm_vision_encode(cpu->model, &patches, NULL, err) : NULL;
    glm_patches_release(&patches);
    if (out->rows == NULL) {
        free(out);
        return NULL;
    }
    return out;
}

static void cpu_forget(struct glm_runner *runner, struct glm_sight_rows *rows)
{
    (void)runner;
    free(rows->rows);
    free(rows);
}

static void fill_input(struct cpu *cpu, const struct glm_step *step, int32_t places[GLM_STEP][3])
{
    const size_t h = (size_t)cpu->model->config.text.hidden;
    for (size_t i = 0; i < step->count; i++) {
        const struct glm_item *item = &step->items[i];
        memcpy(places[i], item->position, sizeof item->position);
        if (item->rows != NULL) {
            memcpy(cpu->input + i * h, item->rows->rows + item->row * h, h * sizeof(float));
        } else {
            glm_row(&cpu->model->embed, (size_t)item->id, cpu->input + i * h);
        }
    }
}

static bool cpu_step(struct glm_runner *runner, const struct glm_step *step,
                     struct glm_choice *choices, size_t *chosen, struct glmv_err *err)
{
    struct cpu *cpu = (struct cpu *)runner;
    const size_t guessed = step->guessed;
    int32_t places[GLM_STEP][3];
    fill_input(cpu, step, places);
    cpu->decoder.len = runner->len;
    bool ok = glm_decoder_step(&cpu->decoder, cpu->input, places[0], step->count,
                               step->sampler != NULL ? guessed + 1 : 0, cpu->logits, NULL, err);
    runner->len = cpu->decoder.len;
    if (!ok || step->sampler == NULL) {
        return ok;
    }
    *chosen = glm_chooser_run(&cpu->chooser, step, cpu->logits, choices);
    runner->len -= guessed + 1 - *chosen;
    return true;
}

static void cpu_close(struct glm_runner *runner)
{
    struct cpu *cpu = (struct cpu *)runner;
    glm_decoder_release(&cpu->decoder);
    glm_chooser_release(&cpu->chooser);
    free(cpu->input);
    free(cpu->logits);
    free(cpu);
}

static const struct glm_runner_kind cpu_kind = {"cpu", cpu_encode, cpu_forget, cpu_step, cpu_close};

struct glm_runner *glm_runner_cpu(struct glm_model *model, size_t capacity,
                                  const unsigned char *banned, struct glmv_err *err)
{
    const size_t vocab = (size_t)model->config.text.vocab;
    struct cpu *cpu = calloc(1, sizeof *cpu);
    if (cpu == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    cpu->base = (struct glm_runner){.kind = &cpu_kind, .capacity = capacity, .batch = GLM_STEP};
    snprintf(cpu->base.place, sizeof cpu->base.place, "the processor, %d threads",
             glm_pool_threads(model->pool));
    cpu->model = model;
    model->half = true;
    cpu->input = malloc(GLM_STEP * (size_t)model->config.text.hidden * sizeof *cpu->input);
    cpu->logits = malloc(GLM_BATCH * vocab * sizeof *cpu->logits);
    if (cpu->input == NULL || cpu->logits == NULL) {
        glmv_fail_memory(err);
        cpu_close(&cpu->base);
        return NULL;
    }
    if (!glm_chooser_init(&cpu->chooser, vocab, capacity, banned, err) ||
        !glm_decoder_init(&cpu->decoder, model, capacity, err)) {
        cpu_close(&cpu->base);
        return NULL;
    }
    return &cpu->base;
}
