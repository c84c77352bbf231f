/* Whole-number kernels: a block of 128 columns at a time, one row of weights against 1 .. 4 rows of
 * codes. The sums of a group are exact, so only the order of the float sums is this file's own. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "model/glm/codes.h"

#if defined(__clang__)
#define UNROLL /* does it by itself where the count is known */
#else
#define UNROLL _Pragma("GCC unroll 4")
#endif

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,f16c"), always_inline))
#define AVX2 __attribute__((target("avx2,fma,f16c"), always_inline))

enum { AHEAD = 2048 }; /* bytes of weights that are fetched early */

/* A row of weights and where it ends. */
struct walk {
    const unsigned char *w;
    const uint16_t *scales;
    size_t blocks, rest; /* whole ones; groups after them */
    size_t bytes, per;   /* of a whole block; scales of a block */
};

static struct walk walk_of(const struct glm_matrix *m, size_t row)
{
    const size_t shrink = m->form == GLM_FORM_INT4 ? 2 : 1;
    return (struct walk){(const unsigned char *)m->data + row * m->cols / shrink,
                         m->scales + row * glm_group_count(m),
                         m->cols / GLM_BLOCK,
                         m->cols % GLM_BLOCK / GLM_GROUP,
                         GLM_BLOCK / shrink,
                         GLM_BLOCK / m->group};
}

/* The block that is not whole, filled up: its codes are zeros, so the weights do not matter. */
static void fill_rest(const struct walk *walk, unsigned char *w, uint16_t scales[4])
{
    memset(w, 0, GLM_BLOCK);
    memset(scales, 0, 4 * sizeof *scales);
    memcpy(w, walk->w + walk->blocks * walk->bytes, walk->rest * walk->bytes / 4);
    memcpy(scales, walk->scales + walk->blocks * walk->per,
           (walk->per == 1 ? 1 : walk->rest) * sizeof *scales);
}

/* The four scales of a block. */
__attribute__((target("f16c"), always_inline)) static inline __m128 scales4(const uint16_t *scales,
                                                                            size_t per)
{
    if (per == 1) {
        return _mm_cvtph_ps(_mm_set1_epi16((short)scales[0]));
    }
    return _mm_cvtph_ps(_mm_loadl_epi64((const __m128i *)(const void *)scales));
}

VNNI static inline void block512(bool four, const unsigned char *w, __m128 ws,
                                 const struct glm_codes *x, size_t first, size_t block,
                                 size_t count, __m512 *sum)
{
    const __m512i mask = _mm512_set1_epi8(15);
    const __m512i quarter = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    const __m512i left = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    const __m512i right = _mm512_add_epi32(left, _mm512_set1_epi32(2));
    __m512i a = _mm512_loadu_si512(w), b;
    if (four) {
        b = _mm512_and_si512(_mm512_srli_epi16(a, 4), mask);
        a = _mm512_and_si512(a, mask);
    } else {
        b = _mm512_loadu_si512(w + 64);
    }
    UNROLL
    for (size_t n = 0; n < count; n++) {
        const int8_t *code = x->code + (first + n) * x->width + block * GLM_BLOCK;
        size_t group = (first + n) * (x->width / GLM_GROUP) + block * 4;
        __m512i fix = _mm512_castsi128_si512(
            _mm_loadu_si128((const __m128i *)(const void *)(x->fix + group)));
        __m512 scale = _mm512_castps128_ps512(_mm_mul_ps(ws, _mm_loadu_ps(x->scale + group)));
        __m512i c = _mm512_loadu_si512(code), d = _mm512_loadu_si512(code + 64);
        if (four) {
            __m512i dot = _mm512_permutexvar_epi32(quarter, fix);
            dot = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(dot, a, c), b, d);
            sum[n] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_permutexvar_ps(quarter, scale),
                                     sum[n]);
        } else {
            __m512i one = _mm512_dpbusd_epi32(_mm512_permutexvar_epi32(left, fix), a, c);
            __m512i two = _mm512_dpbusd_epi32(_mm512_permutexvar_epi32(right, fix), b, d);
            sum[n] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(one), _mm512_permutexvar_ps(left, scale),
                                     sum[n]);
            sum[n] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(two), _mm512_permutexvar_ps(right, scale),
                                     sum[n]);
        }
    }
}

VNNI static inline void dots512(const struct glm_matrix *m, bool four, size_t per, size_t row,
                                const struct glm_codes *x, size_t first, size_t count, float *out)
{
    const struct walk walk = walk_of(m, row);
    __m512 sum[4];
    UNROLL
    for (size_t n = 0; n < count; n++) {
        sum[n] = _mm512_setzero_ps();
    }
    for (size_t b = 0; b < walk.blocks; b++) {
        const unsigned char *w = walk.w + b * (four ? 64 : 128);
        _mm_prefetch((const char *)w + AHEAD, _MM_HINT_T0);
        if (!four) {
            _mm_prefetch((const char *)w + AHEAD + 64, _MM_HINT_T0);
        }
        block512(four, w, scales4(walk.scales + b * per, per), x, first, b, count, sum);
    }
    if (walk.rest > 0) {
        unsigned char w[GLM_BLOCK];
        uint16_t scales[4];
        fill_rest(&walk, w, scales);
        block512(four, w, scales4(scales, per), x, first, walk.blocks, count, sum);
    }
    UNROLL
    for (size_t n = 0; n < count; n++) {
        out[n] = _mm512_reduce_add_ps(sum[n]);
    }
}

