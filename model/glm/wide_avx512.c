/* Products with many rows of inputs, AVX-512. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "model/glm/wide.h"

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,f16c")))
#define FLOATS __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,f16c,fma")))
#define BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define INLINE __attribute__((always_inline)) static inline

enum {
    SIX = 6,  /* rows of inputs whose sums fit into the registers */
    FOUR = 4, /* rows of a matrix in floats that meet them */
    GROUPS = GLM_WIDE_CODES / GLM_GROUP,
};

/* Two tiles of one block of columns, unpacked: bytes, and the scales as floats. */
struct piece {
    _Alignas(64) unsigned char w[GROUPS][8][2][64];
    _Alignas(64) float scale[GROUPS][2][GLM_TILE], low[GROUPS][2][GLM_TILE];
    size_t groups;
};

VNNI INLINE __m512 halves16(const uint16_t *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
}

/* Fills one side of a piece and fetches what this tile needs in the next block. */
VNNI static void unpack(const struct glm_matrix *m, size_t tile, size_t block, size_t side,
                        struct piece *p)
{
    const bool four = glm_four_bits(m), least = m->form == GLM_FORM_LEAST;
    const size_t step = four ? 256 : 512, first = block * GROUPS, halves = glm_tile_halves(m);
    const size_t per = m->group / GLM_GROUP;
    const unsigned char *w =
        (const unsigned char *)m->data + tile * glm_tile_bytes(m) + first * step;
    const uint16_t *scales = m->scales + tile * glm_group_count(m) * halves;
    const __m512i mask = _mm512_set1_epi8(15);
    for (size_t g = 0; g < p->groups; g++, w += step) {
        const uint16_t *half = scales + (first + g) / per * halves;
        _mm512_store_ps(p->scale[g][side], halves16(half));
        if (least) {
            _mm512_store_ps(p->low[g][side], halves16(half + GLM_TILE));
        }
        for (size_t i = 0; i < step; i += 64) {
            __m512i a = _mm512_loadu_si512(w + i);
            _mm_prefetch((const char *)w + GROUPS * step + i, _MM_HINT_T1);
            if (four) {
                _mm512_store_si512(p->w[g][i / 64][side], _mm512_and_si512(a, mask));
                a = _mm512_and_si512(_mm512_srli_epi16(a, 4), mask);
                _mm512_store_si512(p->w[g][4 + i / 64][side], a);
            } else {
                _mm512_store_si512(p->w[g][i / 64][side], a);
            }
        }
    }
}

INLINE int32_t four_codes(const int8_t *code)
{
    int32_t value;
    memcpy(&value, code, sizeof value);
    return value;
}

/* Rows n .. n + count of inputs against sides tiles: goes on with the sums in out. */
VNNI INLINE void dots_of(const struct piece *p, bool least, size_t sides, size_t count,
                         const struct glm_wide *x, size_t block, size_t n, float *out,
                         size_t out_row)
{
    const size_t at = block * x->count + n;
    const int8_t *code = x->code + at * GLM_WIDE_CODE_ROW;
    const float *scale = x->scale + at * GROUPS, *low = x->low + at * GROUPS;
    const int32_t *fix = x->fix + at * GROUPS;
    __m512 sum[SIX][2];
    UNROLL
    for (size_t i = 0; i < count; i++) {
        UNROLL
        for (size_t s = 0; s < sides; s++) {
            sum[i][s] =
                block > 0 ? _mm512_loadu_ps(out + i * out_row + s * GLM_TILE) : _mm512_setzero_ps();
        }
    }
    for (size_t g = 0; g < p->groups; g++) {
        __m512i dot[SIX][2];
        for (size_t i = 0; i < count; i += 2) { /* what comes next: two groups are a line */
            _mm_prefetch((const char *)code + (count + i + g % 2) * GLM_WIDE_CODE_ROW + g / 2 * 64,
                         _MM_HINT_T0);
        }
        UNROLL
        for (size_t i = 0; i < count; i++) {
            dot[i][0] = dot[i][1] = _mm512_set1_epi32(least ? 0 : fix[i * GROUPS + g]);
        }
        UNROLL
        for (size_t k = 0; k < 8; k++) {
            UNROLL
            for (size_t i = 0; i < count; i++) {
                __m512i c = _mm512_set1_epi32(
                    four_codes(code + i * GLM_WIDE_CODE_ROW + g * GLM_GROUP + 4 * k));
                UNROLL
                for (size_t s = 0; s < sides; s++) {
                    dot[i][s] = _mm512_dpbusd_epi32(dot[i][s], _mm512_load_si512(p->w[g][k][s]), c);
                }
            }
        }
        UNROLL
        for (size_t i = 0; i < count; i++) {
            UNROLL
            for (size_t s = 0; s < sides; s++) {
                __m512 both = _mm512_mul_ps(_mm512_load_ps(p->scale[g][s]),
                                            _mm512_set1_ps(scale[i * GROUPS + g]));
                sum[i][s] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[i][s]), both, sum[i][s]);
                if (least) {
                    sum[i][s] = _mm512_fmadd_ps(_mm512_load_ps(p->low[g][s]),
                                                _mm512_set1_ps(low[i * GROUPS + g]), sum[i][s]);
                }
            }
        }
    }
    UNROLL
    for (size_t i = 0; i < count; i++) {
        UNROLL
        for (size_t s = 0; s < sides; s++) {
            _mm512_storeu_ps(out + i * out_row + s * GLM_TILE, sum[i][s]);
        }
    }
}

