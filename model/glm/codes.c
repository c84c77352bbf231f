#include "model/glm/codes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "model/glm/blocks.h"
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

size_t glm_codes_room(size_t cols, size_t rows)
{
    return rows * (cols + cols / GLM_GROUP * (sizeof(float) + sizeof(int32_t)));
}

struct glm_codes glm_codes_at(void *room, size_t cols, size_t rows)
{
    float *scale = room; /* first, so that everything is aligned */
    const size_t groups = cols / GLM_GROUP * rows;
    int32_t *fix = (int32_t *)(void *)(scale + groups);
    return (struct glm_codes){cols, (int8_t *)(fix + groups), scale, fix};
}

size_t glm_group_count(const struct glm_matrix *m)
{
    return (m->cols + m->group - 1) / m->group;
}

size_t glm_tile_count(const struct glm_matrix *m)
{
    return (m->rows + GLM_TILE - 1) / GLM_TILE;
}

size_t glm_tile_bytes(const struct glm_matrix *m)
{
    return m->cols * GLM_TILE / (glm_four_bits(m) ? 2 : 1);
}

bool glm_tile_sizes(const struct glm_matrix *m, size_t *data, size_t *scales)
{
    size_t tiles = glm_tile_count(m), bytes;
    if (m->form == GLM_FORM_FP8) { /* no tiles: rows side by side */
        return glmv_size_mul(m->rows, m->cols, data) &&
               glmv_size_mul(m->rows, sizeof(float), scales);
    }
    return glmv_size_mul(m->cols, GLM_TILE, &bytes) &&
           glmv_size_mul(tiles, glm_tile_bytes(m), data) &&
           glmv_size_mul(tiles, glm_group_count(m) * glm_tile_halves(m) * sizeof *m->scales,
                         scales);
}

/* Where a weight of a tile is: its byte; with four bits, in the high half for columns from 16. */
static size_t place_in_tile(bool four, size_t row, size_t col)
{
    size_t group = col / GLM_GROUP, in = col % GLM_GROUP;
    size_t piece = four ? group * 4 + in % 16 / 4 : group * 8 + in / 4;
    return piece * 64 + row * 4 + in % 4;
}

float glm_tile_value(const struct glm_matrix *m, size_t row, size_t col)
{
    size_t tile = row / GLM_TILE, in = row % GLM_TILE;
    const bool four = glm_four_bits(m);
    const unsigned char *data = (const unsigned char *)m->data + tile * glm_tile_bytes(m);
    int byte = data[place_in_tile(four, in, col)];
    const uint16_t *half =
        m->scales + (tile * glm_group_count(m) + col / m->group) * glm_tile_halves(m) + in;
    int value = !four ? byte - 128 : (col % GLM_GROUP < 16 ? byte & 15 : byte >> 4) - 8;
    if (m->form == GLM_FORM_LEAST) {
        return (float)(value + 8) * glm_half_to_float(half[0]) -
               8 * glm_half_to_float(half[GLM_TILE]);
    }
    return (float)value * glm_half_to_float(half[0]);
}

void glm_code_row(const float *x, size_t cols, bool four, size_t per, int8_t *code, float *scale,
                  int32_t *fix)
{
    for (size_t col = 0; col < cols; col += per * GLM_GROUP, scale += per, fix += per) {
        const size_t left = cols - col, count = left < per * GLM_GROUP ? left : per * GLM_GROUP;
        float most = 0;
        for (size_t i = 0; i < count; i++) {
            float size = fabsf(x[col + i]);
            most = size > most || size != size ? size : most;
        }
        bool usable = most > 0 && most <= 3e38f;
        float inverse = usable ? 127 / most : 0;
        int32_t sum = 0;
        for (size_t i = 0; i < count; i++) {
            /* adding and taking away 1.5 * 2^23 rounds to even */
            float rounded = usable ? (x[col + i] * inverse + 12582912.0f) - 12582912.0f : 0;
            code[col + i] = (int8_t)rounded;
            sum += code[col + i];
        }
        *scale = most != 0 && !usable ? NAN : most / 127; /* what is no number stays none */
        *fix = (four ? -8 : -128) * sum;
    }
}

/* The sum of a group: w is its place in the tile. */
static int32_t group_dot(bool four, const unsigned char *w, size_t row, const int8_t *code)
{
    int32_t sum = 0;
    for (size_t i = 0; i < GLM_GROUP; i++) {
        int byte = w[place_in_tile(four, row, i)];
        sum += (!four ? byte - 128 : (i < 16 ? byte & 15 : byte >> 4) - 8) * code[i];
    }
    return sum;
}

