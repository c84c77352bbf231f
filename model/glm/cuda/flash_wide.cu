/*
 * Attention of many queries by the warpgroups of compute capability 9.0, for heads of 128 dims. A
 * block takes 128 queries of one head: one warpgroup brings tiles of 128 keys or values to slots of
 * shared memory, in the order of their use, and two multiply them with 64 queries each. Scores of
 * the next keys are under way beside the products with values, whose weights are found meanwhile.
 *
 * Two tiles of 64 dims side by side hold 128 rows: "halves". Keys are multiplied along their dims,
 * values along their rows (turned).
 */
#include "model/glm/cuda/warpgroup.cuh"

#if HAS_WARPGROUPS
static constexpr uint32_t QUERIES = GLM_CUDA_FLASH_QUERIES, KEYS = GLM_CUDA_FLASH_WIDE_KEYS;
static constexpr uint32_t DIM = 128, HALF = KEYS * TILE_ROW, TILE = 2 * HALF; /* bytes */
static constexpr int SLOTS = GLM_CUDA_FLASH_WIDE_SLOTS, LAG = 2;
static constexpr float LOG2_E = 1.4426950408889634f;
typedef ring<SLOTS> flash_ring;
static_assert(QUERIES == KEYS, "a tile of queries is as large as one of keys");

/* Starts the copies of 128 rows; those from end on become zeros. */
DEVICE void fetch_rows(unsigned char *tile, const uint16_t *from, size_t stride, uint32_t first,
                       uint32_t end)
{
    const uint32_t row = first + threadIdx.x / 16, piece = threadIdx.x % 16;
    const uint16_t *at = from + (size_t)row * stride + piece * 8;
    unsigned char *half = tile + piece / 8 * HALF;
#pragma unroll 4
    for (uint32_t i = 0; i < KEYS / 8; i++) {
        const bool valid = row + 8 * i < end;
        copy_tile(piece_of(half, threadIdx.x / 16 + 8 * i, piece % 8), valid ? at : from, valid);
        at += 8 * stride;
    }
}

/* What a block works on. */
struct flash_part {
    uint32_t first, end, count; /* its first query, the keys it sees, tiles of them */
};
DEVICE flash_part find_part(const glm_cuda_flash &a)
{
    /* the last queries of a prompt see the most keys: they go first */
    const uint32_t first = (gridDim.y - 1 - blockIdx.y) * QUERIES;
    const uint32_t last = first + QUERIES < a.n ? first + QUERIES : a.n;
    const uint32_t end = a.causal != 0 ? a.first + last : a.keys;
    return {first, end, (end + KEYS - 1) / KEYS};
}

/* Queries, then keys and values in the order of their use: keys of a tile, the keys of the next
 * one, its values, and so on. */
DEVICE void fill_slots(const glm_cuda_flash &a, const flash_part &p, flash_ring &slots,
                       unsigned char *queries, unsigned char *tiles)
{
    const uint16_t *k = a.k + blockIdx.x / a.group * a.k_head;
    const uint16_t *v = a.v + blockIdx.x / a.group * a.v_head;
    ring_filler<LAG> f = {};
    fetch_rows(queries, a.q + blockIdx.x * a.q_head, a.q_row, p.first, a.n);
    for (uint32_t i = 0; i <= p.count; i++) {
        if (i < p.count) {
            ring_reserve(slots, f.at);
            fetch_rows(tiles + f.at.slot * TILE, k, a.k_row, i * KEYS, p.end);
            ring_pass(slots, f);
        }
        if (i > 0) {
            ring_reserve(slots, f.at);
            fetch_rows(tiles + f.at.slot * TILE, v, a.v_row, (i - 1) * KEYS, p.end);
            ring_pass(slots, f);
        }
    }
    ring_end(slots, f);
}

