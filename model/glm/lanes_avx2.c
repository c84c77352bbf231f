/* Kernels in floats with AVX2. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "model/glm/backend.h"

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 4")
#endif

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define LANES 8
#define V __m256
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define LOAD_SOME(p, n) _mm256_maskload_ps(p, first_of(n))
#define STORE_SOME(p, v, n) _mm256_maskstore_ps(p, first_of(n), v)
#define HALVES(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define HALVES_SOME(p, n) halves_some(p, n)
#define SET(x) _mm256_set1_ps(x)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define ADD(a, b) _mm256_add_ps(a, b)
#define MUL(a, b) _mm256_mul_ps(a, b)
#define DIV(a, b) _mm256_div_ps(a, b)
#define MIN(a, b) _mm256_min_ps(a, b)
#define MAX(a, b) _mm256_max_ps(a, b)
#define ROUND(v) _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define TWO_TO(v) two_to(v)
#define SUM(v) sum_of(v)
#define MOST(v) most_of(v)
#define SQUARES(v) squares_of(v)
#define SEEN(limit, from) ((limit) >= (from) + 8 ? 8u : (limit) > (from) ? (limit) - (from) : 0u)
#define BELOW(v, limit, from)                                                                      \
    _mm256_blendv_ps(_mm256_set1_ps(-INFINITY), v, _mm256_castsi256_ps(first_of(SEEN(limit, from))))
#define BELOW_ZERO(v, limit, from)                                                                 \
    _mm256_and_ps(v, _mm256_castsi256_ps(first_of(SEEN(limit, from))))

#define ALWAYS TARGET __attribute__((always_inline)) static inline

/* The first n lanes, n up to 8. */
ALWAYS __m256i first_of(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

ALWAYS __m256 halves_some(const uint16_t *p, size_t n)
{
    uint16_t some[8] = {0};
    for (size_t i = 0; i < n; i++) {
        some[i] = p[i];
    }
    return HALVES(some);
}

/* What is no number stays none: its bits are not those of an exponent. */
ALWAYS __m256 two_to(__m256 v)
{
    __m256i bits =
        _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(127)), 23);
    return _mm256_castsi256_ps(bits);
}

ALWAYS float sum_of(__m256 v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

ALWAYS float most_of(__m256 v)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
}

ALWAYS double squares_of(__m256 v)
{
    __m256d a = _mm256_cvtps_pd(_mm256_castps256_ps128(v));
    __m256d b = _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
    __m256d s = _mm256_fmadd_pd(a, a, _mm256_mul_pd(b, b));
    __m128d t = _mm_add_pd(_mm256_castpd256_pd128(s), _mm256_extractf128_pd(s, 1));
    return _mm_cvtsd_f64(_mm_add_sd(t, _mm_unpackhi_pd(t, t)));
}

#include "model/glm/lanes.h"

INLINE __m256 weights8(enum glm_form form, const unsigned char *p, size_t some)
{
    unsigned char bytes[32];
    if (some < 8) {
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, p, some * (form == GLM_FORM_F32 ? 4 : 2));
        p = bytes;
    }
    if (form == GLM_FORM_F32) {
        return _mm256_castsi256_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
    }
    __m128i half = _mm_loadu_si128((const __m128i *)(const void *)p);
    if (form == GLM_FORM_F16) {
        return _mm256_cvtph_ps(half);
    }
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}

INLINE void rows_of(const struct glm_matrix *m, enum glm_form form, size_t row, size_t rows,
                    const float *x, size_t x_row, size_t count, float *out, size_t out_row)
{
    const size_t size = form == GLM_FORM_F32 ? 4 : 2, line = m->cols * size;
    const unsigned char *w = (const unsigned char *)m->data + row * line;
    __m256 sum[GLM_ROWS][2];
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        sum[r][0] = sum[r][1] = _mm256_setzero_ps();
    }
    for (size_t i = 0; i < m->cols; i += 8) {
        size_t some = m->cols - i < 8 ? m->cols - i : 8;
        __m256 in[2];
        UNROLL
        for (size_t n = 0; n < count; n++) {
            const float *p = x + n * x_row + i;
            in[n] = some == 8 ? LOAD(p) : LOAD_SOME(p, some);
        }
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            __m256 weights = weights8(form, w + r * line + i * size, some);
            UNROLL
            for (size_t n = 0; n < count; n++) {
                sum[r][n] = _mm256_fmadd_ps(weights, in[n], sum[r][n]);
            }
        }
    }
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t n = 0; n < count; n++) {
            out[r * out_row + n] = sum_of(sum[r][n]);
        }
    }
}

/* Two rows of inputs at a time: more sums than that leave the registers. */
#define BY_TWO(form)                                                                               \
    for (size_t n = 0; n < count; n += 2) {                                                        \
        const float *in = x + n * x_row;                                                           \
        if (rows == GLM_ROWS && count - n >= 2) {                                                  \
            rows_of(m, form, row, GLM_ROWS, in, x_row, 2, out + n, count);                         \
        } else if (rows == GLM_ROWS) {                                                             \
            rows_of(m, form, row, GLM_ROWS, in, x_row, 1, out + n, count);                         \
        } else {                                                                                   \
            for (size_t r = 0; r < 2 * rows && n + r / rows < count; r++) {                        \
                rows_of(m, form, row + r % rows, 1, in + r / rows * x_row, x_row, 1,               \
                        out + r % rows * count + n + r / rows, count);                             \
            }                                                                                      \
        }                                                                                          \
    }

TARGET static void rows256(const struct glm_matrix *m, size_t row, size_t rows, const float *x,
                           size_t x_row, size_t count, float *out)
{
    if (m->form == GLM_FORM_F32) {
        BY_TWO(GLM_FORM_F32)
    } else if (m->form == GLM_FORM_F16) {
        BY_TWO(GLM_FORM_F16)
    } else {
        BY_TWO(GLM_FORM_BF16)
    }
}

TARGET static void halve256(const float *x, size_t count, uint16_t *out)
{
    const __m256 most = _mm256_set1_ps(65504.0f), least = _mm256_set1_ps(-65504.0f);
    uint16_t some[8];
    for (size_t i = 0; i < count; i += 8) {
        const size_t n = count - i < 8 ? count - i : 8;
        __m256 v = _mm256_min_ps(_mm256_max_ps(LOAD_SOME(x + i, n), least), most);
        _mm_storeu_si128((__m128i *)(void *)some, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
        memcpy(out + i, some, n * sizeof *some);
    }
}

const struct glm_kernels glm_kernels_avx2 = {
    .rows = rows256,
    .halve = halve256,
    .dots = glm_dots_avx2,
    .code = glm_code_row,
    .attend = attend,
    .norm = norm,
    .silu_mul = silu_mul,
};
#else
typedef int glm_no_avx2;
#endif