/* Each number of rows is compiled for itself. */
VNNI INLINE void dots_piece(const struct piece *p, bool least, size_t sides,
                            const struct glm_wide *x, size_t block, float *out, size_t out_row)
{
    size_t n = 0;
    for (; n + SIX <= x->count; n += SIX) {
        dots_of(p, least, sides, SIX, x, block, n, out + n * out_row, out_row);
    }
    for (; n + 2 <= x->count; n += 2) {
        dots_of(p, least, sides, 2, x, block, n, out + n * out_row, out_row);
    }
    if (n < x->count) {
        dots_of(p, least, sides, 1, x, block, n, out + n * out_row, out_row);
    }
}

VNNI void glm_wide_dots_vnni(const struct glm_matrix *m, size_t tile, size_t tiles,
                             const struct glm_wide *x, float *out)
{
    const size_t groups = m->cols / GLM_GROUP, row = tiles * GLM_TILE;
    const bool least = m->form == GLM_FORM_LEAST;
    struct piece p;
    for (size_t block = 0; block * GROUPS < groups; block++) {
        const size_t left = groups - block * GROUPS;
        p.groups = left < GROUPS ? left : GROUPS;
        for (size_t t = 0; t < tiles; t += 2) {
            const size_t sides = tiles - t < 2 ? 1 : 2;
            for (size_t s = 0; s < sides; s++) {
                unpack(m, tile + t + s, block, s, &p);
            }
            float *to = out + t * GLM_TILE;
            if (sides == 1) {
                dots_piece(&p, least, 1, x, block, to, row);
            } else if (least) {
                dots_piece(&p, true, 2, x, block, to, row);
            } else {
                dots_piece(&p, false, 2, x, block, to, row);
            }
        }
    }
}

/* Rows of a matrix, one block of columns: floats, or bf16 as it is. */
struct lines {
    _Alignas(64) unsigned char w[GLM_WIDE_LINES][GLM_WIDE_ROW];
};

/* Sums of 16 lanes of each row of inputs and of the matrix, between the blocks. */
typedef float lanes_of_row[GLM_WIDE_LINES][16];

FLOATS INLINE __m512 weights16(enum glm_form form, const unsigned char *p, __mmask16 some)
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

FLOATS INLINE void to_floats(enum glm_form form, const unsigned char *from, size_t size,
                             size_t cols, float *to)
{
    for (size_t i = 0; i < cols; i += 16) {
        __mmask16 some = cols - i < 16 ? (__mmask16)((1u << (cols - i)) - 1) : 0xFFFF;
        _mm_prefetch((const char *)from + GLM_WIDE_BYTES / 4 * size + i * size, _MM_HINT_T1);
        _mm512_store_ps(to + i, weights16(form, from + i * size, some));
    }
}

/* The steps of 64 bytes of a block: count rows of inputs against FOUR rows of the matrix. ahead:
 * the inputs that come next are fetched, bytes further on; 0: nothing is. */
