/*
 * Kernels on the processor, for tests only. Each thread of a block is a fiber; a barrier or an
 * instruction of a warp is where fibers meet. Blocks run one after the other, fibers in an order
 * drawn from a seed: a kernel whose result depends on the order has a race. Asynchronous copies are
 * made as late as they may be, when waited for. Shared memory begins with NaNs.
 */
#ifndef GLMV_MODEL_GLM_CUDA_EMULATE_H
#define GLMV_MODEL_GLM_CUDA_EMULATE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

struct emulate_place {
    uint32_t x, y, z;
};
struct alignas(8) uint2 {
    uint32_t x, y;
};
struct alignas(16) uint4 {
    uint32_t x, y, z, w;
};
struct alignas(8) float2 {
    float x, y;
};

extern emulate_place threadIdx, blockIdx, blockDim, gridDim;
extern unsigned char *emulate_dynamic_shared;

#define KERNEL(threads, blocks) extern "C" void
#define DEVICE static inline
#define SHARED static
#define DYNAMIC_SHARED(name) unsigned char *const name = emulate_dynamic_shared
#define __restrict__ __restrict
#define __align__(n) alignas(n)

/* Gives the warp's 32 values to all its lanes; they stay until the lane's next meeting. */
const unsigned char *emulate_meet_warp(const void *mine, size_t size);
void emulate_meet_block(void);
void emulate_copy(void *to, const void *from, bool valid);
void emulate_copy_close(void);
void emulate_copy_wait(int left);
/* Every thread of a kernel has to call it. */
void emulate_depend_wait(void);
void emulate_depend_release(void);
/* Reads of memory that the kernel does not write, and of shared memory by whole warps. */
void emulate_constant(const void *from, size_t size);
void emulate_shared_read(const void *from, size_t size);
/* Fails the test where an address is not a multiple of size. */
void emulate_aligned(const void *p, size_t size);

template <class T> DEVICE const T *meet_warp(const T &mine)
{
    return reinterpret_cast<const T *>(emulate_meet_warp(&mine, sizeof mine));
}

DEVICE uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
DEVICE float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
DEVICE uint4 load_once(const void *from)
{
    uint4 v;
    emulate_constant(from, 16);
    memcpy(&v, from, sizeof v);
    return v;
}
DEVICE uint2 load_once_8(const void *from)
{
    uint2 v;
    emulate_constant(from, 8);
    memcpy(&v, from, sizeof v);
    return v;
}

DEVICE void prefetch(const void *)
{
}

DEVICE float emulate_half_of_pair(uint32_t pair, uint32_t high)
{
    return float_of(high != 0 ? pair & 0xFFFF0000u : pair << 16);
}

struct emulate_fragments {
    uint32_t a[4], b[2];
};
DEVICE void mma_bf16(float d[4], const uint32_t a[4], const uint32_t b[2])
{
    emulate_fragments mine = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
    const emulate_fragments *all = meet_warp(mine);
    const uint32_t g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t row = g + i / 2 * 8, column = 2 * t + i % 2;
        float sum = d[i];
        for (uint32_t k = 0; k < 16; k++) {
            const uint32_t with_a = row % 8 * 4 + k % 8 / 2, with_b = column * 4 + k % 8 / 2;
            const uint32_t pair_a = all[with_a].a[row / 8 + k / 8 * 2];
            const uint32_t pair_b = all[with_b].b[k / 8];
            sum =
                fmaf(emulate_half_of_pair(pair_a, k % 2), emulate_half_of_pair(pair_b, k % 2), sum);
        }
        d[i] = sum;
    }
}

DEVICE uint16_t emulate_cell(const void *const *rows, uint32_t matrix, uint32_t row,
                             uint32_t column)
{
    uint16_t cell;
    memcpy(&cell, static_cast<const unsigned char *>(rows[matrix * 8 + row]) + column * 2, 2);
    return cell;
}
DEVICE void emulate_load_matrices(uint32_t r[4], const void *row, bool turned)
{
    emulate_aligned(row, 16);
    emulate_shared_read(row, 16);
    const void *const *rows = meet_warp(row);
    const uint32_t g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t low = turned ? emulate_cell(rows, i, 2 * t, g) : emulate_cell(rows, i, g, 2 * t);
        uint32_t high =
            turned ? emulate_cell(rows, i, 2 * t + 1, g) : emulate_cell(rows, i, g, 2 * t + 1);
        r[i] = low | high << 16;
    }
}
DEVICE void load_matrices(uint32_t r[4], const void *row)
{
    emulate_load_matrices(r, row, false);
}
DEVICE void load_matrices_turned(uint32_t r[4], const void *row)
{
    emulate_load_matrices(r, row, true);
}

