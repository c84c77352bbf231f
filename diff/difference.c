/*
 * Rows of 4-bit colours, filtered by the row above, so that what repeats is zeros; runs of one byte
 * become matches of distance 1 and everything is coded with deflate's fixed code. The rows that are
 * added together make one piece, an IDAT that ends at a byte boundary; the pieces put together are
 * one zlib stream. A piece is made while its rows are in the cache, and once more when it turns out
 * that something in it differs.
 */
#include "diff/difference.h"

#include <libdeflate.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "diff/pixels.h"

#define GREYS 14
#define RED 14
#define AMBER 15
#define MIN_RUN 3
#define MAX_RUN 258
#define STRETCH 16 /* pixels of one colour that are looked for together */
#define ADLER 65521u
#define ONES 0x0101010101010101u
#define PIECE 16 /* rows that are made together of a picture in memory */
#define HEAD 8   /* bytes before a chunk's content: its length and type */

struct code {
    uint32_t bits;
    unsigned count;
};

struct codes {
    struct code literal[256];
    struct code run[MAX_RUN + 1]; /* length and the distance 1 */
};

struct piece {
    int top, count; /* rows */
    bool marked;    /* since it was made */
    const uint8_t *bytes;
    size_t len;
    uint32_t adler;
    size_t raw; /* bytes before compression */
};

struct glmv_difference {
    int width, height;
    size_t step; /* bytes of a row of colours */
    int rows;    /* added */
    uint8_t *colours;
    uint8_t *line; /* a row of colours as it is filtered */
    struct piece *pieces;
    int piece_count;
    struct glmv_arena *memory;
    struct codes codes;
};

struct writer {
    uint8_t *to;
    uint64_t bits;
    unsigned count;
};

static uint32_t reversed(uint32_t v, unsigned count)
{
    uint32_t out = 0;
    for (unsigned i = 0; i < count; i++) {
        out |= (v >> i & 1) << (count - 1 - i);
    }
    return out;
}

/* RFC 1951, 3.2.5 and 3.2.6. */
static struct code run_code(unsigned length)
{
    static const unsigned short bases[] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                           15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                           67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const unsigned char extras[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                           2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    unsigned k = 28;
    while (bases[k] > length) {
        k--;
    }
    unsigned symbol = 257 + k;
    struct code c = symbol < 280 ? (struct code){reversed(symbol - 256, 7), 7}
                                 : (struct code){reversed(0xc0 + symbol - 280, 8), 8};
    c.bits |= (uint32_t)(length - bases[k]) << c.count;
    c.count += extras[k] + 5u; /* the distance's five bits are zeros */
    return c;
}

static void fill_codes(struct codes *codes)
{
    for (unsigned i = 0; i < 256; i++) {
        codes->literal[i] = i < 144 ? (struct code){reversed(0x30 + i, 8), 8}
                                    : (struct code){reversed(0x190 + i - 144, 9), 9};
    }
    for (unsigned i = MIN_RUN; i <= MAX_RUN; i++) {
        codes->run[i] = run_code(i);
    }
}

/* Up to 57 bits: fewer than eight are left of what was put before. */
static inline void write_bits(struct writer *w, uint64_t bits, unsigned count)
{
    w->bits |= bits << w->count;
    w->count += count;
    uint64_t low = w->bits;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    low = __builtin_bswap64(low);
#endif
    memcpy(w->to, &low, 8); /* the bytes that are not full are written again */
    w->to += w->count >> 3;
    w->bits >>= w->count & ~7u;
    w->count &= 7;
}

static inline void put(struct writer *w, struct code c)
{
    write_bits(w, c.bits, c.count);
}

static void flush(struct writer *w)
{
    w->to += w->count > 0;
    w->bits = 0;
    w->count = 0;
}

/* At most five. */
static inline void put_literals(struct writer *w, const struct codes *codes, const uint8_t *bytes,
                                size_t number)
{
    uint64_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < number; i++) {
        struct code c = codes->literal[bytes[i]];
        bits |= (uint64_t)c.bits << count;
        count += c.count;
    }
    write_bits(w, bits, count);
}

