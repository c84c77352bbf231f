/* What the kernels that choose tokens share. */
#ifndef GLMV_MODEL_GLM_CUDA_SAMPLE_CUH
#define GLMV_MODEL_GLM_CUDA_SAMPLE_CUH

#include "model/glm/cuda/device.cuh"

static constexpr uint64_t DRAW = 0x9E3779B97F4A7C15u; /* what a draw adds to the state */

DEVICE bool has_bit(const uint32_t *bits, uint32_t id)
{
    return bits != nullptr && (bits[id / 32] >> id % 32 & 1) != 0;
}

/* The logit that counts for a row: what was said before it, and the guesses of the rows up to it,
 * are penalised once. */
DEVICE float adjust(const glm_cuda_sample &a, uint32_t row, uint32_t id, float x)
{
    if (has_bit(a.banned, id) || !(fabsf(x) < INFINITY)) {
        return -INFINITY;
    }
    if (a.penalty > 0 && a.penalty != 1 && a.seen != nullptr) {
        bool said = has_bit(a.seen, id);
        for (uint32_t i = 1; i <= row && !said; i++) {
            said = a.ids[i] == (int32_t)id;
        }
        if (said) {
            x = (float)(x < 0 ? (double)x * a.penalty : (double)x / a.penalty);
        }
    }
    return x;
}

/* splitmix64, as sample.c draws */
DEVICE double random_unit(uint64_t *state)
{
    uint64_t z = *state += DRAW;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

#endif
