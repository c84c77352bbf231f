/* Products of matrices and rows of inputs: how the work is cut and shared out, and the loops of the
 * reference. */
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
void glm_attend_scalar(const struct glm_attention *a, size_t key_head, size_t from, size_t count,
                       float *out);

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
    struct glm_output outputs[GLM_OUTPUTS];
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

/* out[rows][count] for the rows of a unit, GLM_ROWS at most; returns how many. */
static size_t rows_of(const struct linear_job *job, const struct glm_matrix *m, size_t unit,
                      size_t n, size_t count, float *out)
{
    const struct glm_kernels *k = job->kernels;
    const size_t row = unit * GLM_ROWS, rows = m->rows - row < GLM_ROWS ? m->rows - row : GLM_ROWS;
    if (m->form == GLM_FORM_BF16 && k->pairs != NULL) {
        k->pairs(m, row, rows, job->halves + n * m->cols, m->cols, count, out);
    } else {
        k->rows(m, row, rows, job->x + n * m->cols, m->cols, count, out);
    }
    return rows;
}

static void rows_unit(const struct linear_job *job, const struct glm_output *o, size_t unit,
                      size_t n)
{
    const size_t count = job->n - n < GLM_COLUMNS ? job->n - n : GLM_COLUMNS;
    float out[GLM_ROWS * GLM_COLUMNS];
    const size_t rows = rows_of(job, o->m, unit, n, count, out);
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < count; i++) {
            put(o, job->from + n + i, unit * GLM_ROWS + r, out[r * count + i]);
        }
    }
}

enum { NEAR_UNITS = 8 }; /* 256 KiB of weights with 4096 columns in 16 bits */

/* Many rows of x without kernels for them. */
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

enum { RACE_UNITS = 8 }; /* at a time */

static const struct glm_output *output_of(const struct linear_job *job, size_t *unit)
{
    size_t at = 0;
    while (*unit >= job->ends[at]) {
        at++;
    }
    *unit -= at > 0 ? job->ends[at - 1] : 0;
    return &job->outputs[at];
}

/* GLM_COLUMNS rows of x at most; see glm_work. */
static void linear_race(void *arg, size_t begin, size_t end, struct glm_try *try)
{
    const struct linear_job *job = arg;
    float sums[RACE_UNITS][GLM_TILE * GLM_COLUMNS]; /* a tile's by input, others by row */
    for (size_t at = begin; at < end; at++) {
        size_t unit = at;
        const struct glm_output *o = output_of(job, &unit);
        if (quantised(o->m)) {
            job->kernels->dots(o->m, unit, &job->codes, 0, job->n, sums[at - begin]);
        } else {
            rows_of(job, o->m, unit, 0, job->n, sums[at - begin]);
        }
    }
    if (!glm_pool_mine(try)) {
        return;
    }
    for (size_t at = begin; at < end; at++) {
        size_t unit = at;
        const struct glm_output *o = output_of(job, &unit);
        const bool tile = quantised(o->m);
        const size_t high = tile ? GLM_TILE : GLM_ROWS, row = unit * high;
        for (size_t r = 0; r < high && row + r < o->m->rows; r++) {
            for (size_t n = 0; n < job->n; n++) {
                put(o, job->from + n, row + r,
                    sums[at - begin][tile ? n * GLM_TILE + r : r * job->n + n]);
            }
        }
    }
}

struct code_job {
    const struct glm_kernels *kernels;
    struct glm_codes codes;
    uint16_t *halves;
    float *floats; /* of these three, those that are not wanted are NULL */
    const float *x;
    size_t cols, per;
    bool four;
};

static void code_part(void *arg, size_t begin, size_t end)
{
    const struct code_job *job = arg;
    const size_t cols = job->cols, groups = cols / GLM_GROUP;
    for (size_t n = begin; n < end; n++) {
        const float *x = job->x + n * cols;
        if (job->codes.code != NULL) {
            job->kernels->code(x, cols, job->four, job->per, job->codes.code + n * cols,
                               job->codes.scale + n * groups, job->codes.fix + n * groups);
        } else if (job->halves != NULL) {
            job->kernels->round(x, cols, job->halves + n * cols);
        } else {
            memcpy(job->floats + n * cols, x, cols * sizeof *x);
        }
    }
}