/* Asks for the scores of 64 queries and a tile of keys. */
DEVICE void ask_scores(float s[64], const unsigned char *queries, const unsigned char *keys)
{
    const uint64_t q = describe(queries, 0), k = describe(keys, 0);
    group_fence();
#pragma unroll
    for (uint32_t i = 0; i < DIM / 16; i++) {
        const uint32_t at = i / 4 * (HALF / 16) + i % 4 * 2;
        multiply_128(s, q + at, k + at, i > 0);
    }
    group_close();
}

/* Asks for the sums of values by their weights. */
DEVICE void ask_sums(float out[64], uint32_t weights[KEYS / 16][4], const unsigned char *values)
{
    const uint64_t v = describe(values, HALF);
    hold<64>(out);
    hold_left<KEYS / 16>(weights);
    group_fence();
#pragma unroll
    for (uint32_t i = 0; i < KEYS / 16; i++) {
        multiply_128_turned(out, weights[i], v + i * (16 * TILE_ROW / 16));
    }
    group_close();
}

/* Of rows g and g + 8 of a warp. */
struct flash_rows {
    float most[2], sum[2]; /* largest score; sum of the weights of this lane's keys alone */
};

/* Scores to weights, in place; shrink: what earlier sums are to be multiplied by. seen: keys that
 * the two rows see, counted from the tile's first. */
DEVICE void find_weights(float s[64], flash_rows &rows, float shrink[2], const int32_t seen[2],
                         float scale)
{
    const int32_t t = (int32_t)(lane_of() % 4);
    if (seen[0] < (int32_t)KEYS || seen[1] < (int32_t)KEYS) {
#pragma unroll
        for (int32_t i = 0; i < 64; i++) {
            s[i] = i / 4 * 8 + 2 * t + i % 2 < seen[i % 4 / 2] ? s[i] : -INFINITY;
        }
    }
    float most[2] = {rows.most[0], rows.most[1]}, base[2];
#pragma unroll
    for (uint32_t i = 0; i < 64; i++) {
        most[i % 4 / 2] = fmaxf(most[i % 4 / 2], s[i]);
    }
#pragma unroll
    for (uint32_t row = 0; row < 2; row++) {
        most[row] = fmaxf(most[row], shuffle_xor(most[row], 1));
        most[row] = fmaxf(most[row], shuffle_xor(most[row], 2));
        /* a row that has seen no key yet: anything but infinity minus infinity */
        base[row] = most[row] == -INFINITY ? 0 : most[row] * scale;
        shrink[row] = power_of_two(fmaf(rows.most[row], scale, -base[row]));
        rows.most[row] = most[row];
        rows.sum[row] *= shrink[row];
    }
#pragma unroll
    for (uint32_t i = 0; i < 64; i++) {
        s[i] = power_of_two(fmaf(s[i], scale, -base[i % 4 / 2]));
        rows.sum[i % 4 / 2] += s[i];
    }
}

/* As left operands: keys are their columns. */
DEVICE void pack_weights(uint32_t weights[KEYS / 16][4], const float s[64])
{
#pragma unroll
    for (uint32_t i = 0; i < KEYS / 4; i++) {
        weights[i / 4][i % 4] = pack_bf16(s[2 * i], s[2 * i + 1]);
    }
}

DEVICE void store_rows(const glm_cuda_flash &a, const float out[64], const flash_rows &rows,
                       uint32_t first)
{
#pragma unroll
    for (uint32_t half = 0; half < 2; half++) {
        float sum = rows.sum[half];
        sum += shuffle_xor(sum, 1);
        sum += shuffle_xor(sum, 2);
        const uint32_t row = first + lane_of() / 4 + 8 * half;
        if (row < a.n) {
            uint16_t *to = a.out + row * a.out_row + blockIdx.x * a.out_head + lane_of() % 4 * 2;
            const float part = 1.0f / sum;
#pragma unroll
            for (uint32_t j = 0; j < DIM / 8; j++) {
                const float *pair = &out[4 * j + 2 * half];
                *reinterpret_cast<uint32_t *>(to + 8 * j) =
                    pack_bf16(pair[0] * part, pair[1] * part);
            }
        }
    }
}