void glm_dots_scalar(const struct glm_matrix *m, size_t tile, const struct glm_codes *x,
                     size_t first, size_t count, float *out)
{
    const bool four = glm_four_bits(m), least = m->form == GLM_FORM_LEAST;
    const size_t halves = glm_tile_halves(m);
    const size_t groups = m->cols / GLM_GROUP, per = glm_group_per(m);
    const size_t step = four ? 256 : 512;
    const unsigned char *w = (const unsigned char *)m->data + tile * glm_tile_bytes(m);
    const uint16_t *scales = m->scales + tile * glm_group_count(m) * halves;
    for (size_t n = 0; n < count; n++) {
        const int8_t *code = x->code + (first + n) * x->width;
        const float *scale = x->scale + (first + n) * (x->width / GLM_GROUP);
        const int32_t *fix = x->fix + (first + n) * (x->width / GLM_GROUP);
        for (size_t row = 0; row < GLM_TILE; row++) {
            float sum = 0;
            for (size_t g = 0; g < groups; g += per) {
                const uint16_t *half = scales + g / per * halves + row;
                float both = glm_half_to_float(half[0]) * scale[g];
                int32_t dot = 0;
                for (size_t at = g; at < g + per && at < groups; at++) {
                    dot += group_dot(four, w + at * step, row, code + at * GLM_GROUP);
                }
                sum = fmaf((float)(least ? dot - fix[g] : dot), both, sum);
                if (least) { /* fix is the sum of the codes, times -8 */
                    sum = fmaf(glm_half_to_float(half[GLM_TILE]), (float)fix[g] * scale[g], sum);
                }
            }
            out[n * GLM_TILE + row] = sum;
        }
    }
}

struct quant_job {
    const struct glm_matrix *from, *to;
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

static void put_code(bool four, unsigned char *tile, size_t row, size_t col, int value)
{
    unsigned char *to = tile + place_in_tile(four, row, col);
    if (!four) {
        *to = (unsigned char)(value + 128);
    } else if (col % GLM_GROUP < 16) {
        *to = (unsigned char)((*to & 0xF0) | (value + 8));
    } else {
        *to = (unsigned char)((*to & 15) | (value + 8) << 4);
    }
}

static void quantise_group(const struct quant_job *job, const float *w, size_t count, size_t row,
                           size_t col, unsigned char *tile, uint16_t *half)
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
        put_code(four, tile, row, col + i,
                 (int)(four ? fminf(fmaxf(q, -8), 7) : fminf(fmaxf(q, -127), 127)));
    }
}

/* A group that a file holds in the same form. */
static void copy_group(const struct quant_job *job, size_t from_row, size_t row, size_t col,
                       unsigned char *tile, uint16_t *half)
{
    int codes[GLM_GROUP];
    uint16_t halves[2];
    for (size_t at = 0; at < job->group && col + at < job->from->cols; at += GLM_GROUP) {
        glm_blocks_codes(job->from, from_row, col + at, codes, halves);
        for (size_t i = 0; i < GLM_GROUP; i++) {
            put_code(glm_four_bits(job->to), tile, row, col + at + i, codes[i]);
        }
    }
    half[0] = halves[0];
    if (job->form == GLM_FORM_LEAST) {
        half[GLM_TILE] = halves[1];
    }
}

static void quantise_part(void *arg, size_t begin, size_t end)
{
    const struct quant_job *job = arg;
    const size_t cols = job->from->cols, bytes = glm_tile_bytes(job->to);
    const bool same = glm_blocks_keeps(job->from, job->form, job->group);
    const size_t halves = glm_tile_halves(job->to);
    float w[GLM_MAX_BLOCK];
    for (size_t tile = begin; tile < end; tile++) {
        unsigned char *data = job->data + tile * bytes;
        uint16_t *scales = job->scales + tile * job->groups * halves;
        memset(data, glm_four_bits(job->to) ? 0x88 : 0x80, bytes); /* zeros */
        memset(scales, 0, job->groups * halves * sizeof *scales);
        for (size_t row = 0; row < GLM_TILE && tile * GLM_TILE + row < job->from->rows; row++) {
            for (size_t g = 0; g < job->groups; g++) {
                size_t from = g * job->group, within = from % GLM_MAX_BLOCK, rest = cols - from;
                uint16_t *half = scales + g * halves + row;
                if (same) {
                    copy_group(job, tile * GLM_TILE + row, row, from, data, half);
                    continue;
                }
                if (within == 0) { /* a block of a GGUF file is unpacked at once */
                    glm_row_part(job->from, tile * GLM_TILE + row, from,
                                 rest < GLM_MAX_BLOCK ? rest : GLM_MAX_BLOCK, w);
                }
                quantise_group(job, w + within, rest < job->group ? rest : job->group, row, from,
                               data, half);
            }
        }
    }
}

bool glm_quantise(struct glm_pool *pool, const struct glm_matrix *from, enum glm_form form,
                  size_t group, struct glm_matrix *out, struct glmv_err *err)
{
    size_t bytes, scales;
    struct glm_matrix m = {form, from->rows, from->cols, NULL, NULL, group};
    if (form == GLM_FORM_LEAST && !glm_blocks_keeps(from, form, group)) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED, "weights are not made into this form");
    }
    if (from->cols % GLM_GROUP != 0) {
        return glmv_fail(err, GLMV_ERR_UNSUPPORTED,
                         "a matrix of %zu columns cannot be quantised in groups of %d", from->cols,
                         GLM_GROUP);
    }
    if (!glm_tile_sizes(&m, &bytes, &scales)) {
        return glmv_fail_memory(err);
    }
    /* aligned: loads that cross a line cost two */
    unsigned char *data = aligned_alloc(64, (bytes / 64 + 1) * 64);
    uint16_t *halves = aligned_alloc(64, (scales / 64 + 1) * 64);
    if (data == NULL || halves == NULL || !glm_pool_fit(pool, from->cols, err)) {
        free(data);
        free(halves);
        return glmv_fail_memory(err);
    }
    struct quant_job job = {from, &m, form, group, glm_group_count(&m), data, halves};
    glm_pool_run(pool, glm_tile_count(&m), 1, quantise_part, &job);
    m.data = data;
    m.scales = halves;
    *out = m;
    return true;
}
