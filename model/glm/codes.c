#include "model/glm/codes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "model/glm/pool.h"

float glm_half_to_float(uint16_t h)
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

uint16_t glm_half_from_float(float value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    float size = fabsf(value);
    if (!(size < 65504.0f)) {
        return (uint16_t)(sign | 0x7BFF);
    }
    if (size < 6.103515625e-05f) { /* below the normal ones */
        return (uint16_t)(sign | (uint16_t)lrintf(size * 16777216.0f));
    }
    int exponent;
    float fraction = frexpf(size, &exponent);                        /* 0.5 .. 1 */
    unsigned mantissa = (unsigned)lrintf(fraction * 2048.0f) - 1024; /* may carry into the next */
    return (uint16_t)(sign | (((unsigned)(exponent + 14) << 10) + mantissa));
}

size_t glm_group_count(const struct glm_matrix *m)
{
    return (m->cols + m->group - 1) / m->group;
}

void glm_code_row(const float *x, size_t cols, bool four, int8_t *code, float *scale, int32_t *fix)
{
    const size_t width = (cols + GLM_BLOCK - 1) / GLM_BLOCK * GLM_BLOCK;
    for (size_t g = 0; g < width / GLM_GROUP; g++) {
        float in[GLM_GROUP] = {0}, most = 0;
        size_t block = g * GLM_GROUP / GLM_BLOCK * GLM_BLOCK, at = g * GLM_GROUP - block;
        if (g * GLM_GROUP < cols) {
            memcpy(in, x + g * GLM_GROUP, sizeof in);
        }
        for (size_t i = 0; i < GLM_GROUP; i++) {
            float size = fabsf(in[i]);
            most = size > most || size != size ? size : most;
        }
        bool usable = most > 0 && most <= 3e38f;
        float inverse = usable ? 127 / most : 0;
        int32_t sum = 0;
        int8_t out[GLM_GROUP];
        for (size_t i = 0; i < GLM_GROUP; i++) {
            /* adding and taking away 1.5 * 2^23 rounds to even */
            float rounded = usable ? (in[i] * inverse + 12582912.0f) - 12582912.0f : 0;
            out[i] = (int8_t)rounded;
            sum += out[i];
        }
        scale[g] = most != 0 && !usable ? NAN : most / 127; /* what is no number stays none */
        fix[g] = four ? -2 * sum : -16 * sum;
        if (!four) {
            memcpy(code + g * GLM_GROUP, out, sizeof out);
            continue;
        }
        for (size_t i = 0; i < GLM_GROUP; i++) {
            code[block + i % 2 * (GLM_BLOCK / 2) + at / 2 + i / 2] = out[i];
        }
    }
}

static int32_t group_dot(const struct glm_matrix *m, const unsigned char *w, const int8_t *code,
                         size_t group)
{
    int32_t sum = 0;
    if (m->form == GLM_FORM_INT8) {
        for (size_t i = 0; i < GLM_GROUP; i++) {
            sum += (w[group * GLM_GROUP + i] - 128) * code[group * GLM_GROUP + i];
        }
        return sum;
    }
    size_t block = group * GLM_GROUP / GLM_BLOCK * GLM_BLOCK, at = (group * GLM_GROUP - block) / 2;
    for (size_t i = 0; i < GLM_GROUP / 2; i++) {
        int both = w[group * GLM_GROUP / 2 + i];
        sum += ((both & 15) - 8) * code[block + at + i] +
               ((both >> 4) - 8) * code[block + GLM_BLOCK / 2 + at + i];
    }
    return sum;
}

void glm_dots_scalar(const struct glm_matrix *m, size_t row, const struct glm_codes *x,
                     size_t first, size_t count, float *out)
{
    const size_t groups = m->cols / GLM_GROUP, per = m->group / GLM_GROUP;
    const unsigned char *w =
        (const unsigned char *)m->data + row * m->cols / (m->form == GLM_FORM_INT4 ? 2 : 1);
    const uint16_t *scales = m->scales + row * glm_group_count(m);
    for (size_t n = 0; n < count; n++) {
        const int8_t *code = x->code + (first + n) * x->width;
        const float *scale = x->scale + (first + n) * (x->width / GLM_GROUP);
        double sum = 0;
        for (size_t g = 0; g < groups; g++) {
            sum +=
                (double)group_dot(m, w, code, g) * (glm_half_to_float(scales[g / per]) * scale[g]);
        }
        out[n] = (float)sum;
    }
}

