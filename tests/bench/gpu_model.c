#include "tests/bench/gpu_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "model/glm/cuda/cuda.h"
#include "model/glm/device.h"

void bench_config(struct glm_config *c, bool small)
{
    memset(c, 0, sizeof *c);
    c->text = (struct glm_text_config){.hidden = 4096,
                                       .layers = 40,
                                       .heads = 32,
                                       .kv_heads = 2,
                                       .head_dim = 128,
                                       .inner = 13696,
                                       .vocab = 151552,
                                       .rot = 64,
                                       .section = {8, 12, 12},
                                       .theta = 500000,
                                       .eps = 1e-5f,
                                       .context = 131072};
    c->vision = (struct glm_vision_config){.depth = 24,
                                           .hidden = 1536,
                                           .heads = 12,
                                           .head_dim = 128,
                                           .patch = 14,
                                           .temporal = 2,
                                           .merge = 2,
                                           .grid = 24,
                                           .out = 4096,
                                           .inner = 13696,
                                           .eps = 1e-5f};
    c->picture = (struct glm_picture_config){.min_area = 12544,
                                             .max_area = 9633792,
                                             .mean = {0.48145466, 0.4578275, 0.40821073},
                                             .std = {0.26862954, 0.26130258, 0.27577711},
                                             .rescale = 1 / 255.0};
    snprintf(c->name, sizeof c->name, "random weights");
    if (small) {
        c->text.hidden = c->vision.out = 64;
        c->text.layers = 1;
        c->text.heads = 4;
        c->text.kv_heads = 2;
        c->text.head_dim = c->vision.head_dim = 16;
        c->text.inner = c->vision.inner = 64;
        c->text.vocab = 128;
        c->text.rot = 8;
        c->text.section[0] = c->text.section[1] = 1;
        c->text.section[2] = 2;
        c->vision.depth = 1;
        c->vision.hidden = 32;
        c->vision.heads = 2;
        c->vision.grid = 4;
        c->picture.max_area = 12544;
        c->picture.min_area = 2;
    }
}

/* The device's own weights, fetched, as a model of the processor. */
static bool fetch(struct glm_cuda_device *d, const struct glm_cuda_matrix *from,
                  struct glm_matrix *to, struct glmv_err *err)
{
    uint16_t *data = malloc(to->rows * to->cols * sizeof *data);
    to->data = data;
    return (data != NULL || glmv_fail_memory(err)) &&
           glm_cuda_fetch(d, data, from->data, to->rows * to->cols * sizeof *data, err);
}

static bool fetch_all(struct glm_runner *r, struct glm_model *m, struct glmv_err *err)
{
    const struct glm_cuda_weights *w = glm_runner_cuda_weights(r);
    struct glm_cuda_device *d = glm_runner_cuda_device(r);
    const struct glm_cuda_matrix embed = {.data = w->embed};
    bool ok = fetch(d, &embed, &m->embed, err) && fetch(d, &w->head, &m->head, err);
    for (int i = 0; ok && i < m->config.text.layers; i++) {
        struct glm_text_layer *l = &m->layers[i];
        const struct glm_cuda_layer *from = &w->layers[i];
        ok = fetch(d, &from->qkv[0], &l->q, err) && fetch(d, &from->qkv[1], &l->k, err) &&
             fetch(d, &from->qkv[2], &l->v, err) && fetch(d, &from->o, &l->o, err) &&
             fetch(d, &from->gate, &l->gate, err) && fetch(d, &from->up, &l->up, err) &&
             fetch(d, &from->down, &l->down, err);
    }
    return ok && glm_cuda_wait(d, err);
}

static void release_all(struct glm_model *m)
{
    struct glm_matrix *all[64];
    size_t count = m != NULL ? glm_model_matrices(m, all) : 0;
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)all[i]->data);
    }
    if (m != NULL) {
        free((void *)(uintptr_t)m->embed.data);
    }
    glm_model_close(m);
}

enum { ROWS = 16 };

