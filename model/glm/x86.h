/* What the kernels for x86-64 share. Included by their files alone, inside of #if. */
#ifndef GLMV_MODEL_GLM_X86_H
#define GLMV_MODEL_GLM_X86_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "model/glm/backend.h"

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* Of AVX-512, what kernels in floats need. */
#define FLOATS512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,f16c,fma")))

static inline int32_t four_codes(const int8_t *code)
{
    int32_t value;
    memcpy(&value, code, sizeof value);
    return value;
}

/* Up to 16 weights of a matrix in floats. */
FLOATS512 __attribute__((always_inline)) static inline __m512
weights16(enum glm_form form, const unsigned char *p, __mmask16 some)
{
    if (form == GLM_FORM_F32) {
        return _mm512_maskz_loadu_ps(some, p);
    }
    __m256i half = _mm256_maskz_loadu_epi16(some, p);
    if (form == GLM_FORM_F16) {
        return _mm512_cvtph_ps(half);
    }
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

#endif
