/*
 * Attention of many queries, one pass over the keys: a block takes 128 queries of one head, a warp
 * 16 of them, with their queries and sums in registers; tiles of 64 keys and values come to shared
 * memory in two buffers by asynchronous copies. Rows of a tile are cut into pieces of 16 bytes that
 * lie in an order which depends on the row, so that eight lanes that read a column of pieces meet
 * eight different banks.
 */
#include "model/glm/cuda/device.cuh"

static constexpr uint32_t KEYS = GLM_CUDA_FLASH_KEYS, THREADS = 256;
static constexpr float LOG2_E = 1.4426950408889634f;

template <int DIM> DEVICE uint16_t *cell_of(uint16_t *tile, uint32_t row, uint32_t piece)
{
    constexpr uint32_t MASK = DIM / 8 < 8 ? DIM / 8 - 1 : 7;
    return tile + row * DIM + (piece ^ (row & MASK)) * 8;
}

/* Starts the copies of a tile of rows; those past the end become zeros. */
template <int DIM>
DEVICE void fetch_tile(uint16_t *tile, const uint16_t *from, size_t stride, uint32_t first,
                       uint32_t end)
{
    for (uint32_t i = threadIdx.x; i < KEYS * (DIM / 8); i += THREADS) {
        const uint32_t row = i / (DIM / 8), piece = i % (DIM / 8);
        const bool valid = first + row < end;
        copy_async(cell_of<DIM>(tile, row, piece),
                   from + (valid ? (size_t)(first + row) * stride + piece * 8 : 0), valid);
    }
}

/* The 16 queries of a warp as left operands: [16 dims][register]. */
template <int DIM>
DEVICE void load_queries(uint32_t q[DIM / 16][4], const glm_cuda_flash &a, uint32_t first)
{
    const uint32_t g = lane_of() / 4, t = lane_of() % 4;
    const uint16_t *head = a.q + blockIdx.x * a.q_head;
#pragma unroll
    for (uint32_t i = 0; i < DIM / 16; i++) {
#pragma unroll
        for (uint32_t r = 0; r < 4; r++) {
            const uint32_t row = first + g + r % 2 * 8;
            const uint16_t *at = head + (size_t)row * a.q_row + 16 * i + 8 * (r / 2) + 2 * t;
            q[i][r] = row < a.n ? *reinterpret_cast<const uint32_t *>(at) : 0;
        }
    }
}

/* Scores of 16 queries and a tile of keys: [8 keys][sum of a product]. */
template <int DIM>
DEVICE void find_scores(float s[KEYS / 8][4], const uint32_t q[DIM / 16][4], uint16_t *keys)
{
    const uint32_t lane = lane_of();
#pragma unroll
    for (uint32_t j = 0; j < KEYS / 8; j++) {
        s[j][0] = s[j][1] = s[j][2] = s[j][3] = 0;
    }
#pragma unroll
    for (uint32_t i = 0; i < DIM / 16; i++) {
#pragma unroll
        for (uint32_t j = 0; j < KEYS / 8; j += 2) { /* two tiles of keys a load */
            uint32_t b[4];
            const uint32_t row = 8 * j + lane / 16 * 8 + lane % 8;
            load_matrices(b, cell_of<DIM>(keys, row, 2 * i + lane / 8 % 2));
            mma_bf16(s[j], q[i], b);
            mma_bf16(s[j + 1], q[i], b + 2);
        }
    }
}

/* What a warp carries from tile to tile. */
template <int DIM> struct flash_sums {
    float out[DIM / 8][4];
    float most[2], sum[2]; /* of rows g and g + 8; sum: of this lane's keys alone */
};

/* Scores to weights; scales what was summed before when a larger score turns up. seen: keys that
 * rows g and g + 8 see, counted from the tile's first. */
template <int DIM>
DEVICE void find_weights(float s[KEYS / 8][4], flash_sums<DIM> &sums, const int32_t seen[2],
                         float scale)
{
    const int32_t t = (int32_t)(lane_of() % 4);
    float most[2] = {sums.most[0], sums.most[1]}, shrink[2];
#pragma unroll
    for (int32_t i = 0; i < (int32_t)KEYS / 2; i++) {
        float &x = s[i / 4][i % 4];
        const int32_t row = i % 4 / 2, key = i / 4 * 8 + 2 * t + i % 2;
        x = key < seen[row] ? x * scale : -INFINITY;
        most[row] = fmaxf(most[row], x);
    }
#pragma unroll
    for (uint32_t row = 0; row < 2; row++) {
        most[row] = fmaxf(most[row], shuffle_xor(most[row], 1));
        most[row] = fmaxf(most[row], shuffle_xor(most[row], 2));
        /* a row that has seen no key yet: anything but infinity minus infinity */
        const float base = most[row] == -INFINITY ? 0 : most[row];
        shrink[row] = power_of_two(sums.most[row] - base);
        sums.most[row] = most[row];
        sums.sum[row] *= shrink[row];
        most[row] = base;
    }
#pragma unroll
    for (uint32_t i = 0; i < KEYS / 2; i++) {
        const uint32_t row = i % 4 / 2;
        s[i / 4][i % 4] = power_of_two(s[i / 4][i % 4] - most[row]);
        sums.sum[row] += s[i / 4][i % 4];
    }
#pragma unroll
    for (uint32_t i = 0; i < DIM / 2; i++) {
        sums.out[i / 4][i % 4] *= shrink[i % 4 / 2];
    }
}

