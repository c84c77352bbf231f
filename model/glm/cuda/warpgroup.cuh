/*
 * What compute capability 9.0 has beyond device.cuh (nvcc's target sm_90a, the emulated build):
 * products that four warps make together and asynchronously, of operands in shared memory; barriers
 * in shared memory; registers moved from warps that copy to warps that multiply.
 *
 * The layouts are those of the PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions": matrix
 * descriptors, the canonical layouts of 128-byte swizzling and the register fragments of
 * wgmma.m64nNk16; CUTLASS, cute/atom/mma_traits_sm90_gmma.hpp, has the same ones.
 *
 * A tile is rows of 128 bytes, 64 numbers of bf16. Eight rows are an atom of 1024 bytes, at a
 * multiple of 1024; a piece of 16 bytes lies where the low three bits of its row's number, added
 * without carry to its own, put it. One rule serves both uses of a tile: columns are summed over
 * ("K-major"), or rows are ("MN-major", turned).
 */
#ifndef GLMV_MODEL_GLM_CUDA_WARPGROUP_CUH
#define GLMV_MODEL_GLM_CUDA_WARPGROUP_CUH

#include "model/glm/cuda/device.cuh"

static constexpr uint32_t TILE_ROW = 128, TILE_ATOM = 1024; /* bytes */
static constexpr uint32_t GROUP_THREADS = 128;              /* of a warpgroup */

#ifdef __CUDACC__
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
#define HAS_WARPGROUPS 1
#else
#define HAS_WARPGROUPS 0
#endif

/* Barriers: `count` arrivals end a phase. Phases are counted by their parity; a wait for the parity
 * of the phase that runs returns when it has ended, one for the other parity at once. */
DEVICE void barrier_init(uint64_t *barrier, uint32_t count)
{
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)),
                 "r"(count)
                 : "memory");
}
DEVICE void barrier_arrive(uint64_t *barrier)
{
    asm volatile("{.reg .b64 state;\n mbarrier.arrive.shared::cta.b64 state, [%0];}" ::"r"(
                     shared_address(barrier))
                 : "memory");
}
DEVICE void barrier_wait(uint64_t *barrier, uint32_t parity)
{
    asm volatile("{.reg .pred done;\n"
                 "again: mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
                 "@!done bra again;}" ::"r"(shared_address(barrier)),
                 "r"(parity)
                 : "memory");
}

