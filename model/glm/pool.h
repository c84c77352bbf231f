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
    void (*code)(const float *x, size_t cols, bool four, int8_t *code, float *scale, int32_t *fix);
    /* Queries from .. from + count (GLM_QUERIES at most) of a key head; query t is the head
     * t % group of token t / group. */
    void (*attend)(const struct glm_attention *a, size_t key_head, size_t from, size_t count);
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

/* Memory for the codes of GLM_WIDE_ROWS rows, or the rows in floats or bf16; used by one job at a
 * time. */
struct glm_code_space {
    size_t width; /* the largest number of columns that fits */
    int8_t *code;
    float *scale, *low;
    int32_t *fix;
    void *plain;
};
const struct glm_code_space *glm_pool_codes(const struct glm_pool *pool);

#endif
