/*
 * The tensor operations of the engine on the CPU: matrices in the form they are stored in, vectors
 * in float, a pool of threads. One loop in plain C is the reference; AVX2 and AVX-512 forms of it
 * are chosen at run time. A row of a result is computed in one fixed order, whatever the number of
 * rows and threads, so that one row and k rows give the same bits. Private to model/glm.
 */
#ifndef GLMV_MODEL_GLM_BACKEND_H
#define GLMV_MODEL_GLM_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/glm/weights.h"

/* How a matrix is stored. The quantised forms hold groups of 32 or 128 weights of a row with one
 * half-precision scale each; against them, inputs are rounded to 8 bits (codes.h). */
enum glm_form {
    GLM_FORM_F32,
    GLM_FORM_F16,
    GLM_FORM_BF16,
    GLM_FORM_INT8,
    GLM_FORM_INT4,
    GLM_FORM_LEAST,  /* four bits that count up from a least value of the group */
    GLM_FORM_BLOCKS, /* as a GGUF file holds them: rows can be read, not multiplied */
    GLM_FORM_FP8     /* e4m3, row-major, a float a row; of devices and their packs, likewise */
};

struct glm_matrix {
    enum glm_form form;
    size_t rows, cols;
    const void *data;       /* row-major [rows][cols]; quantised: tiles, see codes.h */
    const uint16_t *scales; /* half floats, NULL unless quantised; of FP8, the rows' floats */
    size_t group;           /* 32 or 128 where quantised; of blocks, their enum glm_type */
};

/* The last one has products of bf16 pairs: inputs of a bf16 matrix are rounded to bf16 there, as
 * the reference does when it runs in bf16. All others are exact to float. */
enum glm_cpu { GLM_CPU_SCALAR, GLM_CPU_AVX2, GLM_CPU_AVX512, GLM_CPU_BF16 };

struct glm_pool;

/* threads 0: as many as this process may use (affinity and cgroup). NULL on failure. */
struct glm_pool *glm_pool_new(int threads, struct glmv_err *err);
/* NULL is allowed. */
void glm_pool_free(struct glm_pool *pool);
int glm_pool_threads(const struct glm_pool *pool);
/* Calls run(arg, begin, end) for parts of 0 .. count until all is done. One caller at a time. */
void glm_pool_run(struct glm_pool *pool, size_t count, size_t part,
                  void (*run)(void *arg, size_t begin, size_t end), void *arg);
/*
 * A batch: operations between these two may return before they are done; all are at the end. The
 * threads go through them without waiting for the caller, which matters on a busy machine. In
 * between, no result is looked at, and vectors stay where they are. Matrices have to stay until the
 * pool is freed, or until a product outside of a batch has returned: a thread that has lost its
 * processor may still read them.
 */
void glm_pool_begin(struct glm_pool *pool);
void glm_pool_end(struct glm_pool *pool);

/* The best this processor can do, or the wanted one where it can. For tests and benchmarks. */
enum glm_cpu glm_cpu_best(void);
void glm_pool_choose(struct glm_pool *pool, enum glm_cpu cpu);

/* Makes room for rows of cols inputs, so that nothing is allocated while a token is made. Called
 * before a matrix of that width is used. */
bool glm_pool_fit(struct glm_pool *pool, size_t cols, struct glmv_err *err);

/* y[n][rows] = x[n][cols] * m^T + bias; bias may be NULL. */
struct glm_output {
    const struct glm_matrix *m;
    const float *bias;
    float *y;
};
/* Up to GLM_OUTPUTS products of the same x, whose matrices have the same cols, in one go. */
#define GLM_OUTPUTS 3
void glm_linears(struct glm_pool *pool, const struct glm_output *outputs, size_t count,
                 const float *x, size_t n);
void glm_linear(struct glm_pool *pool, const struct glm_matrix *m, const float *bias,
                const float *x, size_t n, float *y);
/* y[n][width] = x * weight / sqrt(mean(x^2) + eps); y may be x. */
void glm_rms_norm(struct glm_pool *pool, const float *x, const float *weight, float eps, size_t n,
                  size_t width, float *y);
/* x += RMS(h) with the weights after; then h = RMS(x) with before, unless that is NULL. */
void glm_add_norm(struct glm_pool *pool, float *x, const float *after, const float *before,
                  float eps, size_t n, size_t width, float *h);
/* gate[i] = silu(gate[i]) * up[i] */
void glm_silu_mul(struct glm_pool *pool, float *gate, const float *up, size_t count);

/*
 * Attention of n queries. Query i sees keys 0 .. first + i * step. Keys lie in blocks of
 * GLM_KEY_BLOCK, [block][dim][key of the block], so that a kernel takes as many keys at a time;
 * memory for a multiple of GLM_KEY_ROOM keys has to be there, whatever is in it.
 */
#define GLM_KEY_BLOCK 16
#define GLM_KEY_ROOM 32
struct glm_attention {
    const float *q;
    const void *k, *v; /* floats, or half floats */
    float *out;
    size_t n, heads, group, dim;             /* group: query heads that share a key head */
    size_t q_row, v_row, out_row;            /* strides in floats: from token to token */
    size_t q_head, k_head, v_head, out_head; /* from head to head */
    size_t first, step;                      /* keys the first query sees, more for each next */
    bool half;
};
/* After a batch, blocks of keys that are not full may still be read: nothing is written there
 * before glm_pool_left (pool.h) has returned. */
void glm_attend(struct glm_pool *pool, const struct glm_attention *attention);
/* Puts count keys, rows of dim floats that are row apart, at place .. of the blocks. */
void glm_keys_put(float *blocks, size_t dim, size_t place, const float *keys, size_t row,
                  size_t count);
/* The same into blocks of half floats. */
void glm_keys_put_half(struct glm_pool *pool, uint16_t *blocks, size_t dim, size_t place,
                       const float *keys, size_t row, size_t count);
/* Floats to half floats; what is too large becomes the largest. */
void glm_halve(struct glm_pool *pool, const float *x, size_t count, uint16_t *out);

/* One row of a matrix as float, or count columns of it. */
void glm_row(const struct glm_matrix *m, size_t row, float *out);
void glm_row_part(const struct glm_matrix *m, size_t row, size_t from, size_t count, float *out);

/* Quantises to form (INT8 or INT4) and groups of 32 or 128 into new memory: matrix->data and scales
 * are owned by the caller then. cols must be a multiple of 32. */
bool glm_quantise(struct glm_pool *pool, const struct glm_matrix *from, enum glm_form form,
                  size_t group, struct glm_matrix *out, struct glmv_err *err);

#endif
