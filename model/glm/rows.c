/* Products of matrices and rows of inputs: how the work is cut and shared out, and the loops of the
 * reference. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/glm/blocks.h"
#include "model/glm/pool.h"

/* e4m3, times the number of its row */
static float small_float(const struct glm_matrix *m, size_t row, size_t col)
{
    const unsigned char code = ((const unsigned char *)m->data)[row * m->cols + col];
    const int exponent = code >> 3 & 15, mantissa = code & 7;
    float scale;
    memcpy(&scale, (const unsigned char *)m->scales + row * sizeof scale, sizeof scale);
    const float size =
        exponent == 0 ? ldexpf((float)mantissa, -9) : ldexpf((float)(8 + mantissa), exponent - 10);
    return scale * ((code & 0x80) != 0 ? -size : size);
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
    case GLM_FORM_INT4:
    case GLM_FORM_LEAST:
        return glm_tile_value(m, row, col);
    case GLM_FORM_FP8:
        return small_float(m, row, col);
    case GLM_FORM_BLOCKS:
        break; /* glm_row_part reads these */
    }
    return 0;
}

void glm_row_part(const struct glm_matrix *m, size_t row, size_t from, size_t count, float *out)
{
    if (m->form == GLM_FORM_BLOCKS) {
        glm_blocks_part(m, row, from, count, out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = element(m, row, from + i);
    }
}

void glm_row(const struct glm_matrix *m, size_t row, float *out)
{
    glm_row_part(m, row, 0, m->cols, out);
}

static void rows_scalar(const struct glm_matrix *m, size_t row, size_t rows, const float *x,
                        size_t x_row, size_t count, float *out)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t n = 0; n < count; n++) {
            double sum = 0;
            for (size_t i = 0; i < m->cols; i++) {
                sum += (double)element(m, row + r, i) * x[n * x_row + i];
            }
            out[r * count + n] = (float)sum;
        }
    }
}

static void norm_scalar(const float *x, const float *weight, float eps, size_t width, float *y)
{
    double sum = 0;
    for (size_t k = 0; k < width; k++) {
        sum += (double)x[k] * x[k];
    }
    float scale = 1.0f / sqrtf((float)(sum / (double)width) + eps);
    for (size_t k = 0; k < width; k++) {
        y[k] = weight[k] * (x[k] * scale);
    }
}

static void silu_mul_scalar(float *gate, const float *up, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gate[i] = gate[i] / (1.0f + expf(-gate[i])) * up[i];
    }
}

void glm_halve_scalar(const float *x, size_t count, uint16_t *out);
void glm_attend_scalar(const struct glm_attention *a, size_t key_head, size_t from, size_t count);

const struct glm_kernels glm_kernels_scalar = {
    .rows = rows_scalar,
    .halve = glm_halve_scalar,
    .dots = glm_dots_scalar,
    .code = glm_code_row,
    .attend = glm_attend_scalar,
    .norm = norm_scalar,
    .silu_mul = silu_mul_scalar,
};

static bool quantised(const struct glm_matrix *m)
{
    return m->form >= GLM_FORM_INT8;
}

/* The outputs of a job lie one after the other in units: tiles, or GLM_ROWS rows. */
struct linear_job {
    const struct glm_kernels *kernels;
    const struct glm_output *outputs;
    size_t count, ends[GLM_OUTPUTS]; /* where the units of each output end */
    const float *x;
    size_t from, n; /* rows of x and y in this job */
    struct glm_codes codes;
    const uint16_t *halves;
};

static void put(const struct glm_output *o, size_t n, size_t row, float value)
{
    o->y[n * o->m->rows + row] = value + (o->bias != NULL ? o->bias[row] : 0);
}

static void tile_unit(const struct linear_job *job, const struct glm_output *o, size_t tile)
{
    float out[GLM_DOTS * GLM_TILE];
    for (size_t n = 0; n < job->n; n += GLM_DOTS) {
        size_t count = job->n - n < GLM_DOTS ? job->n - n : GLM_DOTS;
        job->kernels->dots(o->m, tile, &job->codes, n, count, out);
        for (size_t i = 0; i < count; i++) {
            size_t row = tile * GLM_TILE;
            for (size_t r = 0; r < GLM_TILE && row < o->m->rows; r++, row++) {
                put(o, job->from + n + i, row, out[i * GLM_TILE + r]);
            }
        }
    }
}

