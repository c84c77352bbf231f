#include "model/glm/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "model/glm/blocks.h"
#include "model/glm/packed.h"
#include "model/glm/pool.h"

/* Binding continues after a failure would only hide the first one, so every step asks ok. */
struct binder {
    struct glm_model *model;
    bool ok;
    const struct glm_tensor *found; /* last */
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
    b->found = t;
    return t;
}

static struct glm_matrix as_matrix(const struct glm_tensor *t, size_t rows, size_t cols)
{
    static const enum glm_form forms[] = {GLM_FORM_F32, GLM_FORM_F16, GLM_FORM_BF16};
    if (glm_type_is_blocks(t->type)) {
        return (struct glm_matrix){GLM_FORM_BLOCKS, rows, cols, t->data, NULL, t->type};
    }
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
    if (glm_type_is_packed(t->type)) {
        b->ok = glmv_fail(b->err, GLMV_ERR_UNSUPPORTED, "tensor %s is quantised", t->name);
        return;
    }
    size_t count = t->bytes / glm_block_bytes(t->type) * glm_block_weights(t->type);
    *out = malloc((count + 1) * sizeof **out);
    if (*out == NULL) {
        b->ok = glmv_fail_memory(b->err);
        return;
    }
    struct glm_matrix m = as_matrix(t, 1, count);
    glm_row(&m, 0, *out);
    keep(b, *out);
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
        layer->gate = layer->up = both;
        layer->gate.rows = layer->up.rows = (size_t)c->inner;
        if (glm_type_is_packed(b->found->type)) {
            struct glm_packed *up = malloc(sizeof *up);
            if (up == NULL) {
                b->ok = glmv_fail_memory(b->err);
                return;
            }
            glm_packed_from(&layer->up, layer->gate.rows, up);
            keep(b, up);
        } else {
            layer->up.data = (const char *)both.data + b->found->bytes / 2;
        }
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

struct relay_job {
    const unsigned char *from;
    unsigned char *to;
    size_t in, taps, size; /* size: bytes of a weight */
};

static void relay_part(void *arg, size_t begin, size_t end)
{
    const struct relay_job *job = arg;
    const size_t taps = job->taps, line = job->in * taps;
    for (size_t o = begin; o < end; o++) {
        const unsigned char *from = job->from + o * line * job->size;
        unsigned char *to = job->to + o * line * job->size;
        for (size_t i = 0; i < line; i++, from += job->size) {
            size_t place = (i % taps * job->in + i / taps) * job->size;
            if (job->size == 2) {
                memcpy(to + place, from, 2);
            } else {
                memcpy(to + place, from, 4);
            }
        }
    }
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
    if (glm_type_is_blocks(t->type)) {
        b->ok = glmv_fail(b->err, GLMV_ERR_UNSUPPORTED, "tensor %s is quantised", t->name);
        return;
    }
    size_t size = glm_type_size(t->type), taps = (size_t)(c->merge * c->merge);
    size_t in = (size_t)c->hidden, out = (size_t)c->out;
    unsigned char *laid = malloc(t->bytes);
    if (laid == NULL) {
        b->ok = glmv_fail_memory(b->err);
        return;
    }
    struct relay_job job = {t->data, laid, in, taps, size};
    glm_pool_run(b->model->pool, out, 16, relay_part, &job);
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
        b->ok = m->patch.form != GLM_FORM_BLOCKS ||
                glmv_fail(b->err, GLMV_ERR_UNSUPPORTED, "tensor %s is quantised", t->name);
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

static bool bind(struct glm_model *m, struct glmv_err *err)
{
    struct binder b = {m, true, NULL, err};
    const struct glm_text_config *c = &m->config.text;
    const int64_t h = c->hidden;
    const struct glm_vision_config *v = &m->config.vision;
    const int64_t widths[] = {h,        (int64_t)c->heads * c->head_dim,
                              c->inner, v->hidden,
                              v->inner, 3 * (int64_t)v->temporal * v->patch * v->patch,
                              v->out,   (int64_t)v->hidden * v->merge * v->merge};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        if (!glm_pool_fit(m->pool, (size_t)widths[i], err)) {
            return false;
        }
    }
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
    return b.ok;
}

size_t glm_model_matrices(struct glm_model *m, struct glm_matrix **out)
{
    size_t count = 0;
    for (int i = 0; i < m->config.text.layers; i++) {
        struct glm_text_layer *l = &m->layers[i];
        struct glm_matrix *all[GLM_LAYER_MATRICES] = {&l->q,    &l->k,  &l->v,   &l->o,
                                                      &l->gate, &l->up, &l->down};
        memcpy(out + count, all, sizeof all);
        count += GLM_LAYER_MATRICES;
    }
    out[count++] = &m->head;
    return count;
}

/* The matrices of the tower that are multiplied as they are. */
#define TOWER_MATRICES 5
static size_t tower_matrices(struct glm_model *m, struct glm_matrix **out)
{
    size_t count = 0;
    for (int i = 0; i < m->config.vision.depth; i++) {
        struct glm_vision_block *b = &m->blocks[i];
        struct glm_matrix *all[TOWER_MATRICES] = {&b->qkv, &b->proj, &b->gate, &b->up, &b->down};
        memcpy(out + count, all, sizeof all);
        count += TOWER_MATRICES;
    }
    out[count++] = &m->merge_proj;
    out[count++] = &m->merge_gate;
    out[count++] = &m->merge_up;
    out[count++] = &m->merge_down;
    return count;
}

/* Which matrices are made into another form than they have in the file: those of the text model
 * when the store says so (its head in 8 bits), and blocks of a GGUF file in any case. NULL without
 * memory. */
static struct glm_part *parts_of(struct glm_model *m, struct glm_store store, size_t *count)
{
    const size_t layers = (size_t)m->config.text.layers, depth = (size_t)m->config.vision.depth;
    const size_t most = layers * GLM_LAYER_MATRICES + 1 + depth * TOWER_MATRICES + 4;
    struct glm_matrix **all = malloc(most * sizeof *all);
    struct glm_part *parts = malloc(most * sizeof *parts);
    *count = 0;
    if (all != NULL && parts != NULL) {
        size_t text = glm_model_matrices(m, all), total = text + tower_matrices(m, all + text);
        for (size_t i = 0; i < total; i++) {
            if (i < text && store.form != GLM_FORM_BF16) {
                const bool eight = i + 1 == text && store.form == GLM_FORM_INT4;
                enum glm_form form = eight ? GLM_FORM_INT8 : store.form;
                parts[(*count)++] = (struct glm_part){all[i], {form, store.group}};
            } else if (all[i]->form == GLM_FORM_BLOCKS) {
                enum glm_form form = glm_blocks_form((enum glm_type)all[i]->group);
                parts[(*count)++] = (struct glm_part){all[i], {form, glm_blocks_group(all[i])}};
            }
        }
    } else {
        free(parts);
        parts = NULL;
    }
    free(all);
    return parts;
}

/* Into memory, where no pack can be kept. */
static bool quantise_here(struct glm_model *m, const struct glm_part *parts, size_t count,
                          struct glmv_err *err)
{
    struct binder b = {m, true, NULL, err};
    for (size_t i = 0; i < count; i++) {
        struct glm_matrix out;
        if (!glm_quantise(m->pool, parts[i].matrix, parts[i].store.form, parts[i].store.group, &out,
                          err)) {
            return false;
        }
        *parts[i].matrix = out;
        if (!keep(&b, (void *)(uintptr_t)out.data)) {
            free((void *)(uintptr_t)out.scales);
            return false;
        }
        if (!keep(&b, (void *)(uintptr_t)out.scales)) {
            return false;
        }
    }
    return true;
}

/* The pack from the cache; make: it is written where it is not there. */
static bool use_pack(struct glm_model *m, struct glm_store store, const struct glm_part *parts,
                     size_t count, bool make)
{
    char path[4096];
    uint64_t source = glm_pack_source(&m->weights);
    return glm_pack_path(source, store, path, sizeof path) &&
           (glm_pack_open(&m->pack, path, source, store, parts, count, NULL) ||
            (make && glm_pack_write(m->pool, path, source, store, parts, count, NULL) &&
             glm_pack_open(&m->pack, path, source, store, parts, count, NULL)));
}

static bool quantise(struct glm_model *m, struct glm_store store, struct glmv_err *err)
{
    size_t count;
    struct glm_part *parts = parts_of(m, store, &count);
    if (parts == NULL) {
        return glmv_fail_memory(err);
    }
    bool ok =
        count == 0 || use_pack(m, store, parts, count, true) || quantise_here(m, parts, count, err);
    free(parts);
    return ok;
}

bool glm_model_find_pack(struct glm_model *m, struct glm_store store)
{
    size_t count;
    struct glm_part *parts = parts_of(m, store, &count);
    bool found = parts != NULL && count > 0 && use_pack(m, store, parts, count, false);
    free(parts);
    return found;
}

bool glm_model_keep_pack(struct glm_model *m, struct glm_store store,
                         const struct glm_pack_maker *maker)
{
    char path[4096];
    size_t count;
    struct glm_part *parts = store.form != GLM_FORM_BF16 ? parts_of(m, store, &count) : NULL;
    bool ok = parts != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        ok = parts[i].matrix->form == GLM_FORM_BF16;
    }
    uint64_t source = ok ? glm_pack_source(&m->weights) : 0;
    ok = ok && glm_pack_path(source, store, path, sizeof path) &&
         glm_pack_write_made(maker, path, source, store, parts, count, NULL);
    free(parts);
    return ok;
}

