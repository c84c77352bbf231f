/*
 * The product of many rows: tiles of 128 rows of inputs by 128 rows of weights, 32 columns deep, in
 * three buffers of shared memory; four warps of 64 by 64. bf16 comes by asynchronous copies; other
 * forms are fetched to registers one stage earlier and become bf16 on their way to shared memory.
 * A row of a tile is four pieces of 16 bytes, in an order that depends on the row, so that eight
 * rows of one column of pieces lie in different banks.
 */
#ifndef GLMV_MODEL_GLM_CUDA_GEMM_CUH
#define GLMV_MODEL_GLM_CUDA_GEMM_CUH

#include "model/glm/cuda/forms.cuh"

static constexpr uint32_t TILE = GLM_CUDA_GEMM_TILE, DEPTH = GLM_CUDA_GEMM_DEPTH;
static constexpr uint32_t STAGES = GLM_CUDA_GEMM_STAGES, GEMM_THREADS = 128;
static constexpr uint32_t CELLS = TILE * DEPTH; /* of a tile */

DEVICE uint16_t *gemm_cell(uint16_t *tile, uint32_t row, uint32_t piece)
{
    return tile + row * DEPTH + (piece ^ (row / 2 & 3)) * 8;
}

/* The rows of weights a block multiplies. With a gate, rows of gate and up stand by turns of eight
 * in the tile: a lane then has both sums of an output. */
struct gemm_rows {
    glm_cuda_matrix m, up;
    uint32_t first;  /* row of the matrix that the tile begins with */
    uint32_t column; /* of y, of the matrix's row 0 */
};

/* The tiles of a block. Blocks that run at the same time take 16 tiles of x by as many of weights
 * as fit: both then come from the second-level cache most of the time. */
struct gemm_place {
    uint32_t x, weights;
};
DEVICE gemm_place place_of(uint32_t at, uint32_t down, uint32_t across)
{
    constexpr uint32_t NEAR = 16;
    const uint32_t band = at / (NEAR * across), in = at % (NEAR * across);
    const uint32_t left = down - band * NEAR, high = left < NEAR ? left : NEAR;
    return {band * NEAR + in % high, in / high};
}

/* The rows of weights of a tile of HIGH rows. */
template <bool GATE, uint32_t HIGH>
DEVICE gemm_rows find_rows(const glm_cuda_gemm &a, uint32_t tile)
{
    gemm_rows rows;
    rows.column = 0;
    rows.m = GATE ? a.m[0] : find_matrix(a.m, HIGH, &tile, &rows.column);
    rows.up = a.m[1];
    rows.first = tile * (GATE ? HIGH / 2 : HIGH);
    return rows;
}

/* The matrix of a row of the tile, and its row there. */
struct gemm_row {
    glm_cuda_matrix m;
    uint32_t row;
};
template <bool GATE> DEVICE gemm_row row_of_tile(const gemm_rows &rows, uint32_t row)
{
    gemm_row found = {rows.m, rows.first + (GATE ? row / 16 * 8 + row % 8 : row)};
    if (GATE) {
        const bool up = row / 8 % 2 == 1;
        found.m.data = up ? rows.up.data : rows.m.data;
        found.m.scales = up ? rows.up.scales : rows.m.scales;
    }
    return found;
}

/* Starts the copies of 128 rows of x, DEPTH columns each. */
DEVICE void fetch_inputs(uint16_t *tile, const glm_cuda_gemm &a, uint32_t first, uint32_t column,
                         uint32_t cols)
{
    for (uint32_t i = threadIdx.x; i < TILE * 4; i += GEMM_THREADS) {
        const uint32_t row = i / 4, piece = i % 4, n = first + row;
        const bool valid = n < a.n && column + piece * 8 < cols;
        copy_async(gemm_cell(tile, row, piece),
                   a.x + (valid ? (size_t)n * a.x_row + column + piece * 8 : 0), valid);
    }
}

template <bool GATE>
DEVICE void fetch_weights(uint16_t *tile, const gemm_rows &rows, uint32_t column)
{
    for (uint32_t i = threadIdx.x; i < TILE * 4; i += GEMM_THREADS) {
        const gemm_row r = row_of_tile<GATE>(rows, i / 4);
        const uint32_t piece = i % 4, at = column + piece * 8;
        const bool valid = r.row < r.m.rows && at < r.m.cols;
        const uint16_t *from = static_cast<const uint16_t *>(r.m.data);
        copy_async(gemm_cell(tile, i / 4, piece),
                   from + (valid ? (size_t)r.row * r.m.cols + at : 0), valid);
    }
}

