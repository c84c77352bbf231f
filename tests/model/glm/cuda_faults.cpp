#include "tests/model/glm/cuda_faults.h"

#include "model/glm/cuda/warpgroup.cuh"
#include "tests/model/glm/cuda_emulated.h"

namespace
{

constexpr uint32_t LEFT = 64, RIGHT = 128;

struct fault_args {
    enum cuda_fault fault;
    uint16_t *x;
    float *out;
};

void fill_tiles(const fault_args &a, unsigned char *left, unsigned char *right)
{
    for (uint32_t i = threadIdx.x; i < (LEFT + RIGHT) * 8; i += GROUP_THREADS) {
        const uint32_t row = i / 8, in = row < LEFT ? row : row - LEFT;
        unsigned char *tile = row < LEFT ? left : right;
        put_16(a.fault == CUDA_FAULT_SWIZZLE ? tile + in * TILE_ROW + i % 8 * 16
                                             : piece_of(tile, in, i % 8),
               load_once(a.x + i * 8));
    }
}

void product(const void *p)
{
    const fault_args &a = *static_cast<const fault_args *>(p);
    DYNAMIC_SHARED(shared);
    unsigned char *left = first_atom(shared) + (a.fault == CUDA_FAULT_ATOM ? 128 : 0);
    unsigned char *right = left + LEFT * TILE_ROW;
    float sums[64];
    depend_wait();
    fill_tiles(a, left, right);
    if (a.fault != CUDA_FAULT_UNFENCED) {
        products_fence();
    }
    block_wait();
    if (a.fault != CUDA_FAULT_REGISTERS) {
        group_fence();
    }
    const uint64_t l = describe(left, 0);
    const uint64_t r = describe(right + (a.fault == CUDA_FAULT_OUTSIDE ? 15 * TILE_ATOM : 0), 0);
    for (uint32_t k = 0; k < 4; k++) {
        multiply_128(sums, l + 2 * k, r + 2 * k, k > 0);
    }
    group_close();
    if (a.fault == CUDA_FAULT_TILE) {
        put_16(left + threadIdx.x * 16, {1, 2, 3, 4});
        products_fence();
    }
    if (a.fault == CUDA_FAULT_SUMS) {
        sums[3] = 1;
    }
    if (a.fault == CUDA_FAULT_UNWAITED) {
        return;
    }
    if (a.fault != CUDA_FAULT_SUMS_READ) {
        group_wait<0>();
    }
    hold<64>(sums);
    for (uint32_t i = 0; i < 64; i++) {
        const uint32_t row = threadIdx.x / 32 * 16 + lane_of() / 4 + i % 4 / 2 * 8;
        a.out[row * RIGHT + i / 4 * 8 + lane_of() % 4 * 2 + i % 2] = sums[i];
    }
}

void barriers(const fault_args &a)
{
    SHARED uint64_t barrier;
    if (a.fault == CUDA_FAULT_STUCK && threadIdx.x == 0) {
        barrier_init(&barrier, GROUP_THREADS + 1);
    }
    block_wait();
    barrier_arrive(&barrier);
    barrier_wait(&barrier, 0);
}

void use_copy(const fault_args &a, unsigned char *shared)
{
    copy_async(shared + threadIdx.x * 16, a.x + threadIdx.x * 8, true);
    copy_async_close();
    block_wait();
    uint16_t first;
    memcpy(&first, shared + threadIdx.x * 16, sizeof first);
    a.out[threadIdx.x] = float_of_bf16(first);
    copy_async_wait<0>();
}

void small(const void *p)
{
    const fault_args &a = *static_cast<const fault_args *>(p);
    DYNAMIC_SHARED(shared);
    if (a.fault == CUDA_FAULT_DEPEND && threadIdx.x > 100) {
        return;
    }
    const float early = a.out[0];
    if (a.fault == CUDA_FAULT_RELEASE) {
        depend_release();
    }
    depend_wait();
    const uint32_t at = threadIdx.x * 8;
    switch (a.fault) {
    case CUDA_FAULT_LANES:
        if (lane_of() != 5) {
            warp_wait();
        }
        break;
    case CUDA_FAULT_ALIGNED:
        load_once(a.x + at + 1);
        break;
    case CUDA_FAULT_CONSTANT:
        a.x[at] = (uint16_t)(load_once(a.x + at).x + 1);
        break;
    case CUDA_FAULT_BARRIER:
    case CUDA_FAULT_STUCK:
        barriers(a);
        break;
    case CUDA_FAULT_COPY:
        use_copy(a, shared);
        break;
    case CUDA_FAULT_EARLY:
        a.out[1 + threadIdx.x] = early;
        break;
    case CUDA_FAULT_BANKS:
        put_16(shared + threadIdx.x * TILE_ROW, {0, 0, 0, 0});
        products_fence();
        break;
    default:
        break;
    }
}

void moved(const void *p)
{
    const fault_args &a = *static_cast<const fault_args *>(p);
    depend_wait();
    if (a.fault == CUDA_FAULT_OTHER_WAY) {
        registers_more<96>();
    } else if (threadIdx.x < GROUP_THREADS) {
        registers_fewer<40>();
    } else {
        registers_more<240>();
    }
}

void kernel_before(void *out)
{
    static_cast<float *>(out)[0] = 2;
}

} // namespace

void cuda_fault_run(enum cuda_fault fault, uint16_t *x, float *out)
{
    const fault_args args = {fault, x, out};
    struct glm_cuda_launch l = {GLM_CUDA_K_FILL, 1, 1, 1, GROUP_THREADS, 0};
    if (fault < CUDA_FAULT_PRODUCT_END) {
        l.shared = TILE_ATOM + (LEFT + RIGHT) * TILE_ROW + 128;
        glm_emulate_body("product", product, l, &args, 1);
    } else if (fault < CUDA_FAULT_SMALL_END) {
        l.shared = GROUP_THREADS * TILE_ROW;
        glm_emulate_before(kernel_before, out);
        glm_emulate_body("small", small, l, &args, 1);
    } else {
        l.threads = 3 * GROUP_THREADS;
        glm_emulate_body("moved", moved, l, &args, 1);
    }
}
