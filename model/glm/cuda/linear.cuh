/*
 * The weight-streaming product for 1 .. 64 rows of inputs. Weights are the left operand of the
 * tensor cores and rows of inputs the columns of the right one, so that every row of inputs meets
 * the same instructions in the same order, however many there are.
 *
 * Order of a sum: the steps of GLM_CUDA_STEP columns of a slice go to its strands by turns; a
 * strand adds its chunks in rising order; the strands are added in order; the slices by who reads
 * them.
 */
#ifndef GLMV_MODEL_GLM_CUDA_LINEAR_CUH
#define GLMV_MODEL_GLM_CUDA_LINEAR_CUH

#include "model/glm/cuda/forms.cuh"

/* What a warp works on. */
struct linear_strand {
    uint32_t group, strand; /* of the block */
    uint32_t first, end;    /* steps: first, first + GLM_CUDA_STRANDS, .. */
};

/* A step of weights as stored, kept in registers while it is on its way. */
template <int FORM> struct linear_step {
    static constexpr int CHUNKS = GLM_CUDA_STEP / form_of<FORM>::COLUMNS;
    uint4 raw[CHUNKS][form_of<FORM>::LOADS];
};

template <int FORM>
DEVICE void load_step(linear_step<FORM> &step, const lane_weights &w, uint32_t at,
                      const glm_cuda_matrix &m)
{
    constexpr uint32_t COLUMNS = form_of<FORM>::COLUMNS;
    if (form_of<FORM>::GROUPS) { /* the scales of a step are at most a line */
        prefetch(w.scales + (size_t)group_at(at * GLM_CUDA_STEP, m.group) * tile_halves<FORM>());
    }
#pragma unroll
    for (uint32_t i = 0; i < (uint32_t)linear_step<FORM>::CHUNKS; i++) {
        const uint32_t column = at * GLM_CUDA_STEP + i * COLUMNS;
        if (column < m.cols) {
            load_chunk<FORM>(step.raw[i], w, column, m.cols);
        }
    }
}

/* Scales of the lane's four rows at a column, and what is to be added for each sum of inputs. */
template <int FORM>
DEVICE void load_scales(float scale[4], float least[4], const lane_weights &w, uint32_t column,
                        uint32_t group)
{
    const uint16_t *from = w.scales + (size_t)group_at(column, group) * tile_halves<FORM>();
    const uint2 four = load_once_8(from);
    const uint2 second = FORM == GLM_CUDA_LEAST ? load_once_8(from + 16) : four;
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t shift = i % 2 * 16;
        scale[i] = float_of_half((uint16_t)((i < 2 ? four.x : four.y) >> shift));
        least[i] = -8.0f * float_of_half((uint16_t)((i < 2 ? second.x : second.y) >> shift));
    }
}

/* The sums of a chunk, of `tile` of its rows and eight rows of inputs. */
template <int FORM, int HALVES>
DEVICE void multiply_chunk(float sums[HALVES][4],
                           const uint32_t a[HALVES][form_of<FORM>::PRODUCTS][4],
                           const uint32_t b[form_of<FORM>::PRODUCTS][2], const float scale[4],
                           const float least[4])
{
    constexpr int PRODUCTS = form_of<FORM>::PRODUCTS;
    float inputs[4] = {0, 0, 0, 0}; /* sums of inputs, the same in every row: two of them differ */
    if (FORM == GLM_CUDA_LEAST) {
        const uint32_t ones[4] = {BF16_ONES, BF16_ONES, BF16_ONES, BF16_ONES};
        for (int k = 0; k < PRODUCTS; k++) {
            mma_bf16(inputs, ones, b[k]);
        }
    }
#pragma unroll
    for (int half = 0; half < HALVES; half++) {
        if (!form_of<FORM>::GROUPS) {
            for (int k = 0; k < PRODUCTS; k++) {
                mma_bf16(sums[half], a[half][k], b[k]);
            }
            continue;
        }
        float c[4] = {0, 0, 0, 0};
        for (int k = 0; k < PRODUCTS; k++) {
            mma_bf16(c, a[half][k], b[k]);
        }
        for (int i = 0; i < 4; i++) {
            const int row = 2 * half + i / 2;
            sums[half][i] = fmaf(scale[row], c[i], sums[half][i]);
            if (FORM == GLM_CUDA_LEAST) {
                sums[half][i] = fmaf(least[row], inputs[i % 2], sums[half][i]);
            }
        }
    }
}

