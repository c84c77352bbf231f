/* Weights on the device: to the stored forms, from other types, at random; and plain streams, which
 * say what the memory can do. */
#include "model/glm/cuda/device.cuh"

/* Rows of a tile of codes.h, a warp two of them. */
static constexpr uint32_t QUANTISE_WARPS = 8;

DEVICE float warp_max(float value)
{
    for (int mask = 16; mask > 0; mask /= 2) {
        value = fmaxf(value, shuffle_xor(value, mask));
    }
    return value;
}

/* To nearest; what is too small or large becomes 0 or the largest number, as glm_half_from_float.
 */
DEVICE uint16_t scale_half(float value)
{
    return value < 65504.0f ? half_of_float(value) : (uint16_t)0x7BFF;
}

/* The sum of squared errors of a group with a scale, columns in order, as one thread would add
 * them: lane 0 has the sum. */
DEVICE float clip_error(const float *w, uint32_t count, float scale)
{
    const float inverse = scale > 0 ? 1 / scale : 0;
    float error = 0;
    for (uint32_t i = 0; i < count && scale > 0; i++) {
        float q = rintf(w[i] * inverse);
        q = q < -8 ? -8 : q > 7 ? 7 : q;
        const float off = add(w[i], -multiply(q, scale));
        error = add(error, multiply(off, off));
    }
    return error;
}

/* Lanes 0 .. 11 try a clip each; the first of the least errors wins, as in codes.c. */
DEVICE float best_scale(const float *w, uint32_t count, float most)
{
    const uint32_t lane = lane_of();
    const float scale = multiply(most / 7, add(1.0f, -multiply(0.03f, (float)lane)));
    float error = lane < 12 ? clip_error(w, count, scale) : INFINITY;
    float best = error < INFINITY ? scale : most / 7;
    uint32_t from = lane;
    for (int mask = 16; mask > 0; mask /= 2) {
        const float other_error = shuffle_xor(error, mask), other_scale = shuffle_xor(best, mask);
        const uint32_t other = shuffle_xor(from, mask);
        if (other_error < error || (other_error == error && other < from)) {
            error = other_error;
            best = other_scale;
            from = other;
        }
    }
    return best;
}

struct quantise_group {
    uint32_t row, column, count; /* of the matrix */
    float scale;
};

/* A code into its place of a tile; with four bits, lanes 0 .. 15 bring the low and the high half.
 */
DEVICE void put_codes(const glm_cuda_quantise &a, const quantise_group &q, const float *w)
{
    const bool four = a.form == GLM_CUDA_INT4;
    unsigned char *tile =
        static_cast<unsigned char *>(a.data) + (size_t)(q.row / 16) * a.cols * (four ? 8 : 16);
    const float inverse = q.scale > 0 ? 1 / q.scale : 0, least = four ? -8 : -127;
    const float most = four ? 7 : 127;
    for (uint32_t i = lane_of(); i < q.count; i += 32) {
        const uint32_t column = q.column + i, group = column / 32, in = column % 32;
        const int32_t code = (int32_t)fminf(fmaxf(rintf(w[i] * inverse), least), most);
        const uint32_t piece = four ? group * 4 + in % 16 / 4 : group * 8 + in / 4;
        unsigned char *to = tile + (size_t)piece * 64 + q.row % 16 * 4 + in % 4;
        const int32_t other = shuffle_xor(code, 16); /* a group is whole warps of columns */
        if (!four) {
            *to = (unsigned char)(code + 128);
        } else if (in < 16) {
            *to = (unsigned char)((code + 8) | (other + 8) << 4);
        }
    }
}

DEVICE void quantise_tiled(const glm_cuda_quantise &a, uint32_t row, float *w)
{
    const uint32_t lane = lane_of(), groups = (a.cols + a.group - 1) / a.group;
    for (uint32_t g = 0; g < groups; g++) {
        const uint32_t column = g * a.group, left = a.cols - column;
        quantise_group q = {row, column, left < a.group ? left : a.group, 0};
        float most = 0;
        for (uint32_t i = lane; i < q.count; i += 32) {
            const size_t at = (size_t)row * a.cols + column + i;
            w[i] = row < a.rows ? float_of_bf16(a.from[at]) : 0;
            most = fmaxf(most, fabsf(w[i]));
        }
        most = warp_max(most);
        warp_wait();
        const float scale = a.form == GLM_CUDA_INT4 ? best_scale(w, q.count, most) : most / 127;
        const uint16_t half = most < INFINITY ? scale_half(scale) : (uint16_t)0;
        q.scale = float_of_half(half);
        if (lane == 0) {
            static_cast<uint16_t *>(a.scales)[((size_t)(row / 16) * groups + g) * 16 + row % 16] =
                half;
        }
        put_codes(a, q, w);
        warp_wait();
    }
}

/* e4m3 of a number of at most 448, to nearest, to even: eight steps up to each power of two, from
 * 2^-6 on; 2^-9 is the smallest. */
