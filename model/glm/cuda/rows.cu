/* What is done to rows between the products: embedding, norms, rotations, positions, GELU. */
#include "model/glm/cuda/device.cuh"

KERNEL(256, 1) glm_cuda_embed(const glm_cuda_embed a)
{
    depend_wait();
    depend_release();
    const int32_t id = a.ids[blockIdx.x];
    float *x = a.x + (size_t)blockIdx.x * a.hidden;
    for (uint32_t i = threadIdx.x; i < a.hidden; i += blockDim.x) {
        x[i] = id < 0 ? a.extra[(size_t)(-1 - id) * a.hidden + i]
                      : float_of_bf16(a.table[(size_t)id * a.hidden + i]);
    }
}

static constexpr uint32_t NORM_KEPT = 8; /* columns of a row that a thread holds */

DEVICE float sum_slices(const glm_cuda_norm &a, uint32_t column)
{
    float sum = 0;
    for (uint32_t s = 0; s < a.slices; s++) {
        sum += a.parts[((size_t)s * a.n + blockIdx.x) * a.width + column];
    }
    return sum;
}

/* x += the norm of the slices; leaves the sum of the squares of x that this thread saw. */
DEVICE float add_parts(const glm_cuda_norm &a, float kept[NORM_KEPT], float *x, float *room)
{
    float squares = 0, scale = 1.0f;
    if (a.parts != nullptr) {
        float parts[NORM_KEPT];
#pragma unroll
        for (uint32_t i = 0; i < NORM_KEPT; i++) {
            const uint32_t column = threadIdx.x + i * blockDim.x;
            parts[i] = column < a.width ? sum_slices(a, column) : 0;
            squares = fmaf(parts[i], parts[i], squares);
        }
        if (a.part_weight != nullptr) {
            scale = 1.0f / sqrtf(block_sum(squares, room) / (float)a.width + a.eps);
        }
        squares = 0;
#pragma unroll
        for (uint32_t i = 0; i < NORM_KEPT; i++) {
            const uint32_t column = threadIdx.x + i * blockDim.x;
            if (column < a.width) {
                const float weight = a.part_weight != nullptr ? a.part_weight[column] : 1.0f;
                kept[i] = x[column] + weight * (parts[i] * scale);
                x[column] = kept[i];
            }
        }
    } else {
#pragma unroll
        for (uint32_t i = 0; i < NORM_KEPT; i++) {
            const uint32_t column = threadIdx.x + i * blockDim.x;
            kept[i] = column < a.width ? x[column] : 0;
        }
    }
#pragma unroll
    for (uint32_t i = 0; i < NORM_KEPT; i++) {
        const bool inside = threadIdx.x + i * blockDim.x < a.width;
        squares = inside ? fmaf(kept[i], kept[i], squares) : squares;
    }
    return squares;
}

KERNEL(1024, 1) glm_cuda_norm(const glm_cuda_norm a)
{
    SHARED float room[32];
    float kept[NORM_KEPT] = {};
    depend_wait();
    depend_release();
    float *x = a.x + (size_t)blockIdx.x * a.width;
    const float squares = add_parts(a, kept, x, room);
    if (a.weight == nullptr) {
        return;
    }
    const float scale = 1.0f / sqrtf(block_sum(squares, room) / (float)a.width + a.eps);
#pragma unroll
    for (uint32_t i = 0; i < NORM_KEPT; i++) {
        const uint32_t column = threadIdx.x + i * blockDim.x;
        if (column < a.width) {
            const float y = a.weight[column] * (kept[i] * scale);
            const size_t at = (size_t)blockIdx.x * a.width + column;
            if (a.out != nullptr) {
                a.out[at] = bf16_of_float(y);
            }
            if (a.out_float != nullptr) {
                a.out_float[at] = y;
            }
        }
    }
}

/* The product for one output of a row, slices and bias added. */
DEVICE float rope_input(const glm_cuda_rope &a, uint32_t column)
{
    const uint32_t width = (a.heads + 2 * a.kv_heads) * a.dim;
    float sum = a.bias != nullptr ? a.bias[column] : 0;
    for (uint32_t s = 0; s < a.slices; s++) {
        sum += a.parts[((size_t)s * a.n + blockIdx.x) * width + column];
    }
    return sum;
}

/* The angle of pair j of this row. */
DEVICE float rope_angle(const glm_cuda_rope &a, uint32_t j)
{
    const uint32_t axis = j < a.section[0] ? 0 : j < a.section[0] + a.section[1] ? 1 : 2;
    const int32_t place = a.positions != nullptr ? a.positions[blockIdx.x * 3 + axis]
                                                 : a.state->place + (int32_t)blockIdx.x;
    return (float)place * a.freq[j];
}