static const struct {
    const char *name;
    struct glm_store store;
} stores[] = {{"bf16", {GLM_FORM_BF16, 0}},
              {"int8", {GLM_FORM_INT8, 32}},
              {"int4", {GLM_FORM_INT4, 32}},
              {"int4-g128", {GLM_FORM_INT4, 128}}};

bool glm_store_parse(const char *name, struct glm_store *store, struct glmv_err *err)
{
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) {
        if (name == NULL || strcmp(name, stores[i].name) == 0) {
            *store = stores[i].store;
            return true;
        }
    }
    return glmv_fail(err, GLMV_ERR_USAGE,
                     "with a folder the model's name says how to keep the weights: bf16 (as they "
                     "are stored), int8, int4 or int4-g128, not '%.40s'",
                     name);
}

const char *glm_store_name(const struct glm_config *config, struct glm_store store)
{
    if ((config->stored_text > 0 || config->stored_weight > 0) && store.form == GLM_FORM_BF16) {
        return "stored";
    }
    for (size_t i = 1; i < sizeof stores / sizeof stores[0]; i++) {
        if (stores[i].store.form == store.form && stores[i].store.group == store.group) {
            return stores[i].name;
        }
    }
    return stores[0].name;
}

struct glm_need glm_model_need(const struct glm_config *config, struct glm_store store)
{
    const struct glm_text_config *c = &config->text;
    const struct glm_vision_config *v = &config->vision;
    double wide = (double)c->heads * c->head_dim, kv = (double)c->kv_heads * c->head_dim;
    double body = c->layers * (c->hidden * (2 * wide + 2 * kv + 3.0 * c->inner));
    double head = (double)c->vocab * c->hidden;
    double scale = store.group > 0 ? 2.0 / (double)store.group : 0;
    double each = store.form == GLM_FORM_INT4   ? 0.5 + scale
                  : store.form == GLM_FORM_INT8 ? 1 + scale
                  : config->stored_weight > 0   ? config->stored_weight
                                                : 2;
    double tower = v->depth * (4.0 * v->hidden * v->hidden + 3.0 * v->hidden * v->out) +
                   (double)v->merge * v->merge * v->hidden * v->out + (double)v->out * v->out +
                   3.0 * v->inner * v->out;
    double text = body * each + head * (store.form == GLM_FORM_BF16 ? 2 : 1 + scale);
    if (config->stored_text > 0 && store.form == GLM_FORM_BF16) {
        text = config->stored_text;
    }
    return (struct glm_need){text, config->stored_tower > 0 ? config->stored_tower : 2 * tower,
                             4.0 * c->layers * kv};
}

