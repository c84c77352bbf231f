/*
 * Attention of a decode or verify step. A block takes GLM_CUDA_SPLIT keys of one key head for some
 * rows of the step; a warp holds 32 of the keys and their values in registers, already as
 * operands of the tensor cores, and multiplies them with the 16 query heads that share them.
 *
 * A lane's 16-byte load of a key brings dims 8 t .. 8 t + 7 of each 32, so queries are taken in the
 * same order. Its load of a value brings dims 8 g .. 8 g + 7 of each 64: column g of product i is
 * dim 8 g + i.
 */
#include "model/glm/cuda/device.cuh"

static constexpr uint32_t ATTEND_WARPS = 8, WARP_KEYS = GLM_CUDA_SPLIT / ATTEND_WARPS;
static constexpr float LOG2_E = 1.4426950408889634f;

/* Dims that one lane's 16-byte loads cover side by side: 32 of a key, 64 of a value, or all. */
template <int DIM> struct attend_shape {
    static constexpr int KEY_LOADS = DIM >= 32 ? DIM / 32 : 1;
    static constexpr int VALUE_LOADS = DIM >= 64 ? DIM / 64 : 1;
};

/* EARLY: what nobody has written since this kernel began, see attend. */
template <bool EARLY> DEVICE uint4 load_cached(const uint16_t *from)
{
    return EARLY ? load_once(from) : *reinterpret_cast<const uint4 *>(from);
}

/* b operands of 32 keys: [tile of 8 keys][load of 16 bytes], two products each. */
template <int DIM, bool EARLY>
DEVICE void load_keys(uint4 k[4][attend_shape<DIM>::KEY_LOADS], const uint16_t *keys, uint32_t from,
                      uint32_t end)
{
    const uint32_t g = lane_of() / 4, t = lane_of() % 4;
#pragma unroll
    for (uint32_t j = 0; j < 4; j++) {
#pragma unroll
        for (uint32_t i = 0; i < (uint32_t)attend_shape<DIM>::KEY_LOADS; i++) {
            k[j][i] = {0, 0, 0, 0};
            if (from + 8 * j + g < end && 32 * i + 8 * t < DIM) {
                k[j][i] =
                    load_cached<EARLY>(keys + (size_t)(from + 8 * j + g) * DIM + 32 * i + 8 * t);
            }
        }
    }
}

/* Values of keys 16 i + {2 t, 2 t + 1, 8 + 2 t, 9 + 2 t} as they lie: [16 keys][load][register][key
 * of two]. */
template <int DIM, bool EARLY>
DEVICE void load_values(uint4 v[2][attend_shape<DIM>::VALUE_LOADS][2][2], const uint16_t *values,
                        uint32_t from, uint32_t end)
{
    const uint32_t g = lane_of() / 4, t = lane_of() % 4;
#pragma unroll
    for (uint32_t i = 0; i < 2 * 2 * 2 * (uint32_t)attend_shape<DIM>::VALUE_LOADS; i++) {
        const uint32_t sixteen = i / (4 * attend_shape<DIM>::VALUE_LOADS), reg = i / 2 % 2;
        const uint32_t load = i / 4 % attend_shape<DIM>::VALUE_LOADS;
        const uint32_t key = from + 16 * sixteen + 8 * reg + 2 * t + i % 2;
        uint4 &to = v[sixteen][load][reg][i % 2];
        to = {0, 0, 0, 0};
        if (key < end && 64 * load + 8 * g < DIM) {
            to = load_cached<EARLY>(values + (size_t)key * DIM + 64 * load + 8 * g);
        }
    }
}

/* The same as b operands: [16 keys][load][dim of the load][register]. */
template <int DIM>
DEVICE void pair_values(uint32_t pairs[2][attend_shape<DIM>::VALUE_LOADS][8][2],
                        const uint4 v[2][attend_shape<DIM>::VALUE_LOADS][2][2])
{
#pragma unroll
    for (uint32_t i = 0; i < 2 * 2 * (uint32_t)attend_shape<DIM>::VALUE_LOADS; i++) {
        const uint32_t sixteen = i / (2 * attend_shape<DIM>::VALUE_LOADS), reg = i % 2;
        const uint32_t load = i / 2 % attend_shape<DIM>::VALUE_LOADS;
        const uint4 &low = v[sixteen][load][reg][0], &high = v[sixteen][load][reg][1];
        const uint32_t a[4] = {low.x, low.y, low.z, low.w}, b[4] = {high.x, high.y, high.z, high.w};
#pragma unroll
        for (uint32_t d = 0; d < 4; d++) {
            pairs[sixteen][load][2 * d][reg] = permute_bytes(a[d], b[d], 0x5410);
            pairs[sixteen][load][2 * d + 1][reg] = permute_bytes(a[d], b[d], 0x7632);
        }
    }
}

