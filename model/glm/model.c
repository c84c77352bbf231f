#include "model/glm/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "model/glm/codes.h"

/* Binding continues after a failure would only hide the first one, so every step asks ok. */
struct binder {
    struct glm_model *model;
    enum glm_form form; /* for the matrices of the text model; BF16: as stored */
    bool ok;
    struct glmv_err *err;
};

static bool keep(struct binder *b, void *memory)
{
    struct glm_model *m = b->model;
    if (m->owned_count == m->owned_cap) {
        size_t cap = m->owned_cap == 0 ? 64 : m->owned_cap * 2;
        void **grown = realloc(m->owned, cap * sizeof *grown);
        if (grown == NULL) {
            free(memory);
            return b->ok = glmv_fail_memory(b->err);
        }
        m->owned = grown;
        m->owned_cap = cap;
    }
    m->owned[m->owned_count++] = memory;
    return true;
}

static const struct glm_tensor *need(struct binder *b, const char *name, int dims,
                                     const int64_t *shape)
{
    const struct glm_tensor *t =
        b->ok ? glm_weights_need(&b->model->weights, name, dims, shape, b->err) : NULL;
    b->ok = t != NULL;
    return t;
}

static struct glm_matrix as_matrix(const struct glm_tensor *t, size_t rows, size_t cols)
{
    static const enum glm_form forms[] = {GLM_FORM_F32, GLM_FORM_F16, GLM_FORM_BF16};
    return (struct glm_matrix){forms[t->type], rows, cols, t->data, NULL, 0};
}

static void matrix(struct binder *b, struct glm_matrix *out, int64_t rows, int64_t cols,
                   const char *name)
{
    const struct glm_tensor *t = need(b, name, 2, (int64_t[]){rows, cols});
    if (t != NULL) {
        *out = as_matrix(t, (size_t)rows, (size_t)cols);
    }
}

/* A small tensor as floats. */
static void vector(struct binder *b, float **out, int dims, const int64_t *shape, const char *name)
{
    const struct glm_tensor *t = need(b, name, dims, shape);
    if (t == NULL) {
        return;
    }
    size_t count = t->bytes / glm_type_size(t->type);
    *out = malloc((count + 1) * sizeof **out);
    if (*out == NULL) {
        b->ok = glmv_fail_memory(b->err);
        return;
    }
    struct glm_matrix m = as_matrix(t, 1, count);
    glm_row(&m, 0, *out);
    keep(b, *out);
}

static void quantised(struct binder *b, struct glm_matrix *m, enum glm_form form)
{
    if (!b->ok || form < GLM_FORM_INT8) {
        return;
    }
    struct glm_matrix out;
    b->ok = glm_quantise(b->model->pool, m, form, GLM_GROUP, &out, b->err);
    if (b->ok) {
        *m = out;
        if (keep(b, (void *)(uintptr_t)out.data)) {
            keep(b, (void *)(uintptr_t)out.scales);
        } else {
            free((void *)(uintptr_t)out.scales);
        }
    }
}

static const char *name_of(char *out, size_t size, const char *format, int layer, const char *rest)
{
    snprintf(out, size, format, layer, rest);
    return out;
}

static void bind_gate_up(struct binder *b, struct glm_text_layer *layer, int at)
{
    const struct glm_text_config *c = &b->model->config.text;
    char name[128];
    name_of(name, sizeof name, "layers.%d.mlp.%s", at, "gate_proj.weight");
    if (b->ok && glm_weights_find(&b->model->weights, name) != NULL) {
        matrix(b, &layer->gate, c->inner, c->hidden, name);
        name_of(name, sizeof name, "layers.%d.mlp.%s", at, "up_proj.weight");
        matrix(b, &layer->up, c->inner, c->hidden, name);
        return;
    }
    name_of(name, sizeof name, "layers.%d.mlp.%s", at, "gate_up_proj.weight");
    struct glm_matrix both;
    matrix(b, &both, 2 * (int64_t)c->inner, c->hidden, name);
    if (b->ok) {
        size_t size = both.form == GLM_FORM_F32 ? 4 : 2;
        layer->gate = layer->up = both;
        layer->gate.rows = layer->up.rows = (size_t)c->inner;
        layer->up.data = (const char *)both.data + layer->gate.rows * both.cols * size;
    }
}