static void put_run(struct writer *w, const struct codes *codes, uint8_t value, size_t length)
{
    put(w, codes->literal[value]);
    length--;
    while (length >= MIN_RUN) {
        size_t n = length < MAX_RUN ? length : MAX_RUN;
        put(w, codes->run[n]);
        length -= n;
    }
    for (; length > 0; length--) {
        put(w, codes->literal[value]);
    }
}

static uint64_t eight_at(const uint8_t *bytes)
{
    uint64_t v;
    memcpy(&v, bytes, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static size_t run_at(const uint8_t *bytes, size_t from, size_t len)
{
    uint64_t all = bytes[from] * ONES;
    size_t end = from + 1;
    for (; end + 8 <= len; end += 8) {
        uint64_t other = eight_at(bytes + end) ^ all;
        if (other != 0) {
            return end - from + (size_t)__builtin_ctzll(other) / 8;
        }
    }
    while (end < len && bytes[end] == bytes[from]) {
        end++;
    }
    return end - from;
}

/* How many of the first five of eight bytes come before a run of four. */
static inline size_t before_run(uint64_t eight)
{
    uint64_t pairs = eight ^ eight >> 8; /* zero bytes where two are the same */
    uint64_t runs = (pairs | pairs >> 8 | pairs >> 16) | ONES << 40;
    uint64_t zeros = (runs - ONES) & ~runs & ONES << 7; /* the lowest is right */
    return zeros == 0 ? 5 : (size_t)__builtin_ctzll(zeros) / 8;
}

static void put_bytes(struct writer *w, const struct codes *codes, const uint8_t *bytes, size_t len)
{
    size_t i = 0;
    while (i + 8 <= len) {
        size_t n = before_run(eight_at(bytes + i));
        put_literals(w, codes, bytes + i, n);
        i += n;
        if (n < 5) {
            n = run_at(bytes, i, len);
            put_run(w, codes, bytes[i], n);
            i += n;
        }
    }
    while (i < len) {
        size_t n = run_at(bytes, i, len);
        put_run(w, codes, bytes[i], n);
        i += n;
    }
}

static uint8_t colour_of(const uint8_t *p)
{
    uint32_t dark = 255 - ((77u * p[0] + 150u * p[1] + 29u * p[2]) >> 8);
    return (uint8_t)(p[3] == 255 ? dark / 19 : dark * p[3] / (19 * 255));
}

#ifdef __SSE2__
/* 255 minus the grey of four opaque pixels, 32 bits each. */
static inline __m128i darkness(__m128i pixels)
{
    const __m128i weights = _mm_set_epi16(0, 29, 150, 77, 0, 29, 150, 77);
    const __m128i zero = _mm_setzero_si128();
    __m128 low = _mm_castsi128_ps(_mm_madd_epi16(_mm_unpacklo_epi8(pixels, zero), weights));
    __m128 high = _mm_castsi128_ps(_mm_madd_epi16(_mm_unpackhi_epi8(pixels, zero), weights));
    __m128i even = _mm_castps_si128(_mm_shuffle_ps(low, high, 0x88));
    __m128i odd = _mm_castps_si128(_mm_shuffle_ps(low, high, 0xdd));
    return _mm_sub_epi32(_mm_set1_epi32(255), _mm_srli_epi32(_mm_add_epi32(even, odd), 8));
}

/* Eight opaque pixels, 16 bits each: d / 19 is d * 27 / 512 up to 255. */
static inline __m128i eight_colours(const uint8_t *p)
{
    __m128i d = _mm_packs_epi32(darkness(_mm_loadu_si128((const __m128i *)(const void *)p)),
                                darkness(_mm_loadu_si128((const __m128i *)(const void *)p + 1)));
    return _mm_srli_epi16(_mm_mullo_epi16(d, _mm_set1_epi16(27)), 9);
}

static inline bool is_same_stretch(const uint8_t *p, const uint8_t *q)
{
    __m128i same = _mm_set1_epi8(-1);
    for (int i = 0; i < STRETCH * 4; i += 16) {
        same = _mm_and_si128(same, _mm_cmpeq_epi8(_mm_loadu_si128((const void *)(p + i)),
                                                  _mm_loadu_si128((const void *)(q + i))));
    }
    return _mm_movemask_epi8(same) == 0xffff;
}

/* Sixteen pixels at a time into eight bytes; stops at the first that are not all opaque. */
static int colour_stretch(const uint8_t *p, int inside, uint8_t *out)
{
    const __m128i opaque = _mm_set1_epi32((int)0xff000000);
    int x = 0;
    for (; x + STRETCH <= inside; x += STRETCH, p += STRETCH * 4) {
        __m128i all = opaque;
        for (int i = 0; i < STRETCH; i += 4) {
            all = _mm_and_si128(all, _mm_loadu_si128((const __m128i *)(const void *)(p + i * 4)));
        }
        if (_mm_movemask_epi8(_mm_cmpeq_epi32(all, opaque)) != 0xffff) {
            break;
        }
        __m128i bytes = _mm_packus_epi16(eight_colours(p), eight_colours(p + 32));
        __m128i two = _mm_or_si128(_mm_slli_epi16(bytes, 4), _mm_srli_epi16(bytes, 8));
        two = _mm_and_si128(two, _mm_set1_epi16(255));
        _mm_storel_epi64((__m128i *)(void *)(out + x / 2), _mm_packus_epi16(two, two));
    }
    return x;
}
#else
static bool is_same_stretch(const uint8_t *p, const uint8_t *q)
{
    return memcmp(p, q, (size_t)STRETCH * 4) == 0;
}

static int colour_stretch(const uint8_t *p, int inside, uint8_t *out)
{
    (void)p;
    (void)inside;
    (void)out;
    return 0;
}
#endif

static void put_colour(uint8_t *out, int x, uint8_t colour)
{
    out[x / 2] =
        (uint8_t)(x % 2 == 0 ? (out[x / 2] & 15) | colour << 4 : (out[x / 2] & 0xf0) | colour);
}

static void colour_pixels(const uint8_t *rgba, int inside, int width, uint8_t *out)
{
    int x = 0;
    while (x < inside) {
        x += colour_stretch(rgba + (size_t)x * 4, inside - x, out + x / 2);
        for (int end = x + STRETCH < inside ? x + STRETCH : inside; x < end; x++) {
            put_colour(out, x, colour_of(rgba + (size_t)x * 4));
        }
    }
    for (; x < (width + 1) / 2 * 2; x++) {
        put_colour(out, x, 0);
    }
}

/* A row of width colours, of which the picture has only those inside; where it has the pixels of
 * the row above, the colours above are the same, too. */
static void colour_row(const uint8_t *rgba, const uint8_t *above, int inside, int width,
                       size_t step, uint8_t *out)
{
    int x = 0;
    for (; above != NULL && x + STRETCH <= inside; x += STRETCH) {
        const uint8_t *p = rgba + (size_t)x * 4;
        if (is_same_stretch(p, above + (size_t)x * 4)) {
            memcpy(out + x / 2, out + x / 2 - step, STRETCH / 2);
        } else {
            colour_pixels(p, STRETCH, STRETCH, out + x / 2);
        }
    }
    colour_pixels(rgba + (size_t)x * 4, inside - x, width - x, out + x / 2);
}

static void filter_row(const uint8_t *row, size_t step, uint8_t *line)
{
    const uint8_t *above = row - step;
    size_t x = 0;
    line[0] = 2;
#ifdef __SSE2__
    for (; x + 16 <= step; x += 16) {
        __m128i low = _mm_loadu_si128((const void *)(above + x));
        __m128i all = _mm_sub_epi8(_mm_loadu_si128((const void *)(row + x)), low);
        _mm_storeu_si128((void *)(line + 1 + x), all);
    }
#endif
    for (; x < step; x++) {
        line[x + 1] = (uint8_t)(row[x] - above[x]);
    }
}

static void encode_rows(struct glmv_difference *d, struct piece *piece, struct writer *w)
{
    size_t len = d->step + 1;
    for (int y = piece->top; y < piece->top + piece->count; y++) {
        const uint8_t *row = d->colours + (size_t)y * d->step;
        if (y == 0) {
            d->line[0] = 0;
            memcpy(d->line + 1, row, d->step);
        } else {
            filter_row(row, d->step, d->line);
        }
        piece->adler = libdeflate_adler32(piece->adler, d->line, len);
        put_bytes(w, &d->codes, d->line, len);
    }
    piece->raw = len * (size_t)piece->count;
}

static void put_word(uint8_t *to, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

/* Fills in a chunk's length, type and checksum around its content. */
static size_t close_chunk(uint8_t *chunk, const char *type, size_t len)
{
    put_word(chunk, (uint32_t)len);
    memcpy(chunk + 4, type, 4);
    put_word(chunk + HEAD + len, libdeflate_crc32(0, chunk + 4, len + 4));
    return len + HEAD + 4;
}

static bool encode_piece(struct glmv_difference *d, struct piece *piece)
{
    /* A literal takes nine bits at most. */
    size_t bound = (d->step + 1) * (size_t)piece->count * 9 / 8 + 64;
    uint8_t *chunk = glmv_arena_take(d->memory, bound);
    if (chunk == NULL) {
        return false;
    }
    struct writer w = {chunk + HEAD, 0, 0};
    if (piece->top == 0) {
        *w.to++ = 0x78;
        *w.to++ = 0x01;
    }
    piece->adler = 1;
    put(&w, (struct code){2, 3}); /* a block of the fixed code, not the last */
    encode_rows(d, piece, &w);
    put(&w, (struct code){0, 7});
    put(&w, (struct code){0, 3}); /* an empty stored block ends at a byte */
    flush(&w);
    memcpy(w.to, "\x00\x00\xff\xff", 4);
    w.to += 4;
    piece->bytes = chunk;
    piece->len = close_chunk(chunk, "IDAT", (size_t)(w.to - chunk) - HEAD);
    piece->marked = false;
    glmv_arena_trim(d->memory, chunk, piece->len);
    return true;
}

/* Adler-32 of two texts put together. */
static uint32_t join_adler(uint32_t a, uint32_t b, size_t len_b)
{
    uint64_t low = ((a & 0xffff) + (b & 0xffff) + ADLER - 1) % ADLER;
    uint64_t high = (a >> 16) + (uint64_t)(b >> 16) + (len_b % ADLER) * ((a & 0xffff) + ADLER - 1);
    return (uint32_t)(high % ADLER << 16 | low);
}

static bool append_head(const struct glmv_difference *d, struct glmv_buf *out, struct glmv_err *err)
{
    uint8_t chunk[HEAD + 48 + 4] = {0};
    put_word(chunk + HEAD, (uint32_t)d->width);
    put_word(chunk + HEAD + 4, (uint32_t)d->height);
    chunk[HEAD + 8] = 4; /* bits */
    chunk[HEAD + 9] = 3; /* palette */
    size_t len = close_chunk(chunk, "IHDR", 13);
    if (!glmv_buf_append(out, "\x89PNG\r\n\x1a\n", 8, err) ||
        !glmv_buf_append(out, chunk, len, err)) {
        return false;
    }
    for (int i = 0; i < GREYS; i++) {
        memset(chunk + HEAD + i * 3, 255 - i * 19 / 5, 3);
    }
    memcpy(chunk + HEAD + RED * 3, (const uint8_t[]){220, 20, 40, 255, 190, 0}, 6);
    len = close_chunk(chunk, "PLTE", 48);
    return glmv_buf_append(out, chunk, len, err);
}

static bool append_tail(uint32_t adler, struct glmv_buf *out, struct glmv_err *err)
{
    uint8_t chunk[HEAD + 6 + 4];
    chunk[HEAD] = 3; /* the last block, empty */
    chunk[HEAD + 1] = 0;
    put_word(chunk + HEAD + 2, adler);
    size_t len = close_chunk(chunk, "IDAT", 6);
    if (!glmv_buf_append(out, chunk, len, err)) {
        return false;
    }
    len = close_chunk(chunk, "IEND", 0);
    return glmv_buf_append(out, chunk, len, err);
}

struct glmv_difference *glmv_difference_new(int width, int height, struct glmv_arena *memory)
{
    struct glmv_difference *d = glmv_arena_take(memory, sizeof *d);
    if (d == NULL) {
        return NULL;
    }
    d->width = width;
    d->height = height;
    d->step = ((size_t)width + 1) / 2;
    d->memory = memory;
    d->colours = glmv_arena_take(memory, d->step * (size_t)height);
    d->line = glmv_arena_take(memory, d->step + 1);
    d->pieces = glmv_arena_take(memory, (size_t)height * sizeof *d->pieces);
    fill_codes(&d->codes);
    return d->colours != NULL && d->line != NULL && d->pieces != NULL ? d : NULL;
}

bool glmv_difference_add(struct glmv_difference *d, const uint8_t *rgba, const uint8_t *above,
                         int inside, int count)
{
    struct piece *piece = &d->pieces[d->piece_count++];
    *piece = (struct piece){.top = d->rows, .count = count};
    for (int i = 0; i < count; i++) {
        const uint8_t *row = rgba + (size_t)i * (size_t)inside * 4;
        above = i > 0 ? row - (size_t)inside * 4 : above;
        colour_row(row, d->rows > 0 ? above : NULL, inside, d->width, d->step,
                   d->colours + (size_t)d->rows * d->step);
        d->rows++;
    }
    return encode_piece(d, piece);
}

void glmv_difference_mark(struct glmv_difference *d, int y, const uint8_t *marks)
{
    uint8_t *colours = d->colours + (size_t)y * d->step;
    bool marked = false;
    for (int x = 0; x < d->width;) {
        uint64_t eight = 0;
        memcpy(&eight, marks + x, d->width - x < 8 ? (size_t)(d->width - x) : 8);
        for (int end = x + 8; x < end && x < d->width; x++) {
            if (eight == 0) {
                x = end;
                break;
            }
            if (marks[x] != GLMV_MARK_SAME) {
                put_colour(colours, x, marks[x] == GLMV_MARK_DIFFERENT ? RED : AMBER);
                marked = true;
            }
        }
    }
    for (int i = 0; i < d->piece_count && marked; i++) {
        struct piece *piece = &d->pieces[i];
        /* The row below is filtered by this one. */
        piece->marked |= y + 1 >= piece->top && y < piece->top + piece->count;
    }
}

bool glmv_difference_png(struct glmv_difference *d, struct glmv_buf *out, struct glmv_err *err)
{
    size_t total = 256;
    for (int i = 0; i < d->piece_count; i++) {
        if (d->pieces[i].marked && !encode_piece(d, &d->pieces[i])) {
            return glmv_fail_memory(err);
        }
        total += d->pieces[i].len;
    }
    bool ok = glmv_buf_reserve(out, total, err) && append_head(d, out, err);
    uint32_t adler = 1;
    for (int i = 0; i < d->piece_count && ok; i++) {
        const struct piece *piece = &d->pieces[i];
        ok = glmv_buf_append(out, piece->bytes, piece->len, err);
        adler = i == 0 ? piece->adler : join_adler(adler, piece->adler, piece->raw);
    }
    return ok && append_tail(adler, out, err);
}

bool glmv_diff_encode_png(const struct glmv_image *a, const uint8_t *marks, int width, int height,
                          struct glmv_buf *out, struct glmv_err *err)
{
    struct glmv_arena memory = {0};
    struct glmv_difference *d = glmv_difference_new(width, height, &memory);
    bool ok = d != NULL;
    for (int y = 0; y < height && ok; y += PIECE) {
        int end = y + PIECE < height ? y + PIECE : height;
        const uint8_t *p = a->rgba + (size_t)y * (size_t)a->width * 4;
        int shared = end < a->height ? end - y : a->height - y;
        if (shared > 0) {
            ok = glmv_difference_add(d, p, y > 0 ? p - (size_t)a->width * 4 : NULL, a->width,
                                     shared);
        }
        if (ok && shared < end - y) {
            ok = glmv_difference_add(d, a->rgba, NULL, 0, end - y - (shared > 0 ? shared : 0));
        }
    }
    for (int y = 0; y < height && ok; y++) {
        glmv_difference_mark(d, y, marks + (size_t)y * (size_t)width);
    }
    ok = ok ? glmv_difference_png(d, out, err) : glmv_fail_memory(err);
    glmv_arena_release(&memory);
    return ok;
}
