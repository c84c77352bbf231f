/*
 * Quantised matrices against quantised inputs. Groups of 32 inputs become 8-bit codes with a float
 * scale, so that the sums inside a group are whole numbers and the same on every processor. Private
 * to model/glm.
 */
#ifndef GLMV_MODEL_GLM_CODES_H
#define GLMV_MODEL_GLM_CODES_H

#include "model/glm/backend.h"

#define GLM_GROUP 32  /* inputs that share a scale; weights do by 32 or 128 */
#define GLM_BLOCK 128 /* columns the kernels take at a time; codes are padded to it with zeros */

/* Rows of inputs as codes. Inside a block the codes of a four-bit matrix stand in the order the
 * kernels unpack weights: the even columns, then the odd ones. */
struct glm_codes {
    size_t width;       /* columns with padding */
    const int8_t *code; /* [n][width] */
    const float *scale; /* [n][width / GLM_GROUP] */
    const int32_t *fix; /* [n][width / GLM_GROUP] what the offset of stored weights adds too much,
                         * negative, for one 32-bit lane of the widest kernel */
};

float glm_half_to_float(uint16_t h);
/* To nearest; what is too small or large becomes 0 or the largest number. */
uint16_t glm_half_from_float(float value);

/* Groups in a row of a matrix. */
size_t glm_group_count(const struct glm_matrix *m);

/* Codes of one row of inputs. */
void glm_code_row(const float *x, size_t cols, bool four, int8_t *code, float *scale, int32_t *fix);

/* count (1 .. 4) outputs of one row of m against the rows of x that begin with first. */
typedef void glm_dots_fn(const struct glm_matrix *m, size_t row, const struct glm_codes *x,
                         size_t first, size_t count, float *out);
void glm_dots_scalar(const struct glm_matrix *m, size_t row, const struct glm_codes *x,
                     size_t first, size_t count, float *out);
#if defined(__x86_64__)
void glm_dots_avx2(const struct glm_matrix *m, size_t row, const struct glm_codes *x, size_t first,
                   size_t count, float *out);
void glm_dots_vnni(const struct glm_matrix *m, size_t row, const struct glm_codes *x, size_t first,
                   size_t count, float *out);
#endif

#endif
