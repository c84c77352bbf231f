#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/glm/pool.h"

static float scale_of(const struct glm_matrix *m, size_t row, size_t col)
{
    return glm_half_to_float(m->scales[row * glm_group_count(m) + col / m->group]);
}

static float element(const struct glm_matrix *m, size_t row, size_t col)
{
    size_t at = row * m->cols + col;
    const unsigned char *data = m->data;
    uint16_t half;
    float value;
    switch (m->form) {
    case GLM_FORM_F32:
        memcpy(&value, data + at * 4, 4);
        return value;
    case GLM_FORM_F16:
        memcpy(&half, data + at * 2, 2);
        return glm_half_to_float(half);
    case GLM_FORM_BF16: {
        memcpy(&half, data + at * 2, 2);
        uint32_t bits = (uint32_t)half << 16;
        memcpy(&value, &bits, 4);
        return value;
    }
    case GLM_FORM_INT8:
        return (float)(data[at] - 128) * scale_of(m, row, col);
    case GLM_FORM_INT4:
        return (float)((data[at / 2] >> (at % 2 * 4) & 15) - 8) * scale_of(m, row, col);
    }
    return 0;
}

void glm_row_part(const struct glm_matrix *m, size_t row, size_t from, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = element(m, row, from + i);
    }
}

void glm_row(const struct glm_matrix *m, size_t row, float *out)
{
    glm_row_part(m, row, 0, m->cols, out);
}

void glm_rows_scalar(const struct glm_matrix *m, size_t row, const float *x, size_t x_row,
                     size_t count, float *out)
{
    for (size_t n = 0; n < count; n++) {
        double sum = 0;
        for (size_t i = 0; i < m->cols; i++) {
            sum += (double)element(m, row, i) * x[n * x_row + i];
        }
        out[n] = (float)sum;
    }
}

struct linear_job {
    const struct glm_matrix *m;
    const float *bias, *x;
    float *y;
    size_t n;
    glm_rows_fn *rows;
    glm_dots_fn *dots;
    struct glm_codes codes;
};

static void linear_part(void *arg, size_t begin, size_t end)
{
    const struct linear_job *job = arg;
    const struct glm_matrix *m = job->m;
    for (size_t n = 0; n < job->n; n += 4) {
        size_t count = job->n - n < 4 ? job->n - n : 4;
        for (size_t row = begin; row < end; row++) {
            float out[4];
            if (m->form >= GLM_FORM_INT8) {
                job->dots(m, row, &job->codes, n, count, out);
            } else {
                job->rows(m, row, job->x + n * m->cols, m->cols, count, out);
            }
            for (size_t i = 0; i < count; i++) {
                job->y[(n + i) * m->rows + row] = out[i] + (job->bias != NULL ? job->bias[row] : 0);
            }
        }
    }
}

struct code_job {
    const struct glm_matrix *m;
    const float *x;
    struct glm_code_space space;
};

static void code_part(void *arg, size_t begin, size_t end)
{
    const struct code_job *job = arg;
    const struct glm_code_space *s = &job->space;
    for (size_t n = begin; n < end; n++) {
        glm_code_row(job->x + n * job->m->cols, job->m->cols, job->m->form == GLM_FORM_INT4,
                     s->code + n * s->width, s->scale + n * (s->width / GLM_GROUP),
                     s->fix + n * (s->width / GLM_GROUP));
    }
}