double glm_memory_free(void)
{
    unsigned long long kib = 0, limit = 0;
    char line[256];
    FILE *file = fopen("/proc/meminfo", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL &&
           sscanf(line, "MemAvailable: %llu", &kib) != 1) {
    }
    if (file != NULL) {
        fclose(file);
    }
    file = fopen("/sys/fs/cgroup/memory.max", "re");
    if (file != NULL) {
        if (fscanf(file, "%llu", &limit) != 1) {
            limit = 0; /* "max" */
        }
        fclose(file);
    }
    double free_bytes = (double)kib * 1024;
    return limit > 0 && (free_bytes == 0 || (double)limit < free_bytes) ? (double)limit
                                                                        : free_bytes;
}

/* Weights that do not fit are read from the disk for every token: refuses that, with numbers. */
static bool fits(const struct glm_model *m, struct glm_store store, struct glmv_err *err)
{
    struct glm_need need = glm_model_need(&m->config, store);
    double have = glm_memory_free(), all = need.text + need.tower;
    return have == 0 || all < have || store.form == GLM_FORM_BLOCKS ||
           glmv_fail(err, GLMV_ERR_MEMORY,
                     "%s weights need %.1f GB of memory and %.1f GB are free; %s",
                     glm_store_name(&m->config, store), all / 1e9, have / 1e9,
                     store.form == GLM_FORM_INT4 ? "close other programs, or use a server"
                                                 : "try --int4");
}

struct glm_model *glm_model_open(const char *folder, struct glm_store store, int threads,
                                 struct glmv_err *err)
{
    struct glm_model *m = calloc(1, sizeof *m);
    if (m == NULL) {
        glmv_fail_memory(err);
        return NULL;
    }
    if (!glm_config_read(&m->config, folder, err) || !glm_weights_open(&m->weights, folder, err) ||
        (m->pool = glm_pool_new(threads, err)) == NULL || !bind(m, err) || !fits(m, store, err) ||
        (store.form != GLM_FORM_BLOCKS && !quantise(m, store, err))) {
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
    glm_pool_free(m->pool); /* first: its threads may still read matrices */
    for (size_t i = 0; i < m->owned_count; i++) {
        free(m->owned[i]);
    }
    free(m->owned);
    free(m->layers);
    free(m->blocks);
    glm_pack_close(&m->pack);
    glm_weights_close(&m->weights);
    free(m);
}
