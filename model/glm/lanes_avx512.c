/* Kernels in floats with AVX-512, and with its products of bf16 pairs. */
#if defined(__x86_64__)
#include "model/glm/x86.h"

#define TARGET FLOATS512
#define LANES 16
#define V __m512
#define FIRST(n) ((__mmask16)((1u << (n)) - 1))
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define LOAD_SOME(p, n) _mm512_maskz_loadu_ps(FIRST(n), p)
#define STORE_SOME(p, v, n) _mm512_mask_storeu_ps(p, FIRST(n), v)
#define HALVES(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define HALVES_SOME(p, n) _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(FIRST(n), p))
#define SET(x) _mm512_set1_ps(x)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define ADD(a, b) _mm512_add_ps(a, b)
#define MUL(a, b) _mm512_mul_ps(a, b)
#define DIV(a, b) _mm512_div_ps(a, b)
#define MIN(a, b) _mm512_min_ps(a, b)
#define MAX(a, b) _mm512_max_ps(a, b)
#define ROUND(v) _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define TWO_TO(v) _mm512_scalef_ps(_mm512_set1_ps(1.0f), v)
#define SUM(v) _mm512_reduce_add_ps(v)
#define MOST(v) _mm512_reduce_max_ps(v)
#define SQUARES(v) squares_of(v)
#define SEEN(limit, from) ((limit) >= (from) + 16 ? 16u : (limit) > (from) ? (limit) - (from) : 0u)
#define BELOW(v, limit, from)                                                                      \
    _mm512_mask_blend_ps(FIRST(SEEN(limit, from)), _mm512_set1_ps(-INFINITY), v)
#define BELOW_ZERO(v, limit, from) _mm512_maskz_mov_ps(FIRST(SEEN(limit, from)), v)

TARGET __attribute__((always_inline)) static inline double squares_of(__m512 v)
{
    __m512d a = _mm512_cvtps_pd(_mm512_castps512_ps256(v));
    __m512d b = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
    return _mm512_reduce_add_pd(_mm512_fmadd_pd(a, a, _mm512_mul_pd(b, b)));
}

#include "model/glm/lanes.h"

enum { AHEAD = 1024 }; /* bytes of each row that are fetched early */

/* Where to fetch from: past the end of a row, the row of the next job of as many. */
static inline size_t ahead_of(size_t at, size_t rows, size_t line)
{
    return at + AHEAD < line ? AHEAD : AHEAD + (rows - 1) * line;
}

INLINE void rows_of(const struct glm_matrix *m, enum glm_form form, size_t row, size_t rows,
                    const float *x, size_t x_row, size_t count, float *out, size_t out_row)
{
    const size_t size = form == GLM_FORM_F32 ? 4 : 2, line = m->cols * size;
    const unsigned char *w = (const unsigned char *)m->data + row * line;
    __m512 sum[GLM_ROWS][GLM_COLUMNS];
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t n = 0; n < count; n++) {
            sum[r][n] = _mm512_setzero_ps();
        }
    }
    for (size_t i = 0; i < m->cols; i += 16) {
        __mmask16 some = m->cols - i < 16 ? FIRST(m->cols - i) : FIRST(16);
        __m512 in[GLM_COLUMNS];
        UNROLL
        for (size_t n = 0; n < count; n++) {
            in[n] = _mm512_maskz_loadu_ps(some, x + n * x_row + i);
        }
        const size_t ahead = ahead_of(i * size, rows, line);
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            const unsigned char *p = w + r * line + i * size;
            __m512 weights = weights16(form, p, some);
            _mm_prefetch((const char *)p + ahead, _MM_HINT_T0);
            UNROLL
            for (size_t n = 0; n < count; n++) {
                sum[r][n] = _mm512_fmadd_ps(weights, in[n], sum[r][n]);
            }
        }
    }
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t n = 0; n < count; n++) {
            out[r * out_row + n] = _mm512_reduce_add_ps(sum[r][n]);
        }
    }
}

/* Each size is compiled for itself, in the same order of sums. */
#define BY_COUNT(fn, form)                                                                         \
    for (size_t n = 0; n < count;) {                                                               \
        size_t left = count - n;                                                                   \
        if (rows < GLM_ROWS) {                                                                     \
            for (size_t r = 0; r < rows; r++) {                                                    \
                fn(m, form, row + r, 1, x + n * x_row, x_row, 1, out + r * count + n, count);      \
            }                                                                                      \
            n++;                                                                                   \
        } else if (left >= GLM_COLUMNS) {                                                          \
            fn(m, form, row, GLM_ROWS, x + n * x_row, x_row, GLM_COLUMNS, out + n, count);         \
            n += GLM_COLUMNS;                                                                      \
        } else if (left >= 4) {                                                                    \
            fn(m, form, row, GLM_ROWS, x + n * x_row, x_row, 4, out + n, count);                   \
            n += 4;                                                                                \
        } else if (left >= 2) {                                                                    \
            fn(m, form, row, GLM_ROWS, x + n * x_row, x_row, 2, out + n, count);                   \
            n += 2;                                                                                \
        } else {                                                                                   \
            fn(m, form, row, GLM_ROWS, x + n * x_row, x_row, 1, out + n, count);                   \
            n++;                                                                                   \
        }                                                                                          \
    }

