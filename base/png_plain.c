/*
 * The common PNG, read fast: 8-bit RGB or RGBA without interlace, tRNS or anything unusual. What
 * this reader does not know it leaves to libpng; what it accepts has libpng's pixels byte for byte.
 *
 * The raw rows are inflated to the end of the picture's own memory and unfiltered towards its
 * front: a pixel is written at or before the place of the next one to be read.
 */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/codec.h"

#define RUN 8          /* pixels whose filtered bytes are looked at together */
#define SLACK 16       /* bytes; a pixel of three is loaded as four */
#define MAX_RATIO 1032 /* no deflate stream grows more */

struct plain {
    uint32_t width, height;
    int channels;
    const unsigned char *data; /* the zlib stream; inside the file or in joined */
    size_t len;
    unsigned char *joined; /* owned; NULL when the stream is one chunk */
};

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Chunks that say nothing about the pixels as this project reads them. */
static bool is_harmless(const unsigned char *type)
{
    static const char names[][5] = {"sRGB", "gAMA", "pHYs", "tEXt", "tIME", "sBIT", "bKGD", "cHRM"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (memcmp(type, names[i], 4) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_header(struct plain *p, const unsigned char *chunk)
{
    p->width = big_endian(chunk);
    p->height = big_endian(chunk + 4);
    p->channels = chunk[9] == 6 ? 4 : 3;
    return p->width > 0 && p->height > 0 && p->width <= GLMV_IMAGE_MAX_SIDE &&
           p->height <= GLMV_IMAGE_MAX_SIDE &&
           (uint64_t)p->width * p->height <= GLMV_IMAGE_MAX_PIXELS && chunk[8] == 8 &&
           (chunk[9] == 2 || chunk[9] == 6) && chunk[10] == 0 && chunk[11] == 0 && chunk[12] == 0;
}

/* Adds the content of one IDAT chunk; the second makes a copy of all of them necessary. */
static bool add_data(struct plain *p, const unsigned char *content, size_t size, size_t file_len)
{
    if (p->data == NULL) {
        p->data = content;
        p->len = size;
        return true;
    }
    if (p->joined == NULL) {
        p->joined = malloc(file_len);
        if (p->joined == NULL) {
            return false;
        }
        memcpy(p->joined, p->data, p->len);
        p->data = p->joined;
    }
    memcpy(p->joined + p->len, content, size);
    p->len += size;
    return true;
}

/* Walks the chunks; false for anything out of the ordinary. */
static bool read_chunks(struct plain *p, const unsigned char *bytes, size_t len)
{
    size_t pos = 8;
    bool data_ended = false;
    for (int n = 0; len - pos >= 12; n++) {
        size_t size = big_endian(bytes + pos);
        const unsigned char *type = bytes + pos + 4;
        if (size > len - pos - 12 ||
            libdeflate_crc32(0, type, size + 4) != big_endian(type + 4 + size)) {
            return false;
        }
        pos += size + 12;
        bool is_data = memcmp(type, "IDAT", 4) == 0;
        if (n == 0) {
            if (memcmp(type, "IHDR", 4) != 0 || size != 13 || !read_header(p, type + 4)) {
                return false;
            }
        } else if (is_data) {
            if (data_ended || !add_data(p, type + 4, size, len)) {
                return false;
            }
        } else if (memcmp(type, "IEND", 4) == 0) {
            return size == 0 && p->data != NULL;
        } else if (!is_harmless(type)) {
            return false;
        }
        data_ended = data_ended || (p->data != NULL && !is_data);
    }
    return false;
}

static uint32_t load(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

static void store(unsigned char *p, uint32_t v)
{
    memcpy(p, &v, 4);
}

/* The filtered bytes of one pixel; those of the alpha that is not there are 0. */
static inline uint32_t residue(const unsigned char *p, int channels)
{
    static const unsigned char mask_bytes[4] = {255, 255, 255, 0};
    return channels == 4 ? load(p) : load(p) & load(mask_bytes);
}

static inline uint32_t add_bytes(uint32_t a, uint32_t b)
{
    return ((a & 0x7f7f7f7fu) + (b & 0x7f7f7f7fu)) ^ ((a ^ b) & 0x80808080u);
}

static inline uint32_t mean_bytes(uint32_t a, uint32_t b)
{
    return (a & b) + (((a ^ b) & 0xfefefefeu) >> 1);
}

static inline bool is_zero_run(const unsigned char *p, int channels)
{
    uint64_t all = 0;
    for (int i = 0; i < channels; i++) {
        uint64_t v;
        memcpy(&v, p + i * 8, 8);
        all |= v;
    }
    return all == 0;
}

#ifdef __SSE2__
static inline uint32_t paeth(uint32_t left, uint32_t up, uint32_t corner)
{
    const __m128i zero = _mm_setzero_si128();
    __m128i a = _mm_unpacklo_epi8(_mm_cvtsi32_si128((int)left), zero);
    __m128i b = _mm_unpacklo_epi8(_mm_cvtsi32_si128((int)up), zero);
    __m128i c = _mm_unpacklo_epi8(_mm_cvtsi32_si128((int)corner), zero);
    __m128i pa = _mm_sub_epi16(b, c);
    __m128i pb = _mm_sub_epi16(a, c);
    __m128i pc = _mm_add_epi16(pa, pb);
    pa = _mm_max_epi16(pa, _mm_sub_epi16(zero, pa));
    pb = _mm_max_epi16(pb, _mm_sub_epi16(zero, pb));
    pc = _mm_max_epi16(pc, _mm_sub_epi16(zero, pc));
    __m128i least = _mm_min_epi16(pc, _mm_min_epi16(pa, pb));
    __m128i is_a = _mm_cmpeq_epi16(least, pa);
    __m128i is_b = _mm_cmpeq_epi16(least, pb);
    __m128i b_or_c = _mm_or_si128(_mm_and_si128(is_b, b), _mm_andnot_si128(is_b, c));
    __m128i best = _mm_or_si128(_mm_and_si128(is_a, a), _mm_andnot_si128(is_a, b_or_c));
    return (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(best, best));
}
#else
static inline uint32_t paeth(uint32_t left, uint32_t up, uint32_t corner)
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
#endif

static inline void unfilter_sub(unsigned char *out, const unsigned char *raw, size_t width,
                                uint32_t left, int channels)
{
    for (size_t x = 0; x < width;) {
        if (x + RUN <= width && is_zero_run(raw + x * (size_t)channels, channels)) {
            for (int i = 0; i < RUN; i++, x++) {
                store(out + x * 4, left);
            }
            continue;
        }
        left = add_bytes(left, residue(raw + x * (size_t)channels, channels));
        store(out + x * 4, left);
        x++;
    }
}

static inline void unfilter_up(unsigned char *out, const unsigned char *up,
                               const unsigned char *raw, size_t width, int channels)
{
    for (size_t x = 0; x < width;) {
        if (x + RUN <= width && is_zero_run(raw + x * (size_t)channels, channels)) {
            memcpy(out + x * 4, up + x * 4, (size_t)RUN * 4);
            x += RUN;
            continue;
        }
        store(out + x * 4,
              add_bytes(load(up + x * 4), residue(raw + x * (size_t)channels, channels)));
        x++;
    }
}

static inline void unfilter_mean(unsigned char *out, const unsigned char *up,
                                 const unsigned char *raw, size_t width, uint32_t left,
                                 int channels)
{
    for (size_t x = 0; x < width; x++) {
        uint32_t guess = mean_bytes(left, load(up + x * 4));
        left = add_bytes(guess, residue(raw + x * (size_t)channels, channels));
        store(out + x * 4, left);
    }
}

/* Where left and corner are equal the guess is the pixel above; with zeros as residue it is the
 * pixel, so the next one has equal neighbours again: a run is a copy of the row above. */
static inline void unfilter_paeth(unsigned char *out, const unsigned char *up,
                                  const unsigned char *raw, size_t width, uint32_t edge,
                                  int channels)
{
    uint32_t left = edge;
    uint32_t corner = edge;
    for (size_t x = 0; x < width;) {
        if (left == corner && x + RUN <= width &&
            is_zero_run(raw + x * (size_t)channels, channels)) {
            memcpy(out + x * 4, up + x * 4, (size_t)RUN * 4);
            x += RUN;
            left = corner = load(up + (x - 1) * 4);
            continue;
        }
        uint32_t above = load(up + x * 4);
        left = add_bytes(paeth(left, above, corner), residue(raw + x * (size_t)channels, channels));
        corner = above;
        store(out + x * 4, left);
        x++;
    }
}

static inline bool unfilter_row(unsigned char *out, const unsigned char *up,
                                const unsigned char *raw, size_t width, int channels)
{
    /* Outside the picture is 0; an alpha that is not in the file is 255 there already. */
    static const unsigned char opaque[4] = {0, 0, 0, 255};
    uint32_t edge = channels == 4 ? 0 : load(opaque);
    int filter = *raw++;
    switch (filter) {
    case 0:
        for (size_t x = 0; x < width; x++) {
            store(out + x * 4, residue(raw + x * (size_t)channels, channels) | edge);
        }
        return true;
    case 1:
        unfilter_sub(out, raw, width, edge, channels);
        return true;
    case 2:
        unfilter_up(out, up, raw, width, channels);
        return true;
    case 3:
        unfilter_mean(out, up, raw, width, edge, channels);
        return true;
    case 4:
        unfilter_paeth(out, up, raw, width, edge, channels);
        return true;
    default:
        return false;
    }
}

static bool unfilter(const struct plain *p, unsigned char *pixels, const unsigned char *raw)
{
    size_t width = p->width;
    size_t step = width * (size_t)p->channels + 1;
    unsigned char *first = calloc(width, 4);
    if (first == NULL) {
        return false;
    }
    for (size_t x = 0; p->channels == 3 && x < width; x++) {
        first[x * 4 + 3] = 255;
    }
    const unsigned char *up = first;
    bool ok = true;
    for (size_t y = 0; y < p->height && ok; y++) {
        unsigned char *out = pixels + y * width * 4;
        ok = p->channels == 4 ? unfilter_row(out, up, raw + y * step, width, 4)
                              : unfilter_row(out, up, raw + y * step, width, 3);
        up = out;
    }
    free(first);
    return ok;
}

static bool inflate_and_unfilter(const struct plain *p, unsigned char *pixels, size_t size)
{
    size_t raw_size = (p->width * (size_t)p->channels + 1) * p->height;
    unsigned char *raw = pixels + (size - SLACK - raw_size);
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    size_t used = 0;
    bool ok = inflater != NULL &&
              libdeflate_zlib_decompress_ex(inflater, p->data, p->len, raw, raw_size, &used,
                                            NULL) == LIBDEFLATE_SUCCESS &&
              used == p->len;
    libdeflate_free_decompressor(inflater);
    return ok && unfilter(p, pixels, raw);
}

struct glmv_image *base_png_decode_plain(const unsigned char *bytes, size_t len)
{
    struct plain p = {0};
    struct glmv_image *image = NULL;
    if (len < 8 || !read_chunks(&p, bytes, len)) {
        free(p.joined);
        return NULL;
    }
    size_t raw_size = (p.width * (size_t)p.channels + 1) * p.height;
    size_t rgba_size = (size_t)p.width * p.height * 4;
    size_t size = (raw_size > rgba_size ? raw_size : rgba_size) + SLACK;
    /* 0x78: a window of 32 KiB, within which zlib and libdeflate accept the same distances. */
    if (p.len > 2 && p.data[0] == 0x78 && raw_size / MAX_RATIO <= p.len) {
        unsigned char *pixels = base_pixels_new(size);
        image = pixels != NULL ? malloc(sizeof *image) : NULL;
        if (image != NULL && inflate_and_unfilter(&p, pixels, size)) {
            *image = (struct glmv_image){(int)p.width, (int)p.height, pixels};
        } else {
            free(pixels);
            free(image);
            image = NULL;
        }
    }
    free(p.joined);
    return image;
}
