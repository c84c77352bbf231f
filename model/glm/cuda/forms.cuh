/*
 * How the stored forms of weights become fragments of bf16. A "chunk" is what a warp multiplies at
 * a time: the rows of one to two tiles of 16 by 32 columns (64 for FP8). Which column stands where
 * in a product is free as long as weights and inputs agree, so each form takes the columns its
 * 16-byte loads bring:
 *     BF16   lane (g, t): columns 8 t .. 8 t + 7 of rows g and g + 8, as they stand
 *     FP8    lane (g, t): columns 16 t .. 16 t + 15 of rows g and g + 8
 *     INT8,  lane (g, t): columns 4 t .. 4 t + 3 and 16 + 4 t .. of rows 4 (g % 4) .. + 3 of tile
 *     INT4   g / 4 of two
 * Of four neighbours that are not bf16, bytes 0 and 2 make one pair and 1 and 3 the other.
 */
#ifndef GLMV_MODEL_GLM_CUDA_FORMS_CUH
#define GLMV_MODEL_GLM_CUDA_FORMS_CUH

#include "model/glm/cuda/device.cuh"

static constexpr uint32_t BF16_ONES = 0x3F803F80, BF16_MINUS_ZEROS = 0x80008000;

/* Bytes 0 and 2, and 1 and 3, of four codes that are the value + 128. */
DEVICE void pairs_of_int8(uint32_t codes, uint32_t *even, uint32_t *odd)
{
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t u = codes >> 8 * i;
        /* the low seven bits become 128 + them; the top bit says whether 128 or 256 is too much */
        uint32_t low = (u & 0x007F007F) | 0x43004300, base = (u & 0x00800080) ^ 0x43804380;
        *(i == 0 ? even : odd) = fma_bf16(base, 0xBF80BF80, low);
    }
}

/* Four-bit codes that are the value + offset: the low halves of the bytes, then the high ones. */
template <int OFFSET> DEVICE void pairs_of_int4(uint32_t codes, uint32_t low[2], uint32_t high[2])
{
    const uint32_t base = OFFSET == 8 ? 0xC308C308 : 0xC300C300; /* -(128 + offset) */
    for (uint32_t i = 0; i < 2; i++) {
        low[i] = fma_bf16((codes >> 8 * i & 0x000F000F) | 0x43004300, BF16_ONES, base);
        high[i] = fma_bf16((codes >> (8 * i + 4) & 0x000F000F) | 0x43004300, BF16_ONES, base);
    }
}

/* e4m3: its bits at the place of bf16's are the value * 2^-120, those below the normal ones too. */
DEVICE void pairs_of_fp8(uint32_t codes, uint32_t *even, uint32_t *odd)
{
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t u = codes >> 8 * i;
        uint32_t small = (u & 0x00800080) << 8 | (u & 0x007F007F) << 4;
        *(i == 0 ? even : odd) = fma_bf16(small, 0x7B807B80, BF16_MINUS_ZEROS);
    }
}

DEVICE void zero_16(uint4 *v)
{
    *v = {0, 0, 0, 0};
}

/* Where a lane's weights begin. Rows past the last one are the last one: no branch waits for them,
 * and nobody stores what comes of them. */
struct lane_weights {
    const unsigned char *at[2]; /* rows of BF16 and FP8; [0] the tile of the others */
    const uint16_t *scales;     /* of the lane's four rows of a tile */
};

/* ROWS of a warp, COLUMNS of a chunk, LOADS of 16 bytes a lane and chunk. */
template <int FORM> struct form_of;

template <> struct form_of<GLM_CUDA_BF16> {
    static constexpr int ROWS = 16, COLUMNS = 32, LOADS = 2, PRODUCTS = 2;
    static constexpr bool GROUPS = false;
};
template <> struct form_of<GLM_CUDA_FP8> {
    static constexpr int ROWS = 16, COLUMNS = 64, LOADS = 2, PRODUCTS = 4;
    static constexpr bool GROUPS = false;
};
template <> struct form_of<GLM_CUDA_INT8> {
    static constexpr int ROWS = 32, COLUMNS = 32, LOADS = 2, PRODUCTS = 2;
    static constexpr bool GROUPS = true;
};
template <> struct form_of<GLM_CUDA_INT4> {
    static constexpr int ROWS = 32, COLUMNS = 32, LOADS = 1, PRODUCTS = 2;
    static constexpr bool GROUPS = true;
};
template <> struct form_of<GLM_CUDA_LEAST> : form_of<GLM_CUDA_INT4> {
};

template <int FORM> DEVICE size_t row_bytes(uint32_t cols)
{
    return FORM == GLM_CUDA_BF16 ? (size_t)cols * 2 : (size_t)cols;
}
/* Bytes of 16 rows of a tiled form, and half floats of a group of a tile. */
template <int FORM> DEVICE size_t tile_bytes(uint32_t cols)
{
    return (size_t)cols * (FORM == GLM_CUDA_INT8 ? 16 : 8);
}
template <int FORM> DEVICE uint32_t tile_halves(void)
{
    return FORM == GLM_CUDA_LEAST ? 32 : 16;
}
DEVICE uint32_t groups_of(const glm_cuda_matrix &m)
{
    return (m.cols + m.group - 1) / m.group;
}

/* The group of a column: groups are of 32 or 128, and a division takes longer than a load. */
DEVICE uint32_t group_at(uint32_t column, uint32_t group)
{
    return column >> (group == 128 ? 7 : 5);
}

