/* Whole-number kernels: a tile of 16 rows of weights against 1 .. 8 rows of codes, group by group.
 * Four codes are spread over a register, where they meet four columns of every row. */
#if defined(__x86_64__)
#include "model/glm/codes.h"
#include "model/glm/x86.h"

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,f16c"), always_inline))
#define AVX2 __attribute__((target("avx2,fma,f16c"), always_inline))

enum { AHEAD = 6144 }; /* bytes of weights that are fetched early */

/* A tile and what it meets. */
struct walk {
    const unsigned char *w;
    const uint16_t *scales;
    const int8_t *code;
    const float *scale;
    const int32_t *fix;
    size_t groups, per, width; /* per: groups of inputs for one scale of the weights */
    size_t halves;             /* of a group */
};

static struct walk walk_of(const struct glm_matrix *m, size_t tile, const struct glm_codes *x,
                           size_t first)
{
    const size_t groups = m->cols / GLM_GROUP;
    return (struct walk){(const unsigned char *)m->data + tile * glm_tile_bytes(m),
                         m->scales + tile * glm_group_count(m) * glm_tile_halves(m),
                         x->code + first * x->width,
                         x->scale + first * groups,
                         x->fix + first * groups,
                         groups,
                         m->group / GLM_GROUP,
                         x->width,
                         glm_tile_halves(m)};
}

VNNI static inline void tile512(const struct glm_matrix *m, bool four, bool least, size_t tile,
                                const struct glm_codes *x, size_t first, size_t count, float *out)
{
    const struct walk k = walk_of(m, tile, x, first);
    const __m512i mask = _mm512_set1_epi8(15);
    const size_t pieces = four ? 4 : 8, step = pieces * 64;
    const unsigned char *w = k.w;
    const uint16_t *halves = k.scales;
    __m512 sum[GLM_DOTS], scale = _mm512_setzero_ps(), low = scale;
    __m512i dot[GLM_DOTS];
    UNROLL
    for (size_t n = 0; n < count; n++) {
        sum[n] = _mm512_setzero_ps();
        dot[n] = _mm512_setzero_si512();
    }
    for (size_t g = 0, in = 0; g < k.groups; g++, w += step) {
        __m512i part[8];
        const bool first_in = in == 0, last_in = ++in == k.per || g + 1 == k.groups;
        if (first_in) {
            scale = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)halves));
            if (least) {
                low = _mm512_cvtph_ps(
                    _mm256_loadu_si256((const __m256i *)(const void *)(halves + GLM_TILE)));
            }
            halves += k.halves;
        }
        UNROLL
        for (size_t i = 0; i < pieces; i++) {
            __m512i a = _mm512_loadu_si512(w + i * 64);
            _mm_prefetch((const char *)w + AHEAD + i * 64, _MM_HINT_T0);
            part[i] = four ? _mm512_and_si512(a, mask) : a;
            if (four) {
                part[i + 4] = _mm512_and_si512(_mm512_srli_epi16(a, 4), mask);
            }
        }
        UNROLL
        for (size_t n = 0; n < count; n++) {
            const int8_t *code = k.code + n * k.width + g * GLM_GROUP;
            UNROLL
            for (size_t i = 0; i < 8; i++) {
                dot[n] = _mm512_dpbusd_epi32(dot[n], part[i],
                                             _mm512_set1_epi32(four_codes(code + i * 4)));
            }
        }
        UNROLL
        for (size_t n = 0; last_in && n < count; n++) {
            const size_t at = n * k.groups + g + 1 - in;
            dot[n] = _mm512_add_epi32(dot[n], _mm512_set1_epi32(least ? 0 : k.fix[at]));
            sum[n] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[n]),
                                     _mm512_mul_ps(scale, _mm512_set1_ps(k.scale[at])), sum[n]);
            if (least) {
                sum[n] =
                    _mm512_fmadd_ps(low, _mm512_set1_ps((float)k.fix[at] * k.scale[at]), sum[n]);
            }
            dot[n] = _mm512_setzero_si512();
        }
        in = last_in ? 0 : in;
    }
    UNROLL
    for (size_t n = 0; n < count; n++) {
        _mm512_storeu_ps(out + n * GLM_TILE, sum[n]);
    }
}

/* Each number of rows is compiled for itself, in the same order of sums. */
#define BY_COUNT(fn, four, least)                                                                  \
    for (size_t n = 0; n < count;) {                                                               \
        size_t left = count - n;                                                                   \
        if (left >= GLM_DOTS) {                                                                    \
            fn(m, four, least, tile, x, first + n, GLM_DOTS, out + n * GLM_TILE);                  \
            n += GLM_DOTS;                                                                         \
        } else if (left >= 4) {                                                                    \
            fn(m, four, least, tile, x, first + n, 4, out + n * GLM_TILE);                         \
            n += 4;                                                                                \
        } else if (left >= 2) {                                                                    \
            fn(m, four, least, tile, x, first + n, 2, out + n * GLM_TILE);                         \
            n += 2;                                                                                \
        } else {                                                                                   \
            fn(m, four, least, tile, x, first + n, 1, out + n * GLM_TILE);                         \
            n++;                                                                                   \
        }                                                                                          \
    }

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,f16c"))) void
glm_dots_vnni(const struct glm_matrix *m, size_t tile, const struct glm_codes *x, size_t first,
              size_t count, float *out)
{
    if (m->form == GLM_FORM_INT4) {
        BY_COUNT(tile512, true, false)
    } else if (m->form == GLM_FORM_LEAST) {
        BY_COUNT(tile512, true, true)
    } else {
        BY_COUNT(tile512, false, false)
    }
}