static void rows_unit(const struct linear_job *job, const struct glm_output *o, size_t unit,
                      size_t n)
{
    const struct glm_matrix *m = o->m;
    const struct glm_kernels *k = job->kernels;
    const size_t row = unit * GLM_ROWS;
    size_t rows = m->rows - row < GLM_ROWS ? m->rows - row : GLM_ROWS;
    size_t count = job->n - n < GLM_COLUMNS ? job->n - n : GLM_COLUMNS;
    float out[GLM_ROWS * GLM_COLUMNS];
    if (m->form == GLM_FORM_BF16 && k->pairs != NULL) {
        k->pairs(m, row, rows, job->halves + n * m->cols, m->cols, count, out);
    } else {
        k->rows(m, row, rows, job->x + n * m->cols, m->cols, count, out);
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < count; i++) {
            put(o, job->from + n + i, row + r, out[r * count + i]);
        }
    }
}

enum { NEAR_UNITS = 8 }; /* 256 KiB of weights with 4096 columns in 16 bits */

static void linear_part(void *arg, size_t begin, size_t end)
{
    const struct linear_job *job = arg;
    size_t start = 0;
    for (size_t at = 0; at < job->count; start = job->ends[at++]) {
        const struct glm_output *o = &job->outputs[at];
        size_t first = begin > start ? begin : start;
        size_t last = end < job->ends[at] ? end : job->ends[at];
        if (quantised(o->m)) {
            for (size_t unit = first; unit < last; unit++) {
                tile_unit(job, o, unit - start);
            }
            continue;
        }
        /* a block of weights stays near while all of x passes by */
        for (size_t block = first; block < last; block += NEAR_UNITS) {
            size_t stop = last - block < NEAR_UNITS ? last : block + NEAR_UNITS;
            for (size_t n = 0; n < job->n; n += GLM_COLUMNS) {
                for (size_t unit = block; unit < stop; unit++) {
                    rows_unit(job, o, unit - start, n);
                }
            }
        }
    }
}

struct code_job {
    const struct glm_kernels *kernels;
    const struct glm_code_space *space;
    const float *x;
    size_t cols;
    bool eight, four, halves; /* what the matrices of the job want */
};

static void code_part(void *arg, size_t begin, size_t end)
{
    const struct code_job *job = arg;
    const struct glm_code_space *s = job->space;
    const size_t cols = job->cols, groups = cols / GLM_GROUP;
    for (size_t n = begin; n < end; n++) {
        if (job->eight || job->four) {
            job->kernels->code(job->x + n * cols, cols, job->four, s->code + n * cols,
                               s->scale + n * groups, s->fix + n * groups);
        }
        if (job->halves) {
            job->kernels->round(job->x + n * cols, cols, (uint16_t *)s->plain + n * cols);
        }
    }
}

