/*
 * What kernels are written with: loads, fragments, warps. On the device these are the instructions
 * of PTX; in the emulated build of the tests (emulate.h) the same functions do what PTX documents,
 * lane by lane, so that a kernel's arithmetic and its use of fragments can be tested without one.
 */
#ifndef GLMV_MODEL_GLM_CUDA_DEVICE_CUH
#define GLMV_MODEL_GLM_CUDA_DEVICE_CUH

#include <math.h>
#include <stdint.h>

#include "model/glm/cuda/kernels.h"

#ifdef __CUDACC__

#define KERNEL(threads, blocks) extern "C" __global__ void __launch_bounds__(threads, blocks)
#define DEVICE static __device__ __forceinline__
#define SHARED __shared__
#define DYNAMIC_SHARED(name) extern __shared__ __align__(128) unsigned char name[]

DEVICE uint32_t bits_of(float x)
{
    return __float_as_uint(x);
}
DEVICE float float_of(uint32_t bits)
{
    return __uint_as_float(bits);
}

/* Weights pass by once: they stay out of the first-level cache. */
DEVICE uint4 load_once(const void *from)
{
    uint4 v;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "l"(from));
    return v;
}
DEVICE uint2 load_once_8(const void *from)
{
    uint2 v;
    asm volatile("ld.global.nc.v2.u32 {%0, %1}, [%2];" : "=r"(v.x), "=r"(v.y) : "l"(from));
    return v;
}

/* Brings a line of weights near without a register for it. */
DEVICE void prefetch(const void *from)
{
    asm volatile("prefetch.global.L1 [%0];" ::"l"(from));
}

/* d = a * b + d, bf16 with float sums: a is 16 x 16, b 16 x 8, d 16 x 8. Lane l holds, with g = l /
 * 4 and t = l % 4: a[0] row g, columns 2 t, 2 t + 1; a[1] row g + 8; a[2], a[3] the same, columns +
 * 8; b[0] rows 2 t, 2 t + 1 of column g; b[1] rows + 8; d[0], d[1] row g, columns 2 t, 2 t + 1;
 * d[2], d[3] row g + 8. */
DEVICE void mma_bf16(float d[4], const uint32_t a[4], const uint32_t b[2])
{
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, "
        "%7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

DEVICE uint32_t shared_address(const void *p)
{
    return (uint32_t)__cvta_generic_to_shared(p);
}
/* Four 8 x 8 matrices of 16 bits; lanes 8 i .. 8 i + 7 give the rows of matrix i. Lane l gets
 * columns 2 (l % 4), + 1 of row l / 4 of each; turned: rows and columns exchanged. */
DEVICE void load_matrices(uint32_t r[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}
DEVICE void load_matrices_turned(uint32_t r[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

/* 16 bytes to shared memory, zeros unless valid; done after a wait that leaves fewer groups. */
DEVICE void copy_async(void *to, const void *from, bool valid)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)),
                 "l"(from), "r"(valid ? 16 : 0)
                 : "memory");
}
DEVICE void copy_async_close(void)
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int LEFT> DEVICE void copy_async_wait(void)
{
    asm volatile("cp.async.wait_group %0;" ::"n"(LEFT) : "memory");
}

/* blockIdx.x and threadIdx.x, asked for each time: what is made of them need not stay in registers.
 */
DEVICE uint32_t block_index(void)
{
    uint32_t r;
    asm volatile("mov.u32 %0, %%ctaid.x;" : "=r"(r));
    return r;
}
DEVICE uint32_t thread_index(void)
{
    uint32_t r;
    asm volatile("mov.u32 %0, %%tid.x;" : "=r"(r));
    return r;
}
DEVICE uint32_t lane_of(void)
{
    return threadIdx.x % 32;
}
template <class T> DEVICE T shuffle_xor(T value, int mask)
{
    return __shfl_xor_sync(0xFFFFFFFFu, value, mask);
}
DEVICE void block_wait(void)
{
    __syncthreads();
}
DEVICE void warp_wait(void)
{
    __syncwarp();
}

/* To a sum in shared memory that threads add to at the same time; a counter's next number. */
DEVICE void add_shared(uint64_t *to, uint64_t value)
{
    atomicAdd(reinterpret_cast<unsigned long long *>(to), (unsigned long long)value);
}
DEVICE uint32_t next_shared(uint32_t *counter)
{
    return atomicAdd(counter, 1u);
}

/* Before the first access to what the kernel before this one wrote or reads. */
DEVICE void depend_wait(void)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/* The next kernel may start and fetch its weights. */
DEVICE void depend_release(void)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

DEVICE uint32_t permute_bytes(uint32_t a, uint32_t b, uint32_t select)
{
    return __byte_perm(a, b, select);
}
/* Two bf16: low in the low half; to nearest, to even. */
DEVICE uint32_t pack_bf16(float low, float high)
{
    uint32_t r;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(high), "f"(low));
    return r;
}
/* a * b + c for two bf16 at once, rounded once. */
DEVICE uint32_t fma_bf16(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t r;
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
    return r;
}
DEVICE float float_of_half(uint16_t h)
{
    float r;
    asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(h));
    return r;
}
DEVICE uint16_t half_of_float(float x)
{
    uint16_t r;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(r) : "f"(x));
    return r;
}
/* 2^x */
DEVICE float power_of_two(float x)
{
    float r;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
    return r;
}
/* Rounded each for itself, never fused: where bits are to be those of C. */
DEVICE float multiply(float a, float b)
{
    return __fmul_rn(a, b);
}
DEVICE float add(float a, float b)
{
    return __fadd_rn(a, b);
}

#else
#include "model/glm/cuda/emulate.h"
#endif

DEVICE float float_of_bf16(uint16_t h)
{
    return float_of((uint32_t)h << 16);
}
DEVICE float low_of(uint32_t pair)
{
    return float_of(pair << 16);
}
DEVICE float high_of(uint32_t pair)
{
    return float_of(pair & 0xFFFF0000u);
}
DEVICE uint16_t bf16_of_float(float x)
{
    return (uint16_t)pack_bf16(x, 0);
}

DEVICE float warp_sum(float value)
{
    for (int mask = 16; mask > 0; mask /= 2) {
        value += shuffle_xor(value, mask);
    }
    return value;
}

/* The sum over a block of up to 1024 threads, the same in every thread, in one order. room: 32
 * floats of shared memory that nobody uses before the next block_wait. */
DEVICE float block_sum(float value, float *room)
{
    value = warp_sum(value);
    block_wait();
    if (lane_of() == 0) {
        room[threadIdx.x / 32] = value;
    }
    block_wait();
    float sum = 0;
    for (uint32_t i = 0; i < blockDim.x / 32; i++) {
        sum += room[i];
    }
    return sum;
}

/* Sine and cosine of an angle of any size: reduced to half turns in double, since the library's
 * functions keep an array in local memory for large ones. */
DEVICE void sine_cosine(float angle, float *sine, float *cosine)
{
    const double halves = (double)angle * 0.318309886183790672;
    sincospif((float)(halves - 2 * rint(halves / 2)), sine, cosine);
}

DEVICE float silu(float x)
{
    return x / (1.0f + expf(-x));
}

#endif