/* Rows of inputs of a job in the form that the product reads; false: as they are. */
static bool prepare(struct glm_pool *pool, struct linear_job *job, const struct glm_matrix *m,
                    bool race)
{
    const size_t cols = m->cols;
    struct code_job codes = {.kernels = job->kernels, .x = job->x, .cols = cols};
    if (quantised(m)) {
        codes.four = glm_four_bits(m);
        codes.per = glm_group_per(m);
        job->codes = codes.codes =
            glm_codes_at(glm_pool_room(pool, glm_codes_room(cols, job->n)), cols, job->n);
    } else if (m->form == GLM_FORM_BF16 && job->kernels->pairs != NULL) {
        job->halves = codes.halves = glm_pool_room(pool, job->n * cols * sizeof *codes.halves);
    } else if (race) {
        job->x = codes.floats = glm_pool_room(pool, job->n * cols * sizeof *codes.floats);
    } else {
        return false;
    }
    const struct glm_work work = {.count = job->n, .part = 1, .most = 1, .run = code_part};
    glm_pool_queue(pool, &work, &codes, sizeof codes);
    return true;
}

/* All outputs of a job have the same form and, where quantised, the same group. */
static void run_job(struct glm_pool *pool, const struct glm_output *outputs, size_t count,
                    const float *x, size_t n)
{
    if (glm_wide_run(pool, outputs, count, x, n)) {
        return;
    }
    const size_t cols = outputs[0].m->cols;
    struct linear_job job = {.kernels = glm_pool_kernels(pool), .count = count};
    size_t units = 0;
    for (size_t i = 0; i < count; i++) {
        const struct glm_matrix *m = outputs[i].m;
        units += quantised(m) ? glm_tile_count(m) : (m->rows + GLM_ROWS - 1) / GLM_ROWS;
        job.ends[i] = units;
        job.outputs[i] = outputs[i];
    }
    /* about 64 KiB of weights a part: big enough to hide the claim, small enough to share out; with
     * many rows more, since each part reads all of x */
    const bool tiles = quantised(outputs[0].m);
    const bool race = n <= GLM_COLUMNS && glm_pool_has_room(pool, n * cols * sizeof *x);
    size_t part = 65536 / (cols * 8 + 1) * (n >= 16 && !tiles ? 4 : 1);
    part = part < 1 ? 1 : race && part > RACE_UNITS ? RACE_UNITS : part;
    for (size_t from = 0; from < n; from += job.n) {
        job.from = from;
        job.n = n - from < GLM_WIDE_ROWS ? n - from : GLM_WIDE_ROWS;
        job.x = x + from * cols;
        const struct glm_work work = {.count = units,
                                      .part = part,
                                      .most = 1,
                                      .run = linear_part,
                                      .race = race ? linear_race : NULL,
                                      .last = prepare(pool, &job, outputs[0].m, race)};
        glm_pool_queue(pool, &work, &job, sizeof job);
    }
}

void glm_linears(struct glm_pool *pool, const struct glm_output *outputs, size_t count,
                 const float *x, size_t n)
{
    bool same = true;
    for (size_t i = 1; i < count; i++) {
        same = same && outputs[i].m->form == outputs[0].m->form &&
               outputs[i].m->group == outputs[0].m->group;
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
    const struct glm_work work = {.count = n, .part = 8, .most = 1, .run = norm_part};
    glm_pool_queue(pool, &work, &job, sizeof job);
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
    const struct glm_work work = {.count = n, .part = 4, .most = 1, .run = add_part};
    glm_pool_queue(pool, &work, &job, sizeof job);
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
    const struct glm_work work = {.count = count, .part = 16384, .most = 1, .run = silu_part};
    glm_pool_queue(pool, &work, &job, sizeof job);
}
