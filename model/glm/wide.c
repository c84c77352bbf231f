/* Products with many rows of inputs: packing, and the work shared out. */
#include "model/glm/wide.h"

#include <string.h>

#include "model/glm/pool.h"

/* Where packed inputs lie. */
struct packed {
    int8_t *code;
    float *scale, *low;
    int32_t *fix;
    unsigned char *plain;
};

struct pack_job {
    const struct glm_kernels *kernels;
    struct packed to;
    const float *x;
    size_t cols, count, per;
    enum glm_form form;
    bool four, pairs;
};

static void pack_codes(const struct pack_job *job, size_t n)
{
    enum { GROUPS = GLM_WIDE_CODES / GLM_GROUP };
    const struct packed *s = &job->to;
    for (size_t col = 0, at = n; col < job->cols; col += GLM_WIDE_CODES, at += job->count) {
        const size_t left = job->cols - col, cols = left < GLM_WIDE_CODES ? left : GLM_WIDE_CODES;
        float *scale = s->scale + at * GROUPS;
        int32_t *fix = s->fix + at * GROUPS;
        job->kernels->code(job->x + n * job->cols + col, cols, job->four, job->per,
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
        unsigned char *to = job->to.plain + at * GLM_WIDE_ROW;
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
enum { UNIT = 2 * GLM_TILE };
_Static_assert(UNIT == GLM_WIDE_STRIP, "rows of a unit");

struct wide_job {
    struct glm_output outputs[GLM_OUTPUTS];
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

/* The part of a piece that lies in one output; moves on to the next one's. */
struct strip {
    const struct glm_output *o;
    size_t row, tiles, wide; /* of the matrix; columns of its sums */
};

static struct strip strip_at(const struct wide_job *job, size_t *begin, size_t end)
{
    size_t at = 0, start = 0;
    while (*begin >= job->ends[at]) {
        start = job->ends[at++];
    }
    const struct glm_output *o = &job->outputs[at];
    const size_t unit = *begin - start, last = end < job->ends[at] ? end : job->ends[at];
    struct strip s = {o, unit * UNIT, 0, UNIT};
    if (job->dots != NULL) {
        const size_t left = glm_tile_count(o->m) - 2 * unit, units = last - *begin;
        s.tiles = left < 2 * units ? left : 2 * units;
        s.wide = s.tiles * GLM_TILE;
    }
    *begin = last;
    return s;
}

/* GLM_WIDE_PAIRS pairs of tiles at most, or a strip of rows; see glm_work. */
static void wide_race(void *arg, size_t begin, size_t end, struct glm_try *try)
{
    const struct wide_job *job = arg;
    _Alignas(64) float sums[GLM_WIDE_ROWS * GLM_WIDE_PAIRS * UNIT];
    float *to = sums;
    for (size_t at = begin; at < end;) {
        const struct strip s = strip_at(job, &at, end);
        if (job->dots != NULL) {
            job->dots(s.o->m, s.row / GLM_TILE, s.tiles, &job->x, to);
        } else {
            const size_t left = s.o->m->rows - s.row;
            job->rows(s.o->m, s.row, left < UNIT ? left : UNIT, &job->x, to, UNIT);
        }
        to += job->x.count * s.wide;
    }
    if (!glm_pool_mine(try)) {
        return;
    }
    to = sums;
    for (size_t at = begin; at < end;) {
        const struct strip s = strip_at(job, &at, end);
        put_rows(job, s.o, s.row, to, s.wide);
        to += job->x.count * s.wide;
    }
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

/* Bytes of each part of packed inputs: codes, one of their other arrays, plain ones. */
static void sizes_of(size_t cols, size_t count, bool pairs, size_t out[3])
{
    const size_t blocks = glm_wide_blocks(cols, GLM_WIDE_CODES) * count;
    const size_t wide = GLM_WIDE_BYTES / (pairs ? sizeof(uint16_t) : sizeof(float));
    out[0] = aligned(blocks * GLM_WIDE_CODE_ROW);
    out[1] = aligned(blocks * (GLM_WIDE_CODES / GLM_GROUP) * sizeof(float));
    out[2] = aligned(glm_wide_blocks(cols, wide) * count * GLM_WIDE_ROW);
}

size_t glm_wide_room(size_t cols)
{
    size_t codes[3], floats[3];
    sizes_of(cols, GLM_WIDE_ROWS, false, codes);
    sizes_of(cols, GLM_WIDE_LEAN, false, floats);
    return codes[0] + 3 * codes[1] > floats[2] ? codes[0] + 3 * codes[1] : floats[2];
}

static struct packed make_room(struct glm_pool *pool, size_t cols, size_t count, bool codes,
                               bool pairs)
{
    size_t size[3];
    sizes_of(cols, count, pairs, size);
    unsigned char *room = glm_pool_room(pool, codes ? size[0] + 3 * size[1] : size[2]);
    if (!codes) {
        return (struct packed){.plain = room};
    }
    unsigned char *more = room + size[0];
    return (struct packed){.code = (int8_t *)room,
                           .scale = (float *)(void *)more,
                           .low = (float *)(void *)(more + size[1]),
                           .fix = (int32_t *)(void *)(more + 2 * size[1])};
}

bool glm_wide_run(struct glm_pool *pool, const struct glm_output *outputs, size_t count,
                  const float *x, size_t n)
{
    const struct glm_kernels *k = glm_pool_kernels(pool);
    const struct glm_matrix *m = outputs[0].m;
    const bool codes = m->form >= GLM_FORM_INT8, pairs = m->form == GLM_FORM_BF16 && k->pairs;
    struct pack_job pack = {.kernels = k,
                            .cols = m->cols,
                            .form = m->form,
                            .four = glm_four_bits(m),
                            .per = codes ? glm_group_per(m) : 1,
                            .pairs = pairs};
    struct wide_job job = {.count = count,
                           .dots = codes ? k->wide_dots : NULL,
                           .rows = codes   ? NULL
                                   : pairs ? k->wide_pairs
                                           : k->wide_rows};
    if (n < GLM_WIDE_LEAST || (job.dots == NULL && job.rows == NULL)) {
        return false;
    }
    size_t units = 0;
    for (size_t i = 0; i < count; i++) {
        units += (outputs[i].m->rows + UNIT - 1) / UNIT;
        job.ends[i] = units;
        job.outputs[i] = outputs[i];
    }
    const size_t most = codes ? GLM_WIDE_ROWS : GLM_WIDE_LEAN;
    for (; job.from < n; job.from += job.x.count) {
        const size_t rows = n - job.from < most ? n - job.from : most;
        const struct packed p = make_room(pool, m->cols, rows, codes, pairs);
        pack.to = p;
        pack.x = x + job.from * m->cols;
        pack.count = rows;
        job.x = (struct glm_wide){rows, p.code, p.scale, p.fix, p.low, p.plain};
        const struct glm_work packing = {.count = rows, .part = 1, .most = 1, .run = pack_part};
        const struct glm_work work = {.count = units,
                                      .part = 1,
                                      .most = codes ? GLM_WIDE_PAIRS : 1,
                                      .race = wide_race,
                                      .last = true};
        glm_pool_queue(pool, &packing, &pack, sizeof pack);
        glm_pool_queue(pool, &work, &job, sizeof job);
    }
    return true;
}
