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

/* What the parts of a job over patches need. */
struct patch_job {
    const struct glm_model *m;
    const struct glm_patches *p;
    float *x;
    const float *turns; /* see make_turns */
};

/* x += the learned table, read between its places so that it covers this grid. */
static void positions_part(void *arg, size_t begin, size_t end)
{
    const struct patch_job *job = arg;
    const struct glm_model *m = job->m;
    const size_t d = (size_t)m->config.vision.hidden;
    const int table = m->config.vision.grid;
    for (size_t n = begin; n < end; n++) {
        int row, col, ty[4], tx[4];
        float wy[4], wx[4];
        place_of(m, job->p, n, &row, &col);
        cubic_taps(row, job->p->grid_h, table, ty, wy);
        cubic_taps(col, job->p->grid_w, table, tx, wx);
        for (int i = 0; i < 16; i++) {
            float w = wy[i / 4] * wx[i % 4];
            const float *e =
                m->positions + ((size_t)ty[i / 4] * (size_t)table + (size_t)tx[i % 4]) * d;
            for (size_t k = 0; k < d; k++) {
                job->x[n * d + k] += w * e[k];
            }
        }
    }
}

/* Cosine and sine of each frequency at each row or column: [place][quarter][2]. */
static float *make_turns(const struct glm_model *m, const struct glm_patches *p)
{
    const int half = m->config.vision.head_dim / 2, quarter = half / 2;
    const int places = p->grid_h > p->grid_w ? p->grid_h : p->grid_w;
    float *turns = malloc((size_t)places * (size_t)quarter * 2 * sizeof *turns);
    for (int i = 0; turns != NULL && i < places * quarter; i++) {
        float freq = 1.0f / powf(10000.0f, (float)(2 * (i % quarter)) / (float)half);
        float angle = (float)(i / quarter) * freq;
        turns[2 * i] = cosf(angle);
        turns[2 * i + 1] = sinf(angle);
    }
    return turns;
}

/* Rotates q and k of qkv [N][3][heads][dim]: the first quarter of a head by row, the second by
 * column, each paired with the dim half a head further. */
static void rotate_part(void *arg, size_t begin, size_t end)
{
    const struct patch_job *job = arg;
    const struct glm_vision_config *c = &job->m->config.vision;
    const int half = c->head_dim / 2, quarter = half / 2;
    for (size_t n = begin; n < end; n++) {
        int place[2];
        place_of(job->m, job->p, n, &place[0], &place[1]);
        float *x = job->x + n * 3 * (size_t)c->hidden;
        for (int head = 0; head < 2 * c->heads; head++, x += c->head_dim) {
            for (int j = 0; j < half; j++) {
                const float *turn = job->turns + 2 * (place[j / quarter] * quarter + j % quarter);
                float a = x[j], b = x[j + half];
                x[j] = a * turn[0] - b * turn[1];
                x[j + half] = b * turn[0] + a * turn[1];
            }
        }
    }
}

struct tower {
    float *x, *h, *qkv, *gate, *up; /* [N][d], [N][d], [N][3 d], [N][out], [N][out] */
    float *keys;                    /* [heads][N up to GLM_KEY_ROOM][head_dim], in blocks */
    float *turns;
};

static size_t key_room(const struct glm_patches *p)
{
    return (p->count + GLM_KEY_ROOM - 1) / GLM_KEY_ROOM * GLM_KEY_ROOM;
}

/* out[N][d] = softmax(q k / sqrt(dim)) v */
static void attention(struct glm_model *m, const struct glm_patches *p, struct tower *t, float *out)
{
    const struct glm_vision_config *c = &m->config.vision;
    const size_t n = p->count, d = (size_t)c->hidden, dim = (size_t)c->head_dim;
    struct patch_job job = {m, p, t->qkv, t->turns};
    glm_pool_run(m->pool, n, 64, rotate_part, &job);
    for (size_t head = 0; head < (size_t)c->heads; head++) {
        glm_keys_put(t->keys + head * key_room(p) * dim, dim, 0, t->qkv + d + head * dim, 3 * d, n);
    }
    struct glm_attention a = {.q = t->qkv,
                              .k = t->keys,
                              .v = t->qkv + 2 * d,
                              .out = out,
                              .n = n,
                              .heads = (size_t)c->heads,
                              .group = 1,
                              .dim = dim,
                              .q_row = 3 * d,
                              .v_row = 3 * d,
                              .out_row = d,
                              .q_head = dim,
                              .k_head = key_room(p) * dim,
                              .v_head = dim,
                              .out_head = dim,
                              .first = n,
                              .step = 0};
    glm_attend(m->pool, &a);
}