void glm_linear(struct glm_pool *pool, const struct glm_matrix *m, const float *bias,
                const float *x, size_t n, float *y)
{
    struct linear_job job = {
        .m = m, .bias = bias, .rows = glm_pool_rows(pool), .dots = glm_pool_dots(pool)};
    /* about 64 KiB of weights a part: big enough to hide the claim, small enough to share out */
    size_t part = 65536 / (m->cols * 2 + 1);
    for (size_t from = 0; from < n; from += job.n) {
        job.n = n - from < GLM_CODE_ROWS ? n - from : GLM_CODE_ROWS;
        job.x = x + from * m->cols;
        job.y = y + from * m->rows;
        if (m->form >= GLM_FORM_INT8) {
            struct code_job codes = {m, job.x, glm_pool_codes(pool, m->cols)};
            glm_pool_run(pool, job.n, 1, code_part, &codes);
            job.codes = (struct glm_codes){codes.space.width, codes.space.code, codes.space.scale,
                                           codes.space.fix};
        }
        glm_pool_run(pool, m->rows, part < 4 ? 4 : part, linear_part, &job);
    }
}

void glm_rms_norm(const float *x, const float *weight, float eps, size_t n, size_t width, float *y)
{
    for (size_t i = 0; i < n; i++, x += width, y += width) {
        double sum = 0;
        for (size_t k = 0; k < width; k++) {
            sum += (double)x[k] * x[k];
        }
        float scale = 1.0f / sqrtf((float)(sum / (double)width) + eps);
        for (size_t k = 0; k < width; k++) {
            y[k] = weight[k] * (x[k] * scale);
        }
    }
}

void glm_silu_mul(float *gate, const float *up, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gate[i] = gate[i] / (1.0f + expf(-gate[i])) * up[i];
    }
}

struct attend_job {
    const struct glm_attention *a;
    glm_rows_fn *rows;
};

#define ATTEND_KEYS 256 /* whose scores are held at a time */

/* Softmax in one pass: what was summed is scaled down when a larger score turns up. */
static void attend_one(const struct attend_job *job, size_t head, size_t i)
{
    const struct glm_attention *a = job->a;
    const float *q = a->q + i * a->q_row + head * a->q_head;
    const float *k = a->k + head / a->group * a->k_head, *v = a->v + head / a->group * a->k_head;
    float *out = a->out + i * a->out_row + head * a->dim, scores[ATTEND_KEYS];
    size_t keys = a->first + i * a->step;
    float scale = 1.0f / sqrtf((float)a->dim), most = -INFINITY, sum = 0;
    struct glm_matrix one = {GLM_FORM_F32, 1, a->dim, q, NULL, 0};
    memset(out, 0, a->dim * sizeof *out);
    for (size_t from = 0; from < keys; from += ATTEND_KEYS) {
        size_t count = keys - from < ATTEND_KEYS ? keys - from : ATTEND_KEYS;
        float before = most;
        for (size_t j = 0; j < count; j += 4) {
            job->rows(&one, 0, k + (from + j) * a->k_row, a->k_row, count - j < 4 ? count - j : 4,
                      scores + j);
        }
        for (size_t j = 0; j < count; j++) {
            scores[j] *= scale;
            most = scores[j] > most ? scores[j] : most;
        }
        float shrink = from > 0 ? expf(before - most) : 0;
        sum *= shrink;
        for (size_t d = 0; from > 0 && shrink < 1 && d < a->dim; d++) {
            out[d] *= shrink;
        }
        for (size_t j = 0; j < count; j++) {
            const float *row = v + (from + j) * a->k_row;
            float p = expf(scores[j] - most);
            sum += p;
            for (size_t d = 0; d < a->dim; d++) {
                out[d] += p * row[d];
            }
        }
    }
    for (size_t d = 0; d < a->dim; d++) {
        out[d] /= sum;
    }
}

static void attend_part(void *arg, size_t begin, size_t end)
{
    const struct attend_job *job = arg;
    for (size_t at = begin; at < end; at++) {
        attend_one(job, at / job->a->n, at % job->a->n);
    }
}

void glm_attend(struct glm_pool *pool, const struct glm_attention *attention)
{
    struct attend_job job = {.a = attention, .rows = glm_pool_rows(pool)};
    size_t total = attention->heads * attention->n;
    size_t part = total / ((size_t)glm_pool_threads(pool) * 8) + 1;
    glm_pool_run(pool, total, part, attend_part, &job);
}