struct quant_job {
    const struct glm_matrix *from;
    enum glm_form form;
    size_t group, groups;
    unsigned char *data;
    uint16_t *scales;
};

/* The scale of a group of four-bit weights with the least squared error among a few clips: the
 * largest value alone makes a coarse grid. */
static float best_scale(const float *w, size_t count, float most)
{
    float best = most / 7, best_error = INFINITY;
    for (int step = 0; step < 12; step++) {
        float scale = most / 7 * (1.0f - 0.03f * (float)step), error = 0;
        float inverse = scale > 0 ? 1 / scale : 0;
        for (size_t i = 0; i < count && scale > 0; i++) {
            float q = rintf(w[i] * inverse);
            q = q < -8 ? -8 : q > 7 ? 7 : q;
            error += (w[i] - q * scale) * (w[i] - q * scale);
        }
        if (error < best_error) {
            best_error = error;
            best = scale;
        }
    }
    return best;
}

static void quantise_group(const struct quant_job *job, const float *w, size_t count,
                           unsigned char *to, uint16_t *half)
{
    float most = 0;
    for (size_t i = 0; i < count; i++) {
        most = fmaxf(most, fabsf(w[i]));
    }
    bool four = job->form == GLM_FORM_INT4;
    *half =
        isfinite(most) ? glm_half_from_float(four ? best_scale(w, count, most) : most / 127) : 0;
    float scale = glm_half_to_float(*half), inverse = scale > 0 ? 1 / scale : 0;
    for (size_t i = 0; i < count; i++) {
        float q = rintf(w[i] * inverse);
        if (!four) {
            to[i] = (unsigned char)(int)(fminf(fmaxf(q, -127), 127) + 128);
            continue;
        }
        unsigned value = (unsigned)((int)fminf(fmaxf(q, -8), 7) + 8);
        to[i / 2] = (unsigned char)(i % 2 == 0 ? value : to[i / 2] | value << 4);
    }
}

static void quantise_part(void *arg, size_t begin, size_t end)
{
    const struct quant_job *job = arg;
    const size_t cols = job->from->cols, shrink = job->form == GLM_FORM_INT4 ? 2 : 1;
    float w[GLM_BLOCK];
    for (size_t row = begin; row < end; row++) {
        for (size_t g = 0; g < job->groups; g++) {
            size_t from = g * job->group;
            size_t count = cols - from < job->group ? cols - from : job->group;
            glm_row_part(job->from, row, from, count, w);
            quantise_group(job, w, count, job->data + (row * cols + from) / shrink,
                           job->scales + row * job->groups + g);
        }
    }
}

bool glm_quantise(struct glm_pool *pool, const struct glm_matrix *from, enum glm_form form,
                  size_t group, struct glm_matrix *out, struct glmv_err *err)
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
    struct glm_matrix m = {form, from->rows, from->cols, NULL, NULL, group};
    /* aligned: loads that cross a line cost two */
    size_t bytes = form == GLM_FORM_INT4 ? count / 2 : count;
    unsigned char *data = aligned_alloc(64, (bytes / 64 + 1) * 64);
    uint16_t *scales = malloc(from->rows * glm_group_count(&m) * sizeof *scales);
    if (data == NULL || scales == NULL || !glm_pool_fit(pool, from->cols, err)) {
        free(data);
        free(scales);
        return glmv_fail_memory(err);
    }
    struct quant_job job = {from, form, group, glm_group_count(&m), data, scales};
    glm_pool_run(pool, from->rows, 16, quantise_part, &job);
    m.data = data;
    m.scales = scales;
    *out = m;
    return true;
}
