/*
 * Products of a matrix with many rows of inputs: prompts, pictures, checks of many guesses. A strip
 * of the matrix is taken piece by piece, small enough for the nearest cache, and meets every row of
 * inputs there while the next piece is fetched: reading is paid once. Codes are used where they
 * lie, four bits taken apart in registers; rows in floats and bf16 are copied. Sums are taken in
 * the order of the kernels for few rows: the same bits. Private to model/glm.
 *
 * Inputs lie packed: blocks of GLM_WIDE_CODES columns as codes, or of GLM_WIDE_BYTES as floats or
 * bf16, filled up with zeros; in a block, row after row.
 */
#ifndef GLMV_MODEL_GLM_WIDE_H
#define GLMV_MODEL_GLM_WIDE_H

#include "model/glm/codes.h"

#define GLM_WIDE_ROWS 192   /* of inputs at a time: a multiple of the six that kernels take */
#define GLM_WIDE_LEAST 7    /* from so many on this is faster */
#define GLM_WIDE_CODES 512  /* columns of a block of codes */
#define GLM_WIDE_BYTES 2048 /* of a row in a block of floats or bf16 */
/* From row to row: six at a power of two would meet in one set of the cache. */
#define GLM_WIDE_CODE_ROW (GLM_WIDE_CODES + 64)
#define GLM_WIDE_ROW (GLM_WIDE_BYTES + 64)
#define GLM_WIDE_PAIRS 4  /* pairs of tiles, and */
#define GLM_WIDE_LINES 8  /* rows of a matrix in floats, that are unpacked at a time; */
#define GLM_WIDE_STRIP 32 /* rows of it that a strip has at most, */
#define GLM_WIDE_LEAN 96  /* and the rows of inputs that meet it */

struct glm_wide {
    size_t count;       /* rows of inputs, GLM_WIDE_ROWS at most */
    const int8_t *code; /* [block][count][GLM_WIDE_CODE_ROW] */
    const float *scale; /* [block][count][GLM_WIDE_CODES / GLM_GROUP] */
    const int32_t *fix;
    const float *low;  /* fix * scale, for GLM_FORM_LEAST */
    const void *plain; /* [block][count][GLM_WIDE_ROW]: floats, or bf16 for pairs */
};

/* out[count][tiles * GLM_TILE]: tiles (2 GLM_WIDE_PAIRS at most) of m from tile on. */
typedef void glm_wide_dots_fn(const struct glm_matrix *m, size_t tile, size_t tiles,
                              const struct glm_wide *x, float *out);
/* out[count][GLM_WIDE_STRIP], out_row floats apart: rows (GLM_WIDE_STRIP at most) of m from row on;
 * GLM_WIDE_LEAN rows of inputs at most. Sums of whole GLM_WIDE_LINES are written. */
typedef void glm_wide_rows_fn(const struct glm_matrix *m, size_t row, size_t rows,
                              const struct glm_wide *x, float *out, size_t out_row);

/* Blocks of size columns. */
static inline size_t glm_wide_blocks(size_t cols, size_t size)
{
    return (cols + size - 1) / size;
}

/* Bytes of packed inputs of so many columns, at most. */
size_t glm_wide_room(size_t cols);
/* All outputs of the same form and cols; false: there is no kernel for them, or n is too small. */
bool glm_wide_run(struct glm_pool *pool, const struct glm_output *outputs, size_t count,
                  const float *x, size_t n);

#if defined(__x86_64__)
glm_wide_dots_fn glm_wide_dots_vnni;
glm_wide_rows_fn glm_wide_rows_avx512, glm_wide_pairs_bf16;
#endif

#endif