static void bind_layer(struct binder *b, struct glm_text_layer *layer, int at)
{
    const struct glm_text_config *c = &b->model->config.text;
    const int64_t h = c->hidden, q = (int64_t)c->heads * c->head_dim,
                  kv = (int64_t)c->kv_heads * c->head_dim;
    char name[128];
#define NAME(rest) name_of(name, sizeof name, "layers.%d.%s", at, rest)
    vector(b, &layer->norm_in, 1, &h, NAME("input_layernorm.weight"));
    vector(b, &layer->norm_attn_out, 1, &h, NAME("post_self_attn_layernorm.weight"));
    vector(b, &layer->norm_mlp_in, 1, &h, NAME("post_attention_layernorm.weight"));
    vector(b, &layer->norm_mlp_out, 1, &h, NAME("post_mlp_layernorm.weight"));
    matrix(b, &layer->q, q, h, NAME("self_attn.q_proj.weight"));
    matrix(b, &layer->k, kv, h, NAME("self_attn.k_proj.weight"));
    matrix(b, &layer->v, kv, h, NAME("self_attn.v_proj.weight"));
    matrix(b, &layer->o, h, q, NAME("self_attn.o_proj.weight"));
    vector(b, &layer->q_bias, 1, &q, NAME("self_attn.q_proj.bias"));
    vector(b, &layer->k_bias, 1, &kv, NAME("self_attn.k_proj.bias"));
    vector(b, &layer->v_bias, 1, &kv, NAME("self_attn.v_proj.bias"));
    matrix(b, &layer->down, h, c->inner, NAME("mlp.down_proj.weight"));
#undef NAME
    bind_gate_up(b, layer, at);
    struct glm_matrix *all[] = {&layer->q,    &layer->k,  &layer->v,   &layer->o,
                                &layer->gate, &layer->up, &layer->down};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        quantised(b, all[i], b->form);
    }
}

static void bind_block(struct binder *b, struct glm_vision_block *block, int at)
{
    const int64_t h = b->model->config.vision.hidden, inner = b->model->config.vision.out;
    char name[128];
#define NAME(rest) name_of(name, sizeof name, "visual.blocks.%d.%s", at, rest)
    vector(b, &block->norm1, 1, &h, NAME("norm1.weight"));
    vector(b, &block->norm2, 1, &h, NAME("norm2.weight"));
    matrix(b, &block->qkv, 3 * h, h, NAME("attn.qkv.weight"));
    matrix(b, &block->proj, h, h, NAME("attn.proj.weight"));
    matrix(b, &block->gate, inner, h, NAME("mlp.gate_proj.weight"));
    matrix(b, &block->up, inner, h, NAME("mlp.up_proj.weight"));
    matrix(b, &block->down, h, inner, NAME("mlp.down_proj.weight"));
#undef NAME
}

/* [out][in][my][mx] becomes [out][my][mx][in], so that the rows of a merge block, one after the
 * other, are its input. */
static void bind_downsample(struct binder *b)
{
    const struct glm_vision_config *c = &b->model->config.vision;
    const int64_t shape[] = {c->out, c->hidden, c->merge, c->merge};
    const struct glm_tensor *t = need(b, "visual.downsample.weight", 4, shape);
    if (t == NULL) {
        return;
    }
    size_t size = glm_type_size(t->type), taps = (size_t)(c->merge * c->merge);
    size_t in = (size_t)c->hidden, out = (size_t)c->out;
    unsigned char *laid = malloc(t->bytes);
    if (laid == NULL) {
        b->ok = glmv_fail_memory(b->err);
        return;
    }
    const unsigned char *from = t->data;
    for (size_t o = 0; o < out; o++) {
        for (size_t i = 0; i < in * taps; i++) {
            memcpy(laid + (o * in * taps + i % taps * in + i / taps) * size,
                   from + (o * in * taps + i) * size, size);
        }
    }
    if (keep(b, laid)) {
        b->model->downsample = as_matrix(t, out, in * taps);
        b->model->downsample.data = laid;
    }
}