TARGET static void rows512(const struct glm_matrix *m, size_t row, size_t rows, const float *x,
                           size_t x_row, size_t count, float *out)
{
    if (m->form == GLM_FORM_F32) {
        BY_COUNT(rows_of, GLM_FORM_F32)
    } else if (m->form == GLM_FORM_F16) {
        BY_COUNT(rows_of, GLM_FORM_F16)
    } else {
        BY_COUNT(rows_of, GLM_FORM_BF16)
    }
}

#define BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

BF16 __attribute__((always_inline)) static inline void
pairs_of(const struct glm_matrix *m, enum glm_form form, size_t row, size_t rows, const uint16_t *x,
         size_t x_row, size_t count, float *out, size_t out_row)
{
    (void)form;
    const uint16_t *w = (const uint16_t *)m->data + row * m->cols;
    __m512 sum[GLM_ROWS][GLM_COLUMNS];
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t n = 0; n < count; n++) {
            sum[r][n] = _mm512_setzero_ps();
        }
    }
    for (size_t i = 0; i < m->cols; i += 32) {
        __mmask32 some = m->cols - i < 32 ? (__mmask32)((1u << (m->cols - i)) - 1) : ~0u;
        __m512bh in[GLM_COLUMNS];
        UNROLL
        for (size_t n = 0; n < count; n++) {
            in[n] = (__m512bh)_mm512_maskz_loadu_epi16(some, x + n * x_row + i);
        }
        const size_t ahead = ahead_of(i * 2, rows, m->cols * 2);
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            const uint16_t *p = w + r * m->cols + i;
            __m512bh weights = (__m512bh)_mm512_maskz_loadu_epi16(some, p);
            _mm_prefetch((const char *)p + ahead, _MM_HINT_T0);
            UNROLL
            for (size_t n = 0; n < count; n++) {
                sum[r][n] = _mm512_dpbf16_ps(sum[r][n], weights, in[n]);
            }
        }
    }
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        UNROLL
        for (size_t n = 0; n < count; n++) {
            out[r * out_row + n] = _mm512_reduce_add_ps(sum[r][n]);
        }
    }
}

BF16 void glm_pairs_bf16(const struct glm_matrix *m, size_t row, size_t rows, const uint16_t *x,
                         size_t x_row, size_t count, float *out){BY_COUNT(pairs_of, GLM_FORM_BF16)}

BF16 void glm_round_bf16(const float *x, size_t count, uint16_t *out)
{
    for (size_t i = 0; i < count; i += 16) {
        __mmask16 some = count - i < 16 ? FIRST(count - i) : FIRST(16);
        __m256bh halves = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(some, x + i));
        _mm256_mask_storeu_epi16(out + i, some, (__m256i)halves);
    }
}

TARGET static void code512(const float *x, size_t cols, bool four, size_t per, int8_t *code,
                           float *scale, int32_t *fix)
{
    for (size_t col = 0; col < cols; col += per * GLM_GROUP, scale += per, fix += per) {
        const size_t end = cols - col < per * GLM_GROUP ? cols : col + per * GLM_GROUP;
        __m512 size = _mm512_setzero_ps();
        __mmask16 odd = 0;
        for (size_t i = col; i < end; i += 16) {
            __m512 a = _mm512_loadu_ps(x + i);
            odd |= _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
            size = _mm512_max_ps(size, _mm512_abs_ps(a));
        }
        const float most = _mm512_reduce_max_ps(size);
        const bool none = odd != 0 || !(most <= 3e38f);
        const __m512 inverse = _mm512_set1_ps(most > 0 && !none ? 127 / most : 0);
        __m512i sum = _mm512_setzero_si512();
        for (size_t i = col; i < end; i += 16) {
            __m512i c = _mm512_setzero_si512();
            if (!none) {
                c = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + i), inverse));
            }
            sum = _mm512_add_epi32(sum, c);
            _mm_storeu_si128((__m128i *)(void *)(code + i), _mm512_cvtepi32_epi8(c));
        }
        *scale = none ? NAN : most / 127;
        *fix = (four ? -8 : -128) * _mm512_reduce_add_epi32(sum);
    }
}

TARGET static void halve512(const float *x, size_t count, uint16_t *out)
{
    const __m512 most = _mm512_set1_ps(65504.0f), least = _mm512_set1_ps(-65504.0f);
    for (size_t i = 0; i < count; i += 16) {
        __mmask16 some = count - i < 16 ? FIRST(count - i) : FIRST(16);
        __m512 v = _mm512_min_ps(_mm512_max_ps(_mm512_maskz_loadu_ps(some, x + i), least), most);
        _mm256_mask_storeu_epi16(out + i, some, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
    }
}

const struct glm_kernels glm_kernels_avx512 = {
    .rows = rows512,
    .halve = halve512,
    .dots = glm_dots_vnni,
    .wide_dots = glm_wide_dots_vnni,
    .wide_rows = glm_wide_rows_avx512,
    .code = code512,
    .attend = attend,
    .norm = norm,
    .silu_mul = silu_mul,
};
#else
typedef int glm_no_avx512;
#endif