/* Keys of tile i that rows g and g + 8 from `row` on see, from the tile's first. */
DEVICE void find_seen(int32_t seen[2], const glm_cuda_flash &a, const flash_part &p, uint32_t row,
                      uint32_t i)
{
#pragma unroll
    for (uint32_t half = 0; half < 2; half++) {
        const uint32_t own = a.first + row + 8 * half + 1;
        seen[half] = (int32_t)(a.causal != 0 && own < p.end ? own : p.end) - (int32_t)(i * KEYS);
    }
}

DEVICE void multiply_slots(const glm_cuda_flash &a, const flash_part &p, flash_ring &slots,
                           const unsigned char *queries, const unsigned char *tiles)
{
    const uint32_t warp = threadIdx.x / 32 - 4; /* of the two groups */
    const uint32_t first = p.first + warp * 16, row = first + lane_of() / 4;
    const unsigned char *q = queries + warp / 4 * 64 * TILE_ROW;
    const float scale = a.scale * LOG2_E;
    flash_rows rows = {{-INFINITY, -INFINITY}, {0, 0}};
    float s[64], out[64], shrink[2];
    uint32_t weights[KEYS / 16][4];
    int32_t seen[2];
    ring_place at = {0, 0};
    ring_use(slots, at);
    ask_scores(s, q, tiles);
    group_wait<0>();
    hold<64>(s);
    ring_leave(slots, at);
    ring_advance<SLOTS>(at);
    find_seen(seen, a, p, row, 0);
    find_weights(s, rows, shrink, seen, scale);
    pack_weights(weights, s);
#pragma unroll
    for (uint32_t i = 0; i < 64; i++) {
        out[i] = 0;
    }
    for (uint32_t i = 1; i < p.count; i++) {
        const ring_place keys = at;
        ring_use(slots, keys);
        ask_scores(s, q, tiles + keys.slot * TILE);
        ring_advance<SLOTS>(at);
        ring_use(slots, at);
        ask_sums(out, weights, tiles + at.slot * TILE);
        group_wait<1>();
        hold<64>(s);
        ring_leave(slots, keys);
        find_seen(seen, a, p, row, i);
        find_weights(s, rows, shrink, seen, scale);
        settle(rows.sum[0] + rows.sum[1]);
        group_wait<0>();
        hold<64>(out);
        hold_left<KEYS / 16>(weights);
        ring_leave(slots, at);
        ring_advance<SLOTS>(at);
        pack_weights(weights, s);
#pragma unroll
        for (uint32_t j = 0; j < 64; j++) {
            out[j] *= shrink[j % 4 / 2];
        }
    }
    ring_use(slots, at);
    ask_sums(out, weights, tiles + at.slot * TILE);
    group_wait<0>();
    hold<64>(out);
    ring_leave(slots, at);
    store_rows(a, out, rows, first);
}

KERNEL(384, 1) glm_cuda_flash_wide128(const glm_cuda_flash a)
{
    DYNAMIC_SHARED(shared);
    SHARED flash_ring slots;
    unsigned char *queries = first_atom(shared), *tiles = queries + TILE;
    if (threadIdx.x == 0) {
        ring_init(slots, 4, 8);
    }
    block_wait();
    depend_wait();
    depend_release();
    const flash_part p = find_part(a);
    if (threadIdx.x < GROUP_THREADS) { /* 40 + 2 * 232 = 3 * 168, what the launch gives */
        registers_fewer<40>();
        fill_slots(a, p, slots, queries, tiles);
    } else {
        registers_more<232>();
        multiply_slots(a, p, slots, queries, tiles);
    }
}
#else /* never launched there */
KERNEL(384, 1) glm_cuda_flash_wide128(const glm_cuda_flash)
{
}
#endif