/* Weights of a stage on their way: a thread's share as stored. FP8: 32 columns of one row. Tiled
 * forms: four rows of a tile, 4 columns of each 16. */
template <int FORM> struct gemm_raw {
    static constexpr int LOADS = FORM == GLM_CUDA_INT4 || FORM == GLM_CUDA_LEAST ? 1 : 2;
    uint4 at[LOADS];
    uint2 scales, least;
};

/* Row of the gemm tile that a thread's share begins with; tiled forms: the first of four. */
template <int FORM> DEVICE uint32_t share_row(void)
{
    return FORM == GLM_CUDA_FP8 ? threadIdx.x : threadIdx.x / 16 * 16 + threadIdx.x % 4 * 4;
}

template <int FORM, bool GATE>
DEVICE void fetch_raw(gemm_raw<FORM> &raw, const gemm_rows &rows, uint32_t column)
{
    const gemm_row found = row_of_tile<GATE>(rows, share_row<FORM>());
    const glm_cuda_matrix &m = found.m;
    const uint32_t row = found.row;
    zero_16(&raw.at[0]);
    zero_16(&raw.at[gemm_raw<FORM>::LOADS - 1]);
    raw.scales = raw.least = {0, 0};
    if (row / 16 * 16 >= m.rows || (FORM == GLM_CUDA_FP8 && row >= m.rows) || column >= m.cols) {
        return;
    }
    const unsigned char *data = static_cast<const unsigned char *>(m.data);
    if (FORM == GLM_CUDA_FP8) {
        const unsigned char *from = data + (size_t)row * m.cols + column;
        raw.at[0] = load_once(from);
        raw.at[gemm_raw<FORM>::LOADS - 1] = load_once(from + 16);
        return;
    }
    const uint32_t tile = row / 16, piece = threadIdx.x % 16 / 4;
    const unsigned char *from = data + tile * tile_bytes<FORM>(m.cols) + piece * 64 + row % 16 * 4 +
                                (size_t)column * (FORM == GLM_CUDA_INT8 ? 16 : 8);
    raw.at[0] = load_once(from);
    if (FORM == GLM_CUDA_INT8) {
        raw.at[gemm_raw<FORM>::LOADS - 1] = load_once(from + 256);
    }
    const uint16_t *scales =
        static_cast<const uint16_t *>(m.scales) +
        ((size_t)tile * groups_of(m) + group_at(column, m.group)) * tile_halves<FORM>() + row % 16;
    raw.scales = load_once_8(scales);
    raw.least = FORM == GLM_CUDA_LEAST ? load_once_8(scales + 16) : raw.least;
}

/* Four neighbours of a row, from their pairs (bytes 0 and 2, 1 and 3). */
DEVICE uint2 scale_four(uint32_t even, uint32_t odd, float scale, float least)
{
    return {pack_bf16(fmaf(low_of(even), scale, least), fmaf(low_of(odd), scale, least)),
            pack_bf16(fmaf(high_of(even), scale, least), fmaf(high_of(odd), scale, least))};
}

DEVICE float half_of_four(uint2 four, uint32_t i)
{
    return float_of_half((uint16_t)((i < 2 ? four.x : four.y) >> i % 2 * 16));
}

/* Columns 4 piece .. and 16 + 4 piece .. of four rows. */
template <int FORM> DEVICE void store_tiled(uint16_t *tile, const gemm_raw<FORM> &raw)
{
    const uint32_t piece = threadIdx.x % 16 / 4;
#pragma unroll
    for (uint32_t i = 0; i < 4; i++) {
        const float scale = half_of_four(raw.scales, i);
        const float least = FORM == GLM_CUDA_LEAST ? -8.0f * half_of_four(raw.least, i) : 0.0f;
        uint32_t low[2], high[2];
        if (FORM == GLM_CUDA_INT8) {
            pairs_of_int8(word_of(raw.at[0], i), &low[0], &low[1]);
            pairs_of_int8(word_of(raw.at[gemm_raw<FORM>::LOADS - 1], i), &high[0], &high[1]);
        } else {
            pairs_of_int4<FORM == GLM_CUDA_LEAST ? 0 : 8>(word_of(raw.at[0], i), low, high);
        }
        for (uint32_t half = 0; half < 2; half++) {
            const uint32_t *pairs = half == 0 ? low : high;
            uint16_t *to =
                gemm_cell(tile, share_row<FORM>() + i, 2 * half + piece / 2) + piece % 2 * 4;
            *reinterpret_cast<uint2 *>(to) = scale_four(pairs[0], pairs[1], scale, least);
        }
    }
}