template <int FORM, int COUNT>
DEVICE void multiply_step(float sums[COUNT / 8][form_of<FORM>::ROWS / 16][4],
                          const linear_step<FORM> &step, const lane_weights &w,
                          const glm_cuda_matrix &m, const uint16_t *x, uint32_t n, uint32_t at)
{
    constexpr int HALVES = form_of<FORM>::ROWS / 16, PRODUCTS = form_of<FORM>::PRODUCTS;
    const uint32_t g = lane_of() / 4;
#pragma unroll
    for (uint32_t i = 0; i < (uint32_t)linear_step<FORM>::CHUNKS; i++) {
        const uint32_t column = at * GLM_CUDA_STEP + i * form_of<FORM>::COLUMNS;
        if (column >= m.cols) {
            break;
        }
        uint32_t a[HALVES][PRODUCTS][4];
        float scale[4] = {0, 0, 0, 0}, least[4] = {0, 0, 0, 0};
#pragma unroll
        for (int half = 0; half < HALVES; half++) {
#pragma unroll
            for (int k = 0; k < PRODUCTS; k++) {
                make_fragment<FORM>(a[half][k], step.raw[i], half, k);
            }
        }
        if (form_of<FORM>::GROUPS) {
            load_scales<FORM>(scale, least, w, column, m.group);
        }
#pragma unroll
        for (uint32_t j = 0; j < COUNT / 8; j++) {
            uint32_t b[PRODUCTS][2];
            load_inputs<FORM>(b, x, g * m.cols + j * 8 * m.cols, column, m.cols, j * 8 + g < n);
            multiply_chunk<FORM, HALVES>(sums[j], a, b, scale, least);
        }
    }
}

/* Whether the registers last for a step that is multiplied and one on its way. */
template <int FORM, int COUNT> DEVICE constexpr bool holds_two_steps(void)
{
    return COUNT != 32 || (FORM != GLM_CUDA_INT8 && FORM != GLM_CUDA_LEAST);
}

/* A strand's place and its end; in one register where there is none to spare: both are below 2^16.
 */
struct strand_span {
    uint32_t place, last;
};
template <bool ONE> DEVICE strand_span span_of(const linear_strand &s)
{
    return ONE ? strand_span{s.end << 16 | s.first, 0} : strand_span{s.first, s.end};
}
template <bool ONE> DEVICE uint32_t place_in(const strand_span &span)
{
    return ONE ? span.place & 0xFFFF : span.place;
}
template <bool ONE> DEVICE uint32_t end_of(const strand_span &span)
{
    return ONE ? span.place >> 16 : span.last;
}

/* A warp's sums over its strand. The first weights are asked for before the kernel before this one
 * has ended. */
template <int FORM, int COUNT, bool GATE>
DEVICE void sum_strand(float sums[COUNT / 8][form_of<FORM>::ROWS / 16][4], const glm_cuda_matrix &m,
                       uint32_t row, const linear_strand &s, const uint16_t *x, uint32_t n)
{
    constexpr bool AHEAD = holds_two_steps<FORM, COUNT>();
    constexpr bool ONE = FORM == GLM_CUDA_INT8 && COUNT == 32 && !GATE; /* as sm_80 needs it */
    const lane_weights w = find_weights<FORM>(m, row);
    linear_step<FORM> now, next;
    if (s.first < s.end) {
        load_step<FORM>(now, w, s.first, m);
    }
    depend_wait();
    depend_release();
    for (strand_span span = span_of<ONE>(s); place_in<ONE>(span) < end_of<ONE>(span);
         span.place += GLM_CUDA_STRANDS) {
        const uint32_t at = place_in<ONE>(span);
        const bool more = at + GLM_CUDA_STRANDS < end_of<ONE>(span);
        if (AHEAD && more) {
            load_step<FORM>(next, w, at + GLM_CUDA_STRANDS, m);
        }
        multiply_step<FORM, COUNT>(sums, now, w, m, x, n, at);
        if (AHEAD) {
            now = next;
        } else if (more) {
            load_step<FORM>(now, w, at + GLM_CUDA_STRANDS, m);
        }
    }
}

/* Row of the warp that sum i of a tile belongs to. */
template <int FORM> DEVICE uint32_t row_of_sum(uint32_t half, uint32_t i)
{
    const uint32_t g = lane_of() / 4;
    return form_of<FORM>::GROUPS ? g / 4 * 16 + g % 4 * 4 + 2 * half + i / 2 : g + i / 2 * 8;
}

/* Groups and strands of a block that takes COUNT rows of inputs; see glm_cuda_groups. */
template <int FORM, int COUNT> struct linear_block {
    static constexpr int GROUPS = COUNT <= 8 || COUNT > 32 ? 2 : 4;
    static constexpr int ROWS = GROUPS * form_of<FORM>::ROWS;
    static constexpr int THREADS = GROUPS * GLM_CUDA_STRANDS * 32;
    /* strands lie a few words apart, so that their writes fall into different banks */
    struct room {
        float at[GLM_CUDA_STRANDS][8][ROWS + 4];
    };
};

/* Puts a strand's sums of eight rows of inputs where the block adds them up. */
template <int FORM, int COUNT>
DEVICE void put_sums(typename linear_block<FORM, COUNT>::room &room,
                     const float sums[form_of<FORM>::ROWS / 16][4])
{
    const uint32_t t = lane_of() % 4, warp = thread_index() / 32;
    const uint32_t group = warp / GLM_CUDA_STRANDS, strand = warp % GLM_CUDA_STRANDS;
#pragma unroll
    for (uint32_t half = 0; half < form_of<FORM>::ROWS / 16; half++) {
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t row = group * form_of<FORM>::ROWS + row_of_sum<FORM>(half, i);
            room.at[strand][2 * t + i % 2][row] = sums[half][i];
        }
    }
}

