/* Products with many rows of inputs, AVX-512. */
#if defined(__x86_64__)
#include "model/glm/wide.h"
#include "model/glm/x86.h"

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,f16c")))
#define INLINE __attribute__((always_inline)) static inline

enum {
    SIX = 6,  /* rows of inputs whose sums fit into the registers */
    FOUR = 4, /* and as many when fewer are left */
    GROUPS = GLM_WIDE_CODES / GLM_GROUP,
};

/* Two tiles of one block of columns, where they lie in the matrix. */
struct piece {
    const unsigned char *w[2];
    const uint16_t *scales[2];
    size_t groups, per; /* of 32 columns; how many of them share a scale */
    size_t halves;      /* of a group's scales */
};

/* What comes next is fetched into the second cache a few lines at a time. */
struct ahead {
    const unsigned char *w[2];
    size_t at, end;
};

VNNI INLINE __m512 halves16(const uint16_t *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
}

/* Columns 4 k .. of a group of a tile. */
VNNI INLINE __m512i weights_at(const unsigned char *tile, bool four, size_t group, size_t k)
{
    const __m512i mask = _mm512_set1_epi8(15);
    if (!four) {
        return _mm512_loadu_si512(tile + (group * 8 + k) * 64);
    }
    __m512i a = _mm512_loadu_si512(tile + (group * 4 + k % 4) * 64);
    return _mm512_and_si512(k < 4 ? a : _mm512_srli_epi16(a, 4), mask);
}

INLINE void fetch(struct ahead *a, size_t bytes)
{
    const size_t end = a->end - a->at < bytes ? a->end : a->at + bytes;
    for (; a->at < end; a->at += 64) {
        _mm_prefetch((const char *)a->w[0] + a->at, _MM_HINT_T1);
        _mm_prefetch((const char *)a->w[1] + a->at, _MM_HINT_T1);
    }
}