#define BLOCK_OF(NAME, ATTRIBUTES, TYPE, MULTIPLY)                                                 \
    ATTRIBUTES INLINE void NAME(const struct lines *l, size_t first, size_t steps, size_t count,   \
                                const unsigned char *x, size_t ahead, bool fresh,                  \
                                lanes_of_row *lanes)                                               \
    {                                                                                              \
        __m512 sum[FOUR][SIX];                                                                     \
        UNROLL                                                                                     \
        for (size_t r = 0; r < FOUR; r++) {                                                        \
            UNROLL                                                                                 \
            for (size_t n = 0; n < count; n++) {                                                   \
                sum[r][n] = fresh ? _mm512_setzero_ps() : _mm512_load_ps(lanes[n][first + r]);     \
            }                                                                                      \
        }                                                                                          \
        for (size_t i = 0; i < steps * 64; i += 64) {                                              \
            TYPE in[SIX];                                                                          \
            UNROLL                                                                                 \
            for (size_t n = 0; n < count; n++) {                                                   \
                const unsigned char *p = x + n * GLM_WIDE_ROW + i;                                 \
                in[n] = (TYPE)_mm512_load_si512(p);                                                \
                if (ahead > 0) {                                                                   \
                    _mm_prefetch((const char *)p + ahead, _MM_HINT_T0);                            \
                }                                                                                  \
            }                                                                                      \
            UNROLL                                                                                 \
            for (size_t r = 0; r < FOUR; r++) {                                                    \
                TYPE w = (TYPE)_mm512_load_si512(l->w[first + r] + i);                             \
                UNROLL                                                                             \
                for (size_t n = 0; n < count; n++) {                                               \
                    sum[r][n] = MULTIPLY;                                                          \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        UNROLL                                                                                     \
        for (size_t r = 0; r < FOUR; r++) {                                                        \
            UNROLL                                                                                 \
            for (size_t n = 0; n < count; n++) {                                                   \
                _mm512_store_ps(lanes[n][first + r], sum[r][n]);                                   \
            }                                                                                      \
        }                                                                                          \
    }
BLOCK_OF(floats_of, FLOATS, __m512, _mm512_fmadd_ps(w, in[n], sum[r][n]))
BLOCK_OF(pairs_of, BF16, __m512bh, _mm512_dpbf16_ps(sum[r][n], w, in[n]))

/* Each number of rows is compiled for itself. Six rows of inputs stay near for all rows of l. */
#define LINES_OF(fn)                                                                               \
    const unsigned char *in = (const unsigned char *)x->plain + block * x->count * GLM_WIDE_ROW;   \
    size_t n = 0;                                                                                  \
    for (; n + SIX <= x->count; n += SIX, in += SIX * GLM_WIDE_ROW) {                              \
        fn(&l, 0, steps, SIX, in, 0, block == 0, lanes + n);                                       \
        fn(&l, FOUR, steps, SIX, in, SIX *GLM_WIDE_ROW, block == 0, lanes + n);                    \
    }                                                                                              \
    for (; n + 2 <= x->count; n += 2, in += 2 * GLM_WIDE_ROW) {                                    \
        fn(&l, 0, steps, 2, in, 0, block == 0, lanes + n);                                         \
        fn(&l, FOUR, steps, 2, in, 0, block == 0, lanes + n);                                      \
    }                                                                                              \
    if (n < x->count) {                                                                            \
        fn(&l, 0, steps, 1, in, 0, block == 0, lanes + n);                                         \
        fn(&l, FOUR, steps, 1, in, 0, block == 0, lanes + n);                                      \
    }

/* The sums of 16 lanes of 16 registers, each in the order of _mm512_reduce_add_ps: halves first. */
FLOATS INLINE __m512 sums_of_16(const float *from)
{
    __m512 half[8], quarter[4], eighth[2];
    UNROLL
    for (size_t i = 0; i < 8; i++) { /* [i: 8 sums][i + 8: 8 sums] */
        __m512 a = _mm512_load_ps(from + i * 16), b = _mm512_load_ps(from + (i + 8) * 16);
        half[i] = _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xEE));
    }
    UNROLL
    for (size_t i = 0; i < 4; i++) { /* four sums of i, i + 8, i + 4, i + 12 */
        __m512 a = _mm512_shuffle_f32x4(half[i], half[i + 4], 0x88);
        __m512 b = _mm512_shuffle_f32x4(half[i], half[i + 4], 0xDD);
        quarter[i] = _mm512_add_ps(a, b);
    }
    UNROLL
    for (size_t i = 0; i < 2; i++) { /* two sums of i and two of i + 2 in each quarter */
        eighth[i] = _mm512_add_ps(_mm512_shuffle_ps(quarter[i], quarter[i + 2], 0x44),
                                  _mm512_shuffle_ps(quarter[i], quarter[i + 2], 0xEE));
    }
    __m512 sums = _mm512_add_ps(_mm512_shuffle_ps(eighth[0], eighth[1], 0x88),
                                _mm512_shuffle_ps(eighth[0], eighth[1], 0xDD));
    /* quarters hold 0 8 4 12, in each 0 2 1 3 is added */
    const __m512i order = _mm512_setr_epi32(0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15);
    return _mm512_permutexvar_ps(order, sums);
}

FLOATS static void sums_of(size_t count, lanes_of_row *lanes, float *out, size_t out_row)
{
    if (count % 2 != 0) {
        memset(lanes[count], 0, sizeof lanes[count]);
    }
    for (size_t n = 0; n < count; n += 2, out += 2 * out_row) {
        __m512 two = sums_of_16(lanes[n][0]);
        _mm256_storeu_ps(out, _mm512_castps512_ps256(two));
        if (n + 1 < count) {
            _mm256_storeu_ps(out + out_row, _mm512_extractf32x8_ps(two, 1));
        }
    }
}

FLOATS static void lines_of_floats(const struct glm_matrix *m, size_t row, size_t rows,
                                   size_t block, struct lines *l)
{
    const size_t wide = GLM_WIDE_BYTES / sizeof(float), from = block * wide;
    const size_t cols = m->cols - from < wide ? m->cols - from : wide;
    const size_t size = m->form == GLM_FORM_F32 ? 4 : 2;
    for (size_t r = 0; r < rows; r++) {
        const unsigned char *w =
            (const unsigned char *)m->data + ((row + r) * m->cols + from) * size;
        float *to = (float *)(void *)l->w[r];
        if (m->form == GLM_FORM_F32) {
            to_floats(GLM_FORM_F32, w, size, cols, to);
        } else if (m->form == GLM_FORM_F16) {
            to_floats(GLM_FORM_F16, w, size, cols, to);
        } else {
            to_floats(GLM_FORM_BF16, w, size, cols, to);
        }
    }
}

FLOATS void glm_wide_rows_avx512(const struct glm_matrix *m, size_t row, size_t rows,
                                 const struct glm_wide *x, float *out, size_t out_row)
{
    _Alignas(64) lanes_of_row lanes[GLM_WIDE_ROWS + 1];
    struct lines l;
    const size_t wide = GLM_WIDE_BYTES / sizeof(float);
    memset(&l, 0, sizeof l); /* rows that are not there */
    for (size_t block = 0; block < glm_wide_blocks(m->cols, wide); block++) {
        const size_t left = m->cols - block * wide;
        const size_t steps = ((left < wide ? left : wide) + 15) / 16;
        lines_of_floats(m, row, rows, block, &l);
        LINES_OF(floats_of)
    }
    sums_of(x->count, lanes, out, out_row);
}

BF16 void glm_wide_pairs_bf16(const struct glm_matrix *m, size_t row, size_t rows,
                              const struct glm_wide *x, float *out, size_t out_row)
{
    _Alignas(64) lanes_of_row lanes[GLM_WIDE_ROWS + 1];
    struct lines l;
    const size_t wide = GLM_WIDE_BYTES / sizeof(uint16_t);
    memset(&l, 0, sizeof l); /* rows that are not there */
    for (size_t block = 0; block < glm_wide_blocks(m->cols, wide); block++) {
        const size_t left = m->cols - block * wide, cols = left < wide ? left : wide;
        const size_t steps = (cols + 31) / 32;
        for (size_t r = 0; r < rows; r++) {
            const uint16_t *w = (const uint16_t *)m->data + (row + r) * m->cols + block * wide;
            for (size_t i = 0; i < steps * 32; i += 32) {
                __mmask32 some = cols - i < 32 ? (__mmask32)((1u << (cols - i)) - 1) : ~0u;
                /* the next block, or the first one of the rows that come next */
                const char *next =
                    (const char *)(w + i + (left > wide ? wide : rows * m->cols - block * wide));
                _mm_prefetch(next, _MM_HINT_T1);
                _mm512_store_si512(l.w[r] + i * 2, _mm512_maskz_loadu_epi16(some, w + i));
            }
        }
        LINES_OF(pairs_of)
    }
    sums_of(x->count, lanes, out, out_row);
}
#else
typedef int glm_no_wide;
#endif