/* All outputs of a job, at most one of int8 and int4 among them. */
static void run_job(struct glm_pool *pool, const struct glm_output *outputs, size_t count,
                    const float *x, size_t n)
{
    if (glm_wide_run(pool, outputs, count, x, n)) {
        return;
    }
    const struct glm_kernels *kernels = glm_pool_kernels(pool);
    const struct glm_code_space *space = glm_pool_codes(pool);
    const size_t cols = outputs[0].m->cols;
    struct linear_job job = {.kernels = kernels,
                             .outputs = outputs,
                             .count = count,
                             .codes = {cols, space->code, space->scale, space->fix},
                             .halves = space->plain};
    struct code_job codes = {.kernels = kernels, .space = space, .cols = cols};
    size_t units = 0;
    for (size_t i = 0; i < count; i++) {
        const struct glm_matrix *m = outputs[i].m;
        codes.four = codes.four || glm_four_bits(m);
        codes.eight = codes.eight || m->form == GLM_FORM_INT8;
        codes.halves = codes.halves || (m->form == GLM_FORM_BF16 && kernels->pairs != NULL);
        units += quantised(m) ? glm_tile_count(m) : (m->rows + GLM_ROWS - 1) / GLM_ROWS;
        job.ends[i] = units;
    }
    assert(cols <= space->width || !(codes.four || codes.eight || codes.halves));
    /* about 64 KiB of weights a part: big enough to hide the claim, small enough to share out; with
     * many rows more, since each part reads all of x */
    size_t part = 65536 / (cols * 8 + 1) * (n >= 16 && !codes.four && !codes.eight ? 4 : 1);
    for (size_t from = 0; from < n; from += job.n) {
        job.from = from;
        job.n = n - from < GLM_WIDE_ROWS ? n - from : GLM_WIDE_ROWS;
        job.x = codes.x = x + from * cols;
        if (codes.four || codes.eight || codes.halves) {
            glm_pool_run(pool, job.n, 1, code_part, &codes);
        }
        if (job.n <= GLM_COLUMNS) {
            glm_pool_run_falling(pool, units, part < 1 ? 1 : part, linear_part, &job);
        } else {
            glm_pool_run(pool, units, part < 1 ? 1 : part, linear_part, &job);
        }
    }
}

void glm_linears(struct glm_pool *pool, const struct glm_output *outputs, size_t count,
                 const float *x, size_t n)
{
    bool same = true;
    for (size_t i = 1; i < count; i++) {
        same = same && outputs[i].m->form == outputs[0].m->form;
    }
    for (size_t i = 0; i < count; i += same ? count : 1) {
        run_job(pool, outputs + i, same ? count : 1, x, n);
    }
}

void glm_linear(struct glm_pool *pool, const struct glm_matrix *m, const float *bias,
                const float *x, size_t n, float *y)
{
    struct glm_output output = {m, bias, y};
    run_job(pool, &output, 1, x, n);
}

struct norm_job {
    const struct glm_kernels *kernels;
    const float *x, *weight;
    float *y, eps;
    size_t width;
};

static void norm_part(void *arg, size_t begin, size_t end)
{
    const struct norm_job *job = arg;
    for (size_t i = begin; i < end; i++) {
        job->kernels->norm(job->x + i * job->width, job->weight, job->eps, job->width,
                           job->y + i * job->width);
    }
}

void glm_rms_norm(struct glm_pool *pool, const float *x, const float *weight, float eps, size_t n,
                  size_t width, float *y)
{
    struct norm_job job = {glm_pool_kernels(pool), x, weight, y, eps, width};
    glm_pool_run(pool, n, 8, norm_part, &job);
}

struct add_job {
    const struct glm_kernels *kernels;
    const float *after, *before;
    float *x, *h, eps;
    size_t width;
};

static void add_part(void *arg, size_t begin, size_t end)
{
    const struct add_job *job = arg;
    const size_t width = job->width;
    for (size_t i = begin; i < end; i++) {
        float *x = job->x + i * width, *h = job->h + i * width;
        job->kernels->norm(h, job->after, job->eps, width, h);
        for (size_t k = 0; k < width; k++) {
            x[k] += h[k];
        }
        if (job->before != NULL) {
            job->kernels->norm(x, job->before, job->eps, width, h);
        }
    }
}

void glm_add_norm(struct glm_pool *pool, float *x, const float *after, const float *before,
                  float eps, size_t n, size_t width, float *h)
{
    struct add_job job = {glm_pool_kernels(pool), after, before, x, h, eps, width};
    glm_pool_run(pool, n, 4, add_part, &job);
}

struct silu_job {
    const struct glm_kernels *kernels;
    float *gate;
    const float *up;
};

static void silu_part(void *arg, size_t begin, size_t end)
{
    const struct silu_job *job = arg;
    job->kernels->silu_mul(job->gate + begin, job->up + begin, end - begin);
}

void glm_silu_mul(struct glm_pool *pool, float *gate, const float *up, size_t count)
{
    struct silu_job job = {glm_pool_kernels(pool), gate, up};
    /* a multiple of every register, so that the number of threads changes no bit */
    glm_pool_run(pool, count, 16384, silu_part, &job);
}