/* The scale of a row of FP8 is left to the end, where it is exact. */
template <int FORM> DEVICE void store_fp8(uint16_t *tile, const gemm_raw<FORM> &raw)
{
#pragma unroll
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t even, odd;
        pairs_of_fp8(word_of(raw.at[i / 4 % gemm_raw<FORM>::LOADS], i % 4), &even, &odd);
        uint16_t *to = gemm_cell(tile, threadIdx.x, i / 2) + i % 2 * 4;
        *reinterpret_cast<uint2 *>(to) = {permute_bytes(even, odd, 0x5410),
                                          permute_bytes(even, odd, 0x7632)};
    }
}

template <int FORM> DEVICE void store_raw(uint16_t *tile, const gemm_raw<FORM> &raw)
{
    if (FORM == GLM_CUDA_FP8) {
        store_fp8<FORM>(tile, raw);
    } else {
        store_tiled<FORM>(tile, raw);
    }
}

/* sums[16 rows of x][8 rows of weights] of a warp += a stage. */
DEVICE void multiply_stage(float sums[4][8][4], uint16_t *inputs, uint16_t *weights)
{
    const uint32_t lane = lane_of(), warp = threadIdx.x / 32;
#pragma unroll
    for (uint32_t k = 0; k < DEPTH / 16; k++) {
        uint32_t a[4][4];
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t row = warp / 2 * 64 + i * 16 + lane % 16;
            load_matrices(a[i], gemm_cell(inputs, row, 2 * k + lane / 16));
        }
#pragma unroll
        for (uint32_t j = 0; j < 8; j += 2) {
            uint32_t b[4];
            const uint32_t row = warp % 2 * 64 + j * 8 + lane / 16 * 8 + lane % 8;
            load_matrices(b, gemm_cell(weights, row, 2 * k + lane / 8 % 2));
#pragma unroll
            for (uint32_t i = 0; i < 4; i++) {
                mma_bf16(sums[i][j], a[i], b);
                mma_bf16(sums[i][j + 1], a[i], b + 2);
            }
        }
    }
}

/* Two neighbouring numbers of a row of y, at once where they lie so. The last one of an odd matrix
 * stands alone. */
DEVICE void store_pair(const glm_cuda_gemm &a, uint32_t n, uint32_t column, float low, float high,
                       bool both)
{
    const size_t at = (size_t)n * a.y_row + column;
    const bool at_once = both && at % 2 == 0;
    if (a.store == GLM_CUDA_STORE_BF16) {
        uint16_t *y = static_cast<uint16_t *>(a.y) + at;
        const uint32_t pair = pack_bf16(low, high);
        if (at_once) {
            *reinterpret_cast<uint32_t *>(y) = pair;
            return;
        }
        y[0] = (uint16_t)pair;
        if (both) {
            y[1] = (uint16_t)(pair >> 16);
        }
        return;
    }
    float *y = static_cast<float *>(a.y) + at;
    const bool sum = a.store == GLM_CUDA_STORE_ADD;
    if (at_once) {
        float2 *pair = reinterpret_cast<float2 *>(y);
        const float2 before = sum ? *pair : float2{0, 0};
        *pair = {low + before.x, high + before.y};
        return;
    }
    y[0] = low + (sum ? y[0] : 0);
    if (both) {
        y[1] = high + (sum ? y[1] : 0);
    }
}

template <int FORM>
DEVICE void store_products(const glm_cuda_gemm &a, const gemm_rows &rows, uint32_t first,
                           const float sums[4][8][4])
{
    const uint32_t g = lane_of() / 4, t = lane_of() % 4, warp = threadIdx.x / 32;
#pragma unroll
    for (uint32_t j = 0; j < 8; j++) {
        const uint32_t row = rows.first + warp % 2 * 64 + j * 8 + 2 * t;
        const bool both = row + 1 < rows.m.rows;
        if (row >= rows.m.rows) {
            continue;
        }
        const uint32_t column = rows.column + row;
        const float scale[2] = {FORM == GLM_CUDA_FP8 ? row_scale(rows.m, row) : 1.0f,
                                FORM == GLM_CUDA_FP8 && both ? row_scale(rows.m, row + 1) : 1.0f};
        const float bias[2] = {a.bias != nullptr ? a.bias[column] : 0,
                               a.bias != nullptr && both ? a.bias[column + 1] : 0};
#pragma unroll
        for (uint32_t i = 0; i < 8; i++) {
            const uint32_t n = first + warp / 2 * 64 + i / 2 * 16 + i % 2 * 8 + g;
            const float *sum = &sums[i / 2][j][i % 2 * 2];
            if (n < a.n) {
                store_pair(a, n, column, fmaf(sum[0], scale[0], bias[0]),
                           fmaf(sum[1], scale[1], bias[1]), both);
            }
        }
    }
}

