/*
 * Quantised matrices against quantised inputs. Groups of inputs, as wide as those of the matrix,
 * become 8-bit codes with a float scale, so that the sums inside a group are whole numbers; the
 * sums over groups are taken in one order with fused additions. A result has the same bits on every
 * processor. Private to model/glm.
 *
 * A quantised matrix lies in tiles of 16 rows, the last one filled up with zeros, so that a
 * register holds the same columns of 16 rows. A tile is, for each group of 32 columns, 64-byte
 * pieces of [16 rows][4 columns]: eight of them with 8 bits, value + 128; four of them with 4 bits,
 * value + 8, where piece i holds columns 4 i .. low and columns 16 + 4 i .. high. Its scales are
 * [cols / group, up][16 rows]; with GLM_FORM_LEAST, [cols / 32][2][16 rows], the scales and then
 * the least values of the groups divided by -8: value = nibble * scale - 8 * second.
 */
#ifndef GLMV_MODEL_GLM_CODES_H
#define GLMV_MODEL_GLM_CODES_H

#include "model/glm/backend.h"

#define GLM_GROUP 32 /* weights and inputs share scales by 32 or 128 */
#define GLM_TILE 16  /* rows of a tile */
#define GLM_DOTS 8   /* rows of inputs a kernel takes at a time */

/* Rows of inputs as codes. */
struct glm_codes {
    size_t width; /* columns */
    int8_t *code; /* [n][width] */
    /* [n][width / GLM_GROUP]; groups of 128 use every fourth place */
    float *scale;
    int32_t *fix; /* what the offset of stored weights adds too much, negative */
};

/* Bytes for so many rows of cols inputs (glm_pool_room), and where the arrays lie in them. */
size_t glm_codes_room(size_t cols, size_t rows);
struct glm_codes glm_codes_at(void *room, size_t cols, size_t rows);

float glm_half_to_float(uint16_t h);
/* To nearest; what is too small or large becomes 0 or the largest number. */
uint16_t glm_half_from_float(float value);

/* How many times GLM_GROUP a group has. */
static inline size_t glm_group_per(const struct glm_matrix *m)
{
    return m->group / GLM_GROUP;
}

static inline bool glm_four_bits(const struct glm_matrix *m)
{
    return m->form == GLM_FORM_INT4 || m->form == GLM_FORM_LEAST;
}

/* Groups in a row of a matrix, tiles of it, bytes of the weights of a tile. */
size_t glm_group_count(const struct glm_matrix *m);
size_t glm_tile_count(const struct glm_matrix *m);
size_t glm_tile_bytes(const struct glm_matrix *m);
/* Half floats of a group of a tile. */
static inline size_t glm_tile_halves(const struct glm_matrix *m)
{
    return m->form == GLM_FORM_LEAST ? 2 * GLM_TILE : GLM_TILE;
}
/* Bytes of all weights and of all scales; false where that is no size. */
bool glm_tile_sizes(const struct glm_matrix *m, size_t *data, size_t *scales);
/* One weight of a quantised matrix. */
float glm_tile_value(const struct glm_matrix *m, size_t row, size_t col);

/* Codes of one row of inputs, in groups of per (1 or 4) times GLM_GROUP. */
void glm_code_row(const float *x, size_t cols, bool four, size_t per, int8_t *code, float *scale,
                  int32_t *fix);

/* The 16 outputs of a tile against count (1 .. GLM_DOTS) rows of x that begin with first:
 * out[count][GLM_TILE]. */
typedef void glm_dots_fn(const struct glm_matrix *m, size_t tile, const struct glm_codes *x,
                         size_t first, size_t count, float *out);
void glm_dots_scalar(const struct glm_matrix *m, size_t tile, const struct glm_codes *x,
                     size_t first, size_t count, float *out);
#if defined(__x86_64__)
void glm_dots_avx2(const struct glm_matrix *m, size_t tile, const struct glm_codes *x, size_t first,
                   size_t count, float *out);
void glm_dots_vnni(const struct glm_matrix *m, size_t tile, const struct glm_codes *x, size_t first,
                   size_t count, float *out);
#endif

#endif
