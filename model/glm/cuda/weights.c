#include "model/glm/cuda/weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/glm/blocks.h"
#include "model/glm/codes.h"
#include "model/glm/cuda/upload.h"

#define STAGE ((size_t)64 << 20) /* bytes of bf16 that are quantised at a time */
#define SIGMA 0.02f              /* of random weights, as such models begin */

/* Goes through the weights twice: counting, then loading. */
struct loader {
    struct glm_cuda_weights *weights;
    struct glm_model *model;
    struct glm_cuda_kept store;
    struct glm_cuda_arena *arena;
    struct glm_cuda_device *device; /* NULL while counting */
    struct glm_cuda_upload upload;
    float *shelf; /* owned; [layers][q, k, v], biases until they are on their way */
    float freq[512], turn_freq[512]; /* likewise */
    void *stage;
    uint64_t seed;
    struct glmv_err *err;
};

bool glm_cuda_fits(const struct glm_config *config, struct glmv_err *err)
{
    const struct glm_text_config *t = &config->text;
    const struct glm_vision_config *v = &config->vision;
    const int wide[] = {t->hidden, t->inner, t->heads * t->head_dim, t->kv_heads * t->head_dim};
    const int even[] = {v->hidden, v->out, v->inner, 3 * v->temporal * v->patch * v->patch};
    bool ok = (t->head_dim == 16 || t->head_dim == 128) &&
              (v->head_dim == 16 || v->head_dim == 128) && t->heads / t->kv_heads <= 16;
    for (size_t i = 0; i < 4; i++) {
        ok = ok && wide[i] % 32 == 0 && even[i] % 8 == 0;
    }
    return ok || glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                           "the CUDA kernels take heads of 16 or 128 dims, at most 16 on a key "
                           "head, and widths that are multiples of 32; this model has %d and %d "
                           "dims, %d heads on %d, widths %d and %d; --device cpu takes it",
                           t->head_dim, v->head_dim, t->heads, t->kv_heads, t->hidden, t->inner);
}

static enum glm_form plain_form(enum glm_cuda_form form)
{
    return form == GLM_CUDA_INT8   ? GLM_FORM_INT8
           : form == GLM_CUDA_INT4 ? GLM_FORM_INT4
                                   : GLM_FORM_LEAST;
}

static enum glm_cuda_form device_form(enum glm_form form)
{
    return form == GLM_FORM_INT8    ? GLM_CUDA_INT8
           : form == GLM_FORM_INT4  ? GLM_CUDA_INT4
           : form == GLM_FORM_LEAST ? GLM_CUDA_LEAST
           : form == GLM_FORM_FP8   ? GLM_CUDA_FP8
                                    : GLM_CUDA_BF16;
}

static bool sizes_of(const struct glm_cuda_matrix *m, size_t *data, size_t *scales)
{
    size_t count = (size_t)m->rows * m->cols;
    if (m->form == GLM_CUDA_BF16 || m->form == GLM_CUDA_FP8) {
        *data = m->form == GLM_CUDA_BF16 ? 2 * count : count;
        *scales = m->form == GLM_CUDA_BF16 ? 0 : m->rows * sizeof(float);
        return true;
    }
    struct glm_matrix tiles = {
        plain_form((enum glm_cuda_form)m->form), m->rows, m->cols, NULL, NULL, m->group};
    return glm_tile_sizes(&tiles, data, scales);
}

/* As the device has it, from a pack. */
static bool is_packed(const struct glm_matrix *m)
{
    return (m->form >= GLM_FORM_INT8 && m->form <= GLM_FORM_LEAST) || m->form == GLM_FORM_FP8;
}

/* What a matrix is on the device: what it is already, or what the store says. */
static struct glm_cuda_kept target_of(const struct glm_matrix *m, struct glm_cuda_kept wanted)
{
    if (m->form == GLM_FORM_BLOCKS && wanted.form == GLM_CUDA_BF16) {
        return (struct glm_cuda_kept){device_form(glm_blocks_form((enum glm_type)m->group)),
                                      (uint32_t)glm_blocks_group(m)};
    }
    return is_packed(m) ? (struct glm_cuda_kept){device_form(m->form), (uint32_t)m->group} : wanted;
}

