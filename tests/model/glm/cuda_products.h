/*
 * The arithmetic of a warpgroup's product: descriptors to operands, lanes to rows and columns, as
 * the PTX ISA has them ("Asynchronous Warpgroup Level Matrix Instructions"). Included by
 * cuda_emulated.cpp alone.
 */
#ifndef GLMV_TESTS_MODEL_GLM_CUDA_PRODUCTS_H
#define GLMV_TESTS_MODEL_GLM_CUDA_PRODUCTS_H

#include <vector>

#include "model/glm/cuda/emulate_warpgroup.h"

namespace products
{

constexpr uint32_t ROWS = 64, DEPTH = 16, MOST = 256, LANES = 128;

/* What a descriptor says: bytes, all of them multiples of 16. */
struct operand {
    uint32_t start, leading, stride;
};

/* A message, or NULL for a descriptor that we use: 128-byte swizzle, atoms at multiples of 1024. */
inline const char *read_descriptor(uint64_t bits, operand *o)
{
    o->start = (uint32_t)(bits & 0x3FFF) << 4;
    o->leading = (uint32_t)(bits >> 16 & 0x3FFF) << 4;
    o->stride = (uint32_t)(bits >> 32 & 0x3FFF) << 4;
    if (bits >> 62 != 1) {
        return "a descriptor without the 128-byte swizzle";
    }
    if ((bits >> 49 & 7) != 0 || (o->start >> 7 & 7) != 0) {
        return "an atom of a tile that is not at a multiple of 1024";
    }
    return nullptr;
}

/* Shared address of number k of a row (of a column, for the right operand), by the canonical
 * layouts: K-major ((8,m),(T,2)):((8T,SBO),(1,T)), MN-major ((T,8,m),(8,k)):((1,T,LBO),(8T,SBO)),
 * then bits 4..6 of the address changed by bits 7..9. */
inline uint32_t address_of(const operand &o, bool turned, uint32_t row, uint32_t k)
{
    const uint32_t plain =
        turned ? o.start + row / 64 * o.leading + row % 64 * 2 + k / 8 * o.stride + k % 8 * 128
               : o.start + row / 8 * o.stride + row % 8 * 128 + k * 2;
    return plain ^ (plain >> 7 & 7) << 4;
}

struct sums {
    float at[ROWS][MOST];
};

/* d += a * b, summed in rising order of k; every product of two bf16 is exact. */
__attribute__((no_sanitize("address", "undefined"), optimize("O3"))) inline void
add_products(sums &d, const float a[ROWS][DEPTH], const float b[DEPTH][MOST], uint32_t columns)
{
    for (uint32_t row = 0; row < ROWS; row++) {
        float *to = d.at[row];
        for (uint32_t k = 0; k < DEPTH; k++) {
            const float left = a[row][k];
            const float *right = b[k];
            for (uint32_t column = 0; column < columns; column++) {
                to[column] += left * right[column];
            }
        }
    }
}

/* Row and column of sum i of a thread of the group. */
inline uint32_t row_of(uint32_t thread, uint32_t i)
{
    return thread / 32 * 16 + thread % 32 / 4 + i % 4 / 2 * 8;
}
inline uint32_t column_of(uint32_t thread, uint32_t i)
{
    return i / 4 * 8 + thread % 4 * 2 + i % 2;
}

} // namespace products

#endif