/* The weights of a lane in the rows from row on. */
template <int FORM> DEVICE lane_weights find_weights(const glm_cuda_matrix &m, uint32_t row)
{
    const uint32_t g = lane_of() / 4, t = lane_of() % 4;
    const unsigned char *data = static_cast<const unsigned char *>(m.data);
    lane_weights w = {{nullptr, nullptr}, nullptr};
    if (form_of<FORM>::GROUPS) {
        const uint32_t wanted = row / 16 + g / 4, last = (m.rows - 1) / 16;
        const uint32_t tile = wanted < last ? wanted : last;
        w.at[0] = data + tile * tile_bytes<FORM>(m.cols) + t * 64 + g % 4 * 16;
        w.scales = static_cast<const uint16_t *>(m.scales) +
                   (size_t)tile * groups_of(m) * tile_halves<FORM>() + g % 4 * 4;
    } else {
        for (uint32_t i = 0; i < 2; i++) {
            const uint32_t wanted = row + g + 8 * i, at = wanted < m.rows ? wanted : m.rows - 1;
            w.at[i] = data + at * row_bytes<FORM>(m.cols) + t * 16;
        }
    }
    return w;
}

/* The weights of a chunk as stored. The last chunk of FP8 may be half a one: there, weights of
 * columns before meet inputs of zero. */
template <int FORM>
DEVICE void load_chunk(uint4 raw[form_of<FORM>::LOADS], const lane_weights &w, uint32_t column,
                       uint32_t cols)
{
    const uint32_t t = lane_of() % 4;
    for (uint32_t i = 0; i < (uint32_t)form_of<FORM>::LOADS; i++) {
        const unsigned char *from = w.at[form_of<FORM>::GROUPS ? 0 : i];
        const bool outside = FORM == GLM_CUDA_FP8 && column + 16 * t >= cols;
        const size_t step = FORM == GLM_CUDA_BF16   ? column * 2
                            : FORM == GLM_CUDA_FP8  ? column - (outside ? 32 : 0)
                            : FORM == GLM_CUDA_INT8 ? column * 16 + i * 256
                                                    : column * 8;
        raw[i] = load_once(from + step);
    }
}

DEVICE uint32_t word_of(const uint4 &v, uint32_t i)
{
    return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w;
}

/* The fragment of product k of a chunk and tile `half` of its rows: rows of the fragment are, for
 * the tiled forms, 4 (g % 4) + 2 half and the one after it, of tile g / 4. */
template <int FORM>
DEVICE void make_fragment(uint32_t a[4], const uint4 raw[form_of<FORM>::LOADS], uint32_t half,
                          uint32_t k)
{
    for (uint32_t i = 0; i < 2; i++) { /* rows g and g + 8 of the fragment */
        if (FORM == GLM_CUDA_BF16) {
            a[i] = word_of(raw[i], 2 * k);
            a[i + 2] = word_of(raw[i], 2 * k + 1);
        } else if (FORM == GLM_CUDA_FP8) {
            pairs_of_fp8(word_of(raw[i], k), &a[i], &a[i + 2]);
        } else if (FORM == GLM_CUDA_INT8) {
            pairs_of_int8(word_of(raw[k % 2], 2 * half + i), &a[i], &a[i + 2]);
        } else {
            uint32_t low[2], high[2];
            pairs_of_int4<FORM == GLM_CUDA_LEAST ? 0 : 8>(word_of(raw[0], 2 * half + i), low, high);
            a[i] = k == 0 ? low[0] : high[0];
            a[i + 2] = k == 0 ? low[1] : high[1];
        }
    }
}

/* The inputs of a chunk for one column of the products. row: where this lane's row of x begins, in
 * numbers; an address for each of up to four rows would take twice the registers. */
template <int FORM>
DEVICE void load_inputs(uint32_t b[form_of<FORM>::PRODUCTS][2], const uint16_t *x, uint32_t row,
                        uint32_t column, uint32_t cols, bool inside)
{
    const uint32_t t = lane_of() % 4;
    constexpr uint32_t LANE = form_of<FORM>::GROUPS ? 4 : form_of<FORM>::COLUMNS / 4;
    for (uint32_t k = 0; k < (uint32_t)form_of<FORM>::PRODUCTS; k++) {
        const uint32_t at = column + LANE * t + (form_of<FORM>::GROUPS ? 16 : 4) * k;
        uint2 four = {0, 0};
        if (inside && (FORM != GLM_CUDA_FP8 || at < cols)) {
            four = *reinterpret_cast<const uint2 *>(x + (row + at));
        }
        b[k][0] = FORM == GLM_CUDA_BF16 ? four.x : permute_bytes(four.x, four.y, 0x5410);
        b[k][1] = FORM == GLM_CUDA_BF16 ? four.y : permute_bytes(four.x, four.y, 0x7632);
    }
}

/* What FP8 is multiplied by. */
DEVICE float row_scale(const glm_cuda_matrix &m, uint32_t row)
{
    return static_cast<const float *>(m.scales)[row];
}

/* The matrix that block *at of a launch over several falls into, each in blocks of `rows` rows: *at
 * becomes the block of that matrix, *column its first output. A copy made of selections, since an
 * index into parameters would put them into local memory. */
DEVICE glm_cuda_matrix find_matrix(const glm_cuda_matrix m[GLM_CUDA_OUTPUTS], uint32_t rows,
                                   uint32_t *at, uint32_t *column)
{
    glm_cuda_matrix found = m[0];
#pragma unroll
    for (uint32_t i = 1; i < GLM_CUDA_OUTPUTS; i++) {
        const uint32_t blocks = (m[i - 1].rows + rows - 1) / rows;
        const bool past = *at >= blocks;
        if (!past) {
            break;
        }
        *at -= blocks;
        *column += m[i - 1].rows;
        found.data = m[i].data;
        found.scales = m[i].scales;
        found.rows = m[i].rows;
    }
    return found;
}

#endif