/* Scores of 16 heads and 32 keys, in powers of two: [tile of 8 keys][sum of a product]. */
template <int DIM>
DEVICE void find_scores(float s[4][4], const uint4 k[4][attend_shape<DIM>::KEY_LOADS],
                        const uint16_t *q, uint32_t group, float scale)
{
    const uint32_t g = lane_of() / 4, t = lane_of() % 4;
#pragma unroll
    for (uint32_t j = 0; j < 4; j++) {
        s[j][0] = s[j][1] = s[j][2] = s[j][3] = 0;
    }
#pragma unroll
    for (uint32_t i = 0; i < (uint32_t)attend_shape<DIM>::KEY_LOADS; i++) {
        uint4 low = {0, 0, 0, 0}, high = {0, 0, 0, 0};
        if (32 * i + 8 * t < DIM) {
            const uint16_t *at = q + 32 * i + 8 * t;
            low = g < group ? *reinterpret_cast<const uint4 *>(at + g * DIM) : low;
            high = g + 8 < group ? *reinterpret_cast<const uint4 *>(at + (g + 8) * DIM) : high;
        }
        const uint32_t first[4] = {low.x, high.x, low.y, high.y};
        const uint32_t second[4] = {low.z, high.z, low.w, high.w};
#pragma unroll
        for (uint32_t j = 0; j < 4; j++) {
            const uint32_t b[2][2] = {{k[j][i].x, k[j][i].y}, {k[j][i].z, k[j][i].w}};
            mma_bf16(s[j], first, b[0]);
            mma_bf16(s[j], second, b[1]);
        }
    }
#pragma unroll
    for (uint32_t i = 0; i < 16; i++) {
        s[i / 4][i % 4] *= scale * LOG2_E;
    }
}

/* Largest of a fragment's two rows over the lanes that share them. */
DEVICE float quad_max(float value)
{
    value = fmaxf(value, shuffle_xor(value, 1));
    return fmaxf(value, shuffle_xor(value, 2));
}
DEVICE float quad_sum(float value)
{
    value += shuffle_xor(value, 1);
    return value + shuffle_xor(value, 2);
}

/* What warps of a block tell each other. */
struct attend_room {
    float most[ATTEND_WARPS][16], sum[ATTEND_WARPS][16];
    float out[ATTEND_WARPS][16][64 + 4];
};

/* Weights of the keys: hides those past `seen`, takes the largest score of the block away. */
DEVICE void find_weights(float s[4][4], float most[2], float sum[2], attend_room &room,
                         uint32_t from, uint32_t seen)
{
    const uint32_t g = lane_of() / 4, t = lane_of() % 4, warp = threadIdx.x / 32;
    float mine[2] = {-INFINITY, -INFINITY};
#pragma unroll
    for (uint32_t i = 0; i < 16; i++) {
        const bool visible = from + i / 4 * 8 + 2 * t + i % 2 < seen;
        s[i / 4][i % 4] = visible ? s[i / 4][i % 4] : -INFINITY;
        mine[i % 4 / 2] = fmaxf(mine[i % 4 / 2], s[i / 4][i % 4]);
    }
    for (uint32_t i = 0; i < 2; i++) {
        room.most[warp][g + 8 * i] = mine[i] = quad_max(mine[i]);
    }
    block_wait();
    for (uint32_t i = 0; i < 2; i++) {
        most[i] = mine[i];
        for (uint32_t w = 0; w < ATTEND_WARPS; w++) {
            most[i] = fmaxf(most[i], room.most[w][g + 8 * i]);
        }
        sum[i] = 0;
    }
#pragma unroll
    for (uint32_t i = 0; i < 16; i++) {
        s[i / 4][i % 4] = power_of_two(s[i / 4][i % 4] - most[i % 4 / 2]);
        sum[i % 4 / 2] += s[i / 4][i % 4];
    }
    for (uint32_t i = 0; i < 2; i++) {
        room.sum[warp][g + 8 * i] = quad_sum(sum[i]);
    }
}

