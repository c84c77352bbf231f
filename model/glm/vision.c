/* The vision tower. N: patches, d: hidden, M = N / merge^2. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "model/glm/model.h"

static void see(const struct glm_trace *trace, const char *stage, const float *data, size_t count)
{
    if (trace != NULL) {
        trace->see(trace->arg, stage, data, count);
    }
}

/* Row and column of patch n: merge blocks row by row, inside a block row by row. */
static void place_of(const struct glm_model *m, const struct glm_patches *p, size_t n, int *row,
                     int *col)
{
    int merge = m->config.vision.merge, in = (int)(n % (size_t)(merge * merge));
    int block = (int)(n / (size_t)(merge * merge)), across = p->grid_w / merge;
    *row = block / across * merge + in / merge;
    *col = block % across * merge + in % merge;
}

/* Four taps of cubic convolution with a = -0.75, clamped to the table. */
static void cubic_taps(int at, int count, int table, int tap[4], float weight[4])
{
    const float a = -0.75f;
    float y = ((float)at + 0.5f) / (float)count * (float)table - 0.5f, base = floorf(y),
          t = y - base;
    for (int i = 0; i < 4; i++) {
        float u = fabsf(t + 1.0f - (float)i);
        weight[i] = u <= 1 ? ((a + 2) * u - (a + 3)) * u * u + 1
                           : ((a * u - 5 * a) * u + 8 * a) * u - 4 * a;
        int place = (int)base - 1 + i;
        tap[i] = place < 0 ? 0 : place >= table ? table - 1 : place;
    }
}

/* x += the learned table, read between its places so that it covers this grid. */
static void add_positions(const struct glm_model *m, const struct glm_patches *p, float *x)
{
    const size_t d = (size_t)m->config.vision.hidden;
    const int table = m->config.vision.grid;
    for (size_t n = 0; n < p->count; n++) {
        int row, col, ty[4], tx[4];
        float wy[4], wx[4];
        place_of(m, p, n, &row, &col);
        cubic_taps(row, p->grid_h, table, ty, wy);
        cubic_taps(col, p->grid_w, table, tx, wx);
        for (int i = 0; i < 16; i++) {
            float w = wy[i / 4] * wx[i % 4];
            const float *e =
                m->positions + ((size_t)ty[i / 4] * (size_t)table + (size_t)tx[i % 4]) * d;
            for (size_t k = 0; k < d; k++) {
                x[n * d + k] += w * e[k];
            }
        }
    }
}

/* Rotates q and k of qkv [N][3][heads][dim]: the first quarter of a head by row, the second by
 * column, each paired with the dim half a head further. */
static void rotate(const struct glm_model *m, const struct glm_patches *p, float *qkv)
{
    const struct glm_vision_config *c = &m->config.vision;
    const int half = c->head_dim / 2, quarter = half / 2;
    for (size_t n = 0; n < p->count; n++) {
        int place[2];
        place_of(m, p, n, &place[0], &place[1]);
        for (int j = 0; j < half; j++) {
            float freq = 1.0f / powf(10000.0f, (float)(2 * (j % quarter)) / (float)half);
            float angle = (float)place[j / quarter] * freq, cs = cosf(angle), sn = sinf(angle);
            float *x = qkv + n * 3 * (size_t)c->hidden + (size_t)j;
            for (int head = 0; head < 2 * c->heads; head++, x += c->head_dim) {
                float a = x[0], b = x[half];
                x[0] = a * cs - b * sn;
                x[half] = b * cs + a * sn;
            }
        }
    }
}

struct tower {
    float *x, *h, *qkv, *gate, *up; /* [N][d], [N][d], [N][3 d], [N][out], [N][out] */
};

static void block(struct glm_model *m, const struct glm_vision_block *b,
                  const struct glm_patches *p, struct tower *t)
{
    const struct glm_vision_config *c = &m->config.vision;
    const size_t n = p->count, d = (size_t)c->hidden;
    /* x += proj(Attn(RMS(x, norm1))) */
    glm_rms_norm(t->x, b->norm1, c->eps, n, d, t->h);
    glm_linear(m->pool, &b->qkv, NULL, t->h, n, t->qkv);
    rotate(m, p, t->qkv);
    struct glm_attention a = {.q = t->qkv,
                              .k = t->qkv + d,
                              .v = t->qkv + 2 * d,
                              .out = t->h,
                              .n = n,
                              .heads = (size_t)c->heads,
                              .group = 1,
                              .dim = (size_t)c->head_dim,
                              .q_row = 3 * d,
                              .k_row = 3 * d,
                              .out_row = d,
                              .q_head = (size_t)c->head_dim,
                              .k_head = (size_t)c->head_dim,
                              .first = n,
                              .step = 0};
    glm_attend(m->pool, &a);
    glm_linear(m->pool, &b->proj, NULL, t->h, n, t->qkv);
    for (size_t i = 0; i < n * d; i++) {
        t->x[i] += t->qkv[i];
    }
    /* x += down(silu(gate z) * up z), z = RMS(x, norm2) */
    glm_rms_norm(t->x, b->norm2, c->eps, n, d, t->h);
    glm_linear(m->pool, &b->gate, NULL, t->h, n, t->gate);
    glm_linear(m->pool, &b->up, NULL, t->h, n, t->up);
    glm_silu_mul(t->gate, t->up, n * (size_t)c->out);
    glm_linear(m->pool, &b->down, NULL, t->gate, n, t->h);
    for (size_t i = 0; i < n * d; i++) {
        t->x[i] += t->h[i];
    }
}

