#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "model/glm/pool.h"

static float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, mantissa = h & 0x3FF;
    int exponent = h >> 10 & 31;
    float value;
    if (exponent == 0) {
        value = ldexpf((float)mantissa, -24);
        return sign != 0 ? -value : value;
    }
    uint32_t bits = exponent == 31 ? sign | 0x7F800000 | mantissa << 13
                                   : sign | (uint32_t)(exponent + 112) << 23 | mantissa << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
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
        return half_to_float(half);
    case GLM_FORM_BF16: {
        memcpy(&half, data + at * 2, 2);
        uint32_t bits = (uint32_t)half << 16;
        memcpy(&value, &bits, 4);
        return value;
    }
    case GLM_FORM_INT8:
        return (float)(int8_t)data[at] * m->scales[at / GLM_GROUP];
    case GLM_FORM_INT4:
        return (float)((data[at / 2] >> (at % 2 * 4) & 15) - 8) * m->scales[at / GLM_GROUP];
    }
    return 0;
}

void glm_row(const struct glm_matrix *m, size_t row, float *out)
{
    for (size_t i = 0; i < m->cols; i++) {
        out[i] = element(m, row, i);
    }
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
};

static void linear_part(void *arg, size_t begin, size_t end)
{
    const struct linear_job *job = arg;
    const struct glm_matrix *m = job->m;
    for (size_t n = 0; n < job->n; n += 4) {
        size_t count = job->n - n < 4 ? job->n - n : 4;
        for (size_t row = begin; row < end; row++) {
            float out[4];
            job->rows(m, row, job->x + n * m->cols, m->cols, count, out);
            for (size_t i = 0; i < count; i++) {
                job->y[(n + i) * m->rows + row] = out[i] + (job->bias != NULL ? job->bias[row] : 0);
            }
        }
    }
}

void glm_linear(struct glm_pool *pool, const struct glm_matrix *m, const float *bias,
                const float *x, size_t n, float *y)
{
    struct linear_job job = {m, bias, x, y, n, glm_pool_rows(pool)};
    /* about 64 KiB of weights a part: big enough to hide the claim, small enough to share out */
    size_t part = 65536 / (m->cols * 2 + 1);
    glm_pool_run(pool, m->rows, part < 4 ? 4 : part, linear_part, &job);
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
    struct glm_matrix one = {GLM_FORM_F32, 1, a->dim, q, NULL};
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

struct quant_job {
    const struct glm_matrix *from;
    enum glm_form form;
    unsigned char *data;
    float *scales;
};

/* The scale of a group of four-bit weights with the least squared error among a few clips: the
 * largest value alone makes a coarse grid. */
static float best_scale(const float *w, float most)
{
    float best = most / 7, best_error = INFINITY;
    for (int step = 0; step < 12; step++) {
        float scale = most / 7 * (1.0f - 0.03f * (float)step), error = 0;
        for (int i = 0; i < GLM_GROUP && scale > 0; i++) {
            float q = fminf(fmaxf(rintf(w[i] / scale), -8), 7);
            error += (w[i] - q * scale) * (w[i] - q * scale);
        }
        if (error < best_error) {
            best_error = error;
            best = scale;
        }
    }
    return best;
}

static void quantise_group(const struct quant_job *job, size_t group, const float *w)
{
    float most = 0;
    for (int i = 0; i < GLM_GROUP; i++) {
        most = fmaxf(most, fabsf(w[i]));
    }
    bool four = job->form == GLM_FORM_INT4;
    float scale = four ? best_scale(w, most) : most / 127;
    float inverse = scale > 0 && isfinite(scale) ? 1 / scale : 0;
    job->scales[group] = inverse > 0 ? scale : 0;
    unsigned char *to = job->data + group * (four ? GLM_GROUP / 2 : GLM_GROUP);
    for (int i = 0; i < GLM_GROUP; i++) {
        float q = rintf(w[i] * inverse);
        if (!four) {
            to[i] = (unsigned char)(int8_t)fminf(fmaxf(q, -127), 127);
            continue;
        }
        unsigned value = (unsigned)((int)fminf(fmaxf(q, -8), 7) + 8);
        to[i / 2] = (unsigned char)(i % 2 == 0 ? value : to[i / 2] | value << 4);
    }
}

static void quantise_part(void *arg, size_t begin, size_t end)
{
    const struct quant_job *job = arg;
    size_t groups = job->from->cols / GLM_GROUP;
    float w[GLM_GROUP];
    for (size_t row = begin; row < end; row++) {
        for (size_t g = 0; g < groups; g++) {
            for (size_t i = 0; i < GLM_GROUP; i++) {
                w[i] = element(job->from, row, g * GLM_GROUP + i);
            }
            quantise_group(job, row * groups + g, w);
        }
    }
}

bool glm_quantise(struct glm_pool *pool, const struct glm_matrix *from, enum glm_form form,
                  struct glm_matrix *out, struct glmv_err *err)
{
    size_t count;
    if (from->cols % GLM_GROUP != 0) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "a matrix of %zu columns cannot be quantised in groups of %d", from->cols,
                         GLM_GROUP);
    }
    if (!glmv_size_mul(from->rows, from->cols, &count)) {
        return glmv_fail_memory(err);
    }
    unsigned char *data = malloc(form == GLM_FORM_INT4 ? count / 2 : count);
    float *scales = malloc(count / GLM_GROUP * sizeof *scales);
    if (data == NULL || scales == NULL) {
        free(data);
        free(scales);
        return glmv_fail_memory(err);
    }
    struct quant_job job = {from, form, data, scales};
    glm_pool_run(pool, from->rows, 16, quantise_part, &job);
    *out = (struct glm_matrix){form, from->rows, from->cols, data, scales};
    return true;
}