/* What this thread has written to shared memory becomes visible to products. */
DEVICE void products_fence(void)
{
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
/* To a tile that products read. */
DEVICE void put_8(void *to, uint2 v)
{
    *static_cast<uint2 *>(to) = v;
}
DEVICE void put_16(void *to, uint4 v)
{
    *static_cast<uint4 *>(to) = v;
}
/* copy_async to a tile that products read */
DEVICE void copy_tile(void *to, const void *from, bool valid)
{
    copy_async(to, from, valid);
}

/* Every thread of a warpgroup has COUNT registers from here on. */
template <int COUNT> DEVICE void registers_fewer(void)
{
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}
template <int COUNT> DEVICE void registers_more(void)
{
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}

/* Before the products of a batch: the registers they use are as the program says. */
DEVICE void group_fence(void)
{
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
/* Ends a batch. Until a wait that leaves fewer batches, nobody touches its registers and tiles. */
DEVICE void group_close(void)
{
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int LEFT> DEVICE void group_wait(void)
{
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(LEFT) : "memory");
}

/* Registers of products: what is done with them before stays before, and after, after. To the
 * compiler a product has ended where it was asked for. */
template <int COUNT> DEVICE void hold(float *sums)
{
#pragma unroll
    for (int i = 0; i < COUNT; i++) {
        asm volatile("" : "+f"(sums[i])::"memory");
    }
}
template <int COUNT> DEVICE void hold_left(uint32_t (*left)[4])
{
#pragma unroll
    for (int i = 0; i < 4 * COUNT; i++) {
        asm volatile("" : "+r"(left[i / 4][i % 4])::"memory");
    }
}

/* Names and operands of the registers of a product, ten and eight at a time. */
#define NAMES_10(tens)                                                                             \
    "%" #tens "0, %" #tens "1, %" #tens "2, %" #tens "3, %" #tens "4, %" #tens "5, %" #tens        \
    "6, %" #tens "7, %" #tens "8, %" #tens "9, "
#define NAMES_60 NAMES_10() NAMES_10(1) NAMES_10(2) NAMES_10(3) NAMES_10(4) NAMES_10(5)
#define SUMS_8(d, i)                                                                               \
    "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]),    \
        "+f"(d[i + 6]), "+f"(d[i + 7])
#define SUMS_64(d, i)                                                                              \
    SUMS_8(d, i), SUMS_8(d, i + 8), SUMS_8(d, i + 16), SUMS_8(d, i + 24), SUMS_8(d, i + 32),       \
        SUMS_8(d, i + 40), SUMS_8(d, i + 48), SUMS_8(d, i + 56)

/* What leads to a number that is never negative is done before a group_wait that follows. ptxas
 * moves waits up to the beginning of their straight stretch of program, and work meant to be done
 * beside products would come after them; this sleep, which never happens, stays where it is. */
DEVICE void settle(float number)
{
    asm volatile("{.reg .pred wrong;\n setp.lt.f32 wrong, %0, 0f00000000;\n"
                 "@wrong nanosleep.u32 20;}" ::"f"(number));
}

/* d (+)= a * b^T, bf16 with float sums: a is 64 x 16, b 256 or 128 x 16, both in tiles. Thread l of
 * warp w of the group holds, with g = l / 4 % 8 and t = l % 4, d[4 j + 2 i + k]: row 16 w + g + 8
 * i, column 8 j + 2 t + k. Without `sum`, d is not read. */
DEVICE void multiply_256(float d[128], uint64_t a, uint64_t b, bool sum)
{
    asm volatile("{.reg .pred sum;\n setp.ne.b32 sum, %130, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {" NAMES_60 NAMES_10(6)
                     NAMES_10(7) NAMES_10(8) NAMES_10(9) NAMES_10(10)
                         NAMES_10(11) "%120, %121, %122, %123, %124, %125, %126, %127}, %128, "
                                      "%129, sum, 1, 1, 0, 0;}"
                 : SUMS_64(d, 0), SUMS_64(d, 64)
                 : "l"(a), "l"(b), "r"((int)sum));
}
DEVICE void multiply_128(float d[64], uint64_t a, uint64_t b, bool sum)
{
    asm volatile("{.reg .pred sum;\n setp.ne.b32 sum, %66, 0;\n"
                 "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" NAMES_60
                 "%60, %61, %62, %63}, %64, %65, sum, 1, 1, 0, 0;}"
                 : SUMS_64(d, 0)
                 : "l"(a), "l"(b), "r"((int)sum));
}
/* The same of a left operand in registers (as that of mma_bf16, a warp's 16 rows each) and of b
 * turned: its tile has the rows that are summed over. */
DEVICE void multiply_128_turned(float d[64], const uint32_t a[4], uint64_t b)
{
    asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" NAMES_60
                 "%60, %61, %62, %63}, {%64, %65, %66, %67}, %68, 1, 1, 1, 1;"
                 : SUMS_64(d, 0)
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

#else
#define HAS_WARPGROUPS 1
#include "model/glm/cuda/emulate_warpgroup.h"
#endif

/* Where a piece of 16 bytes lies. */
DEVICE unsigned char *piece_of(unsigned char *tile, uint32_t row, uint32_t piece)
{
    return tile + row * TILE_ROW + (piece ^ (row & 7)) * 16;
}
/* Dynamic shared memory from the first multiple of an atom on. */
DEVICE unsigned char *first_atom(unsigned char *shared)
{
    return shared + (TILE_ATOM - shared_address(shared) % TILE_ATOM) % TILE_ATOM;
}
/* The descriptor of an operand. Its next 16 columns lie two units of 16 bytes further; its next 16
 * rows, where these are summed over, 128 units. next: bytes from a turned tile to that of the next
 * 64 columns. */
DEVICE uint64_t describe(const unsigned char *tile, uint32_t next)
{
    return (uint64_t)1 << 62 | (uint64_t)(TILE_ATOM / 16) << 32 | (uint64_t)(next / 16) << 16 |
           shared_address(tile) / 16;
}

/* Slots of shared memory that go round between those who fill and those who use them. */
template <int SLOTS> struct ring {
    uint64_t full[SLOTS], empty[SLOTS];
};
struct ring_place {
    uint32_t slot, parity; /* parity of the round */
};
template <int SLOTS> DEVICE void ring_advance(ring_place &at)
{
    at.slot++;
    if (at.slot == (uint32_t)SLOTS) {
        at.slot = 0;
        at.parity ^= 1;
    }
}
/* One thread; then a block_wait. A warp arrives once, by its first lane. */
template <int SLOTS> DEVICE void ring_init(ring<SLOTS> &r, uint32_t fillers, uint32_t users)
{
    for (int i = 0; i < SLOTS; i++) {
        barrier_init(&r.full[i], fillers);
        barrier_init(&r.empty[i], users);
    }
}
/* Fillers: until the slot's users of the round before have left it. */
template <int SLOTS> DEVICE void ring_reserve(ring<SLOTS> &r, const ring_place &at)
{
    barrier_wait(&r.empty[at.slot], at.parity ^ 1);
}
/* After all lanes have fenced what they wrote. */
template <int SLOTS> DEVICE void ring_fill(ring<SLOTS> &r, const ring_place &at)
{
    warp_wait();
    if (lane_of() == 0) {
        barrier_arrive(&r.full[at.slot]);
    }
}
template <int SLOTS> DEVICE void ring_use(ring<SLOTS> &r, const ring_place &at)
{
    barrier_wait(&r.full[at.slot], at.parity);
}
/* After a group_wait that ended the products of the slot. */
template <int SLOTS> DEVICE void ring_leave(ring<SLOTS> &r, const ring_place &at)
{
    warp_wait();
    if (lane_of() == 0) {
        barrier_arrive(&r.empty[at.slot]);
    }
}

/* What a filler has on its way: copies are signalled LAG slots after they were asked for. */
template <int LAG> struct ring_filler {
    ring_place at, signal;
    uint32_t open; /* slots asked for and not signalled */
};
/* Ends the filling of a slot. */
template <int SLOTS, int LAG> DEVICE void ring_pass(ring<SLOTS> &r, ring_filler<LAG> &f)
{
    copy_async_close();
    copy_async_wait<LAG>();
    products_fence();
    ring_advance<SLOTS>(f.at);
    f.open++;
    if (f.open > (uint32_t)LAG) {
        ring_fill(r, f.signal);
        ring_advance<SLOTS>(f.signal);
        f.open--;
    }
}
/* Signals what is left. */
template <int SLOTS, int LAG> DEVICE void ring_end(ring<SLOTS> &r, ring_filler<LAG> &f)
{
    copy_async_wait<0>();
    products_fence();
    for (; f.open > 0; f.open--) {
        ring_fill(r, f.signal);
        ring_advance<SLOTS>(f.signal);
    }
}

#endif
