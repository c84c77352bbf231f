/* A screenshot to patches: resized, normalised and cut, with the bits of picture.c. */
#include "model/glm/cuda/device.cuh"

static constexpr int BITS = 22; /* of a weight's fraction */

DEVICE uint32_t clip(int32_t sum)
{
    sum >>= BITS;
    return sum < 0 ? 0 : sum > 255 ? 255 : (uint32_t)sum;
}

KERNEL(256, 1) glm_cuda_across(const glm_cuda_across a)
{
    depend_wait();
    depend_release();
    const uint32_t o = blockIdx.x * blockDim.x + threadIdx.x;
    if (o >= a.taps.outs) {
        return;
    }
    const uint8_t *p = a.rgba + ((size_t)blockIdx.y * a.width + (size_t)a.taps.first[o]) * 4;
    const int32_t *weights = a.taps.weights + (size_t)o * a.taps.most, half = 1 << (BITS - 1);
    int32_t sum[3] = {half, half, half};
    for (int32_t i = 0; i < a.taps.count[o]; i++, p += 4) {
        const uint32_t pixel = *(const uint32_t *)p, alpha = pixel >> 24;
        for (uint32_t c = 0; c < 3; c++) {
            const uint32_t v = pixel >> (8 * c) & 255;
            sum[c] += (int32_t)((v * alpha + 255 * (255 - alpha) + 127) / 255) * weights[i];
        }
    }
    uint8_t *out = a.out + ((size_t)blockIdx.y * a.taps.outs + o) * 3;
    for (uint32_t c = 0; c < 3; c++) {
        out[c] = (uint8_t)clip(sum[c]);
    }
}

KERNEL(256, 1) glm_cuda_cut(const glm_cuda_cut a)
{
    depend_wait();
    depend_release();
    const uint32_t x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    const uint32_t width = a.grid.width * a.patch, area = a.patch * a.patch;
    if (x >= width) {
        return;
    }
    const uint8_t *p = a.from + ((size_t)a.taps.first[y] * width + x) * 3;
    const int32_t *weights = a.taps.weights + (size_t)y * a.taps.most, half = 1 << (BITS - 1);
    int32_t sum[3] = {half, half, half};
    for (int32_t i = 0; i < a.taps.count[y]; i++, p += (size_t)width * 3) {
        for (uint32_t c = 0; c < 3; c++) {
            sum[c] += p[c] * weights[i];
        }
    }
    /* merge blocks row by row, inside a block row by row */
    const uint32_t r = y / a.patch, q = x / a.patch, m = a.grid.merge;
    const uint32_t block = r / m * (a.grid.width / m) + q / m, in = r % m * m + q % m;
    const uint32_t at = y % a.patch * a.patch + x % a.patch;
    uint16_t *out = a.out + (size_t)(block * m * m + in) * 3 * a.temporal * area + at;
    for (uint32_t c = 0; c < 3; c++) {
        const uint16_t v = a.values[c * 256 + clip(sum[c])];
        for (uint32_t t = 0; t < a.temporal; t++) {
            out[(c * a.temporal + t) * area] = v;
        }
    }
}