/* One row and four rows are compiled apart, in the same order of sums. */
#define BY_COUNT(fn, four, per)                                                                    \
    if (count == 1) {                                                                              \
        fn(m, four, per, row, x, first, 1, out);                                                   \
    } else if (count == 4) {                                                                       \
        fn(m, four, per, row, x, first, 4, out);                                                   \
    } else {                                                                                       \
        fn(m, four, per, row, x, first, count, out);                                               \
    }

#define BY_FORM(fn)                                                                                \
    if (m->form == GLM_FORM_INT4 && m->group == GLM_BLOCK) {                                       \
        BY_COUNT(fn, true, 1)                                                                      \
    } else if (m->form == GLM_FORM_INT4) {                                                         \
        BY_COUNT(fn, true, 4)                                                                      \
    } else if (m->group == GLM_BLOCK) {                                                            \
        BY_COUNT(fn, false, 1)                                                                     \
    } else {                                                                                       \
        BY_COUNT(fn, false, 4)                                                                     \
    }

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,f16c"))) void
glm_dots_vnni(const struct glm_matrix *m, size_t row, const struct glm_codes *x, size_t first,
              size_t count, float *out){BY_FORM(dots512)}

/* Half a block: 64 columns, two groups. */
AVX2 static inline void half256(bool four, const unsigned char *w, __m128 ws,
                                const struct glm_codes *x, size_t first, size_t block, size_t half,
                                size_t count, __m256 *sum)
{
    const __m256i mask = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
    __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)w), b;
    if (four) {
        b = _mm256_and_si256(_mm256_srli_epi16(a, 4), mask);
        a = _mm256_and_si256(a, mask);
    } else {
        b = _mm256_loadu_si256((const __m256i *)(const void *)(w + 32));
        a = _mm256_xor_si256(a, _mm256_set1_epi8((char)0x80));
        b = _mm256_xor_si256(b, _mm256_set1_epi8((char)0x80));
    }
    const int low = (int)half * 2;
    const __m256i both = _mm256_setr_epi32(low, low, low, low, low + 1, low + 1, low + 1, low + 1);
    UNROLL
    for (size_t n = 0; n < count; n++) {
        const int8_t *code = x->code + (first + n) * x->width + block * GLM_BLOCK;
        size_t group = (first + n) * (x->width / GLM_GROUP) + block * 4;
        __m256 scale = _mm256_castps128_ps256(_mm_mul_ps(ws, _mm_loadu_ps(x->scale + group)));
        const int8_t *from = four ? code + half * 32 : code + half * 64;
        __m256i c = _mm256_loadu_si256((const __m256i *)(const void *)from);
        __m256i d = _mm256_loadu_si256((const __m256i *)(const void *)(from + (four ? 64 : 32)));
        if (four) {
            /* at most 4 * 15 * 127 in 16 bits */
            __m256i dot = _mm256_madd_epi16(
                _mm256_add_epi16(_mm256_maddubs_epi16(a, c), _mm256_maddubs_epi16(b, d)), ones);
            __m256i fix = _mm256_castsi128_si256(
                _mm_loadu_si128((const __m128i *)(const void *)(x->fix + group)));
            dot = _mm256_add_epi32(dot, _mm256_permutevar8x32_epi32(fix, both));
            sum[n] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), _mm256_permutevar8x32_ps(scale, both),
                                     sum[n]);
        } else {
            /* the sign moves to the codes: at most 2 * 127 * 127 in 16 bits */
            __m256i one = _mm256_madd_epi16(
                _mm256_maddubs_epi16(_mm256_abs_epi8(a), _mm256_sign_epi8(c, a)), ones);
            __m256i two = _mm256_madd_epi16(
                _mm256_maddubs_epi16(_mm256_abs_epi8(b), _mm256_sign_epi8(d, b)), ones);
            sum[n] =
                _mm256_fmadd_ps(_mm256_cvtepi32_ps(one),
                                _mm256_permutevar8x32_ps(scale, _mm256_set1_epi32(low)), sum[n]);
            sum[n] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(two),
                                     _mm256_permutevar8x32_ps(scale, _mm256_set1_epi32(low + 1)),
                                     sum[n]);
        }
    }
}

AVX2 static inline float sum8(__m256 v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

AVX2 static inline void dots256(const struct glm_matrix *m, bool four, size_t per, size_t row,
                                const struct glm_codes *x, size_t first, size_t count, float *out)
{
    const struct walk walk = walk_of(m, row);
    __m256 sum[4];
    UNROLL
    for (size_t n = 0; n < count; n++) {
        sum[n] = _mm256_setzero_ps();
    }
    for (size_t b = 0; b < walk.blocks; b++) {
        const unsigned char *w = walk.w + b * (four ? 64 : 128);
        __m128 ws = scales4(walk.scales + b * per, per);
        _mm_prefetch((const char *)w + AHEAD, _MM_HINT_T0);
        half256(four, w, ws, x, first, b, 0, count, sum);
        half256(four, w + (four ? 32 : 64), ws, x, first, b, 1, count, sum);
    }
    if (walk.rest > 0) {
        unsigned char w[GLM_BLOCK];
        uint16_t scales[4];
        fill_rest(&walk, w, scales);
        __m128 ws = scales4(scales, per);
        half256(four, w, ws, x, first, walk.blocks, 0, count, sum);
        half256(four, w + (four ? 32 : 64), ws, x, first, walk.blocks, 1, count, sum);
    }
    UNROLL
    for (size_t n = 0; n < count; n++) {
        out[n] = sum8(sum[n]);
    }
}

__attribute__((target("avx2,fma,f16c"))) void glm_dots_avx2(const struct glm_matrix *m, size_t row,
                                                            const struct glm_codes *x, size_t first,
                                                            size_t count, float *out)
{
    BY_FORM(dots256)
}
#else
typedef int glm_no_x86_codes;
#endif