/* y = GELU(LayerNorm(y)), the exact form of GELU */
static void norm_gelu(const float *weight, const float *bias, size_t n, size_t width, float *y)
{
    for (size_t i = 0; i < n; i++, y += width) {
        double mean = 0, var = 0;
        for (size_t k = 0; k < width; k++) {
            mean += y[k];
        }
        mean /= (double)width;
        for (size_t k = 0; k < width; k++) {
            var += (y[k] - mean) * (y[k] - mean);
        }
        double scale = 1.0 / sqrt(var / (double)width + 1e-5);
        for (size_t k = 0; k < width; k++) {
            float v = (float)((y[k] - mean) * scale) * weight[k] + bias[k];
            y[k] = 0.5f * v * (1.0f + erff(v * 0.70710678118654752f));
        }
    }
}

static float *merge(struct glm_model *m, size_t patches, const float *x,
                    const struct glm_trace *trace, struct glmv_err *err)
{
    const struct glm_vision_config *c = &m->config.vision;
    const size_t rows = patches / (size_t)(c->merge * c->merge), out = (size_t)c->out;
    float *y = malloc(rows * out * sizeof *y), *z = malloc(rows * out * sizeof *z);
    float *gate = malloc(rows * (size_t)c->inner * sizeof *gate);
    float *up = malloc(rows * (size_t)c->inner * sizeof *up);
    bool ok = y != NULL && z != NULL && gate != NULL && up != NULL;
    if (ok) {
        /* merge^2 consecutive rows are one block: [M][merge^2 d] -> [M][out] */
        glm_linear(m->pool, &m->downsample, m->downsample_bias, x, rows, z);
        see(trace, "vision.downsample", z, rows * out);
        glm_linear(m->pool, &m->merge_proj, NULL, z, rows, y);
        norm_gelu(m->merge_norm, m->merge_norm_bias, rows, out, y);
        see(trace, "vision.gelu", y, rows * out);
        glm_linear(m->pool, &m->merge_gate, NULL, y, rows, gate);
        glm_linear(m->pool, &m->merge_up, NULL, y, rows, up);
        glm_silu_mul(gate, up, rows * (size_t)c->inner);
        glm_linear(m->pool, &m->merge_down, NULL, gate, rows, y);
        see(trace, "vision.out", y, rows * out);
    } else {
        glmv_fail_memory(err);
        free(y);
        y = NULL;
    }
    free(z);
    free(gate);
    free(up);
    return y;
}

float *glm_vision_encode(struct glm_model *m, const struct glm_patches *p,
                         const struct glm_trace *trace, struct glmv_err *err)
{
    const struct glm_vision_config *c = &m->config.vision;
    const size_t n = p->count, d = (size_t)c->hidden, size = sizeof(float);
    struct tower t = {malloc(n * d * size), malloc(n * d * size), malloc(n * 3 * d * size),
                      malloc(n * (size_t)c->out * size), malloc(n * (size_t)c->out * size)};
    float *out = NULL;
    bool ok = (t.x != NULL && t.h != NULL && t.qkv != NULL && t.gate != NULL && t.up != NULL) ||
              glmv_fail_memory(err);
    if (ok) {
        glm_linear(m->pool, &m->patch, m->patch_bias, p->rows, n, t.x);
        see(trace, "vision.patch", t.x, n * d);
        glm_rms_norm(t.x, m->post_conv_norm, c->eps, n, d, t.x);
        see(trace, "vision.norm", t.x, n * d);
        add_positions(m, p, t.x);
        see(trace, "vision.positions", t.x, n * d);
    }
    for (int i = 0; ok && i < c->depth; i++) {
        block(m, &m->blocks[i], p, &t);
        if (i == 0) {
            see(trace, "vision.block0", t.x, n * d);
        }
    }
    if (ok) {
        glm_rms_norm(t.x, m->post_norm, c->eps, n, d, t.x);
        see(trace, "vision.post_norm", t.x, n * d);
        out = merge(m, n, t.x, trace, err);
    }
    free(t.x);
    free(t.h);
    free(t.qkv);
    free(t.gate);
    free(t.up);
    return out;
}