/* A block: one head of q, k or v of one row. A thread: pairs of its dims. */
KERNEL(128, 1) glm_cuda_rope(const glm_cuda_rope a)
{
    depend_wait();
    depend_release();
    const uint32_t head = blockIdx.y, row = blockIdx.x, pairs = a.rot / 2;
    const bool is_q = head < a.heads, is_v = head >= a.heads + a.kv_heads;
    const size_t place = (size_t)a.state->len + row;
    uint16_t *to = a.q + ((size_t)row * a.heads + head) * a.dim;
    if (!is_q) {
        const uint32_t kv = (head - a.heads) % a.kv_heads;
        to = (is_v ? a.values : a.keys) + ((size_t)kv * a.capacity + place) * a.dim;
    }
    for (uint32_t p = threadIdx.x; p < a.dim / 2; p += blockDim.x) {
        const bool turns = p < pairs && !is_v;
        const uint32_t first = p < pairs && a.halves ? p : 2 * p;
        const uint32_t second = p < pairs && a.halves ? p + pairs : 2 * p + 1;
        const float x = rope_input(a, head * a.dim + first);
        const float y = rope_input(a, head * a.dim + second);
        const float angle = turns ? rope_angle(a, p) : 0;
        float s, c;
        sine_cosine(angle, &s, &c);
        to[first] = bf16_of_float(x * c - y * s);
        to[second] = bf16_of_float(y * c + x * s);
    }
}

/* Row and column of patch n of a grid. */
DEVICE void place_of(const glm_cuda_grid &grid, uint32_t n, uint32_t place[2])
{
    const uint32_t merge = grid.merge, in = n % (merge * merge), block = n / (merge * merge);
    const uint32_t across = grid.width / merge;
    place[0] = block / across * merge + in / merge;
    place[1] = block % across * merge + in % merge;
}

/* Four taps of cubic convolution with a = -0.75, clamped to the table; see vision.c. */
DEVICE void cubic_taps(uint32_t at, uint32_t count, uint32_t table, int32_t tap[4], float weight[4])
{
    const float a = -0.75f;
    const float y = ((float)at + 0.5f) / (float)count * (float)table - 0.5f;
    const float base = floorf(y), t = y - base;
    for (int32_t i = 0; i < 4; i++) {
        const float u = fabsf(t + 1.0f - (float)i);
        weight[i] = u <= 1 ? ((a + 2) * u - (a + 3)) * u * u + 1
                           : ((a * u - 5 * a) * u + 8 * a) * u - 4 * a;
        const int32_t place = (int32_t)base - 1 + i, last = (int32_t)table - 1;
        tap[i] = place < 0 ? 0 : place > last ? last : place;
    }
}

KERNEL(256, 1) glm_cuda_positions(const glm_cuda_positions a)
{
    depend_wait();
    depend_release();
    uint32_t place[2];
    int32_t ty[4], tx[4];
    float wy[4], wx[4];
    place_of(a.grid, blockIdx.x, place);
    cubic_taps(place[0], a.grid.height, a.side, ty, wy);
    cubic_taps(place[1], a.grid.width, a.side, tx, wx);
    float *x = a.x + (size_t)blockIdx.x * a.hidden;
    for (uint32_t k = threadIdx.x; k < a.hidden; k += blockDim.x) {
        float sum = x[k];
#pragma unroll
        for (int32_t i = 0; i < 16; i++) {
            const size_t row = (size_t)ty[i / 4] * a.side + (size_t)tx[i % 4];
            sum += wy[i / 4] * wx[i % 4] * a.table[row * a.hidden + k];
        }
        x[k] = sum;
    }
}

/* The first quarter of a head turns with the patch's row, the second with its column, each with the
 * dim half a head further. */
KERNEL(256, 1) glm_cuda_turn(const glm_cuda_turn a)
{
    depend_wait();
    depend_release();
    const uint32_t half = a.dim / 2, quarter = a.dim / 4;
    uint32_t place[2];
    place_of(a.grid, blockIdx.x, place);
    uint16_t *x = a.qkv + (size_t)blockIdx.x * 3 * a.heads * a.dim;
    for (uint32_t i = threadIdx.x; i < 2 * a.heads * half; i += blockDim.x) {
        const uint32_t j = i % half, at = i / half * a.dim + j;
        const float angle = (float)place[j / quarter] * a.freq[j % quarter];
        float s, c;
        sine_cosine(angle, &s, &c);
        const float low = float_of_bf16(x[at]), high = float_of_bf16(x[at + half]);
        x[at] = bf16_of_float(low * c - high * s);
        x[at + half] = bf16_of_float(high * c + low * s);
    }
}

KERNEL(256, 1) glm_cuda_gelu(const glm_cuda_gelu a)
{
    SHARED float room[32];
    depend_wait();
    depend_release();
    const float *x = a.x + (size_t)blockIdx.x * a.width;
    float sum = 0, squares = 0;
    for (uint32_t i = threadIdx.x; i < a.width; i += blockDim.x) {
        sum += x[i];
    }
    const float mean = block_sum(sum, room) / (float)a.width;
    for (uint32_t i = threadIdx.x; i < a.width; i += blockDim.x) {
        squares = fmaf(x[i] - mean, x[i] - mean, squares);
    }
    const float scale = 1.0f / sqrtf(block_sum(squares, room) / (float)a.width + 1e-5f);
    for (uint32_t i = threadIdx.x; i < a.width; i += blockDim.x) {
        const float v = (x[i] - mean) * scale * a.weight[i] + a.bias[i];
        const float y = 0.5f * v * (1.0f + erff(v * 0.70710678118654752f));
        a.out[(size_t)blockIdx.x * a.width + i] = bf16_of_float(y);
    }
}