AVX2 static inline __m256i codes256(const int8_t *code)
{
    return _mm256_set1_epi32(four_codes(code));
}

/* The sums of a group for 8 rows. */
AVX2 static inline __m256i dot256(bool four, const unsigned char *w, const int8_t *code)
{
    const __m256i mask = _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
    const size_t pieces = four ? 4 : 8;
    __m256i sum = _mm256_setzero_si256();
    UNROLL
    for (size_t i = 0; i < pieces; i++) {
        __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)(w + i * 64));
        if (four) { /* at most 16 * 15 * 127 in 16 bits */
            __m256i b = _mm256_and_si256(_mm256_srli_epi16(a, 4), mask);
            a = _mm256_and_si256(a, mask);
            sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(a, codes256(code + i * 4)));
            sum = _mm256_add_epi16(sum, _mm256_maddubs_epi16(b, codes256(code + 16 + i * 4)));
        } else { /* the sign moves to the codes: at most 2 * 128 * 127 in 16 bits */
            a = _mm256_xor_si256(a, _mm256_set1_epi8((char)0x80));
            __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(a),
                                                 _mm256_sign_epi8(codes256(code + i * 4), a));
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
        }
    }
    return four ? _mm256_madd_epi16(sum, ones) : sum;
}

AVX2 static inline void tile256(const struct glm_matrix *m, bool four, bool least, size_t tile,
                                const struct glm_codes *x, size_t first, size_t count, float *out)
{
    const struct walk k = walk_of(m, tile, x, first);
    const size_t step = four ? 256 : 512;
    __m256 sum[GLM_DOTS][2];
    __m256i dot[GLM_DOTS][2];
    UNROLL
    for (size_t n = 0; n < count; n++) {
        sum[n][0] = sum[n][1] = _mm256_setzero_ps();
        dot[n][0] = dot[n][1] = _mm256_setzero_si256();
    }
    for (size_t g = 0, in = 0; g < k.groups; g++) {
        const bool last_in = ++in == k.per || g + 1 == k.groups;
        const unsigned char *w = k.w + g * step;
        const uint16_t *halves = k.scales + g / k.per * k.halves;
        for (size_t i = 0; i < step; i += 64) {
            _mm_prefetch((const char *)w + AHEAD + i, _MM_HINT_T0);
        }
        __m256 scale[2], low[2];
        UNROLL
        for (size_t i = 0; i < 2; i++) {
            scale[i] =
                _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(halves + i * 8)));
            if (least) {
                low[i] = _mm256_cvtph_ps(
                    _mm_loadu_si128((const __m128i *)(const void *)(halves + GLM_TILE + i * 8)));
            }
        }
        UNROLL
        for (size_t n = 0; n < count; n++) {
            const int8_t *code = k.code + n * k.width + g * GLM_GROUP;
            UNROLL
            for (size_t i = 0; i < 2; i++) {
                dot[n][i] = _mm256_add_epi32(dot[n][i], dot256(four, w + i * 32, code));
            }
        }
        UNROLL
        for (size_t n = 0; last_in && n < count; n++) {
            const size_t at = n * k.groups + g + 1 - in;
            const int32_t fix = four && !least ? k.fix[at] : 0;
            UNROLL
            for (size_t i = 0; i < 2; i++) {
                __m256i whole = _mm256_add_epi32(dot[n][i], _mm256_set1_epi32(fix));
                dot[n][i] = _mm256_setzero_si256();
                sum[n][i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(whole),
                                            _mm256_mul_ps(scale[i], _mm256_set1_ps(k.scale[at])),
                                            sum[n][i]);
                if (least) {
                    sum[n][i] = _mm256_fmadd_ps(
                        low[i], _mm256_set1_ps((float)k.fix[at] * k.scale[at]), sum[n][i]);
                }
            }
        }
        in = last_in ? 0 : in;
    }
    UNROLL
    for (size_t n = 0; n < count; n++) {
        _mm256_storeu_ps(out + n * GLM_TILE, sum[n][0]);
        _mm256_storeu_ps(out + n * GLM_TILE + 8, sum[n][1]);
    }
}

__attribute__((target("avx2,fma,f16c"))) void glm_dots_avx2(const struct glm_matrix *m, size_t tile,
                                                            const struct glm_codes *x, size_t first,
                                                            size_t count, float *out)
{
    if (m->form == GLM_FORM_INT4) {
        BY_COUNT(tile256, true, false)
    } else if (m->form == GLM_FORM_LEAST) {
        BY_COUNT(tile256, true, true)
    } else {
        BY_COUNT(tile256, false, false)
    }
}
#else
typedef int glm_no_x86_codes;
#endif