/* A whole matrix in random numbers of sigma, as bf16. */
static bool fill(struct loader *l, void *to, size_t count)
{
    struct glm_cuda_fill args = {to, count, ++l->seed, SIGMA};
    return glm_cuda_run(l->device, glm_cuda_fill_launch(&args), &args, l->err);
}

/* A whole matrix as bf16. */
static bool load_rows(struct loader *l, const struct glm_matrix *from, void *to)
{
    if (from->data == NULL) {
        return fill(l, to, from->rows * from->cols);
    }
    return from->form == GLM_FORM_BF16
               ? glm_cuda_upload_later(&l->upload, to, from->data,
                                       from->rows * from->cols * sizeof(uint16_t), l->err)
               : glm_cuda_upload_rows(&l->upload, to, from, 0, from->rows, l->err);
}

/* By pieces through the stage: the stream's order keeps a piece until it was quantised. */
static bool quantise(struct loader *l, const struct glm_matrix *from, struct glm_cuda_matrix *out)
{
    const size_t tile = GLM_TILE, line = from->cols * sizeof(uint16_t);
    size_t piece = STAGE / line / tile * tile, data, scales;
    struct glm_cuda_matrix one = *out;
    one.rows = GLM_TILE;
    if (piece == 0 || !sizes_of(&one, &data, &scales)) {
        return glmv_fail(l->err, GLMV_ERR_LIMIT, "a row of %zu weights is too long", from->cols);
    }
    for (size_t row = 0; row < from->rows; row += piece) {
        size_t rows = from->rows - row < piece ? from->rows - row : piece;
        struct glm_cuda_quantise args = {l->stage,
                                         (char *)(uintptr_t)out->data + row / tile * data,
                                         (char *)(uintptr_t)out->scales + row / tile * scales,
                                         out->form,
                                         (uint32_t)rows,
                                         out->cols,
                                         out->group};
        bool there = from->data != NULL
                         ? glm_cuda_upload_rows(&l->upload, l->stage, from, row, rows, l->err)
                         : fill(l, l->stage, rows * from->cols);
        if (!there || !glm_cuda_run(l->device, glm_cuda_quantise_launch(&args), &args, l->err)) {
            return false;
        }
    }
    return true;
}

static bool place(struct loader *l, const struct glm_matrix *from, struct glm_cuda_kept store,
                  struct glm_cuda_matrix *out)
{
    size_t data, scales;
    *out = (struct glm_cuda_matrix){.form = store.form,
                                    .rows = (uint32_t)from->rows,
                                    .cols = (uint32_t)from->cols,
                                    .group = store.group};
    if (!sizes_of(out, &data, &scales)) {
        return glmv_fail_memory(l->err);
    }
    out->data = glm_cuda_take(l->arena, data);
    out->scales = scales > 0 ? glm_cuda_take(l->arena, scales) : NULL;
    return true;
}

static bool load_matrix(struct loader *l, const struct glm_matrix *from,
                        struct glm_cuda_kept wanted, struct glm_cuda_matrix *out)
{
    struct glm_cuda_kept store = target_of(from, wanted);
    size_t data, scales;
    if (!place(l, from, store, out) || l->device == NULL) {
        return l->device == NULL;
    }
    void *to = (void *)(uintptr_t)out->data;
    if (is_packed(from)) {
        return sizes_of(out, &data, &scales) &&
               glm_cuda_upload_later(&l->upload, to, from->data, data, l->err) &&
               glm_cuda_upload_later(&l->upload, (void *)(uintptr_t)out->scales, from->scales,
                                     scales, l->err);
    }
    if (store.form != GLM_CUDA_BF16) {
        return quantise(l, from, out);
    }
    return load_rows(l, from, to);
}

