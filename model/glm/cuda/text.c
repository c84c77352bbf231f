/* n: rows of this step, h: hidden. */
#include "model/glm/cuda/text.h"

#include <math.h>
#include <string.h>

void glm_cuda_input_measure(struct glm_cuda_input *input, size_t rows)
{
    input->rows = rows;
    input->answer_bytes = sizeof(struct glm_cuda_state) + GLM_CUDA_ROWS * sizeof(int32_t);
    input->bytes = input->answer_bytes + rows * 4 * sizeof(int32_t);
}

struct glm_cuda_state *glm_cuda_input_state(const struct glm_cuda_input *input, void *base)
{
    (void)input;
    return base;
}

int32_t *glm_cuda_input_counts(const struct glm_cuda_input *input, void *base)
{
    (void)input;
    return (void *)((unsigned char *)base + sizeof(struct glm_cuda_state));
}

int32_t *glm_cuda_input_ids(const struct glm_cuda_input *input, void *base)
{
    return (void *)((unsigned char *)base + input->answer_bytes);
}

int32_t *glm_cuda_input_positions(const struct glm_cuda_input *input, void *base)
{
    return glm_cuda_input_ids(input, base) + input->rows;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Floats that the slices of a product of n rows take. */
static size_t parts_of(const struct glm_cuda_matrix *m, size_t width, size_t n, bool decode)
{
    size_t slices = decode ? glm_cuda_slices(m->form, (uint32_t)width, m->cols) : 1;
    return slices * n * width;
}

void glm_cuda_rows_take(struct glm_cuda_rows *r, struct glm_cuda_arena *arena,
                        const struct glm_text_config *c, const struct glm_cuda_weights *w, size_t n,
                        size_t capacity, bool decode)
{
    const size_t h = (size_t)c->hidden, wide = (size_t)(c->heads * c->head_dim),
                 all = wide + 2 * (size_t)(c->kv_heads * c->head_dim);
    size_t parts = 0;
    for (int i = 0; i < c->layers; i++) {
        const struct glm_cuda_layer *l = &w->layers[i];
        parts = larger(parts, parts_of(&l->qkv[0], all, n, decode));
        parts = larger(parts, parts_of(&l->o, h, n, decode));
        parts = larger(parts, parts_of(&l->down, h, n, decode));
    }
    r->extra = glm_cuda_take(arena, n * h * sizeof(float));
    r->x = glm_cuda_take(arena, n * h * sizeof(float));
    r->h = glm_cuda_take(arena, n * h * sizeof(uint16_t));
    r->parts = glm_cuda_take(arena, parts * sizeof(float));
    r->q = glm_cuda_take(arena, n * wide * sizeof(uint16_t));
    r->attended = glm_cuda_take(arena, n * wide * sizeof(uint16_t));
    r->gate = glm_cuda_take(arena, n * (size_t)c->inner * sizeof(uint16_t));
    if (decode) {
        size_t splits = (capacity + GLM_CUDA_SPLIT - 1) / GLM_CUDA_SPLIT;
        r->splits =
            glm_cuda_take(arena, glm_cuda_attend_bytes((uint32_t)n, (uint32_t)c->heads,
                                                       (uint32_t)c->head_dim, (uint32_t)splits));
        r->logits = glm_cuda_take(arena, n * (size_t)c->vocab * sizeof(float));
    }
}

/* One step as its kernels see it. */
struct pass {
    struct glm_cuda_text *text;
    const struct glm_cuda_rows *rows;
    const struct glm_cuda_input *input;
    uint32_t n, splits, len;
    bool decode;
    uint32_t slices; /* of the last product */
    struct glmv_err *err;
};

/* parts = x * m^T for matrices side by side */
static bool product(struct pass *p, const struct glm_cuda_matrix *m, uint32_t count,
                    const uint16_t *x, uint32_t slices, float *out)
{
    struct glm_cuda_device *device = p->text->device;
    uint32_t width = 0;
    for (uint32_t i = 0; i < count; i++) {
        width += m[i].rows;
    }
    if (p->decode) {
        struct glm_cuda_linear a = {
            .x = x, .parts = out, .count = count, .n = p->n, .width = width};
        a.slices = p->slices = slices > 0 ? slices : glm_cuda_slices(m->form, width, m->cols);
        memcpy(a.m, m, count * sizeof *m);
        return glm_cuda_run(device, glm_cuda_linear_launch(&a), &a, p->err);
    }
    struct glm_cuda_gemm a = {.x = x,
                              .y = out,
                              .x_row = m->cols,
                              .y_row = width,
                              .count = count,
                              .n = p->n,
                              .store = GLM_CUDA_STORE_FLOAT};
    p->slices = 1;
    memcpy(a.m, m, count * sizeof *m);
    return glm_cuda_run(device, glm_cuda_gemm_launch_on(&a, device->wide), &a, p->err);
}

/* x += RMS(parts) * part_weight; h = RMS(x) * weight */
static bool norms(struct pass *p, const float *parts, const float *part_weight, const float *weight)
{
    const struct glm_text_config *c = p->text->config;
    struct glm_cuda_norm a = {.parts = parts,
                              .part_weight = part_weight,
                              .x = p->rows->x,
                              .weight = weight,
                              .out = weight != NULL ? p->rows->h : NULL,
                              .slices = parts != NULL ? p->slices : 0,
                              .n = p->n,
                              .width = (uint32_t)c->hidden,
                              .eps = c->eps};
    return glm_cuda_run(p->text->device, glm_cuda_norm_launch(&a), &a, p->err);
}

static bool attend_decode(struct pass *p, const uint16_t *keys, const uint16_t *values)
{
    const struct glm_text_config *c = p->text->config;
    struct glm_cuda_device *device = p->text->device;
    struct glm_cuda_attend a = {.q = p->rows->q,
                                .keys = keys,
                                .values = values,
                                .state = glm_cuda_input_state(p->input, p->input->device),
                                .parts = p->rows->splits,
                                .out = p->rows->attended,
                                .n = p->n,
                                .heads = (uint32_t)c->heads,
                                .kv_heads = (uint32_t)c->kv_heads,
                                .dim = (uint32_t)c->head_dim,
                                .capacity = (uint32_t)p->text->capacity,
                                .splits = p->splits,
                                .scale = 1.0f / sqrtf((float)c->head_dim)};
    return glm_cuda_run(device, glm_cuda_attend_launch(&a), &a, p->err) &&
           glm_cuda_run(device, glm_cuda_combine_launch(&a), &a, p->err);
}

static bool attend_prefill(struct pass *p, const uint16_t *keys, const uint16_t *values)
{
    const struct glm_text_config *c = p->text->config;
    const size_t dim = (size_t)c->head_dim, wide = (size_t)c->heads * dim;
    struct glm_cuda_flash a = {.q = p->rows->q,
                               .k = keys,
                               .v = values,
                               .out = p->rows->attended,
                               .q_row = wide,
                               .k_row = dim,
                               .v_row = dim,
                               .out_row = wide,
                               .q_head = dim,
                               .k_head = p->text->capacity * dim,
                               .v_head = p->text->capacity * dim,
                               .out_head = dim,
                               .n = p->n,
                               .keys = p->len + p->n,
                               .heads = (uint32_t)c->heads,
                               .group = (uint32_t)(c->heads / c->kv_heads),
                               .dim = (uint32_t)dim,
                               .causal = 1,
                               .first = p->len,
                               .scale = 1.0f / sqrtf((float)dim)};
    return glm_cuda_run(p->text->device, glm_cuda_flash_launch_on(&a, p->text->device->wide), &a,
                        p->err);
}

/* parts = o(Attn(h)) */
static bool attention(struct pass *p, const struct glm_cuda_layer *l, size_t at)
{
    struct glm_cuda_text *t = p->text;
    const struct glm_text_config *c = t->config;
    const size_t cache = (size_t)c->kv_heads * t->capacity * (size_t)c->head_dim;
    struct glm_cuda_rope rope = {.parts = p->rows->parts,
                                 .bias = l->bias,
                                 .freq = t->weights->freq,
                                 .positions = glm_cuda_input_positions(p->input, p->input->device),
                                 .state = glm_cuda_input_state(p->input, p->input->device),
                                 .q = p->rows->q,
                                 .keys = t->keys + at * cache,
                                 .values = t->values + at * cache,
                                 .n = p->n,
                                 .heads = (uint32_t)c->heads,
                                 .kv_heads = (uint32_t)c->kv_heads,
                                 .dim = (uint32_t)c->head_dim,
                                 .rot = (uint32_t)c->rot,
                                 .capacity = (uint32_t)t->capacity,
                                 .section = {(uint32_t)c->section[0], (uint32_t)c->section[1]},
                                 .halves = c->halves};
    if (!product(p, l->qkv, 3, p->rows->h, 0, p->rows->parts)) {
        return false;
    }
    rope.slices = p->slices;
    return glm_cuda_run(t->device, glm_cuda_rope_launch(&rope), &rope, p->err) &&
           (p->decode ? attend_decode(p, rope.keys, rope.values)
                      : attend_prefill(p, rope.keys, rope.values)) &&
           product(p, &l->o, 1, p->rows->attended, 0, p->rows->parts);
}

/* parts = down(silu(gate h) * up h) */
static bool mlp(struct pass *p, const struct glm_cuda_layer *l)
{
    struct glm_cuda_device *device = p->text->device;
    bool ok;
    if (p->decode) {
        struct glm_cuda_gate a = {l->gate, l->up, p->rows->h, p->rows->gate, p->n};
        ok = glm_cuda_run(device, glm_cuda_gate_launch(&a), &a, p->err);
    } else {
        struct glm_cuda_gemm a = {.m = {l->gate, l->up},
                                  .x = p->rows->h,
                                  .y = p->rows->gate,
                                  .x_row = l->gate.cols,
                                  .y_row = l->gate.rows,
                                  .count = 2,
                                  .n = p->n,
                                  .store = GLM_CUDA_STORE_BF16};
        ok = glm_cuda_run(device, glm_cuda_gemm_gate_launch_on(&a, device->wide), &a, p->err);
    }
    return ok && product(p, &l->down, 1, p->rows->gate, 0, p->rows->parts);
}

/* x = the tokens' rows; then the layers; h = RMS(x) where logits are wanted. */
static bool layers(struct pass *p)
{
    struct glm_cuda_text *t = p->text;
    const int count = t->config->layers;
    struct glm_cuda_embed embed = {
        t->weights->embed, p->rows->extra, glm_cuda_input_ids(p->input, p->input->device),
        p->rows->x,        p->n,           (uint32_t)t->config->hidden};
    bool ok = glm_cuda_run(t->device, glm_cuda_embed_launch(&embed), &embed, p->err) &&
              norms(p, NULL, NULL, t->weights->layers[0].norm_in);
    for (int i = 0; ok && i < count; i++) {
        const struct glm_cuda_layer *l = &t->weights->layers[i];
        const float *last = p->decode ? t->weights->norm : NULL;
        const float *next = i + 1 < count ? l[1].norm_in : last;
        ok = attention(p, l, (size_t)i) &&
             norms(p, p->rows->parts, l->norm_attn_out, l->norm_mlp_in) && mlp(p, l) &&
             norms(p, p->rows->parts, l->norm_mlp_out, next);
    }
    return ok;
}

bool glm_cuda_text_prefill(struct glm_cuda_text *t, size_t n, size_t len, struct glmv_err *err)
{
    struct pass p = {.text = t,
                     .rows = &t->prefill,
                     .input = &t->prefill_input,
                     .n = (uint32_t)n,
                     .len = (uint32_t)len,
                     .err = err};
    return layers(&p);
}

bool glm_cuda_text_decode(struct glm_cuda_text *t, size_t n, size_t splits, struct glmv_err *err)
{
    struct pass p = {.text = t,
                     .rows = &t->decode,
                     .input = &t->decode_input,
                     .n = (uint32_t)n,
                     .splits = (uint32_t)splits,
                     .decode = true,
                     .err = err};
    return layers(&p) && product(&p, &t->weights->head, 1, t->decode.h, 1, t->decode.logits);
}
