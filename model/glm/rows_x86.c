/* The row kernels with AVX2 and AVX-512: the loops of rows.c with 8 and 16 running sums. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "model/glm/backend.h"

/* Columns past the last full step, in plain C; every form and both widths end here. */
static void tail(const struct glm_matrix *m, size_t row, size_t from, const float *x, size_t x_row,
                 size_t count, float *out)
{
    if (from >= m->cols) {
        return;
    }
    size_t width = m->cols - from, size = m->form == GLM_FORM_F32 ? 4 : 2;
    struct glm_matrix rest = *m;
    rest.rows = 1;
    rest.cols = width;
    rest.data = (const unsigned char *)m->data + (row * m->cols + from) * size;
    float sums[4];
    glm_rows_scalar(&rest, 0, x + from, x_row, count, sums);
    for (size_t n = 0; n < count; n++) {
        out[n] += sums[n];
    }
}

/* The sums of four columns stay in registers only when these loops are unrolled. */
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 4")
#endif

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl"), always_inline)) static inline
#define AVX2 __attribute__((target("avx2,fma,f16c"), always_inline)) static inline

AVX512 __m512 load16(enum glm_form form, const unsigned char *p)
{
    if (form == GLM_FORM_F32) {
        return _mm512_loadu_ps(p);
    }
    __m256i half = _mm256_loadu_si256((const __m256i *)(const void *)p);
    if (form == GLM_FORM_F16) {
        return _mm512_cvtph_ps(half);
    }
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

AVX512 void plain512(const struct glm_matrix *m, enum glm_form form, size_t row, const float *x,
                     size_t x_row, size_t count, float *out)
{
    const size_t size = form == GLM_FORM_F32 ? 4 : 2;
    const unsigned char *w = (const unsigned char *)m->data + row * m->cols * size;
    __m512 a[4], b[4];
    UNROLL
    for (size_t n = 0; n < count; n++) {
        a[n] = b[n] = _mm512_setzero_ps();
    }
    size_t i = 0;
    for (; i + 32 <= m->cols; i += 32) {
        __m512 w0 = load16(form, w + i * size), w1 = load16(form, w + (i + 16) * size);
        _mm_prefetch((const char *)w + i * size + 1024, _MM_HINT_T0);
        UNROLL
        for (size_t n = 0; n < count; n++) {
            a[n] = _mm512_fmadd_ps(w0, _mm512_loadu_ps(x + n * x_row + i), a[n]);
            b[n] = _mm512_fmadd_ps(w1, _mm512_loadu_ps(x + n * x_row + i + 16), b[n]);
        }
    }
    UNROLL
    for (size_t n = 0; n < count; n++) {
        out[n] = _mm512_reduce_add_ps(_mm512_add_ps(a[n], b[n]));
    }
    tail(m, row, i, x, x_row, count, out);
}

/* One row and four rows are compiled apart, in the same order of sums. */
#define BY_COUNT(call1, call4, any)                                                                \
    if (count == 1) {                                                                              \
        call1;                                                                                     \
    } else if (count == 4) {                                                                       \
        call4;                                                                                     \
    } else {                                                                                       \
        any;                                                                                       \
    }                                                                                              \
    return

#define PLAIN(fn, form)                                                                            \
    BY_COUNT(fn(m, form, row, x, x_row, 1, out), fn(m, form, row, x, x_row, 4, out),               \
             fn(m, form, row, x, x_row, count, out))

__attribute__((target("avx512f,avx512bw,avx512vl"))) void
glm_rows_avx512(const struct glm_matrix *m, size_t row, const float *x, size_t x_row, size_t count,
                float *out)
{
    switch (m->form) {
    case GLM_FORM_F32:
        PLAIN(plain512, GLM_FORM_F32);
    case GLM_FORM_F16:
        PLAIN(plain512, GLM_FORM_F16);
    case GLM_FORM_BF16:
        PLAIN(plain512, GLM_FORM_BF16);
    case GLM_FORM_INT8:
    case GLM_FORM_INT4:
        break; /* codes_x86.c */
    }
}

AVX2 __m256 load8(enum glm_form form, const unsigned char *p)
{
    if (form == GLM_FORM_F32) {
        float v[8];
        memcpy(v, p, sizeof v);
        return _mm256_loadu_ps(v);
    }
    __m128i half = _mm_loadu_si128((const __m128i *)(const void *)p);
    if (form == GLM_FORM_F16) {
        return _mm256_cvtph_ps(half);
    }
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}

AVX2 float sum8(__m256 v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

AVX2 void plain256(const struct glm_matrix *m, enum glm_form form, size_t row, const float *x,
                   size_t x_row, size_t count, float *out)
{
    const size_t size = form == GLM_FORM_F32 ? 4 : 2;
    const unsigned char *w = (const unsigned char *)m->data + row * m->cols * size;
    __m256 a[4], b[4];
    UNROLL
    for (size_t n = 0; n < count; n++) {
        a[n] = b[n] = _mm256_setzero_ps();
    }
    size_t i = 0;
    for (; i + 16 <= m->cols; i += 16) {
        __m256 w0 = load8(form, w + i * size), w1 = load8(form, w + (i + 8) * size);
        UNROLL
        for (size_t n = 0; n < count; n++) {
            a[n] = _mm256_fmadd_ps(w0, _mm256_loadu_ps(x + n * x_row + i), a[n]);
            b[n] = _mm256_fmadd_ps(w1, _mm256_loadu_ps(x + n * x_row + i + 8), b[n]);
        }
    }
    UNROLL
    for (size_t n = 0; n < count; n++) {
        out[n] = sum8(_mm256_add_ps(a[n], b[n]));
    }
    tail(m, row, i, x, x_row, count, out);
}

__attribute__((target("avx2,fma,f16c"))) void glm_rows_avx2(const struct glm_matrix *m, size_t row,
                                                            const float *x, size_t x_row,
                                                            size_t count, float *out)
{
    switch (m->form) {
    case GLM_FORM_F32:
        PLAIN(plain256, GLM_FORM_F32);
    case GLM_FORM_F16:
        PLAIN(plain256, GLM_FORM_F16);
    case GLM_FORM_BF16:
        PLAIN(plain256, GLM_FORM_BF16);
    case GLM_FORM_INT8:
    case GLM_FORM_INT4:
        break; /* codes_x86.c */
    }
}
#else
typedef int glm_no_x86;
#endif