/* q, k and v are one launch and have one form: where a GGUF file mixes, int8. */
static bool load_qkv(struct loader *l, const struct glm_text_layer *layer,
                     struct glm_cuda_layer *out)
{
    const struct glm_matrix *all[] = {&layer->q, &layer->k, &layer->v};
    struct glm_cuda_kept first = target_of(all[0], l->store), int8 = {GLM_CUDA_INT8, GLM_GROUP};
    bool same = true;
    for (size_t i = 1; i < 3; i++) {
        struct glm_cuda_kept store = target_of(all[i], l->store);
        same = same && store.form == first.form && store.group == first.group;
    }
    for (size_t i = 0; i < 3; i++) {
        struct glm_matrix made = *all[i];
        bool anew = !same && l->device != NULL && made.form != GLM_FORM_INT8;
        if (anew &&
            !glm_quantise(l->model->pool, all[i], GLM_FORM_INT8, GLM_GROUP, &made, l->err)) {
            return false;
        }
        made.form = same ? made.form : GLM_FORM_INT8;
        made.group = same ? made.group : GLM_GROUP;
        bool ok = load_matrix(l, &made, same ? l->store : int8, &out->qkv[i]);
        if (anew) { /* they are given up here */
            ok = ok && glm_cuda_upload_all(&l->upload, l->err);
            free((void *)(uintptr_t)made.data);
            free((void *)(uintptr_t)made.scales);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool load_floats(struct loader *l, const float *from, size_t count, const float **out)
{
    void *to = glm_cuda_take(l->arena, count * sizeof(float));
    *out = to;
    return l->device == NULL ||
           glm_cuda_upload_later(&l->upload, to, from, count * sizeof(float), l->err);
}

static bool load_layer(struct loader *l, size_t at)
{
    const struct glm_text_config *c = &l->model->config.text;
    const struct glm_text_layer *from = &l->model->layers[at];
    struct glm_cuda_layer *out = &l->weights->layers[at];
    const size_t h = (size_t)c->hidden, q = (size_t)c->heads * (size_t)c->head_dim,
                 kv = (size_t)c->kv_heads * (size_t)c->head_dim;
    float *bias = NULL;
    if (l->device != NULL) {
        bias = l->shelf + at * (q + 2 * kv);
        memcpy(bias, from->q_bias, q * sizeof *bias);
        memcpy(bias + q, from->k_bias, kv * sizeof *bias);
        memcpy(bias + q + kv, from->v_bias, kv * sizeof *bias);
    }
    return load_floats(l, bias, q + 2 * kv, &out->bias) && load_qkv(l, from, out) &&
           load_matrix(l, &from->o, l->store, &out->o) &&
           load_matrix(l, &from->gate, l->store, &out->gate) &&
           load_matrix(l, &from->up, l->store, &out->up) &&
           load_matrix(l, &from->down, l->store, &out->down) &&
           load_floats(l, from->norm_in, h, &out->norm_in) &&
           load_floats(l, from->norm_attn_out, h, &out->norm_attn_out) &&
           load_floats(l, from->norm_mlp_in, h, &out->norm_mlp_in) &&
           load_floats(l, from->norm_mlp_out, h, &out->norm_mlp_out);
}

static bool load_text(struct loader *l)
{
    struct glm_model *m = l->model;
    struct glm_cuda_weights *w = l->weights;
    const struct glm_text_config *c = &m->config.text;
    struct glm_cuda_kept head = l->store;
    const int half = c->rot / 2;
    if (half > 512) {
        return glmv_fail(l->err, GLMV_ERR_LIMIT, "heads turn in %d dims", c->rot);
    }
    for (int j = 0; j < half; j++) {
        l->freq[j] = 1.0f / (float)pow(c->theta, (double)(2 * j) / c->rot);
    }
    bool ok = true;
    for (int i = 0; ok && i < c->layers; i++) {
        ok = load_layer(l, (size_t)i);
    }
    head.form = head.form == GLM_CUDA_INT4 ? GLM_CUDA_INT8 : head.form;
    return ok && load_matrix(l, &m->head, head, &w->head) &&
           load_floats(l, m->norm, (size_t)c->hidden, &w->norm) &&
           load_floats(l, l->freq, (size_t)half, &w->freq);
}

/* Rows are gathered, never multiplied, so it stays in 16 bits in every store. */
static bool load_embed(struct loader *l)
{
    const struct glm_matrix *m = &l->model->embed;
    void *to = glm_cuda_take(l->arena, m->rows * m->cols * sizeof(uint16_t));
    l->weights->embed = to;
    return l->device == NULL || load_rows(l, m, to);
}

static bool load_tower(struct loader *l)
{
    struct glm_model *m = l->model;
    struct glm_cuda_weights *w = l->weights;
    const struct glm_vision_config *c = &m->config.vision;
    const struct glm_cuda_kept bf16 = {GLM_CUDA_BF16, 0};
    const size_t d = (size_t)c->hidden, out = (size_t)c->out, grid = (size_t)c->grid;
    const int half = c->head_dim / 2, quarter = half / 2;
    for (int i = 0; i < quarter; i++) { /* heads have 128 dims at most */
        l->turn_freq[i] = 1.0f / powf(10000.0f, (float)(2 * i) / (float)half);
    }
    bool ok = load_matrix(l, &m->patch, bf16, &w->patch) &&
              load_matrix(l, &m->downsample, bf16, &w->downsample) &&
              load_matrix(l, &m->merge_proj, bf16, &w->merge_proj) &&
              load_matrix(l, &m->merge_gate, bf16, &w->merge_gate) &&
              load_matrix(l, &m->merge_up, bf16, &w->merge_up) &&
              load_matrix(l, &m->merge_down, bf16, &w->merge_down) &&
              load_floats(l, m->patch_bias, d, &w->patch_bias) &&
              load_floats(l, m->post_conv_norm, d, &w->post_conv_norm) &&
              load_floats(l, m->positions, grid * grid * d, &w->positions) &&
              load_floats(l, m->post_norm, d, &w->post_norm) &&
              load_floats(l, m->downsample_bias, out, &w->downsample_bias) &&
              load_floats(l, m->merge_norm, out, &w->merge_norm) &&
              load_floats(l, m->merge_norm_bias, out, &w->merge_norm_bias) &&
              load_floats(l, l->turn_freq, (size_t)quarter, &w->turn_freq);
    for (int i = 0; ok && i < c->depth; i++) {
        const struct glm_vision_block *from = &m->blocks[i];
        struct glm_cuda_block *b = &w->blocks[i];
        ok = load_matrix(l, &from->qkv, bf16, &b->qkv) &&
             load_matrix(l, &from->proj, bf16, &b->proj) &&
             load_matrix(l, &from->gate, bf16, &b->gate) &&
             load_matrix(l, &from->up, bf16, &b->up) &&
             load_matrix(l, &from->down, bf16, &b->down) &&
             load_floats(l, from->norm1, d, &b->norm1) && load_floats(l, from->norm2, d, &b->norm2);
    }
    return ok;
}

static bool walk(struct loader *l)
{
    struct glm_cuda_weights *w = l->weights;
    if (!load_text(l)) {
        return false;
    }
    w->text_bytes = w->arena.used;
    if (!load_embed(l)) {
        return false;
    }
    w->embed_bytes = w->arena.used - w->text_bytes;
    bool ok = load_tower(l);
    w->tower_bytes = w->arena.used - w->text_bytes - w->embed_bytes;
    return ok;
}

static bool begin(struct loader *l, struct glm_cuda_weights *w, struct glm_model *model,
                  struct glm_cuda_kept store, struct glmv_err *err)
{
    memset(w, 0, sizeof *w);
    *l = (struct loader){
        .weights = w, .model = model, .store = store, .arena = &w->arena, .err = err};
    w->layers = calloc((size_t)model->config.text.layers, sizeof *w->layers);
    w->blocks = calloc((size_t)model->config.vision.depth, sizeof *w->blocks);
    return ((w->layers != NULL && w->blocks != NULL) || glmv_fail_memory(err)) && walk(l);
}

bool glm_cuda_weights_count(struct glm_cuda_weights *w, struct glm_model *model,
                            struct glm_cuda_kept store, struct glmv_err *err)
{
    struct loader l;
    bool ok = begin(&l, w, model, store, err);
    if (!ok) {
        glm_cuda_weights_release(w, NULL);
    }
    return ok;
}

bool glm_cuda_weights_load(struct glm_cuda_weights *w, struct glm_cuda_device *device,
                           struct glm_model *model, struct glm_cuda_kept store, uint64_t seed,
                           struct glmv_err *err)
{
    const struct glm_text_config *c = &model->config.text;
    struct loader l;
    glm_device_ptr stage = 0;
    bool ok = begin(&l, w, model, store, err);
    w->arena.size = w->arena.used;
    w->arena.used = 0;
    ok = ok && glm_cuda_alloc(&device->cuda, w->arena.size, "the weights", &w->arena.base, err) &&
         glm_cuda_alloc(&device->cuda, STAGE, "weights on their way", &stage, err);
    if (ok) {
        glm_cuda_upload_open(&l.upload, device, model->pool);
        l.device = device;
        l.stage = (void *)(uintptr_t)stage;
        l.seed = seed;
        l.shelf = malloc((size_t)c->layers * (size_t)(c->head_dim * (c->heads + 2 * c->kv_heads)) *
                         sizeof *l.shelf);
        ok = (l.shelf != NULL || glmv_fail_memory(err)) && walk(&l) &&
             glm_cuda_upload_all(&l.upload, err) && glm_cuda_wait(device, err);
    }
    free(l.shelf);
    glm_cuda_upload_close(&l.upload);
    glm_cuda_free(&device->cuda, stage);
    if (!ok) {
        glm_cuda_weights_release(w, device);
    }
    return ok;
}

/* In the order of glm_model_matrices. */
static const struct glm_cuda_matrix *matrix_at(const struct glm_cuda_weights *w, size_t layers,
                                               size_t at)
{
    if (at / GLM_LAYER_MATRICES >= layers) {
        return &w->head;
    }
    const struct glm_cuda_layer *l = &w->layers[at / GLM_LAYER_MATRICES];
    const struct glm_cuda_matrix *all[GLM_LAYER_MATRICES] = {
        &l->qkv[0], &l->qkv[1], &l->qkv[2], &l->o, &l->gate, &l->up, &l->down};
    return all[at % GLM_LAYER_MATRICES];
}

bool glm_cuda_weights_fetch(const struct glm_cuda_weights *w, struct glm_cuda_device *device,
                            int layers, size_t at, const struct glm_store *wanted,
                            struct glm_matrix *out, struct glmv_err *err)
{
    const struct glm_cuda_matrix *m = matrix_at(w, (size_t)layers, at);
    size_t data, scales;
    *out = (struct glm_matrix){wanted->form, m->rows, m->cols, NULL, NULL, wanted->group};
    if (device_form(wanted->form) != (enum glm_cuda_form)m->form || m->group != wanted->group ||
        m->form == GLM_CUDA_BF16 || !sizes_of(m, &data, &scales)) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED, "matrix %zu is kept in another form", at);
    }
    void *codes = malloc(data);
    uint16_t *halves = malloc(scales);
    bool ok = (codes != NULL && halves != NULL) || glmv_fail_memory(err);
    ok = ok && glm_cuda_fetch(device, codes, m->data, data, err) &&
         glm_cuda_fetch(device, halves, m->scales, scales, err) && glm_cuda_wait(device, err);
    out->data = codes;
    out->scales = halves;
    if (!ok) {
        free(codes);
        free(halves);
    }
    return ok;
}

void glm_cuda_weights_release(struct glm_cuda_weights *w, struct glm_cuda_device *device)
{
    if (w->arena.base != 0) {
        glm_cuda_free(&device->cuda, w->arena.base);
    }
    free(w->layers);
    free(w->blocks);
    memset(w, 0, sizeof *w);
}
