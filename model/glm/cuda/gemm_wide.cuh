/*
 * The product of many rows on the tensor cores of compute capability 9.0: tiles of 128 rows of
 * inputs by 256 rows of weights. A block has one warpgroup that fills slots of shared memory, 64
 * columns each, and two that multiply them, 64 rows of inputs each; blocks stay and take tile after
 * tile, so that slots of the next one are filled while sums are stored.
 *
 * bf16 comes by asynchronous copies. Other forms are fetched to registers one slot earlier and
 * become bf16 on their way to shared memory, with the same rounding as in gemm.cuh.
 */
#ifndef GLMV_MODEL_GLM_CUDA_GEMM_WIDE_CUH
#define GLMV_MODEL_GLM_CUDA_GEMM_WIDE_CUH

#include "model/glm/cuda/gemm.cuh"
#include "model/glm/cuda/warpgroup.cuh"

static constexpr uint32_t TALL = GLM_CUDA_WIDE_INPUTS, WIDE = GLM_CUDA_WIDE_WEIGHTS;
static constexpr uint32_t WIDE_COLUMNS = TILE_ROW / 2;
static constexpr int WIDE_SLOTS = GLM_CUDA_WIDE_SLOTS, WIDE_LAG = 2;
static constexpr uint32_t SLOT_BYTES = GLM_CUDA_WIDE_SLOT, WEIGHTS_AT = TALL * TILE_ROW;
typedef ring<WIDE_SLOTS> wide_ring;

/* One after the other of a block's tiles. */
struct wide_tiles {
    uint32_t at, down, across; /* tiles of inputs, of weights */
};
template <bool GATE> DEVICE wide_tiles count_tiles(const glm_cuda_gemm &a)
{
    uint32_t across = 0;
#pragma unroll
    for (uint32_t i = 0; i < GLM_CUDA_OUTPUTS; i++) {
        across += i < a.count ? (a.m[i].rows + WIDE - 1) / WIDE : 0;
    }
    across = GATE ? (2 * a.m[0].rows + WIDE - 1) / WIDE : across;
    return {blockIdx.x, (a.n + TALL - 1) / TALL, across};
}

/* A thread copies one piece of every 16th row. */
DEVICE void fetch_wide_inputs(unsigned char *tile, const glm_cuda_gemm &a, uint32_t first,
                              uint32_t column, uint32_t cols)
{
    const uint32_t row = threadIdx.x / 8, piece = threadIdx.x % 8, at = column + piece * 8;
    const uint16_t *from = a.x + (size_t)(first + row) * a.x_row + at;
#pragma unroll
    for (uint32_t i = 0; i < TALL / 16; i++) {
        const bool valid = first + row + 16 * i < a.n && at < cols;
        copy_tile(piece_of(tile, row + 16 * i, piece),
                  valid ? from + (size_t)(16 * i) * a.x_row : a.x, valid);
    }
}

template <bool GATE>
DEVICE void fetch_wide_weights(unsigned char *tile, const gemm_rows &rows, uint32_t column)
{
    const uint32_t row = threadIdx.x / 8, piece = threadIdx.x % 8, at = column + piece * 8;
    const gemm_row r = row_of_tile<GATE>(rows, row);
    const uint16_t *all = static_cast<const uint16_t *>(r.m.data);
    const uint16_t *from = all + (size_t)r.row * r.m.cols + at;
    constexpr uint32_t STEP = GATE ? 8 : 16; /* rows of the matrix for 16 of the tile */
#pragma unroll
    for (uint32_t i = 0; i < WIDE / 16; i++) {
        const bool valid = r.row + STEP * i < r.m.rows && at < r.m.cols;
        copy_tile(piece_of(tile, row + 16 * i, piece),
                  valid ? from + (size_t)(STEP * i) * r.m.cols : all, valid);
    }
}

/* A thread's share of the weights of a slot that are not bf16: of FP8, 16 columns of eight rows; of
 * the tiled forms, four rows by four columns of each 16 of 32, four times. */
template <int FORM> struct wide_raw {
    static constexpr int UNITS = 4, LOADS = FORM == GLM_CUDA_INT4 || FORM == GLM_CUDA_LEAST ? 4 : 8;
    uint4 at[LOADS];
    uint2 scales[UNITS], least[FORM == GLM_CUDA_LEAST ? UNITS : 1];
};

/* Lanes: four rows, by the low two bits; four columns of 16, by the next; which 32 columns. */
DEVICE uint32_t unit_row(uint32_t unit)
{
    return (unit * 4 + threadIdx.x / 32) * 16 + threadIdx.x % 4 * 4;
}