/* Rows n .. n + count of inputs against sides tiles of a form: goes on with the sums in out. */
VNNI INLINE void dots_of(const struct piece *p, enum glm_form form, size_t per, size_t sides,
                         size_t count, const struct glm_wide *x, size_t block, size_t n, float *out,
                         size_t out_row)
{
    const bool least = form == GLM_FORM_LEAST, four = form != GLM_FORM_INT8;
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
    for (size_t g = 0; g < p->groups; g += per) {
        __m512i dot[SIX][2];
        UNROLL
        for (size_t i = 0; i < count; i++) {
            dot[i][0] = dot[i][1] = _mm512_set1_epi32(least ? 0 : fix[i * GROUPS + g]);
        }
        for (size_t part = g; part < g + per && part < p->groups; part++) {
            for (size_t i = 0; i < count; i += 2) { /* what comes next: two groups are a line */
                _mm_prefetch((const char *)code + (count + i + part % 2) * GLM_WIDE_CODE_ROW +
                                 part / 2 * 64,
                             _MM_HINT_T0);
            }
            UNROLL
            for (size_t k = 0; k < 8; k++) {
                __m512i w[2];
                UNROLL
                for (size_t s = 0; s < sides; s++) {
                    w[s] = weights_at(p->w[s], four, part, k);
                }
                UNROLL
                for (size_t i = 0; i < count; i++) {
                    __m512i c = _mm512_set1_epi32(
                        four_codes(code + i * GLM_WIDE_CODE_ROW + part * GLM_GROUP + 4 * k));
                    UNROLL
                    for (size_t s = 0; s < sides; s++) {
                        dot[i][s] = _mm512_dpbusd_epi32(dot[i][s], w[s], c);
                    }
                }
            }
        }
        UNROLL
        for (size_t s = 0; s < sides; s++) {
            const uint16_t *halves = p->scales[s] + g / per * p->halves;
            const __m512 own = halves16(halves),
                         own_low = least ? halves16(halves + GLM_TILE) : own;
            UNROLL
            for (size_t i = 0; i < count; i++) {
                __m512 both = _mm512_mul_ps(own, _mm512_set1_ps(scale[i * GROUPS + g]));
                sum[i][s] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[i][s]), both, sum[i][s]);
                if (least) {
                    sum[i][s] =
                        _mm512_fmadd_ps(own_low, _mm512_set1_ps(low[i * GROUPS + g]), sum[i][s]);
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
VNNI INLINE void dots_piece(const struct piece *p, enum glm_form form, size_t per, size_t sides,
                            const struct glm_wide *x, size_t block, struct ahead ahead, float *out,
                            size_t out_row)
{
    const size_t bytes = ahead.end * SIX / x->count + 64;
    size_t n = 0;
    for (; n + SIX <= x->count; n += SIX) {
        fetch(&ahead, bytes);
        dots_of(p, form, per, sides, SIX, x, block, n, out + n * out_row, out_row);
    }
    fetch(&ahead, bytes);
    if (n + FOUR <= x->count) {
        dots_of(p, form, per, sides, FOUR, x, block, n, out + n * out_row, out_row);
        n += FOUR;
    }
    for (; n < x->count; n++) {
        dots_of(p, form, per, sides, 1, x, block, n, out + n * out_row, out_row);
    }
}

/* The tiles from tile on in the columns of a block. */
static struct piece piece_at(const struct glm_matrix *m, size_t tile, size_t block)
{
    const size_t all = m->cols / GLM_GROUP, first = block * GROUPS;
    const size_t step = glm_four_bits(m) ? 256 : 512;
    struct piece p = {.groups = all - first < GROUPS ? all - first : GROUPS,
                      .per = m->group / GLM_GROUP,
                      .halves = glm_tile_halves(m)};
    for (size_t s = 0; s < 2; s++) {
        p.w[s] = (const unsigned char *)m->data + (tile + s) * glm_tile_bytes(m) + first * step;
        p.scales[s] = m->scales + ((tile + s) * glm_group_count(m) + first / p.per) * p.halves;
    }
    return p;
}

/* After tiles t and t + 1 of a strip: more of these columns, the strip's next columns, the next
 * strip. */
static struct ahead ahead_of(const struct glm_matrix *m, size_t tile, size_t tiles, size_t t,
                             size_t block, size_t blocks)
{
    const bool more = t + 2 < tiles, last = !more && block + 1 == blocks;
    const struct piece p = piece_at(m,
                                    tile + (more   ? t + 2
                                            : last ? tiles
                                                   : 0),
                                    last   ? 0
                                    : more ? block
                                           : block + 1);
    return (struct ahead){{p.w[0], p.w[1]}, 0, p.groups * (glm_four_bits(m) ? 256 : 512)};
}

/* Each form and width of groups is compiled for itself. */
VNNI INLINE void dots_sides(const struct glm_matrix *m, const struct piece *p, size_t sides,
                            const struct glm_wide *x, size_t block, struct ahead ahead, float *out,
                            size_t out_row)
{
    if (m->form == GLM_FORM_INT8) {
        dots_piece(p, GLM_FORM_INT8, p->per, sides, x, block, ahead, out, out_row);
    } else if (m->form == GLM_FORM_LEAST) {
        dots_piece(p, GLM_FORM_LEAST, 1, sides, x, block, ahead, out, out_row);
    } else if (p->per == 1) {
        dots_piece(p, GLM_FORM_INT4, 1, sides, x, block, ahead, out, out_row);
    } else {
        dots_piece(p, GLM_FORM_INT4, 4, sides, x, block, ahead, out, out_row);
    }
}

VNNI static void one_side(const struct glm_matrix *m, const struct piece *p,
                          const struct glm_wide *x, size_t block, float *out, size_t out_row)
{
    dots_sides(m, p, 1, x, block, (struct ahead){0}, out, out_row);
}

VNNI void glm_wide_dots_vnni(const struct glm_matrix *m, size_t tile, size_t tiles,
                             const struct glm_wide *x, float *out)
{
    const size_t blocks = glm_wide_blocks(m->cols, GLM_WIDE_CODES), row = tiles * GLM_TILE;
    for (size_t block = 0; block < blocks; block++) {
        for (size_t t = 0; t < tiles; t += 2) {
            const struct piece p = piece_at(m, tile + t, block);
            float *to = out + t * GLM_TILE;
            if (tiles - t < 2) {
                one_side(m, &p, x, block, to, row);
            } else {
                dots_sides(m, &p, 2, x, block, ahead_of(m, tile, tiles, t, block, blocks), to, row);
            }
        }
    }
}
#else
typedef int glm_no_wide;
#endif