DEVICE uint32_t fp8_of(float x)
{
    const uint32_t sign = bits_of(x) >> 24 & 0x80u;
    const float size = fminf(fabsf(x), 448.0f);
    if (size < 0.015625f) {
        return sign | (uint32_t)rintf(size * 512.0f); /* 8 is the first normal one */
    }
    const uint32_t bits = bits_of(size);
    return sign | (((bits + 0x7FFFF + (bits >> 20 & 1)) >> 20) - 960); /* (127 - 7) * 8 */
}

DEVICE void quantise_fp8(const glm_cuda_quantise &a, uint32_t row)
{
    const uint32_t lane = lane_of();
    const uint16_t *from = a.from + (size_t)row * a.cols;
    unsigned char *to = static_cast<unsigned char *>(a.data) + (size_t)row * a.cols;
    float most = 0;
    for (uint32_t i = lane; i < a.cols; i += 32) {
        most = fmaxf(most, fabsf(float_of_bf16(from[i])));
    }
    most = warp_max(most);
    const float scale = most < INFINITY ? most / 448.0f : 0, inverse = scale > 0 ? 1 / scale : 0;
    for (uint32_t i = lane; i < a.cols; i += 32) {
        to[i] = (unsigned char)fp8_of(float_of_bf16(from[i]) * inverse);
    }
    if (lane == 0) {
        static_cast<float *>(a.scales)[row] = scale;
    }
}

KERNEL(256, 1) glm_cuda_quantise(const glm_cuda_quantise a)
{
    SHARED float w[QUANTISE_WARPS][128];
    depend_wait();
    depend_release();
    const uint32_t warp = threadIdx.x / 32;
    for (uint32_t row = blockIdx.x * 16 + warp; row < blockIdx.x * 16 + 16; row += QUANTISE_WARPS) {
        if (a.form != GLM_CUDA_FP8) {
            quantise_tiled(a, row, w[warp]);
        } else if (row < a.rows) {
            quantise_fp8(a, row);
        }
    }
}

KERNEL(256, 1) glm_cuda_convert(const glm_cuda_convert a)
{
    depend_wait();
    depend_release();
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < a.count;
         i += (size_t)gridDim.x * blockDim.x) {
        const float x = a.half != 0 ? float_of_half(static_cast<const uint16_t *>(a.from)[i])
                                    : static_cast<const float *>(a.from)[i];
        a.to[i] = bf16_of_float(x);
    }
}

/* The sum of four uniform numbers of a hash of the place: near enough to normal. */
KERNEL(256, 1) glm_cuda_fill(const glm_cuda_fill a)
{
    depend_wait();
    depend_release();
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < a.count;
         i += (size_t)gridDim.x * blockDim.x) {
        uint64_t z = a.seed + (i + 1) * 0x9E3779B97F4A7C15u;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
        z = (z ^ z >> 27) * 0x94D049BB133111EBu;
        z ^= z >> 31;
        float sum = 0;
        for (uint32_t k = 0; k < 4; k++) {
            sum += (float)(z >> 16 * k & 0xFFFF) * (1.0f / 65536.0f) - 0.5f;
        }
        a.to[i] = bf16_of_float(sum * a.sigma * 1.7320508f); /* four twelfths make a third */
    }
}

static constexpr uint32_t STREAM_LOADS = 4; /* in flight, a thread */

KERNEL(512, 2) glm_cuda_copy(const glm_cuda_stream a)
{
    depend_wait();
    depend_release();
    const size_t count = a.bytes / 16, step = (size_t)gridDim.x * blockDim.x;
    const uint4 *from = static_cast<const uint4 *>(a.from);
    uint4 *to = static_cast<uint4 *>(a.to);
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count;
         i += step * STREAM_LOADS) {
        uint4 v[STREAM_LOADS];
#pragma unroll
        for (uint32_t k = 0; k < STREAM_LOADS; k++) {
            v[k] = i + k * step < count ? load_once(from + i + k * step) : uint4{0, 0, 0, 0};
        }
#pragma unroll
        for (uint32_t k = 0; k < STREAM_LOADS; k++) {
            if (i + k * step < count) {
                to[i + k * step] = v[k];
            }
        }
    }
}

KERNEL(512, 2) glm_cuda_read(const glm_cuda_stream a)
{
    SHARED float room[32];
    depend_wait();
    depend_release();
    const size_t count = a.bytes / 16, step = (size_t)gridDim.x * blockDim.x;
    const uint4 *from = static_cast<const uint4 *>(a.from);
    uint32_t sum = 0;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count;
         i += step * STREAM_LOADS) {
        uint4 v[STREAM_LOADS];
#pragma unroll
        for (uint32_t k = 0; k < STREAM_LOADS; k++) {
            v[k] = i + k * step < count ? load_once(from + i + k * step) : uint4{0, 0, 0, 0};
        }
#pragma unroll
        for (uint32_t k = 0; k < STREAM_LOADS; k++) {
            sum += v[k].x + v[k].y + v[k].z + v[k].w;
        }
    }
    const float all = block_sum((float)(sum & 0xFFFF), room);
    if (threadIdx.x == 0) {
        a.sums[blockIdx.x] = all;
    }
}