template <int FORM, bool GATE>
DEVICE void fetch_wide_tiled(wide_raw<FORM> &raw, const gemm_rows &rows, uint32_t column)
{
    const uint32_t lane = lane_of(), at = column + lane / 16 * 32, turn = lane % 4 / 2;
#pragma unroll
    for (uint32_t k = 0; k < (uint32_t)wide_raw<FORM>::UNITS; k++) {
        const gemm_row found = row_of_tile<GATE>(rows, unit_row(k));
        const glm_cuda_matrix &m = found.m;
        const uint32_t tile = found.row / 16, first = FORM == GLM_CUDA_INT8 ? 2 * k : k;
        zero_16(&raw.at[first]);
        zero_16(&raw.at[first + (FORM == GLM_CUDA_INT8 ? 1 : 0)]);
        raw.scales[k] = {0, 0};
        raw.least[FORM == GLM_CUDA_LEAST ? k : 0] = {0, 0};
        if (tile * 16 >= m.rows || at >= m.cols) {
            continue;
        }
        const unsigned char *from =
            static_cast<const unsigned char *>(m.data) + tile * tile_bytes<FORM>(m.cols) +
            lane / 4 % 4 * 64 + found.row % 16 * 4 + (size_t)at * (FORM == GLM_CUDA_INT8 ? 16 : 8);
        if (FORM == GLM_CUDA_INT8) { /* in the order of store_wide_tiled */
            raw.at[first] = load_once(from + turn * 256);
            raw.at[first + 1] = load_once(from + (turn ^ 1) * 256);
        } else {
            raw.at[first] = load_once(from);
        }
        const uint16_t *scales =
            static_cast<const uint16_t *>(m.scales) +
            ((size_t)tile * groups_of(m) + group_at(at, m.group)) * tile_halves<FORM>() +
            found.row % 16;
        raw.scales[k] = load_once_8(scales);
        if (FORM == GLM_CUDA_LEAST) {
            raw.least[k] = load_once_8(scales + 16);
        }
    }
}

/* Half of a unit's columns a time; lanes of a tile's upper eight rows begin with the other half, so
 * that 16 lanes write 16 different places of 8 bytes in one row of banks. */
template <int FORM> DEVICE void store_wide_tiled(unsigned char *tile, const wide_raw<FORM> &raw)
{
    const uint32_t lane = lane_of(), turn = lane % 4 / 2, quarter = lane / 4 % 4;
#pragma unroll
    for (uint32_t k = 0; k < (uint32_t)wide_raw<FORM>::UNITS; k++) {
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) {
            const float scale = half_of_four(raw.scales[k], i);
            const float least =
                FORM == GLM_CUDA_LEAST
                    ? -8.0f * half_of_four(raw.least[FORM == GLM_CUDA_LEAST ? k : 0], i)
                    : 0.0f;
#pragma unroll
            for (uint32_t step = 0; step < 2; step++) {
                const uint32_t half = step ^ turn;
                uint32_t pairs[2], unused[2];
                if (FORM == GLM_CUDA_INT8) {
                    pairs_of_int8(word_of(raw.at[FORM == GLM_CUDA_INT8 ? 2 * k + step : 0], i),
                                  &pairs[0], &pairs[1]);
                } else {
                    pairs_of_int4<FORM == GLM_CUDA_LEAST ? 0 : 8>(word_of(raw.at[k], i) >> 4 * half,
                                                                  pairs, unused);
                }
                put_8(piece_of(tile, unit_row(k) + i, lane / 16 * 4 + half * 2 + quarter / 2) +
                          quarter % 2 * 8,
                      scale_four(pairs[0], pairs[1], scale, least));
            }
        }
    }
}

/* Lanes: eight rows side by side, by four times 16 columns. */
template <bool GATE>
DEVICE void fetch_wide_fp8(wide_raw<GLM_CUDA_FP8> &raw, const gemm_rows &rows, uint32_t column)
{
    const uint32_t at = column + lane_of() / 8 * 16;
#pragma unroll
    for (uint32_t k = 0; k < 8; k++) {
        const gemm_row r =
            row_of_tile<GATE>(rows, (k * 4 + threadIdx.x / 32) * 8 + threadIdx.x % 8);
        zero_16(&raw.at[k]);
        if (r.row < r.m.rows && at < r.m.cols) {
            raw.at[k] = load_once(static_cast<const unsigned char *>(r.m.data) +
                                  (size_t)r.row * r.m.cols + at);
        }
    }
}

