/* The text model. n: rows of this step, h: hidden. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "model/glm/model.h"
#include "model/glm/pool.h"

/* In a batch, which is interrupted for it. */
static void see(const struct glm_decoder *d, const struct glm_trace *trace, const char *stage,
                const float *data, size_t count)
{
    if (trace != NULL) {
        glm_pool_end(d->model->pool);
        trace->see(trace->arg, stage, data, count);
        glm_pool_begin(d->model->pool);
    }
}

bool glm_decoder_init(struct glm_decoder *d, struct glm_model *model, size_t capacity,
                      struct glmv_err *err)
{
    const struct glm_text_config *c = &model->config.text;
    memset(d, 0, sizeof *d);
    d->model = model;
    d->capacity = capacity;
    size_t wide = (size_t)c->heads * (size_t)c->head_dim,
           kv = (size_t)c->kv_heads * (size_t)c->head_dim;
    size_t h = (size_t)c->hidden, inner = (size_t)c->inner, half = (size_t)c->rot / 2, cache;
    size_t row = 2 * h + 2 * wide + 2 * kv + 2 * inner + 2 * half;
    capacity = (capacity + GLM_KEY_ROOM - 1) / GLM_KEY_ROOM * GLM_KEY_ROOM;
    d->room = capacity;
    if (!glmv_size_mul((size_t)c->layers * kv, capacity, &cache) ||
        !glmv_size_mul(cache, model->half ? sizeof(uint16_t) : sizeof(float), &cache)) {
        return glmv_fail_memory(err);
    }
    d->keys = malloc(cache);
    d->values = malloc(cache);
    d->scratch = malloc(row * GLM_STEP * sizeof(float));
    d->attended = calloc((size_t)c->layers, sizeof *d->attended);
    if (d->keys == NULL || d->values == NULL || d->scratch == NULL || d->attended == NULL) {
        glm_decoder_release(d);
        return glmv_fail(err, GLMV_ERR_MEMORY,
                         "no memory for %zu tokens of context (%.1f GB); use a smaller --context",
                         capacity, 2 * (double)cache / 1e9);
    }
    float *at = d->scratch;
    struct {
        float **place;
        size_t width;
    } parts[] = {{&d->x, h},      {&d->h, h},     {&d->q, wide},     {&d->attn, wide},
                 {&d->k, kv},     {&d->v, kv},    {&d->gate, inner}, {&d->up, inner},
                 {&d->cos, half}, {&d->sin, half}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        *parts[i].place = at;
        at += parts[i].width * GLM_STEP;
    }
    return true;
}

void glm_decoder_release(struct glm_decoder *d)
{
    if (d->model != NULL) { /* keys may still be read */
        glm_pool_left(d->model->pool, glm_pool_number(d->model->pool));
    }
    free(d->keys);
    free(d->values);
    free(d->scratch);
    free(d->attended);
    memset(d, 0, sizeof *d);
}

/* cos, sin [n][rot / 2]: each section of the frequencies takes its own axis of the position. */
static void angles(struct glm_decoder *d, const int32_t *positions, size_t n)
{
    const struct glm_text_config *c = &d->model->config.text;
    const int half = c->rot / 2;
    for (size_t i = 0; i < n; i++) {
        for (int j = 0; j < half; j++) {
            int axis = j < c->section[0] ? 0 : j < c->section[0] + c->section[1] ? 1 : 2;
            float freq = 1.0f / (float)pow(c->theta, (double)(2 * j) / c->rot);
            float angle = (float)positions[i * 3 + (size_t)axis] * freq;
            d->cos[i * (size_t)half + (size_t)j] = cosf(angle);
            d->sin[i * (size_t)half + (size_t)j] = sinf(angle);
        }
    }
}

/* Neighbours among the first rot dims of a head are a pair, or dims half of rot apart. x: the heads
 * of token i. */
static void rotate(const struct glm_decoder *d, float *x, size_t i, int heads)
{
    const struct glm_text_config *c = &d->model->config.text;
    const int half = c->rot / 2, step = c->halves ? 1 : 2, apart = c->halves ? half : 1;
    const float *cs = d->cos + i * (size_t)half, *sn = d->sin + i * (size_t)half;
    for (int head = 0; head < heads; head++, x += c->head_dim) {
        for (int j = 0; j < half; j++) {
            float a = x[step * j], b = x[step * j + apart];
            x[step * j] = a * cs[j] - b * sn[j];
            x[step * j + apart] = b * cs[j] + a * sn[j];
        }
    }
}

/* Where the keys and values of a layer are kept. */
struct kept {
    const struct glm_decoder *d;
    unsigned char *keys, *values;
    size_t part; /* bytes of a head */
};