template <class Room> DEVICE float add_strands(const Room &room, uint32_t n, uint32_t row)
{
    float sum = room.at[0][n][row];
    for (uint32_t i = 1; i < GLM_CUDA_STRANDS; i++) {
        sum += room.at[i][n][row];
    }
    return sum;
}

DEVICE linear_strand find_strand(uint32_t cols, uint32_t slice, uint32_t slices)
{
    const uint32_t steps = (cols + GLM_CUDA_STEP - 1) / GLM_CUDA_STEP;
    const uint32_t warp = threadIdx.x / 32;
    linear_strand s = {warp / GLM_CUDA_STRANDS, warp % GLM_CUDA_STRANDS, steps * slice / slices,
                       steps * (slice + 1) / slices};
    s.first += s.strand;
    return s;
}

template <int FORM, int COUNT> DEVICE void linear(const glm_cuda_linear &a)
{
    typedef linear_block<FORM, COUNT> block;
    SHARED typename block::room room;
    float sums[COUNT / 8][form_of<FORM>::ROWS / 16][4] = {};
    uint32_t at = block_index(), column = 0;
    glm_cuda_matrix m = find_matrix(a.m, block::ROWS, &at, &column);
    const linear_strand s = find_strand(m.cols, blockIdx.y, a.slices);
    sum_strand<FORM, COUNT, false>(sums, m, at * block::ROWS + s.group * form_of<FORM>::ROWS, s,
                                   a.x, a.n);
    /* found once more, since there are no registers to keep it in */
    at = block_index();
    column = 0;
    m = find_matrix(a.m, block::ROWS, &at, &column);
    float *parts = a.parts + (size_t)blockIdx.y * a.n * a.width + column;
#pragma unroll
    for (uint32_t j = 0; j < COUNT / 8; j++) {
        put_sums<FORM, COUNT>(room, sums[j]);
        block_wait();
        for (uint32_t i = threadIdx.x; i < 8 * block::ROWS; i += block::THREADS) {
            const uint32_t n = j * 8 + i / block::ROWS, row = at * block::ROWS + i % block::ROWS;
            if (n < a.n && row < m.rows) {
                const float scale = FORM == GLM_CUDA_FP8 ? row_scale(m, row) : 1.0f;
                parts[(size_t)n * a.width + row] =
                    scale * add_strands(room, i / block::ROWS, i % block::ROWS);
            }
        }
        block_wait();
    }
}

/* The first half of the row groups are the gate's rows, the others the same rows of up. */
template <int FORM, int COUNT> DEVICE void linear_gate(const glm_cuda_gate &a)
{
    typedef linear_block<FORM, COUNT> block;
    constexpr uint32_t ROWS = block::ROWS / 2, HALF = block::GROUPS / 2;
    SHARED typename block::room room;
    const linear_strand s = find_strand(a.gate.cols, 0, 1);
    glm_cuda_matrix m = a.gate;
    m.data = s.group < HALF ? m.data : a.up.data;
    m.scales = s.group < HALF ? m.scales : a.up.scales;
    float sums[COUNT / 8][form_of<FORM>::ROWS / 16][4] = {};
    sum_strand<FORM, COUNT, true>(sums, m, blockIdx.x * ROWS + s.group % HALF * form_of<FORM>::ROWS,
                                  s, a.x, a.n);
#pragma unroll
    for (uint32_t j = 0; j < COUNT / 8; j++) {
        put_sums<FORM, COUNT>(room, sums[j]);
        block_wait();
        for (uint32_t i = threadIdx.x; i < 8 * ROWS; i += block::THREADS) {
            const uint32_t n = j * 8 + i / ROWS, row = blockIdx.x * ROWS + i % ROWS;
            if (n < a.n && row < m.rows) {
                float gate = add_strands(room, i / ROWS, i % ROWS);
                float up = add_strands(room, i / ROWS, ROWS + i % ROWS);
                if (FORM == GLM_CUDA_FP8) {
                    gate *= row_scale(a.gate, row);
                    up *= row_scale(a.up, row);
                }
                a.out[(size_t)n * m.rows + row] = bf16_of_float(silu(gate) * up);
            }
        }
        block_wait();
    }
}

#define LINEAR_KERNELS(name, FORM, COUNT, blocks)                                                  \
    KERNEL((linear_block<FORM, COUNT>::THREADS), blocks)                                           \
    glm_cuda_linear##COUNT##_##name(const glm_cuda_linear a)                                       \
    {                                                                                              \
        linear<FORM, COUNT>(a);                                                                    \
    }                                                                                              \
    KERNEL((linear_block<FORM, COUNT>::THREADS), blocks)                                           \
    glm_cuda_gate##COUNT##_##name(const glm_cuda_gate a)                                           \
    {                                                                                              \
        linear_gate<FORM, COUNT>(a);                                                               \
    }

#endif