static bool on_device(struct glm_runner *r, const int32_t *ids, float *logits, struct glmv_err *err)
{
    struct glm_item items[ROWS];
    struct glm_sampler greedy = {.top_k = 1};
    struct glm_choice choices[GLM_BATCH];
    size_t chosen;
    for (int32_t i = 0; i < ROWS; i++) {
        items[i] = (struct glm_item){ids[i], {i, i, i}, NULL, 0};
    }
    struct glm_step step = {items, ROWS, ROWS - 1, &greedy, ids, 1};
    return glm_runner_step(r, &step, choices, &chosen, err) &&
           glm_runner_cuda_logits(r, ROWS, logits, err);
}

static bool on_processor(struct glm_model *m, const int32_t *ids, float *logits,
                         struct glmv_err *err)
{
    const size_t h = (size_t)m->config.text.hidden;
    struct glm_decoder d = {0};
    int32_t places[ROWS][3];
    float *x = malloc(ROWS * h * sizeof *x);
    bool ok = (x != NULL || glmv_fail_memory(err)) && glm_pool_fit(m->pool, h, err) &&
              glm_pool_fit(m->pool, (size_t)m->config.text.inner, err) &&
              glm_decoder_init(&d, m, ROWS, err);
    for (size_t i = 0; ok && i < ROWS; i++) {
        places[i][0] = places[i][1] = places[i][2] = (int32_t)i;
        glm_row(&m->embed, (size_t)ids[i], x + i * h);
    }
    if (ok) {
        glm_pool_choose(m->pool, GLM_CPU_AVX2); /* floats; pairs of bf16 would round inputs */
        ok = glm_decoder_step(&d, x, places[0], ROWS, ROWS, logits, NULL, err);
    }
    glm_decoder_release(&d);
    free(x);
    return ok;
}

double bench_logits(bool small, struct glmv_err *err)
{
    struct glm_config config;
    bench_config(&config, small);
    config.text.layers = small ? 1 : 2;
    config.text.vocab = small ? 128 : 8192;
    config.vision.depth = 1;
    const size_t vocab = (size_t)config.text.vocab;
    unsigned char *banned = calloc(1, vocab);
    float *a = malloc(ROWS * vocab * sizeof *a), *b = malloc(ROWS * vocab * sizeof *b);
    struct glm_model *m = glm_model_imagine(&config, err);
    struct glm_cuda_options options = {.capacity = 512, .banned = banned, .seed = 9};
    int32_t ids[ROWS];
    double off = 0, size = 0;
    for (int32_t i = 0; i < ROWS; i++) {
        ids[i] = (37 * i + 11) % 128;
    }
    bool ok = (m != NULL && a != NULL && b != NULL && banned != NULL) || glmv_fail_memory(err);
    struct glm_runner *r = ok ? glm_runner_cuda(m, &options, err) : NULL;
    ok = r != NULL && on_device(r, ids, a, err) && fetch_all(r, m, err) &&
         on_processor(m, ids, b, err);
    for (size_t i = 0; ok && i < ROWS * vocab; i++) {
        off += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        size += (double)b[i] * b[i];
    }
    glm_runner_close(r);
    release_all(m);
    free(banned);
    free(a);
    free(b);
    return ok ? sqrt(off / size) : -1;
}

int bench_load(const char *folder, const char *form)
{
    struct glmv_err err = {0};
    double start = glmv_now();
    struct glm_model *m = glm_device_open_cuda(folder, form, &err);
    unsigned char *banned = m != NULL ? calloc(1, (size_t)m->config.text.vocab) : NULL;
    struct glm_cuda_options options = {.capacity = 16384, .banned = banned};
    bool ok = banned != NULL && glm_cuda_kept_parse(form, &options.kept, &err);
    double mapped = glmv_now();
    struct glm_runner *r = ok ? glm_runner_cuda(m, &options, &err) : NULL;
    double loaded = glmv_now();
    struct glm_item item = {100, {0, 0, 0}, NULL, 0};
    struct glm_sampler greedy = {.top_k = 1};
    struct glm_choice choice;
    size_t chosen;
    struct glm_step step = {&item, 1, 0, &greedy, &item.id, 1};
    ok = r != NULL && glm_runner_step(r, &step, &choice, &chosen, &err);
    if (ok) {
        char what[80];
        snprintf(what, sizeof what, "%s files to first token, %.2f s to the device", form,
                 loaded - mapped);
        bench_row(what, glmv_now() - start, "s", 1.5, 0.8, true);
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    glm_runner_close(r);
    glm_model_close(m);
    free(banned);
    return ok ? 0 : 1;
}
