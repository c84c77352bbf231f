/* N: patches, d: hidden, M = N / merge^2. */
#include "model/glm/cuda/tower.h"

#include <math.h>

struct tower {
    struct glm_cuda_device *device;
    const struct glm_vision_config *config;
    const struct glm_cuda_weights *weights;
    struct glm_cuda_grid grid;
    struct glm_cuda_arena screenshot;
    uint16_t *patches;       /* [N][patch] */
    float *x;                /* [N][d] */
    uint16_t *h, *qkv, *mid; /* [N][d], [N][3 d], [N][out] */
    uint16_t *z, *gelu;      /* [M][out] */
    float *y;                /* [M][out] */
    uint16_t *gate;          /* [M][inner] */
    struct glmv_err *err;
};

static void take(struct tower *t, struct glm_cuda_arena *arena, const struct glm_vision_config *c,
                 const struct glm_cuda_shape *shape)
{
    const size_t n = shape->grid.n, d = (size_t)c->hidden, out = (size_t)c->out,
                 inner = (size_t)c->inner, patch = 3 * (size_t)(c->temporal * c->patch * c->patch),
                 m = n / (size_t)(c->merge * c->merge);
    t->x = glm_cuda_take(arena, n * d * sizeof(float));
    t->h = glm_cuda_take(arena, n * d * sizeof(uint16_t));
    struct glm_cuda_arena first = *arena, blocks = *arena, merger = *arena;
    /* three stages that do not meet share the rest */
    t->patches = glm_cuda_take(&first, n * patch * sizeof(uint16_t));
    t->screenshot = first;
    first.used += glm_cuda_patches_bytes(shape);
    t->qkv = glm_cuda_take(&blocks, 3 * n * d * sizeof(uint16_t));
    t->mid = glm_cuda_take(&blocks, n * out * sizeof(uint16_t));
    t->z = glm_cuda_take(&merger, m * out * sizeof(uint16_t));
    t->y = glm_cuda_take(&merger, m * out * sizeof(float));
    t->gelu = glm_cuda_take(&merger, m * out * sizeof(uint16_t));
    t->gate = glm_cuda_take(&merger, m * inner * sizeof(uint16_t));
    size_t used = first.used > blocks.used ? first.used : blocks.used;
    arena->used = used > merger.used ? used : merger.used;
}

size_t glm_cuda_tower_bytes(const struct glm_config *config, const struct glm_cuda_shape *shape)
{
    struct tower t;
    struct glm_cuda_arena arena = {0};
    take(&t, &arena, &config->vision, shape);
    return arena.used;
}

static bool gemm(struct tower *t, const struct glm_cuda_matrix *m, const float *bias, size_t n,
                 const uint16_t *x, void *y, enum glm_cuda_store store)
{
    struct glm_cuda_gemm a = {.m = {*m},
                              .x = x,
                              .bias = bias,
                              .y = y,
                              .x_row = m->cols,
                              .y_row = m->rows,
                              .count = 1,
                              .n = (uint32_t)n,
                              .store = store};
    return glm_cuda_run(t->device, glm_cuda_gemm_launch_on(&a, t->device->wide), &a, t->err);
}

/* y = silu(gate x) * up x */
static bool gated(struct tower *t, const struct glm_cuda_matrix *gate,
                  const struct glm_cuda_matrix *up, size_t n, const uint16_t *x, uint16_t *y)
{
    struct glm_cuda_gemm a = {.m = {*gate, *up},
                              .x = x,
                              .y = y,
                              .x_row = gate->cols,
                              .y_row = gate->rows,
                              .count = 2,
                              .n = (uint32_t)n,
                              .store = GLM_CUDA_STORE_BF16};
    return glm_cuda_run(t->device, glm_cuda_gemm_gate_launch_on(&a, t->device->wide), &a, t->err);
}

/* RMS(x) * weight to h, or in place */
static bool norm(struct tower *t, const float *weight, bool here)
{
    struct glm_cuda_norm a = {.x = t->x,
                              .weight = weight,
                              .out = here ? NULL : t->h,
                              .out_float = here ? t->x : NULL,
                              .n = t->grid.n,
                              .width = (uint32_t)t->config->hidden,
                              .eps = t->config->eps};
    return glm_cuda_run(t->device, glm_cuda_norm_launch(&a), &a, t->err);
}

