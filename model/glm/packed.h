/*
 * Linear layers of safetensors checkpoints in four bits, as two widespread formats store them:
 *   compressed-tensors, "pack-quantized": NAME.weight_packed, int32 [out][in / 8], eight columns to
 *   a word, lowest first, value + 8; NAME.weight_scale [out][groups].
 *   AWQ, "gemm": NAME.qweight, int32 [in][out / 8], eight rows to a word in the order 0 2 4 6 1 3 5
 *   7; NAME.qzeros [groups][out / 8], the same; NAME.scales [groups][out]. (code - zero) * scale.
 * Each becomes a tensor NAME.weight of a type of its own, which blocks.h reads like the blocks of a
 * GGUF file. Private to model/glm.
 */
#ifndef GLMV_MODEL_GLM_PACKED_H
#define GLMV_MODEL_GLM_PACKED_H

#include "model/glm/backend.h"

/* What the data of a tensor of GLM_PACKED_ROWS or GLM_PACKED_AWQ points to. */
struct glm_packed {
    const unsigned char *codes, *zeros, *scales; /* zeros: AWQ */
    enum glm_type scale_type;
    size_t all_rows, cols, group; /* group divides cols, and is divided by 32 */
    size_t first;                 /* row of the file that is row 0 here */
};

/* Adds the tensors that are packed, before the set is sorted. */
bool glm_packed_find(struct glm_weights *weights, struct glmv_err *err);
/* The same matrix from a row on: into *out, which m points to afterwards. */
void glm_packed_from(struct glm_matrix *m, size_t row, struct glm_packed *out);

/* See glm_blocks_part and glm_blocks_codes. */
void glm_packed_part(const struct glm_matrix *m, size_t row, size_t from, size_t count, float *out);
void glm_packed_codes(const struct glm_matrix *m, size_t row, size_t from, int codes[32],
                      uint16_t halves[2]);
/* The group of the form that holds it: 128 where it can be, else 32. */
size_t glm_packed_group(const struct glm_matrix *m);

#endif
