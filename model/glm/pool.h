/* What the operations need to know of the pool: its kernels and its memory. Private to model/glm.
 */
#ifndef GLMV_MODEL_GLM_POOL_H
#define GLMV_MODEL_GLM_POOL_H

#include "model/glm/backend.h"
#include "model/glm/codes.h"
#include "model/glm/wide.h"

#define GLM_ROWS 4    /* rows of a matrix in floats, and */
#define GLM_COLUMNS 6 /* rows of inputs, that a kernel takes at a time */
#define GLM_QUERIES 8 /* the same for attention */

/* One set for each kind of processor. Each sum has its own order, the same for one row and many. */
struct glm_kernels {
    /* out[r * count + n]: rows (1 .. GLM_ROWS) of m from row on against count (1 .. GLM_COLUMNS)
     * rows of x, which are x_row floats apart. */
    void (*rows)(const struct glm_matrix *m, size_t row, size_t rows, const float *x, size_t x_row,
                 size_t count, float *out);
    /* The same for a bf16 matrix against inputs in bf16, and what rounds them; NULL without. */
    void (*pairs)(const struct glm_matrix *m, size_t row, size_t rows, const uint16_t *x,
                  size_t x_row, size_t count, float *out);
    void (*round)(const float *x, size_t count, uint16_t *out);
    void (*halve)(const float *x, size_t count, uint16_t *out);
    glm_dots_fn *dots;
    /* The same for many rows of x; NULL without. */
    glm_wide_dots_fn *wide_dots;
    glm_wide_rows_fn *wide_rows, *wide_pairs;
    /* See glm_code_row, which is the reference: the same bits. */
    void (*code)(const float *x, size_t cols, bool four, size_t per, int8_t *code, float *scale,
                 int32_t *fix);
    /* Queries from .. from + count (GLM_QUERIES at most) of a key head; query t is the head
     * t % group of token t / group. out: [count][dim], instead of a->out. */
    void (*attend)(const struct glm_attention *a, size_t key_head, size_t from, size_t count,
                   float *out);
    void (*norm)(const float *x, const float *weight, float eps, size_t width, float *y);
    void (*silu_mul)(float *gate, const float *up, size_t count);
};

extern const struct glm_kernels glm_kernels_scalar;
#if defined(__x86_64__)
extern const struct glm_kernels glm_kernels_avx2, glm_kernels_avx512;
void glm_pairs_bf16(const struct glm_matrix *m, size_t row, size_t rows, const uint16_t *x,
                    size_t x_row, size_t count, float *out);
void glm_round_bf16(const float *x, size_t count, uint16_t *out);
#endif

const struct glm_kernels *glm_pool_kernels(const struct glm_pool *pool);

/*
 * Work for all threads: count things in pieces of part, most pieces at a time. run does a piece. Or
 * race does, in a thread that may lose its processor while another one does the same pieces: it
 * reads only what no later job changes (matrices, glm_pool_room), computes into memory of its own,
 * then asks glm_pool_mine, and writes only if that is true.
 */
struct glm_try;
struct glm_work {
    size_t count, part, most;
    void (*run)(void *arg, size_t begin, size_t end);
    void (*race)(void *arg, size_t begin, size_t end, struct glm_try *try);
    bool last; /* who needs the room that was given out */
};
bool glm_pool_mine(struct glm_try *try);
/* Done at once, or in a batch (backend.h) after what was queued before. size bytes of arg are
 * copied, GLM_JOB_BYTES at most. */
#define GLM_JOB_BYTES 256
void glm_pool_queue(struct glm_pool *pool, const struct glm_work *work, void *arg, size_t size);
/* Memory for what the next jobs read, up to the first one that is the last; at most what
 * glm_pool_fit has made room for. It is aligned. */
void *glm_pool_room(struct glm_pool *pool, size_t bytes);
bool glm_pool_has_room(const struct glm_pool *pool, size_t bytes);
/* The number of the next job. */
uint64_t glm_pool_number(const struct glm_pool *pool);
/* Waits until no thread is in a job before that one. */
void glm_pool_left(struct glm_pool *pool, uint64_t number);

#endif
