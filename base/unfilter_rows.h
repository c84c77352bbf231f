/*
 * Screenshots are mostly flat: most of their filtered bytes are zeros, and a run of zeros is a copy
 * of the row above or of one pixel. Photographs have no such runs; what costs there is that Paeth's
 * filter needs the pixel before, so two rows are undone at once, the lower one a pixel behind.
 *
 * Included by each file that compiles it for one kind of processor. Private to those.
 */
#ifndef GLMV_BASE_UNFILTER_ROWS_H
#define GLMV_BASE_UNFILTER_ROWS_H

#include "base/unfilter.h"

#include <stdlib.h>
#include <string.h>
#ifdef __AVX2__
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#define RUN 8       /* pixels whose filtered bytes are looked at together */
#define SAMPLES 32  /* places of a row where runs are looked for */
#define FEW_RUNS 12 /* of them; below it a row has no use for them */
#define PAETH 4

static uint32_t load(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

static void store(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
}

/* The filtered bytes of one pixel; those of the alpha that is not there are 0. */
static inline uint32_t residue(const uint8_t *p, int channels)
{
    static const uint8_t mask_bytes[4] = {255, 255, 255, 0};
    return channels == 4 ? load(p) : load(p) & load(mask_bytes);
}

/* Outside the picture is 0; an alpha that is not in the file is 255 there already. */
static inline uint32_t edge_pixel(int channels)
{
    static const uint8_t opaque[4] = {0, 0, 0, 255};
    return channels == 4 ? 0 : load(opaque);
}

static inline uint32_t add_bytes(uint32_t a, uint32_t b)
{
    return ((a & 0x7f7f7f7fu) + (b & 0x7f7f7f7fu)) ^ ((a ^ b) & 0x80808080u);
}

static inline uint32_t mean_bytes(uint32_t a, uint32_t b)
{
    return (a & b) + (((a ^ b) & 0xfefefefeu) >> 1);
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline bool is_zero_run(const uint8_t *p, int channels)
{
    uint64_t all = load64(p) | load64(p + 8) | load64(p + 16);
    return (channels == 4 ? all | load64(p + 24) : all) == 0;
}

/* Copies the pixels above while the filtered bytes are zeros, whole runs from x on; returns where
 * that ends. */
static inline size_t copy_runs(uint8_t *out, const uint8_t *up, const uint8_t *raw, size_t x,
                               size_t width, int channels)
{
    size_t run = (size_t)RUN * (size_t)channels; /* bytes */
    for (; x + (size_t)2 * RUN <= width; x += (size_t)2 * RUN) {
        const uint8_t *p = raw + x * (size_t)channels;
        if (!is_zero_run(p, channels) || !is_zero_run(p + run, channels)) {
            break;
        }
        memcpy(out + x * 4, up + x * 4, (size_t)2 * RUN * 4);
    }
    for (; x + RUN <= width && is_zero_run(raw + x * (size_t)channels, channels); x += RUN) {
        memcpy(out + x * 4, up + x * 4, (size_t)RUN * 4);
    }
    return x;
}

#ifdef __SSE2__
static inline __m128i choose(__m128i mask, __m128i yes, __m128i no)
{
#ifdef __AVX2__
    return _mm_blendv_epi8(no, yes, mask);
#else
    return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
#endif
}

/* The guesses of two pixels, 16 bits a channel. The same as the nearest of the three to
 * left + up - corner: it is the larger or the smaller of left and up where three corners less both
 * lie outside of them, else the corner. Few of the steps wait for the pixel to the left. */
static inline __m128i guess(__m128i left, __m128i up, __m128i corner)
{
    __m128i rest = _mm_sub_epi16(_mm_add_epi16(corner, _mm_add_epi16(corner, corner)), up);
    __m128i bound = _mm_sub_epi16(rest, left);
    __m128i low = _mm_min_epi16(left, up);
    __m128i high = _mm_max_epi16(left, up);
    __m128i inner = choose(_mm_cmpgt_epi16(high, bound), corner, low);
    return choose(_mm_cmpgt_epi16(bound, low), inner, high);
}

static inline __m128i wide(uint32_t pixel)
{
    return _mm_unpacklo_epi8(_mm_cvtsi32_si128((int)pixel), _mm_setzero_si128());
}

static inline uint32_t narrow(__m128i pixel)
{
    return (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(pixel, pixel));
}

/* Pixels from .. to - 1 of a row of Paeth's filter. */
static inline void paeth_pixels(uint8_t *out, const uint8_t *up, const uint8_t *raw, size_t from,
                                size_t to, int channels)
{
    uint32_t edge = edge_pixel(channels);
    __m128i left = wide(from > 0 ? load(out + (from - 1) * 4) : edge);
    __m128i corner = wide(from > 0 ? load(up + (from - 1) * 4) : edge);
    for (size_t x = from; x < to; x++) {
        __m128i above = wide(load(up + x * 4));
        __m128i add = wide(residue(raw + x * (size_t)channels, channels));
        left = _mm_add_epi8(guess(left, above, corner), add); /* the upper halves are zeros */
        corner = above;
        store(out + x * 4, narrow(left));
    }
}

/* Two rows of Paeth's filter; the pixel of the lower one that is undone in a step lies left of the
 * upper one's, so that the pixel above it is the one of the step before. */
static inline void paeth_two(uint8_t *out, const uint8_t *up, const uint8_t *raw, size_t width,
                             int channels)
{
    const uint8_t *raw_low = raw + width * (size_t)channels + 1;
    uint8_t *out_low = out + width * 4;
    const __m128i edge = wide(edge_pixel(channels));
    /* Each holds a pixel of the upper row and one of the lower. */
    __m128i left = _mm_unpacklo_epi64(edge, edge);
    __m128i corner = left;
    for (size_t x = 0; x <= width; x++) {
        uint32_t above = x < width ? load(up + x * 4) : 0;
        uint32_t add = x < width ? residue(raw + x * (size_t)channels, channels) : 0;
        uint32_t add_low = x > 0 ? residue(raw_low + (x - 1) * (size_t)channels, channels) : 0;
        __m128i both = _mm_unpacklo_epi64(wide(above), left);
        __m128i adds = _mm_unpacklo_epi64(wide(add), wide(add_low));
        left = _mm_add_epi8(guess(left, both, corner), adds);
        corner = both;
        __m128i packed = _mm_packus_epi16(left, left);
        if (x < width) {
            store(out + x * 4, (uint32_t)_mm_cvtsi128_si32(packed));
        }
        if (x > 0) {
            store(out_low + (x - 1) * 4, (uint32_t)_mm_cvtsi128_si32(_mm_srli_si128(packed, 4)));
        } else {
            left = _mm_unpacklo_epi64(left, edge); /* what is left of the lower row's first pixel */
        }
    }
}
#else
static inline uint32_t guess(uint32_t left, uint32_t up, uint32_t corner)
{
    uint32_t out = 0;
    for (int shift = 0; shift < 32; shift += 8) {
        int a = (int)(left >> shift & 255);
        int b = (int)(up >> shift & 255);
        int c = (int)(corner >> shift & 255);
        int pa = abs(b - c);
        int pb = abs(a - c);
        int pc = abs(a + b - 2 * c);
        int best = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
        out |= (uint32_t)best << shift;
    }
    return out;
}

static inline void paeth_pixels(uint8_t *out, const uint8_t *up, const uint8_t *raw, size_t from,
                                size_t to, int channels)
{
    uint32_t left = from > 0 ? load(out + (from - 1) * 4) : edge_pixel(channels);
    uint32_t corner = from > 0 ? load(up + (from - 1) * 4) : edge_pixel(channels);
    for (size_t x = from; x < to; x++) {
        uint32_t above = load(up + x * 4);
        left = add_bytes(guess(left, above, corner), residue(raw + x * (size_t)channels, channels));
        corner = above;
        store(out + x * 4, left);
    }
}

static inline void paeth_two(uint8_t *out, const uint8_t *up, const uint8_t *raw, size_t width,
                             int channels)
{
    paeth_pixels(out, up, raw, 0, width, channels);
    paeth_pixels(out + width * 4, out, raw + width * (size_t)channels + 1, 0, width, channels);
}
#endif

static inline void undo_sub(uint8_t *out, const uint8_t *raw, size_t width, int channels)
{
    uint32_t left = edge_pixel(channels);
    for (size_t x = 0; x < width;) {
        if (x + RUN <= width && is_zero_run(raw + x * (size_t)channels, channels)) {
            for (int i = 0; i < RUN; i++) {
                store(out + (x + (size_t)i) * 4, left);
            }
            x += RUN;
            continue;
        }
        left = add_bytes(left, residue(raw + x * (size_t)channels, channels));
        store(out + x * 4, left);
        x++;
    }
}

static inline void add_pixels(uint8_t *out, const uint8_t *up, const uint8_t *raw, size_t from,
                              size_t to, int channels)
{
    size_t x = from;
#ifdef __SSE2__
    for (; x + 4 <= to; x += 4) {
        const uint8_t *p = raw + x * (size_t)channels;
        size_t step = (size_t)channels;
        __m128i add = _mm_set_epi32((int)residue(p + 3 * step, channels),
                                    (int)residue(p + 2 * step, channels),
                                    (int)residue(p + step, channels), (int)residue(p, channels));
        __m128i above = _mm_loadu_si128((const void *)(up + x * 4));
        _mm_storeu_si128((void *)(out + x * 4), _mm_add_epi8(above, add));
    }
#endif
    for (; x < to; x++) {
        uint32_t add = residue(raw + x * (size_t)channels, channels);
        store(out + x * 4, add_bytes(load(up + x * 4), add));
    }
}

static inline void undo_up(uint8_t *out, const uint8_t *up, const uint8_t *raw, size_t width,
                           int channels)
{
    size_t x = copy_runs(out, up, raw, 0, width, channels);
    while (x + RUN <= width) {
        add_pixels(out, up, raw, x, x + RUN, channels);
        x = copy_runs(out, up, raw, x + RUN, width, channels);
    }
    add_pixels(out, up, raw, x, width, channels);
}

static inline void undo_mean(uint8_t *out, const uint8_t *up, const uint8_t *raw, size_t width,
                             int channels)
{
    uint32_t left = edge_pixel(channels);
    for (size_t x = 0; x < width; x++) {
        uint32_t mean = mean_bytes(left, load(up + x * 4));
        left = add_bytes(mean, residue(raw + x * (size_t)channels, channels));
        store(out + x * 4, left);
    }
}

/* Where left and corner are equal the guess is the pixel above; with zeros as residue it is the
 * pixel, so the next one has equal neighbours again: a run is a copy of the row above. */
static inline void undo_paeth(uint8_t *out, const uint8_t *up, const uint8_t *raw, size_t width,
                              int channels)
{
    size_t done = 0;
    for (size_t x = 0; x + RUN <= width;) {
        if (!is_zero_run(raw + x * (size_t)channels, channels)) {
            x += RUN;
            continue;
        }
        paeth_pixels(out, up, raw, done, x, channels);
        if (x > 0 && load(out + (x - 1) * 4) != load(up + (x - 1) * 4)) {
            paeth_pixels(out, up, raw, x, x + RUN, channels);
            x += RUN;
        } else {
            x = copy_runs(out, up, raw, x, width, channels);
        }
        done = x;
    }
    paeth_pixels(out, up, raw, done, width, channels);
}

static bool has_runs(const uint8_t *raw, size_t width, int channels)
{
    int found = 0;
    for (size_t i = 0; i < SAMPLES && width >= RUN; i++) {
        found += is_zero_run(raw + (width - RUN) * i / SAMPLES * (size_t)channels, channels);
    }
    return found >= FEW_RUNS;
}

/* Undoes one row, or two at once; returns how many, 0 for a filter that PNG has not. */
static inline size_t undo_some(const uint8_t *raw, size_t width, int channels, size_t count,
                               const uint8_t *up, uint8_t *out)
{
    size_t step = width * (size_t)channels + 1;
    int filter = *raw++;
    switch (filter) {
    case 0:
        for (size_t x = 0; x < width; x++) {
            store(out + x * 4,
                  residue(raw + x * (size_t)channels, channels) | edge_pixel(channels));
        }
        return 1;
    case 1:
        undo_sub(out, raw, width, channels);
        return 1;
    case 2:
        undo_up(out, up, raw, width, channels);
        return 1;
    case 3:
        undo_mean(out, up, raw, width, channels);
        return 1;
    case PAETH:
        if (has_runs(raw, width, channels)) {
            undo_paeth(out, up, raw, width, channels);
            return 1;
        }
        if (count > 1 && raw[step - 1] == PAETH && !has_runs(raw + step, width, channels)) {
            paeth_two(out, up, raw, width, channels);
            return 2;
        }
        paeth_pixels(out, up, raw, 0, width, channels);
        return 1;
    default:
        return 0;
    }
}

static bool undo_rows(const uint8_t *raw, size_t width, int channels, size_t count,
                      const uint8_t *up, uint8_t *out)
{
    size_t step = width * (size_t)channels + 1;
    while (count > 0) {
        size_t done = channels == 4 ? undo_some(raw, width, 4, count, up, out)
                                    : undo_some(raw, width, 3, count, up, out);
        if (done == 0) {
            return false;
        }
        raw += done * step;
        out += done * width * 4;
        up = out - width * 4;
        count -= done;
    }
    return true;
}

#endif