DEVICE uint2 four_of_fp8(uint32_t codes)
{
    uint32_t even, odd;
    pairs_of_fp8(codes, &even, &odd);
    return {permute_bytes(even, odd, 0x5410), permute_bytes(even, odd, 0x7632)};
}
DEVICE void store_wide_fp8(unsigned char *tile, const wide_raw<GLM_CUDA_FP8> &raw)
{
#pragma unroll
    for (uint32_t k = 0; k < 8; k++) {
        const uint32_t row = (k * 4 + threadIdx.x / 32) * 8 + threadIdx.x % 8;
#pragma unroll
        for (uint32_t i = 0; i < 2; i++) {
            const uint2 low = four_of_fp8(word_of(raw.at[k], 2 * i)),
                        high = four_of_fp8(word_of(raw.at[k], 2 * i + 1));
            put_16(piece_of(tile, row, lane_of() / 8 * 2 + i), {low.x, low.y, high.x, high.y});
        }
    }
}

template <int FORM, bool GATE>
DEVICE void fetch_wide_raw(wide_raw<FORM> &raw, const gemm_rows &rows, uint32_t column)
{
    if constexpr (FORM == GLM_CUDA_FP8) {
        fetch_wide_fp8<GATE>(raw, rows, column);
    } else {
        fetch_wide_tiled<FORM, GATE>(raw, rows, column);
    }
}
template <int FORM> DEVICE void store_wide_raw(unsigned char *tile, const wide_raw<FORM> &raw)
{
    if constexpr (FORM == GLM_CUDA_FP8) {
        store_wide_fp8(tile, raw);
    } else {
        store_wide_tiled<FORM>(tile, raw);
    }
}

template <int FORM, bool GATE>
DEVICE void fill_slots(const glm_cuda_gemm &a, wide_ring &slots, unsigned char *tiles)
{
    ring_filler<WIDE_LAG> f = {};
    for (wide_tiles t = count_tiles<GATE>(a); t.at < t.down * t.across; t.at += gridDim.x) {
        const gemm_place place = place_of(t.at, t.down, t.across);
        const gemm_rows rows = find_rows<GATE, WIDE>(a, place.weights);
        const uint32_t cols = rows.m.cols;
        wide_raw<FORM> raw;
        if constexpr (FORM != GLM_CUDA_BF16) {
            fetch_wide_raw<FORM, GATE>(raw, rows, 0);
        }
        for (uint32_t column = 0; column < cols; column += WIDE_COLUMNS) {
            unsigned char *slot = tiles + f.at.slot * SLOT_BYTES;
            ring_reserve(slots, f.at);
            fetch_wide_inputs(slot, a, place.x * TALL, column, cols);
            if constexpr (FORM == GLM_CUDA_BF16) {
                fetch_wide_weights<GATE>(slot + WEIGHTS_AT, rows, column);
            } else {
                store_wide_raw<FORM>(slot + WEIGHTS_AT, raw);
            }
            ring_pass(slots, f);
            if constexpr (FORM != GLM_CUDA_BF16) { /* after the fence, which waits for loads too */
                if (column + WIDE_COLUMNS < cols) {
                    fetch_wide_raw<FORM, GATE>(raw, rows, column + WIDE_COLUMNS);
                }
            }
        }
    }
    ring_end(slots, f);
}

/* Sum 4 j + 2 i + k of a thread: row g + 8 i of its warp's 16, column 8 j + 2 t + k of the tile. */
template <int FORM>
DEVICE void store_wide(const glm_cuda_gemm &a, const gemm_rows &rows, uint32_t first,
                       const float sums[128])
{
    const uint32_t n = first + threadIdx.x % GROUP_THREADS / 32 * 16 + lane_of() / 4;
#pragma unroll
    for (uint32_t j = 0; j < WIDE / 8; j++) {
        const uint32_t row = rows.first + j * 8 + lane_of() % 4 * 2, column = rows.column + row;
        if (row >= rows.m.rows) {
            continue;
        }
        const bool both = row + 1 < rows.m.rows;
        const float scale[2] = {FORM == GLM_CUDA_FP8 ? row_scale(rows.m, row) : 1.0f,
                                FORM == GLM_CUDA_FP8 && both ? row_scale(rows.m, row + 1) : 1.0f};
        const float bias[2] = {a.bias != nullptr ? a.bias[column] : 0,
                               a.bias != nullptr && both ? a.bias[column + 1] : 0};
#pragma unroll
        for (uint32_t i = 0; i < 2; i++) {
            const float *sum = &sums[4 * j + 2 * i];
            if (n + 8 * i < a.n) {
                store_pair(a, n + 8 * i, column, fmaf(sum[0], scale[0], bias[0]),
                           fmaf(sum[1], scale[1], bias[1]), both);
            }
        }
    }
}

