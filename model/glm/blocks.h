/*
 * The quantised types of GGUF files. A row is a line of blocks of 32 or 256 weights, each with its
 * own scales. Private to model/glm.
 */
#ifndef GLMV_MODEL_GLM_BLOCKS_H
#define GLMV_MODEL_GLM_BLOCKS_H

#include "model/glm/backend.h"

#define GLM_MAX_BLOCK 256 /* weights */

/* The type with this number in GGUF files, plain ones included. False for one that is not read;
 * name (may be NULL) is what the number is called either way. */
bool glm_type_of_gguf(uint32_t number, enum glm_type *type, const char **name);

static inline bool glm_type_is_blocks(enum glm_type type)
{
    return type >= GLM_Q4_0;
}

static inline bool glm_type_is_packed(enum glm_type type)
{
    return type == GLM_PACKED_ROWS || type == GLM_PACKED_AWQ;
}

/* Weights and bytes of a block; 1 and glm_type_size of the others. */
size_t glm_block_weights(enum glm_type type);
size_t glm_block_bytes(enum glm_type type);

/* The weights of one block, with the bits that the format's own library gives. */
void glm_block_values(enum glm_type type, const unsigned char *block, float *out);

/* count columns of one row of a matrix of GLM_FORM_BLOCKS. */
void glm_blocks_part(const struct glm_matrix *m, size_t row, size_t from, size_t count, float *out);

/* The form that holds a type without loss, or with the least: INT4 for Q4_0 and packed rows, LEAST
 * for Q4_1, Q4_K and AWQ, INT8 for the others; and the group it has there, 32 or 128. */
enum glm_form glm_blocks_form(enum glm_type type);
size_t glm_blocks_group(const struct glm_matrix *m);
/* True where the whole numbers of a matrix fit into a form as they are. Scales do too, but for the
 * products in Q4_K, which are rounded to half floats. */
bool glm_blocks_keeps(const struct glm_matrix *m, enum glm_form form, size_t group);
/* The numbers of the group of 32 that begins with column from, for such a matrix, -8 .. 7 with four
 * bits; its scale, and for LEAST the second half float (codes.h). */
void glm_blocks_codes(const struct glm_matrix *m, size_t row, size_t from, int codes[32],
                      uint16_t halves[2]);

#endif
