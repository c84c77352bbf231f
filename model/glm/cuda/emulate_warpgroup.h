/*
 * warpgroup.cuh on the processor, for tests only. Products happen as late as they may: at the wait
 * that ends them, with what their tiles and registers hold then; until then their sums are NaNs.
 * What is put into a tile is there for products after the writer's fence and not before. A test
 * ends where a batch has no fence before it, a tile changes after a product was asked for, sums are
 * touched while products are under way, a descriptor is none, or nobody can go on.
 */
#ifndef GLMV_MODEL_GLM_CUDA_EMULATE_WARPGROUP_H
#define GLMV_MODEL_GLM_CUDA_EMULATE_WARPGROUP_H

#include "model/glm/cuda/emulate.h"

struct emulate_product {
    float *sums;
    const uint32_t *left; /* NULL: in the tile that a describes */
    uint64_t a, b;
    uint32_t columns;
    bool turned, sum;
    uint64_t hash; /* of its tiles when it was asked for */
};

/* Bytes from the beginning of the block's shared memory, as a device counts them. */
uint32_t emulate_shared_address(const void *p);
void emulate_barrier_init(uint64_t *barrier, uint32_t count);
void emulate_barrier_arrive(uint64_t *barrier);
void emulate_barrier_wait(uint64_t *barrier, uint32_t parity);
void emulate_copy_tile(void *to, const void *from, bool valid);
void emulate_put(void *to, const void *from, size_t size);
void emulate_products_fence(void);
void emulate_group_fence(void);
void emulate_group_close(void);
void emulate_group_wait(int left);
void emulate_registers(int count, bool more);
/* Sums that nothing under way adds to. */
void emulate_hold(const float *sums);
void emulate_multiply(const emulate_product &product);

DEVICE uint32_t shared_address(const void *p)
{
    return emulate_shared_address(p);
}
DEVICE void barrier_init(uint64_t *barrier, uint32_t count)
{
    emulate_barrier_init(barrier, count);
}
DEVICE void barrier_arrive(uint64_t *barrier)
{
    emulate_barrier_arrive(barrier);
}
DEVICE void barrier_wait(uint64_t *barrier, uint32_t parity)
{
    emulate_barrier_wait(barrier, parity);
}
DEVICE void products_fence(void)
{
    emulate_products_fence();
}
DEVICE void put_8(void *to, uint2 v)
{
    emulate_put(to, &v, 8);
}
DEVICE void put_16(void *to, uint4 v)
{
    emulate_put(to, &v, 16);
}
DEVICE void copy_tile(void *to, const void *from, bool valid)
{
    emulate_copy_tile(to, from, valid);
}
template <int COUNT> DEVICE void registers_fewer(void)
{
    static_assert(COUNT % 8 == 0 && COUNT >= 24 && COUNT <= 256, "no such number of registers");
    emulate_registers(COUNT, false);
}
template <int COUNT> DEVICE void registers_more(void)
{
    static_assert(COUNT % 8 == 0 && COUNT >= 24 && COUNT <= 256, "no such number of registers");
    emulate_registers(COUNT, true);
}
DEVICE void group_fence(void)
{
    emulate_group_fence();
}
DEVICE void group_close(void)
{
    emulate_group_close();
}
template <int LEFT> DEVICE void group_wait(void)
{
    emulate_group_wait(LEFT);
}
template <int COUNT> DEVICE void hold(float *sums)
{
    emulate_hold(sums);
}
template <int COUNT> DEVICE void hold_left(uint32_t (*)[4])
{
}
DEVICE void settle(float)
{
}
DEVICE void multiply_256(float d[128], uint64_t a, uint64_t b, bool sum)
{
    emulate_multiply({d, nullptr, a, b, 256, false, sum, 0});
}
DEVICE void multiply_128(float d[64], uint64_t a, uint64_t b, bool sum)
{
    emulate_multiply({d, nullptr, a, b, 128, false, sum, 0});
}
DEVICE void multiply_128_turned(float d[64], const uint32_t a[4], uint64_t b)
{
    emulate_multiply({d, a, 0, b, 128, true, true, 0});
}

#endif