/* Adds what the warps found for the dims of one load, in order of the warps, and stores it. */
template <int DIM>
DEVICE void store_sums(const glm_cuda_attend &a, const attend_room &room, float *part,
                       uint32_t load, uint32_t group)
{
    constexpr uint32_t WIDE = DIM < 64 ? DIM : 64;
    const size_t head = (size_t)a.splits * (DIM + 2);
    for (uint32_t i = threadIdx.x; i < group * WIDE; i += ATTEND_WARPS * 32) {
        float sum = 0;
        for (uint32_t w = 0; w < ATTEND_WARPS; w++) {
            sum += room.out[w][i / WIDE][i % WIDE];
        }
        part[i / WIDE * head + load * 64 + i % WIDE] = sum;
    }
}

/* The largest score and the sum of weights of each head. */
DEVICE void store_ends(const glm_cuda_attend &a, const attend_room &room, float *part,
                       uint32_t group)
{
    if (threadIdx.x < group) {
        float most = -INFINITY, sum = 0;
        for (uint32_t w = 0; w < ATTEND_WARPS; w++) {
            most = fmaxf(most, room.most[w][threadIdx.x]);
            sum += room.sum[w][threadIdx.x];
        }
        float *end = part + (size_t)threadIdx.x * a.splits * (a.dim + 2) + a.dim;
        end[0] = most;
        end[1] = sum;
    }
}

/* One row of the step. */
template <int DIM>
DEVICE void attend_row(const glm_cuda_attend &a, const uint4 k[4][attend_shape<DIM>::KEY_LOADS],
                       const uint32_t v[2][attend_shape<DIM>::VALUE_LOADS][8][2], attend_room &room,
                       uint32_t row, uint32_t from, uint32_t seen)
{
    const uint32_t g = lane_of() / 4, t = lane_of() % 4, warp = threadIdx.x / 32;
    const uint32_t group = a.heads / a.kv_heads, head = blockIdx.y * group;
    float s[4][4], most[2], sum[2];
    find_scores<DIM>(s, k, a.q + ((size_t)row * a.heads + head) * DIM, group, a.scale);
    find_weights(s, most, sum, room, from, seen);
    float *part = a.parts + (((size_t)row * a.heads + head) * a.splits + blockIdx.x) * (DIM + 2);
    uint32_t p[2][4]; /* weights as left operands: keys are their columns */
#pragma unroll
    for (uint32_t i = 0; i < 8; i++) {
        const float *from_pair = &s[i / 4 * 2 + i % 4 / 2][i % 2 * 2];
        p[i / 4][i % 4] = pack_bf16(from_pair[0], from_pair[1]);
    }
#pragma unroll
    for (uint32_t load = 0; load < (uint32_t)attend_shape<DIM>::VALUE_LOADS; load++) {
#pragma unroll
        for (uint32_t d = 0; d < 8; d++) {
            float out[4] = {0, 0, 0, 0};
            mma_bf16(out, p[0], v[0][load][d]);
            mma_bf16(out, p[1], v[1][load][d]);
#pragma unroll
            for (uint32_t i = 0; i < 4; i++) { /* column 2 t + i % 2 is dim 8 of it + d */
                const uint32_t dim = 8 * (2 * t + i % 2) + d;
                if (dim < DIM) {
                    room.out[warp][g + i / 2 * 8][dim] = out[i];
                }
            }
        }
        block_wait();
        store_sums<DIM>(a, room, part, load, group);
        if (load == 0) {
            store_ends(a, room, part, group);
        }
        block_wait();
    }
}

/* Brings the queries of the next row near, a line a thread. */
template <int DIM>
DEVICE void prefetch_queries(const glm_cuda_attend &a, uint32_t row, uint32_t end)
{
    const uint32_t group = a.heads / a.kv_heads, at = threadIdx.x * 64;
    if (row < end && at < group * DIM) {
        prefetch(a.q + ((size_t)row * a.heads + blockIdx.y * group) * DIM + at);
    }
}