template <int DIM>
DEVICE void add_values(flash_sums<DIM> &sums, const float s[KEYS / 8][4], uint16_t *values)
{
    const uint32_t lane = lane_of();
#pragma unroll
    for (uint32_t i = 0; i < KEYS / 16; i++) {
        const uint32_t p[4] = {pack_bf16(s[2 * i][0], s[2 * i][1]),
                               pack_bf16(s[2 * i][2], s[2 * i][3]),
                               pack_bf16(s[2 * i + 1][0], s[2 * i + 1][1]),
                               pack_bf16(s[2 * i + 1][2], s[2 * i + 1][3])};
#pragma unroll
        for (uint32_t j = 0; j < DIM / 8; j += 2) { /* two tiles of dims a load */
            uint32_t b[4];
            const uint32_t row = 16 * i + lane % 16;
            load_matrices_turned(b, cell_of<DIM>(values, row, j + lane / 16));
            mma_bf16(sums.out[j], p, b);
            mma_bf16(sums.out[j + 1], p, b + 2);
        }
    }
}

template <int DIM>
DEVICE void store_rows(const glm_cuda_flash &a, flash_sums<DIM> &sums, uint32_t first)
{
    const uint32_t g = lane_of() / 4, t = lane_of() % 4;
#pragma unroll
    for (uint32_t half = 0; half < 2; half++) {
        float sum = sums.sum[half];
        sum += shuffle_xor(sum, 1);
        sum += shuffle_xor(sum, 2);
        const uint32_t row = first + g + 8 * half;
        if (row < a.n) {
            uint16_t *out = a.out + row * a.out_row + blockIdx.x * a.out_head + 2 * t;
#pragma unroll
            for (uint32_t j = 0; j < DIM / 8; j++) {
                const uint32_t pair =
                    pack_bf16(sums.out[j][2 * half] / sum, sums.out[j][2 * half + 1] / sum);
                *reinterpret_cast<uint32_t *>(out + 8 * j) = pair;
            }
        }
    }
}

template <int DIM> DEVICE void flash(const glm_cuda_flash &a)
{
    DYNAMIC_SHARED(shared);
    uint16_t *tiles = reinterpret_cast<uint16_t *>(shared); /* [buffer][keys, values][KEYS][DIM] */
    depend_wait();
    depend_release();
    /* the last queries of a prompt see the most keys: they go first */
    const uint32_t block = gridDim.y - 1 - blockIdx.y, queries = block * GLM_CUDA_FLASH_QUERIES;
    const uint32_t first = queries + threadIdx.x / 32 * 16;
    const uint32_t last =
        queries + GLM_CUDA_FLASH_QUERIES < a.n ? queries + GLM_CUDA_FLASH_QUERIES : a.n;
    const uint32_t end = a.causal != 0 ? a.first + last : a.keys; /* keys the block sees */
    const uint32_t count = (end + KEYS - 1) / KEYS;
    const uint16_t *k = a.k + blockIdx.x / a.group * a.k_head;
    const uint16_t *v = a.v + blockIdx.x / a.group * a.v_head;
    uint32_t q[DIM / 16][4];
    flash_sums<DIM> sums = {{}, {-INFINITY, -INFINITY}, {0, 0}};
    fetch_tile<DIM>(tiles, k, a.k_row, 0, end);
    fetch_tile<DIM>(tiles + KEYS * DIM, v, a.v_row, 0, end);
    copy_async_close();
    load_queries<DIM>(q, a, first);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t *now = tiles + i % 2 * 2 * KEYS * DIM,
                 *next = tiles + (i + 1) % 2 * 2 * KEYS * DIM;
        if (i + 1 < count) {
            fetch_tile<DIM>(next, k, a.k_row, (i + 1) * KEYS, end);
            fetch_tile<DIM>(next + KEYS * DIM, v, a.v_row, (i + 1) * KEYS, end);
        }
        copy_async_close();
        copy_async_wait<1>();
        block_wait();
        float s[KEYS / 8][4];
        find_scores<DIM>(s, q, now);
        int32_t seen[2];
        for (uint32_t half = 0; half < 2; half++) {
            const uint32_t own = a.first + first + lane_of() / 4 + 8 * half + 1;
            seen[half] = (int32_t)(a.causal != 0 && own < end ? own : end) - (int32_t)(i * KEYS);
        }
        find_weights<DIM>(s, sums, seen, a.scale * LOG2_E);
        add_values<DIM>(sums, s, now + KEYS * DIM);
        block_wait(); /* nobody reads the buffer that is filled next */
    }
    store_rows<DIM>(a, sums, first);
}

KERNEL(256, 1) glm_cuda_flash16(const glm_cuda_flash a)
{
    flash<16>(a);
}
KERNEL(256, 1) glm_cuda_flash128(const glm_cuda_flash a)
{
    flash<128>(a);
}
