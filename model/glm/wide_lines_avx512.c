/* Products of matrices in floats and bf16 with many rows of inputs, AVX-512. */
#if defined(__x86_64__)
#include "model/glm/wide.h"
#include "model/glm/x86.h"

#define FLOATS FLOATS512
#define BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define INLINE __attribute__((always_inline)) static inline

enum {
    SIX = 6,  /* rows of inputs whose sums fit into the registers */
    FOUR = 4, /* rows of the matrix that meet them */
    GROUPS = GLM_WIDE_STRIP / GLM_WIDE_LINES,
};

/* Rows of a matrix, one block of columns: floats, or bf16 as it is. */
struct lines {
    _Alignas(64) unsigned char w[GLM_WIDE_LINES][GLM_WIDE_ROW];
};

/* Sums of 16 lanes of each row of inputs and of the matrix, between the blocks. */
typedef float lanes_of_row[GLM_WIDE_LINES][16];

FLOATS INLINE void to_floats(enum glm_form form, const unsigned char *from, size_t size,
                             size_t cols, float *to)
{
    for (size_t i = 0; i < cols; i += 16) {
        __mmask16 some = cols - i < 16 ? (__mmask16)((1u << (cols - i)) - 1) : 0xFFFF;
        _mm512_store_ps(to + i, weights16(form, from + i * size, some));
    }
}

/* The steps of 64 bytes of a block: count rows of inputs against FOUR rows of the matrix. ahead:
 * the inputs that come next are fetched, bytes further on; 0: nothing is. */
#define BLOCK_OF(NAME, ATTRIBUTES, TYPE, MULTIPLY)                                                 \
    ATTRIBUTES INLINE void NAME(const struct lines *l, size_t first, size_t steps, size_t count,   \
                                const unsigned char *x, size_t ahead, bool fresh,                  \
                                const char *next, lanes_of_row *lanes)                             \
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
            if (next != NULL) {                                                                    \
                _mm_prefetch(next + i, _MM_HINT_T1);                                               \
            }                                                                                      \
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

/* Weights that come next: fetched into the second cache row by row, while others are used. */
struct ahead {
    const char *from;
    size_t row, rows; /* bytes from row to row; how many */
};

INLINE const char *ahead_at(const struct ahead *a, size_t row)
{
    return row < a->rows ? a->from + row * a->row : NULL;
}

/* Each number of rows is compiled for itself. Six rows of inputs stay near for all rows of l. */
#define LINES_OF(fn, ATTRIBUTES)                                                                   \
    ATTRIBUTES static void lines_by_##fn(const struct lines *l, size_t steps,                      \
                                         const struct glm_wide *x, size_t block,                   \
                                         const struct ahead *ahead, lanes_of_row *lanes)           \
    {                                                                                              \
        const unsigned char *in =                                                                  \
            (const unsigned char *)x->plain + block * x->count * GLM_WIDE_ROW;                     \
        const size_t calls = (x->count + SIX - 1) / SIX;                                           \
        size_t n = 0, call = 0;                                                                    \
        for (; n + SIX <= x->count; n += SIX, call++, in += SIX * GLM_WIDE_ROW) {                  \
            fn(l, 0, steps, SIX, in, 0, block == 0, ahead_at(ahead, call), lanes + n);             \
            fn(l, FOUR, steps, SIX, in, SIX *GLM_WIDE_ROW, block == 0,                             \
               calls < GLM_WIDE_LINES ? ahead_at(ahead, calls + call) : NULL, lanes + n);          \
        }                                                                                          \
        if (n + FOUR <= x->count) {                                                                \
            fn(l, 0, steps, FOUR, in, 0, block == 0, ahead_at(ahead, call), lanes + n);            \
            fn(l, FOUR, steps, FOUR, in, 0, block == 0, NULL, lanes + n);                          \
            n += FOUR;                                                                             \
            in += FOUR * GLM_WIDE_ROW;                                                             \
        }                                                                                          \
        for (; n < x->count; n++, in += GLM_WIDE_ROW) {                                            \
            fn(l, 0, steps, 1, in, 0, block == 0, NULL, lanes + n);                                \
            fn(l, FOUR, steps, 1, in, 0, block == 0, NULL, lanes + n);                             \
        }                                                                                          \
    }
