/* Products with many rows of inputs: packing, and the work shared out. */
#include "model/glm/wide.h"

#include <string.h>

#include "model/glm/pool.h"

struct pack_job {
    const struct glm_kernels *kernels;
    const struct glm_code_space *space;
    const float *x;
    size_t cols, count;
    enum glm_form form;
    bool four, pairs;
};

static void pack_codes(const struct pack_job *job, size_t n)
{
    enum { GROUPS = GLM_WIDE_CODES / GLM_GROUP };
    const struct glm_code_space *s = job->space;
    for (size_t col = 0, at = n; col < job->cols; col += GLM_WIDE_CODES, at += job->count) {
        const size_t left = job->cols - col, cols = left < GLM_WIDE_CODES ? left : GLM_WIDE_CODES;
        float *scale = s->scale + at * GROUPS;
        int32_t *fix = s->fix + at * GROUPS;
        job->kernels->code(job->x + n * job->cols + col, cols, job->four,
                           s->code + at * GLM_WIDE_CODE_ROW, scale, fix);
        for (size_t g = 0; job->form == GLM_FORM_LEAST && g < cols / GLM_GROUP; g++) {
            s->low[at * GROUPS + g] = (float)fix[g] * scale[g];
        }
    }
}

static void pack_plain(const struct pack_job *job, size_t n)
{
    const size_t size = job->pairs ? sizeof(uint16_t) : sizeof(float), wide = GLM_WIDE_BYTES / size;
    for (size_t col = 0, at = n; col < job->cols; col += wide, at += job->count) {
        const size_t cols = job->cols - col < wide ? job->cols - col : wide;
        const float *from = job->x + n * job->cols + col;
        unsigned char *to = (unsigned char *)job->space->plain + at * GLM_WIDE_ROW;
        if (job->pairs) {
            job->kernels->round(from, cols, (uint16_t *)(void *)to);
        } else {
            memcpy(to, from, cols * size);
        }
        memset(to + cols * size, 0, GLM_WIDE_BYTES - cols * size);
    }
}

static void pack_part(void *arg, size_t begin, size_t end)
{
    const struct pack_job *job = arg;
    for (size_t n = begin; n < end; n++) {
        if (job->form >= GLM_FORM_INT8) {
            pack_codes(job, n);
        } else {
            pack_plain(job, n);
        }
    }
}

/* The outputs of a job lie one after the other in units: pairs of tiles, or strips of rows. */
struct wide_job {
    const struct glm_output *outputs;
    size_t count, ends[GLM_OUTPUTS];
    glm_wide_dots_fn *dots;
    glm_wide_rows_fn *rows;
    struct glm_wide x;
    size_t from; /* row of y */
};

static void put_rows(const struct wide_job *job, const struct glm_output *o, size_t row,
                     const float *sums, size_t wide)
{
    const size_t left = o->m->rows - row, rows = left < wide ? left : wide;
    for (size_t n = 0; n < job->x.count; n++, sums += wide) {
        float *y = o->y + (job->from + n) * o->m->rows + row;
        memcpy(y, sums, rows * sizeof *y);
        for (size_t r = 0; o->bias != NULL && r < rows; r++) {
            y[r] += o->bias[row + r];
        }
    }
}

static void dots_part(const struct wide_job *job, const struct glm_output *o, size_t pair,
                      size_t end)
{
    _Alignas(64) float sums[GLM_WIDE_ROWS * GLM_WIDE_PAIRS * 2 * GLM_TILE];
    const size_t all = glm_tile_count(o->m);
    for (; pair < end; pair += GLM_WIDE_PAIRS) {
        const size_t pairs = end - pair < GLM_WIDE_PAIRS ? end - pair : GLM_WIDE_PAIRS;
        const size_t left = all - 2 * pair, tiles = left < 2 * pairs ? left : 2 * pairs;
        job->dots(o->m, 2 * pair, tiles, &job->x, sums);
        put_rows(job, o, 2 * pair * GLM_TILE, sums, tiles * GLM_TILE);
    }
}

static void rows_part(const struct wide_job *job, const struct glm_output *o, size_t unit,
                      size_t end)
{
    enum { UNIT = GLM_WIDE_STRIP };
    _Alignas(64) float sums[GLM_WIDE_LEAN * UNIT];
    for (; unit < end; unit++) {
        const size_t first = unit * UNIT, left = o->m->rows - first;
        job->rows(o->m, first, left < UNIT ? left : UNIT, &job->x, sums, UNIT);
        put_rows(job, o, first, sums, UNIT);
    }
}

static void wide_part(void *arg, size_t begin, size_t end)
{
    const struct wide_job *job = arg;
    size_t start = 0;
    for (size_t at = 0; at < job->count; start = job->ends[at++]) {
        const size_t first = begin > start ? begin : start;
        const size_t last = end < job->ends[at] ? end : job->ends[at];
        if (first >= last) {
            continue;
        }
        if (job->dots != NULL) {
            dots_part(job, &job->outputs[at], first - start, last - start);
        } else {
            rows_part(job, &job->outputs[at], first - start, last - start);
        }
    }
}

bool glm_wide_run(struct glm_pool *pool, const struct glm_output *outputs, size_t count,
                  const float *x, size_t n)
{
    const struct glm_kernels *k = glm_pool_kernels(pool);
    const struct glm_code_space *s = glm_pool_codes(pool);
    const struct glm_matrix *m = outputs[0].m;
    const bool codes = m->form >= GLM_FORM_INT8, pairs = m->form == GLM_FORM_BF16 && k->pairs;
    struct pack_job pack = {.kernels = k,
                            .space = s,
                            .cols = m->cols,
                            .form = m->form,
                            .four = glm_four_bits(m),
                            .pairs = pairs};
    struct wide_job job = {.outputs = outputs,
                           .count = count,
                           .dots = codes ? k->wide_dots : NULL,
                           .rows = codes   ? NULL
                                   : pairs ? k->wide_pairs
                                           : k->wide_rows,
                           .x = {0, s->code, s->scale, s->fix, s->low, s->plain}};
    if (n < GLM_WIDE_LEAST || (job.dots == NULL && job.rows == NULL)) {
        return false;
    }
    size_t units = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t rows = codes ? 2 * GLM_TILE : GLM_WIDE_STRIP;
        units += (outputs[i].m->rows + rows - 1) / rows;
        job.ends[i] = units;
    }
    const size_t most = codes ? GLM_WIDE_ROWS : GLM_WIDE_LEAN;
    for (; job.from < n; job.from += job.x.count) {
        job.x.count = n - job.from < most ? n - job.from : most;
        pack.x = x + job.from * m->cols;
        pack.count = job.x.count;
        glm_pool_run(pool, job.x.count, 1, pack_part, &pack);
        glm_pool_run_falling(pool, units, 1, wide_part, &job);
    }
    return true;
}