/* Tiles of eight rows are gate and up by turns. */
template <int FORM>
DEVICE void store_gates(const glm_cuda_gemm &a, const gemm_rows &rows, uint32_t first,
                        const float sums[4][8][4])
{
    const uint32_t g = lane_of() / 4, t = lane_of() % 4, warp = threadIdx.x / 32;
#pragma unroll
    for (uint32_t j = 0; j < 8; j += 2) {
        const uint32_t row = rows.first + warp % 2 * 32 + j / 2 * 8 + 2 * t;
#pragma unroll
        for (uint32_t i = 0; i < 16; i++) {
            const uint32_t n = first + warp / 2 * 64 + i / 4 * 16 + i % 4 / 2 * 8 + g;
            const uint32_t at = row + i % 2;
            if (n < a.n && at < rows.m.rows) {
                float gate = sums[i / 4][j][i % 4], up = sums[i / 4][j + 1][i % 4];
                if (FORM == GLM_CUDA_FP8) {
                    gate *= row_scale(rows.m, at);
                    up *= row_scale(rows.up, at);
                }
                static_cast<uint16_t *>(a.y)[(size_t)n * a.y_row + at] =
                    bf16_of_float(silu(gate) * up);
            }
        }
    }
}

/* What is in flight: stages up to two ahead in shared memory, and of weights that are not bf16 one
 * more in registers. */
template <int FORM, bool GATE> DEVICE void gemm(const glm_cuda_gemm &a)
{
    DYNAMIC_SHARED(shared);
    uint16_t *inputs = reinterpret_cast<uint16_t *>(shared), *weights = inputs + STAGES * CELLS;
    const gemm_place place = place_of(blockIdx.y * gridDim.x + blockIdx.x, gridDim.y, gridDim.x);
    const gemm_rows rows = find_rows<GATE, TILE>(a, place.weights);
    const uint32_t first = place.x * TILE;
    const uint32_t cols = rows.m.cols, count = (cols + DEPTH - 1) / DEPTH;
    float sums[4][8][4] = {};
    gemm_raw<FORM> raw;
    depend_wait();
    depend_release();
    for (uint32_t s = 0; s < STAGES - 1; s++) {
        if (FORM == GLM_CUDA_BF16) {
            fetch_weights<GATE>(weights + s * CELLS, rows, s * DEPTH);
        } else {
            fetch_raw<FORM, GATE>(raw, rows, s * DEPTH);
            store_raw<FORM>(weights + s * CELLS, raw);
        }
        fetch_inputs(inputs + s * CELLS, a, first, s * DEPTH, cols);
        copy_async_close();
    }
    if (FORM != GLM_CUDA_BF16) {
        fetch_raw<FORM, GATE>(raw, rows, (STAGES - 1) * DEPTH);
    }
    for (uint32_t i = 0; i < count; i++) {
        copy_async_wait<STAGES - 2>();
        block_wait();
        const uint32_t ahead = i + STAGES - 1, slot = ahead % STAGES * CELLS;
        if (ahead < count) {
            if (FORM == GLM_CUDA_BF16) {
                fetch_weights<GATE>(weights + slot, rows, ahead * DEPTH);
            } else {
                store_raw<FORM>(weights + slot, raw);
                fetch_raw<FORM, GATE>(raw, rows, (ahead + 1) * DEPTH);
            }
            fetch_inputs(inputs + slot, a, first, ahead * DEPTH, cols);
        }
        copy_async_close();
        multiply_stage(sums, inputs + i % STAGES * CELLS, weights + i % STAGES * CELLS);
    }
    if (GATE) {
        store_gates<FORM>(a, rows, first, sums);
    } else {
        store_products<FORM>(a, rows, first, sums);
    }
}

#define GEMM_KERNELS(name, FORM)                                                                   \
    KERNEL(128, 2) glm_cuda_gemm_##name(const glm_cuda_gemm a)                                     \
    {                                                                                              \
        gemm<FORM, false>(a);                                                                      \
    }                                                                                              \
    KERNEL(128, 2) glm_cuda_gemm_gate_##name(const glm_cuda_gemm a)                                \
    {                                                                                              \
        gemm<FORM, true>(a);                                                                       \
    }

#endif