/*
 * What may be read before depend_wait, while the kernel before this one (rope) still runs:
 *   - Every kernel lets its successor start only after its own wait, in every block. So when the
 *     first block of this one runs, all that came before rope has ended, and what it wrote is seen:
 *     that kernel ended after its own wait, and so on back to the first of the step, which follows
 *     a copy and is not launched early.
 *   - rope writes the queries of this step and keys and values at state->len and after. It does not
 *     write state; verify does, in the step before, and a copy at the beginning of this one.
 * So state->len and the keys and values before it stand still from before this kernel begins until
 * it ends, which is also what load_once asks for. Keys from len on are fetched after the wait, by
 * plain loads, since they were written while this kernel ran. No early load touches their bytes: a
 * lane loads whole rows of keys below len, of 32 bytes or more, never a part of the next one.
 */
template <int DIM> DEVICE void attend(const glm_cuda_attend &a)
{
    SHARED attend_room room;
    const uint32_t rows = (a.n + gridDim.z - 1) / gridDim.z; /* of the step, a block */
    const uint32_t len = (uint32_t)a.state->len, first_row = blockIdx.z * rows;
    const uint32_t last_row = first_row + rows < a.n ? first_row + rows : a.n;
    const uint32_t split = blockIdx.x * GLM_CUDA_SPLIT, end = len + last_row;
    const uint32_t from = split + threadIdx.x / 32 * WARP_KEYS;
    const size_t head = (size_t)blockIdx.y * a.capacity * DIM;
    uint4 k[4][attend_shape<DIM>::KEY_LOADS] = {}, raw[2][attend_shape<DIM>::VALUE_LOADS][2][2] = {};
    if (from < len) { /* a branch: in one straight stretch ptxas puts these loads behind the wait */
        load_keys<DIM, true>(k, a.keys + head, from, len);
        load_values<DIM, true>(raw, a.values + head, from, len);
    }
    depend_wait();
    depend_release();
    if (split >= end) {
        return; /* no row of the block sees a key of the split */
    }
    if (from < end && from + WARP_KEYS > len) { /* keys of this step among them */
        load_keys<DIM, false>(k, a.keys + head, from, end);
        load_values<DIM, false>(raw, a.values + head, from, end);
    }
    uint32_t v[2][attend_shape<DIM>::VALUE_LOADS][8][2]; /* not before: it needs what was loaded */
    pair_values<DIM>(v, raw);
    for (uint32_t row = first_row; row < last_row; row++) {
        const uint32_t seen = len + row + 1;
        prefetch_queries<DIM>(a, row + 1, last_row);
        if (split < seen) {
            attend_row<DIM>(a, k, v, room, row, from, seen);
        }
    }
}

/* out = the splits a row sees, added in rising order. A thread: one dim of one head. */
template <int DIM> DEVICE void combine(const glm_cuda_attend &a)
{
    depend_wait();
    depend_release();
    const uint32_t head = blockIdx.x, row = blockIdx.y;
    const uint32_t used = ((uint32_t)a.state->len + row) / GLM_CUDA_SPLIT + 1;
    const float *part = a.parts + ((size_t)row * a.heads + head) * a.splits * (DIM + 2);
    if (threadIdx.x >= DIM) {
        return;
    }
    float most = -INFINITY, sum = 0, out = 0;
    for (uint32_t s = 0; s < used; s++) {
        most = fmaxf(most, part[s * (DIM + 2) + DIM]);
    }
    for (uint32_t s = 0; s < used; s++) {
        const float *at = part + s * (DIM + 2);
        const float weight = power_of_two(at[DIM] - most);
        sum = fmaf(weight, at[DIM + 1], sum);
        out = fmaf(weight, at[threadIdx.x], out);
    }
    a.out[((size_t)row * a.heads + head) * DIM + threadIdx.x] = bf16_of_float(out / sum);
}

KERNEL(256, 1) glm_cuda_attend16(const glm_cuda_attend a)
{
    attend<16>(a);
}
KERNEL(256, 1) glm_cuda_attend128(const glm_cuda_attend a)
{
    attend<128>(a);
}
KERNEL(128, 1) glm_cuda_combine16(const glm_cuda_attend a)
{
    combine<16>(a);
}
KERNEL(128, 1) glm_cuda_combine128(const glm_cuda_attend a)
{
    combine<128>(a);
}