static bool attention(struct tower *t)
{
    const struct glm_vision_config *c = t->config;
    const size_t d = (size_t)c->hidden, dim = (size_t)c->head_dim;
    struct glm_cuda_turn turn = {t->grid, t->qkv, t->weights->turn_freq, (uint32_t)c->heads,
                                 (uint32_t)dim};
    struct glm_cuda_flash a = {.q = t->qkv,
                               .k = t->qkv + d,
                               .v = t->qkv + 2 * d,
                               .out = t->h,
                               .q_row = 3 * d,
                               .k_row = 3 * d,
                               .v_row = 3 * d,
                               .out_row = d,
                               .q_head = dim,
                               .k_head = dim,
                               .v_head = dim,
                               .out_head = dim,
                               .n = t->grid.n,
                               .keys = t->grid.n,
                               .heads = (uint32_t)c->heads,
                               .group = 1,
                               .dim = (uint32_t)dim,
                               .scale = 1.0f / sqrtf((float)dim)};
    return glm_cuda_run(t->device, glm_cuda_turn_launch(&turn), &turn, t->err) &&
           glm_cuda_run(t->device, glm_cuda_flash_launch_on(&a, t->device->wide), &a, t->err);
}

static bool block(struct tower *t, const struct glm_cuda_block *b)
{
    const size_t n = t->grid.n;
    /* x += proj(Attn(RMS(x, norm1))) */
    return norm(t, b->norm1, false) &&
           gemm(t, &b->qkv, NULL, n, t->h, t->qkv, GLM_CUDA_STORE_BF16) && attention(t) &&
           gemm(t, &b->proj, NULL, n, t->h, t->x, GLM_CUDA_STORE_ADD) &&
           /* x += down(silu(gate z) * up z), z = RMS(x, norm2) */
           norm(t, b->norm2, false) && gated(t, &b->gate, &b->up, n, t->h, t->mid) &&
           gemm(t, &b->down, NULL, n, t->mid, t->x, GLM_CUDA_STORE_ADD);
}

/* merge^2 consecutive rows of h are one block: [M][merge^2 d] -> rows[M][out] */
static bool merge(struct tower *t, float *rows)
{
    const struct glm_cuda_weights *w = t->weights;
    const size_t m = t->grid.n / (size_t)(t->config->merge * t->config->merge);
    struct glm_cuda_gelu gelu = {t->y,    w->merge_norm, w->merge_norm_bias,
                                 t->gelu, (uint32_t)m,   (uint32_t)t->config->out};
    return gemm(t, &w->downsample, w->downsample_bias, m, t->h, t->z, GLM_CUDA_STORE_BF16) &&
           gemm(t, &w->merge_proj, NULL, m, t->z, t->y, GLM_CUDA_STORE_FLOAT) &&
           glm_cuda_run(t->device, glm_cuda_gelu_launch(&gelu), &gelu, t->err) &&
           gated(t, &w->merge_gate, &w->merge_up, m, t->gelu, t->gate) &&
           gemm(t, &w->merge_down, NULL, m, t->gate, rows, GLM_CUDA_STORE_FLOAT);
}

bool glm_cuda_tower_read(struct glm_cuda_device *device, const struct glm_config *config,
                         const struct glm_cuda_weights *w, struct glm_cuda_arena arena,
                         const struct glm_cuda_shape *shape, const struct glmv_image *image,
                         float *rows, struct glmv_err *err)
{
    const struct glm_vision_config *c = &config->vision;
    struct tower t = {.device = device, .config = c, .weights = w, .grid = shape->grid, .err = err};
    take(&t, &arena, c, shape);
    struct glm_cuda_positions positions = {t.grid, w->positions, t.x, (uint32_t)c->grid,
                                           (uint32_t)c->hidden};
    bool ok = glm_cuda_patches_read(device, config, t.screenshot, shape, image, t.patches, err) &&
              gemm(&t, &w->patch, w->patch_bias, t.grid.n, t.patches, t.x, GLM_CUDA_STORE_FLOAT) &&
              norm(&t, w->post_conv_norm, true) &&
              glm_cuda_run(device, glm_cuda_positions_launch(&positions), &positions, err);
    for (int i = 0; ok && i < c->depth; i++) {
        ok = block(&t, &w->blocks[i]);
    }
    return ok && norm(&t, w->post_norm, false) && merge(&t, rows);
}