LINES_OF(floats_of, FLOATS)
LINES_OF(pairs_of, BF16)
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

FLOATS static void unpack_floats(const struct glm_matrix *m, size_t row, size_t rows, size_t block,
                                 struct lines *l)
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

BF16 static void unpack_pairs(const struct glm_matrix *m, size_t row, size_t rows, size_t block,
                              struct lines *l)
{
    const size_t wide = GLM_WIDE_BYTES / sizeof(uint16_t), from = block * wide;
    const size_t cols = m->cols - from < wide ? m->cols - from : wide;
    for (size_t r = 0; r < rows; r++) {
        const uint16_t *w = (const uint16_t *)m->data + (row + r) * m->cols + from;
        for (size_t i = 0; i < cols; i += 32) {
            __mmask32 some = cols - i < 32 ? (__mmask32)((1u << (cols - i)) - 1) : ~0u;
            _mm512_store_si512(l->w[r] + i * 2, _mm512_maskz_loadu_epi16(some, w + i));
        }
    }
}

/* What is used after the lines at of a strip: more lines of these columns, the strip's next
 * columns, the next strip. */
static struct ahead ahead_of(const struct glm_matrix *m, size_t row, size_t rows, size_t at,
                             size_t block, size_t wide)
{
    const size_t size = m->form == GLM_FORM_F32 ? 4 : 2, blocks = glm_wide_blocks(m->cols, wide);
    if (at + GLM_WIDE_LINES < rows) {
        at += GLM_WIDE_LINES;
    } else if (block + 1 < blocks) {
        at = 0;
        block++;
    } else {
        at = rows;
        block = 0;
    }
    const size_t first = row + at, left = m->rows > first ? m->rows - first : 0;
    return (struct ahead){.from = (const char *)m->data + (first * m->cols + block * wide) * size,
                          .row = m->cols * size,
                          .rows = left < GLM_WIDE_LINES ? left : GLM_WIDE_LINES};
}

/* A block of inputs stays in the second cache while all rows of the strip meet it. */
#define STRIP_OF(NAME, TYPE, ATTRIBUTES, unpack, multiply)                                         \
    ATTRIBUTES void NAME(const struct glm_matrix *m, size_t row, size_t rows,                      \
                         const struct glm_wide *x, float *out, size_t out_row)                     \
    {                                                                                              \
        _Alignas(64) lanes_of_row lanes[GROUPS][GLM_WIDE_LEAN + 1];                                \
        struct lines l;                                                                            \
        const size_t wide = GLM_WIDE_BYTES / sizeof(TYPE), step = 64 / sizeof(TYPE);               \
        memset(&l, 0, sizeof l); /* rows that are not there */                                     \
        for (size_t block = 0; block < glm_wide_blocks(m->cols, wide); block++) {                  \
            const size_t left = m->cols - block * wide;                                            \
            const size_t steps = ((left < wide ? left : wide) + step - 1) / step;                  \
            for (size_t at = 0; at < rows; at += GLM_WIDE_LINES) {                                 \
                const size_t some = rows - at < GLM_WIDE_LINES ? rows - at : GLM_WIDE_LINES;       \
                struct ahead ahead = ahead_of(m, row, rows, at, block, wide);                      \
                unpack(m, row + at, some, block, &l);                                              \
                multiply(&l, steps, x, block, &ahead, lanes[at / GLM_WIDE_LINES]);                 \
            }                                                                                      \
        }                                                                                          \
        for (size_t at = 0; at < rows; at += GLM_WIDE_LINES) {                                     \
            sums_of(x->count, lanes[at / GLM_WIDE_LINES], out + at, out_row);                      \
        }                                                                                          \
    }
STRIP_OF(glm_wide_rows_avx512, float, FLOATS, unpack_floats, lines_by_floats_of)
STRIP_OF(glm_wide_pairs_bf16, uint16_t, BF16, unpack_pairs, lines_by_pairs_of)
#else
typedef int glm_no_lines;
#endif
