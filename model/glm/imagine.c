/* A model that has sizes and no weights. */
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "model/glm/model.h"

static struct glm_matrix matrix(int rows, int cols)
{
    return (struct glm_matrix){GLM_FORM_BF16, (size_t)rows, (size_t)cols, NULL, NULL, 0};
}

static struct glm_text_layer layer_of(const struct glm_text_config *c, float *ones)
{
    const int wide = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
    return (struct glm_text_layer){.q = matrix(wide, c->hidden),
                                   .k = matrix(kv, c->hidden),
                                   .v = matrix(kv, c->hidden),
                                   .o = matrix(c->hidden, wide),
                                   .gate = matrix(c->inner, c->hidden),
                                   .up = matrix(c->inner, c->hidden),
                                   .down = matrix(c->hidden, c->inner),
                                   .q_bias = ones,
                                   .k_bias = ones,
                                   .v_bias = ones,
                                   .norm_in = ones,
                                   .norm_attn_out = ones,
                                   .norm_mlp_in = ones,
                                   .norm_mlp_out = ones};
}

static struct glm_vision_block block_of(const struct glm_vision_config *c, float *ones)
{
    return (struct glm_vision_block){.qkv = matrix(3 * c->hidden, c->hidden),
                                     .proj = matrix(c->hidden, c->hidden),
                                     .gate = matrix(c->out, c->hidden),
                                     .up = matrix(c->out, c->hidden),
                                     .down = matrix(c->hidden, c->out),
                                     .norm1 = ones,
                                     .norm2 = ones};
}

static void bind(struct glm_model *m, float *ones)
{
    const struct glm_text_config *t = &m->config.text;
    const struct glm_vision_config *v = &m->config.vision;
    for (int i = 0; i < t->layers; i++) {
        m->layers[i] = layer_of(t, ones);
    }
    for (int i = 0; i < v->depth; i++) {
        m->blocks[i] = block_of(v, ones);
    }
    m->embed = m->head = matrix(t->vocab, t->hidden);
    m->patch = matrix(v->hidden, 3 * v->temporal * v->patch * v->patch);
    m->downsample = matrix(v->out, v->hidden * v->merge * v->merge);
    m->merge_proj = matrix(v->out, v->out);
    m->merge_gate = m->merge_up = matrix(v->inner, v->out);
    m->merge_down = matrix(v->out, v->inner);
    m->norm = m->patch_bias = m->post_conv_norm = m->positions = m->post_norm = ones;
    m->downsample_bias = m->merge_norm = m->merge_norm_bias = ones;
}

struct glm_model *glm_model_imagine(const struct glm_config *config, struct glmv_err *err)
{
    const struct glm_text_config *t = &config->text;
    const struct glm_vision_config *v = &config->vision;
    const size_t widths[] = {(size_t)t->hidden, (size_t)t->heads * (size_t)t->head_dim,
                             (size_t)v->out, (size_t)v->grid * (size_t)v->grid * (size_t)v->hidden};
    size_t most = 0, bytes;
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        most = widths[i] > most ? widths[i] : most;
    }
    struct glm_model *m = calloc(1, sizeof *m);
    if (m == NULL || !glmv_size_mul(most, sizeof(float), &bytes)) {
        free(m);
        glmv_fail_memory(err);
        return NULL;
    }
    m->config = *config;
    m->layers = calloc((size_t)t->layers, sizeof *m->layers);
    m->blocks = calloc((size_t)v->depth, sizeof *m->blocks);
    m->owned = malloc(sizeof *m->owned);
    float *ones = malloc(bytes);
    if (m->owned != NULL && ones != NULL) {
        m->owned[m->owned_count++] = ones;
    } else {
        free(ones);
        ones = NULL;
    }
    if (m->layers == NULL || m->blocks == NULL || ones == NULL) {
        glmv_fail_memory(err);
        glm_model_close(m);
        return NULL;
    }
    for (size_t i = 0; i < most; i++) {
        ones[i] = 1;
    }
    bind(m, ones);
    m->pool = glm_pool_new(0, err);
    if (m->pool == NULL) {
        glm_model_close(m);
        return NULL;
    }
    return m;
}