/* Rotates the tokens from begin on and keeps their keys and values. */
static void keep_part(void *arg, size_t begin, size_t end)
{
    const struct kept *kept = arg;
    const struct glm_decoder *d = kept->d;
    const struct glm_text_config *c = &d->model->config.text;
    const size_t dim = (size_t)c->head_dim, wide = (size_t)c->heads * dim,
                 heads = (size_t)c->kv_heads;
    for (size_t i = begin; i < end; i++) {
        float *k = d->k + i * heads * dim, *v = d->v + i * heads * dim;
        rotate(d, d->q + i * wide, i, c->heads);
        rotate(d, k, i, c->kv_heads);
        for (size_t head = 0; head < heads; head++, k += dim, v += dim) {
            void *keys = kept->keys + head * kept->part, *values = kept->values + head * kept->part;
            const size_t place = d->len + i;
            if (d->model->half) {
                glm_keys_put_half(d->model->pool, keys, dim, place, k, dim, 1);
                glm_halve(d->model->pool, v, dim, (uint16_t *)values + place * dim);
            } else {
                glm_keys_put(keys, dim, place, k, dim, 1);
                memcpy((float *)values + place * dim, v, dim * sizeof *v);
            }
        }
    }
}

static void attention(struct glm_decoder *d, const struct glm_text_layer *l, size_t at, size_t n)
{
    const struct glm_text_config *c = &d->model->config.text;
    struct glm_pool *pool = d->model->pool;
    const size_t dim = (size_t)c->head_dim;
    const bool half = d->model->half;
    const size_t size = half ? sizeof(uint16_t) : sizeof(float), part = d->room * dim * size;
    unsigned char *keys = (unsigned char *)d->keys + at * (size_t)c->kv_heads * part;
    unsigned char *values = (unsigned char *)d->values + at * (size_t)c->kv_heads * part;
    /* q, k, v = linear(h) + bias, q and k rotated */
    struct glm_output qkv[] = {
        {&l->q, l->q_bias, d->q}, {&l->k, l->k_bias, d->k}, {&l->v, l->v_bias, d->v}};
    glm_linears(pool, qkv, 3, d->h, n);
    struct kept kept = {d, keys, values, part};
    glm_pool_left(pool, d->attended[at]); /* who has read these keys the last time */
    const struct glm_work work = {.count = n, .part = 4, .most = 1, .run = keep_part};
    glm_pool_queue(pool, &work, &kept, sizeof kept);
    struct glm_attention a = {.q = d->q,
                              .k = keys,
                              .v = values,
                              .out = d->attn,
                              .half = half,
                              .n = n,
                              .heads = (size_t)c->heads,
                              .group = (size_t)(c->heads / c->kv_heads),
                              .dim = dim,
                              .q_row = (size_t)c->heads * dim,
                              .v_row = dim,
                              .out_row = (size_t)c->heads * dim,
                              .q_head = dim,
                              .k_head = d->room * dim,
                              .v_head = d->room * dim,
                              .out_head = dim,
                              .first = d->len + 1,
                              .step = 1};
    glm_attend(pool, &a);
    d->attended[at] = glm_pool_number(pool);
    glm_linear(pool, &l->o, NULL, d->attn, n, d->h);
}

static void mlp(struct glm_decoder *d, const struct glm_text_layer *l, size_t n)
{
    struct glm_pool *pool = d->model->pool;
    struct glm_output both[] = {{&l->gate, NULL, d->gate}, {&l->up, NULL, d->up}};
    glm_linears(pool, both, 2, d->h, n);
    glm_silu_mul(pool, d->gate, d->up, n * (size_t)d->model->config.text.inner);
    glm_linear(pool, &l->down, NULL, d->gate, n, d->h);
}

/* x += RMS(Attn(RMS(x))); x += RMS(MLP(RMS(x))). The first RMS of a layer is made where the one
 * before it ends. */
static void layer(struct glm_decoder *d, size_t at, size_t n)
{
    const struct glm_text_layer *l = &d->model->layers[at];
    const size_t h = (size_t)d->model->config.text.hidden;
    const bool last = at + 1 == (size_t)d->model->config.text.layers;
    const float eps = d->model->config.text.eps;
    attention(d, l, at, n);
    glm_add_norm(d->model->pool, d->x, l->norm_attn_out, l->norm_mlp_in, eps, n, h, d->h);
    mlp(d, l, n);
    glm_add_norm(d->model->pool, d->x, l->norm_mlp_out, last ? NULL : l[1].norm_in, eps, n, h,
                 d->h);
}

bool glm_decoder_step(struct glm_decoder *d, const float *input, const int32_t *positions, size_t n,
                      size_t wanted, float *logits, const struct glm_trace *trace,
                      struct glmv_err *err)
{
    const struct glm_text_config *c = &d->model->config.text;
    const size_t h = (size_t)c->hidden;
    if (n > d->capacity - d->len) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "the context of %zu tokens is used up", d->capacity);
    }
    memcpy(d->x, input, n * h * sizeof(float));
    angles(d, positions, n);
    glm_pool_begin(d->model->pool);
    glm_rms_norm(d->model->pool, d->x, d->model->layers[0].norm_in, c->eps, n, h, d->h);
    for (size_t at = 0; at < (size_t)c->layers; at++) {
        layer(d, at, n);
        if (at == 0) {
            see(d, trace, "text.layer0", d->x, n * h);
        }
    }
    if (wanted > 0) {
        glm_rms_norm(d->model->pool, d->x + (n - wanted) * h, d->model->norm, c->eps, wanted, h,
                     d->h);
        see(d, trace, "text.norm", d->h, wanted * h);
        glm_linear(d->model->pool, &d->model->head, NULL, d->h, wanted, logits);
        see(d, trace, "text.logits", logits, wanted * (size_t)c->vocab);
    }
    glm_pool_end(d->model->pool);
    d->len += n;
    return true;
}