static void bind_vision(struct binder *b)
{
    struct glm_model *m = b->model;
    const struct glm_vision_config *c = &m->config.vision;
    const int64_t h = c->hidden, out = c->out, places[] = {(int64_t)c->grid * c->grid, c->hidden};
    const int64_t patch[] = {h, 3, c->temporal, c->patch, c->patch};
    const struct glm_tensor *t = need(b, "visual.patch_embed.proj.weight", 5, patch);
    if (t != NULL) {
        m->patch = as_matrix(t, (size_t)h, 3 * (size_t)(c->temporal * c->patch * c->patch));
    }
    vector(b, &m->patch_bias, 1, &h, "visual.patch_embed.proj.bias");
    vector(b, &m->post_conv_norm, 1, &h, "visual.post_conv_layernorm.weight");
    vector(b, &m->positions, 2, places, "visual.embeddings.position_embedding.weight");
    vector(b, &m->post_norm, 1, &h, "visual.post_layernorm.weight");
    vector(b, &m->downsample_bias, 1, &out, "visual.downsample.bias");
    bind_downsample(b);
    matrix(b, &m->merge_proj, out, out, "visual.merger.proj.weight");
    vector(b, &m->merge_norm, 1, &out, "visual.merger.post_projection_norm.weight");
    vector(b, &m->merge_norm_bias, 1, &out, "visual.merger.post_projection_norm.bias");
    matrix(b, &m->merge_gate, c->inner, out, "visual.merger.gate_proj.weight");
    matrix(b, &m->merge_up, c->inner, out, "visual.merger.up_proj.weight");
    matrix(b, &m->merge_down, out, c->inner, "visual.merger.down_proj.weight");
    for (int i = 0; b->ok && i < c->depth; i++) {
        bind_block(b, &m->blocks[i], i);
    }
}

static bool bind(struct glm_model *m, enum glm_form form, struct glmv_err *err)
{
    struct binder b = {m, form, true, err};
    const struct glm_text_config *c = &m->config.text;
    const int64_t h = c->hidden;
    m->layers = calloc((size_t)c->layers, sizeof *m->layers);
    m->blocks = calloc((size_t)m->config.vision.depth, sizeof *m->blocks);
    if (m->layers == NULL || m->blocks == NULL) {
        return glmv_fail_memory(err);
    }
    matrix(&b, &m->embed, c->vocab, h, "embed_tokens.weight");
    matrix(&b, &m->head, c->vocab, h, "lm_head.weight");
    vector(&b, &m->norm, 1, &h, "norm.weight");
    for (int i = 0; b.ok && i < c->layers; i++) {
        bind_layer(&b, &m->layers[i], i);
    }
    bind_vision(&b);
    quantised(&b, &m->head, form == GLM_FORM_INT4 ? GLM_FORM_INT8 : form);
    return b.ok;
}

/* Quantised weights are new memory: refuses, with numbers, what would push the machine into swap.
 */
static bool fits(const struct glm_model *m, enum glm_form form, struct glmv_err *err)
{
    const struct glm_text_config *c = &m->config.text;
    double wide = (double)c->heads * c->head_dim, kv = (double)c->kv_heads * c->head_dim;
    double body = c->layers * (c->hidden * (2 * wide + 2 * kv + 3.0 * c->inner));
    double need = body * (form == GLM_FORM_INT4 ? 0.625 : 1.125) + 1.125 * c->vocab * c->hidden;
    unsigned long long kib = 0;
    FILE *file = form >= GLM_FORM_INT8 ? fopen("/proc/meminfo", "re") : NULL;
    char line[256];
    while (file != NULL && fgets(line, sizeof line, file) != NULL &&
           sscanf(line, "MemAvailable: %llu", &kib) != 1) {
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib == 0 || need < (double)kib * 1024 ||
           glmv_fail(err, GLMV_ERR_MEMORY,
                     "%s weights need %.1f GB of memory and %.1f GB are free; %s",
                     form == GLM_FORM_INT4 ? "int4" : "int8", need / 1e9, (double)kib * 1024 / 1e9,
                     form == GLM_FORM_INT4 ? "close other programs" : "try int4");
}

struct glm_model *glm_model_open(const char *folder, enum glm_form form, int threads,
                                 struct glmv_err *err)
{
    struct glm_model *m = calloc(1, sizeof *m);
    if (m == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    if (!glm_config_read(&m->config, folder, err) || !fits(m, form, err) ||
        !glm_weights_open(&m->weights, folder, err) ||
        (m->pool = glm_pool_new(threads, err)) == NULL || !bind(m, form, err)) {
        glm_model_close(m);
        return NULL;
    }
    return m;
}

void glm_model_close(struct glm_model *m)
{
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->owned_count; i++) {
        free(m->owned[i]);
    }
    free(m->owned);
    free(m->layers);
    free(m->blocks);
    glm_pool_free(m->pool);
    glm_weights_close(&m->weights);
    free(m);
}