static void block(struct glm_model *m, const struct glm_vision_block *b,
                  const struct glm_patches *p, struct tower *t)
{
    const struct glm_vision_config *c = &m->config.vision;
    const size_t n = p->count, d = (size_t)c->hidden;
    /* x += proj(Attn(RMS(x, norm1))) */
    glm_rms_norm(m->pool, t->x, b->norm1, c->eps, n, d, t->h);
    glm_linear(m->pool, &b->qkv, NULL, t->h, n, t->qkv);
    attention(m, p, t, t->h);
    glm_linear(m->pool, &b->proj, NULL, t->h, n, t->qkv);
    for (size_t i = 0; i < n * d; i++) {
        t->x[i] += t->qkv[i];
    }
    /* x += down(silu(gate z) * up z), z = RMS(x, norm2) */
    glm_rms_norm(m->pool, t->x, b->norm2, c->eps, n, d, t->h);
    struct glm_output both[] = {{&b->gate, NULL, t->gate}, {&b->up, NULL, t->up}};
    glm_linears(m->pool, both, 2, t->h, n);
    glm_silu_mul(m->pool, t->gate, t->up, n * (size_t)c->out);
    glm_linear(m->pool, &b->down, NULL, t->gate, n, t->h);
    for (size_t i = 0; i < n * d; i++) {
        t->x[i] += t->h[i];
    }
}

struct gelu_job {
    const float *weight, *bias;
    size_t width;
    float *y;
};

/* y = GELU(LayerNorm(y)), the exact form of GELU */
static void gelu_part(void *arg, size_t begin, size_t end)
{
    const struct gelu_job *job = arg;
    const size_t width = job->width;
    for (size_t i = begin; i < end; i++) {
        float *y = job->y + i * width;
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
            float v = (float)((y[k] - mean) * scale) * job->weight[k] + job->bias[k];
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
        struct gelu_job gelu = {m->merge_norm, m->merge_norm_bias, out, y};
        glm_pool_run(m->pool, rows, 4, gelu_part, &gelu);
        see(trace, "vision.gelu", y, rows * out);
        struct glm_output both[] = {{&m->merge_gate, NULL, gate}, {&m->merge_up, NULL, up}};
        glm_linears(m->pool, both, 2, y, rows);
        glm_silu_mul(m->pool, gate, up, rows * (size_t)c->inner);
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
    struct tower t = {.x = malloc(n * d * size),
                      .h = malloc(n * d * size),
                      .qkv = malloc(n * 3 * d * size),
                      .gate = malloc(n * (size_t)c->out * size),
                      .up = malloc(n * (size_t)c->out * size),
                      .keys = malloc(key_room(p) * d * size),
                      .turns = make_turns(m, p)};
    float *out = NULL;
    bool ok = (t.x != NULL && t.h != NULL && t.qkv != NULL && t.gate != NULL && t.up != NULL &&
               t.keys != NULL && t.turns != NULL) ||
              glmv_fail_memory(err);
    if (ok) {
        glm_linear(m->pool, &m->patch, m->patch_bias, p->rows, n, t.x);
        see(trace, "vision.patch", t.x, n * d);
        glm_rms_norm(m->pool, t.x, m->post_conv_norm, c->eps, n, d, t.x);
        see(trace, "vision.norm", t.x, n * d);
        struct patch_job job = {m, p, t.x, NULL};
        glm_pool_run(m->pool, n, 64, positions_part, &job);
        see(trace, "vision.positions", t.x, n * d);
    }
    for (int i = 0; ok && i < c->depth; i++) {
        block(m, &m->blocks[i], p, &t);
        if (i == 0) {
            see(trace, "vision.block0", t.x, n * d);
        }
    }
    if (ok) {
        glm_rms_norm(m->pool, t.x, m->post_norm, c->eps, n, d, t.x);
        see(trace, "vision.post_norm", t.x, n * d);
        out = merge(m, n, t.x, trace, err);
    }
    free(t.x);
    free(t.h);
    free(t.qkv);
    free(t.gate);
    free(t.up);
    free(t.keys);
    free(t.turns);
    return out;
}