DEVICE void copy_async(void *to, const void *from, bool valid)
{
    emulate_copy(to, from, valid);
}
DEVICE void copy_async_close(void)
{
    emulate_copy_close();
}
template <int LEFT> DEVICE void copy_async_wait(void)
{
    emulate_copy_wait(LEFT);
}

DEVICE uint32_t block_index(void)
{
    return blockIdx.x;
}
DEVICE uint32_t thread_index(void)
{
    return threadIdx.x;
}
DEVICE uint32_t lane_of(void)
{
    return threadIdx.x % 32;
}
template <class T> DEVICE T shuffle_xor(T value, int mask)
{
    return meet_warp(value)[threadIdx.x % 32 ^ (uint32_t)mask];
}
DEVICE void block_wait(void)
{
    emulate_meet_block();
}
DEVICE void warp_wait(void)
{
    meet_warp(0);
}
DEVICE void add_shared(uint64_t *to, uint64_t value)
{
    *to += value;
}
DEVICE uint32_t next_shared(uint32_t *counter)
{
    return (*counter)++;
}
DEVICE void depend_wait(void)
{
    emulate_depend_wait();
}
DEVICE void depend_release(void)
{
    emulate_depend_release();
}

DEVICE uint32_t permute_bytes(uint32_t a, uint32_t b, uint32_t select)
{
    const uint64_t both = (uint64_t)b << 32 | a;
    uint32_t r = 0;
    for (uint32_t i = 0; i < 4; i++) {
        r |= (uint32_t)(both >> (select >> 4 * i & 7) * 8 & 0xFF) << 8 * i;
    }
    return r;
}
DEVICE uint32_t emulate_bf16(float x)
{
    uint32_t bits = bits_of(x);
    if (x != x) {
        return 0x7FFF;
    }
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}
DEVICE uint32_t pack_bf16(float low, float high)
{
    return emulate_bf16(low) | emulate_bf16(high) << 16;
}
DEVICE uint32_t fma_bf16(uint32_t a, uint32_t b, uint32_t c)
{
    /* exact in double for the sizes kernels use, so rounded once */
    uint32_t r = 0;
    for (uint32_t i = 0; i < 2; i++) {
        double v = (double)emulate_half_of_pair(a, i) * emulate_half_of_pair(b, i) +
                   emulate_half_of_pair(c, i);
        r |= emulate_bf16((float)v) << 16 * i;
    }
    return r;
}
DEVICE float float_of_half(uint16_t h)
{
    const uint32_t mantissa = h & 0x3FFu, exponent = h >> 10 & 31u;
    float value = exponent == 0    ? ldexpf((float)mantissa, -24)
                  : exponent == 31 ? (mantissa != 0 ? NAN : INFINITY)
                                   : ldexpf((float)(mantissa + 1024), (int)exponent - 25);
    return (h & 0x8000) != 0 ? -value : value;
}
DEVICE uint16_t half_of_float(float x)
{
    const uint32_t sign = bits_of(x) >> 16 & 0x8000u;
    const float size = fabsf(x);
    if (!(size < 65520.0f)) {
        return (uint16_t)(sign | (size != size ? 0x7FFFu : 0x7C00u));
    }
    int exponent = size < 6.103515625e-05f ? -14 : ilogbf(size);
    const uint32_t mantissa = (uint32_t)lrintf(ldexpf(size, 10 - exponent));
    const uint32_t base = size < 6.103515625e-05f ? 0 : (uint32_t)(exponent + 14) << 10;
    return (uint16_t)(sign | (base + mantissa));
}
DEVICE float power_of_two(float x)
{
    return exp2f(x);
}
/* of halves of a turn */
DEVICE void sincospif(float x, float *sine, float *cosine)
{
    *sine = (float)sin(3.14159265358979324 * x);
    *cosine = (float)cos(3.14159265358979324 * x);
}
DEVICE float multiply(float a, float b)
{
    return a * b;
}
DEVICE float add(float a, float b)
{
    return a + b;
}

#endif