/* Eight columns of gate and up by turns. */
template <int FORM>
DEVICE void store_wide_gates(const glm_cuda_gemm &a, const gemm_rows &rows, uint32_t first,
                             const float sums[128])
{
    const uint32_t n = first + threadIdx.x % GROUP_THREADS / 32 * 16 + lane_of() / 4;
#pragma unroll
    for (uint32_t j = 0; j < WIDE / 16; j++) {
        const uint32_t row = rows.first + j * 8 + lane_of() % 4 * 2;
        if (row >= rows.m.rows) {
            continue;
        }
        const bool both = row + 1 < rows.m.rows;
        float gate[2] = {1, 1}, up[2] = {1, 1};
        if (FORM == GLM_CUDA_FP8) {
            for (uint32_t k = 0; k < 2; k++) {
                gate[k] = row_scale(rows.m, both ? row + k : row);
                up[k] = row_scale(rows.up, both ? row + k : row);
            }
        }
#pragma unroll
        for (uint32_t i = 0; i < 2; i++) {
            const float *g = &sums[8 * j + 2 * i], *u = g + 4;
            if (n + 8 * i < a.n) {
                store_pair(a, n + 8 * i, row, silu(g[0] * gate[0]) * (u[0] * up[0]),
                           silu(g[1] * gate[1]) * (u[1] * up[1]), both);
            }
        }
    }
}

/* One batch of products is under way while the next slot is waited for. */
template <int FORM, bool GATE>
DEVICE void multiply_slots(const glm_cuda_gemm &a, wide_ring &slots, unsigned char *tiles)
{
    const uint32_t half = (threadIdx.x / GROUP_THREADS - 1) * 64; /* of the tile's inputs */
    ring_place at = {0, 0}, before = at;
    for (wide_tiles t = count_tiles<GATE>(a); t.at < t.down * t.across; t.at += gridDim.x) {
        const gemm_place place = place_of(t.at, t.down, t.across);
        const gemm_rows rows = find_rows<GATE, WIDE>(a, place.weights);
        float sums[128];
        for (uint32_t column = 0; column < rows.m.cols; column += WIDE_COLUMNS) {
            unsigned char *slot = tiles + at.slot * SLOT_BYTES;
            const uint64_t x = describe(slot + half * TILE_ROW, 0);
            const uint64_t w = describe(slot + WEIGHTS_AT, 0);
            ring_use(slots, at);
            group_fence();
#pragma unroll
            for (uint32_t k = 0; k < WIDE_COLUMNS / 16; k++) {
                multiply_256(sums, x + 2 * k, w + 2 * k, column > 0 || k > 0);
            }
            group_close();
            group_wait<1>();
            if (column > 0) {
                ring_leave(slots, before);
            }
            before = at;
            ring_advance<WIDE_SLOTS>(at);
        }
        group_wait<0>();
        hold<128>(sums);
        ring_leave(slots, before);
        if constexpr (GATE) {
            store_wide_gates<FORM>(a, rows, place.x * TALL + half, sums);
        } else {
            store_wide<FORM>(a, rows, place.x * TALL + half, sums);
        }
    }
}

template <int FORM, bool GATE> DEVICE void gemm_wide(const glm_cuda_gemm &a)
{
    DYNAMIC_SHARED(shared);
    SHARED wide_ring slots;
    unsigned char *tiles = first_atom(shared);
    if (threadIdx.x == 0) {
        ring_init(slots, 4, 8);
    }
    block_wait();
    depend_wait();
    depend_release();
    if (threadIdx.x < GROUP_THREADS) { /* 120 + 2 * 192 = 3 * 168, what the launch gives */
        registers_fewer<120>();
        fill_slots<FORM, GATE>(a, slots, tiles);
    } else {
        registers_more<192>();
        multiply_slots<FORM, GATE>(a, slots, tiles);
    }
}

#if HAS_WARPGROUPS
#define WIDE_KERNEL(name, FORM, GATE)                                                              \
    KERNEL(384, 1) glm_cuda_##name(const glm_cuda_gemm a)                                          \
    {                                                                                              \
        gemm_wide<FORM, GATE>(a);                                                                  \
    }
#else /* never launched there */
#define WIDE_KERNEL(name, FORM, GATE)                                                              \
    KERNEL(384, 1) glm_cuda_##name(const glm_cuda_gemm)                                            \
    {                                                                                              \
    }
#endif

#endif
