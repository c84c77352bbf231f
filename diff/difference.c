/*
 * Rows of 4-bit colours, filtered by the row above, so that what repeats is zeros; runs of one byte
 * become matches of distance 1 and everything is coded with deflate's fixed code. Each job makes
 * one strip that ends at a byte boundary; the strips put together are one zlib stream.
 */
#include "diff/difference.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "diff/parallel.h"
#include "diff/pixels.h"

#define GREYS 14
#define RED 14
#define AMBER 15
#define MIN_RUN 3
#define MAX_RUN 258
#define STRETCH 16 /* pixels of one colour that are looked for together */
#define ADLER 65521u
#define HEAD 8 /* bytes before a chunk's content: its length and type */

struct code {
    uint32_t bits;
    unsigned count;
};

struct codes {
    struct code literal[256];
    struct code run[MAX_RUN + 1]; /* length and the distance 1 */
};

struct strip {
    uint8_t *bytes; /* owned; a whole IDAT chunk, and behind its bound room for a row */
    size_t bound;
    size_t len;
    uint32_t adler;
    size_t raw; /* bytes before compression */
};

struct encoder {
    const uint8_t *colours;
    int width, height, jobs;
    const struct codes *codes;
    struct strip strips[DIFF_MAX_JOBS];
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

static inline void put(struct writer *w, struct code c)
{
    w->bits |= (uint64_t)c.bits << w->count;
    w->count += c.count;
    if (w->count >= 32) {
        uint32_t low = (uint32_t)w->bits;
        for (int i = 0; i < 4; i++) {
            *w->to++ = (uint8_t)(low >> (8 * i));
        }
        w->bits >>= 32;
        w->count -= 32;
    }
}

static void flush(struct writer *w)
{
    for (; w->count > 0; w->count -= w->count < 8 ? w->count : 8) {
        *w->to++ = (uint8_t)w->bits;
        w->bits >>= 8;
    }
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

static size_t run_at(const uint8_t *bytes, size_t from, size_t len)
{
    uint64_t all = bytes[from] * 0x0101010101010101u;
    size_t end = from + 1;
    for (; end + 8 <= len; end += 8) {
        uint64_t eight;
        memcpy(&eight, bytes + end, 8);
        if (eight != all) {
            break;
        }
    }
    while (end < len && bytes[end] == bytes[from]) {
        end++;
    }
    return end - from;
}

static void put_bytes(struct writer *w, const struct codes *codes, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len;) {
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
static int colour_stretch(const uint8_t *p, int inside, uint8_t *out)
{
    (void)p;
    (void)inside;
    (void)out;
    return 0;
}
#endif

size_t glmv_diff_colours_step(int width)
{
    return ((size_t)width + 1) / 2;
}

static void put_colour(uint8_t *out, int x, uint8_t colour)
{
    out[x / 2] =
        (uint8_t)(x % 2 == 0 ? (out[x / 2] & 15) | colour << 4 : (out[x / 2] & 0xf0) | colour);
}

void glmv_diff_colours_row(const uint8_t *rgba, int inside, int width, uint8_t *out)
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

void glmv_diff_colours_mark(const uint8_t *marks, int width, uint8_t *colours)
{
    for (int x = 0; x < width;) {
        uint64_t eight = 0;
        memcpy(&eight, marks + x, width - x < 8 ? (size_t)(width - x) : 8);
        for (int end = x + 8; x < end && x < width; x++) {
            if (eight == 0) {
                x = end;
                break;
            }
            if (marks[x] != GLMV_MARK_SAME) {
                put_colour(colours, x, marks[x] == GLMV_MARK_DIFFERENT ? RED : AMBER);
            }
        }
    }
}

struct painter {
    const struct glmv_image *a;
    const uint8_t *marks;
    int width, height, jobs;
    uint8_t *colours;
};

static void paint_rows(void *context, int job)
{
    const struct painter *p = context;
    size_t step = glmv_diff_colours_step(p->width);
    int to = (int)((int64_t)p->height * (job + 1) / p->jobs);
    for (int y = (int)((int64_t)p->height * job / p->jobs); y < to; y++) {
        uint8_t *out = p->colours + (size_t)y * step;
        int inside = y < p->a->height ? p->a->width : 0;
        glmv_diff_colours_row(p->a->rgba + (size_t)(inside > 0 ? y : 0) * (size_t)p->a->width * 4,
                              inside, p->width, out);
        glmv_diff_colours_mark(p->marks + (size_t)y * (size_t)p->width, p->width, out);
    }
}

static void encode_rows(const struct encoder *e, int from, int to, struct strip *s,
                        struct writer *w, uint8_t *line)
{
    size_t step = glmv_diff_colours_step(e->width);
    for (int y = from; y < to; y++) {
        const uint8_t *row = e->colours + (size_t)y * step;
        line[0] = y == from ? 0 : 2; /* a strip knows nothing of the strip above */
        if (y == from) {
            memcpy(line + 1, row, step);
        } else {
            for (size_t x = 0; x < step; x++) {
                line[x + 1] = (uint8_t)(row[x] - row[x - step]);
            }
        }
        s->adler = libdeflate_adler32(s->adler, line, step + 1);
        put_bytes(w, e->codes, line, step + 1);
    }
    s->raw = (step + 1) * (size_t)(to - from);
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

static void encode_strip(void *context, int job)
{
    struct encoder *e = context;
    struct strip *s = &e->strips[job];
    int from = (int)((int64_t)e->height * job / e->jobs);
    int to = (int)((int64_t)e->height * (job + 1) / e->jobs);
    s->adler = 1;
    if (s->bytes != NULL) {
        struct writer w = {s->bytes + HEAD, 0, 0};
        if (job == 0) {
            *w.to++ = 0x78;
            *w.to++ = 0x01;
        }
        put(&w, (struct code){2, 3}); /* a block of the fixed code, not the last */
        encode_rows(e, from, to, s, &w, s->bytes + s->bound);
        put(&w, (struct code){0, 7});
        put(&w, (struct code){0, 3}); /* an empty stored block ends at a byte */
        flush(&w);
        memcpy(w.to, "\x00\x00\xff\xff", 4);
        w.to += 4;
        s->len = close_chunk(s->bytes, "IDAT", (size_t)(w.to - s->bytes) - HEAD);
    }
}

/* Adler-32 of two texts put together. */
static uint32_t join_adler(uint32_t a, uint32_t b, size_t len_b)
{
    uint64_t low = ((a & 0xffff) + (b & 0xffff) + ADLER - 1) % ADLER;
    uint64_t high = (a >> 16) + (uint64_t)(b >> 16) + (len_b % ADLER) * ((a & 0xffff) + ADLER - 1);
    return (uint32_t)(high % ADLER << 16 | low);
}

static bool append_head(const struct encoder *e, struct glmv_buf *out, struct glmv_err *err)
{
    uint8_t chunk[HEAD + 48 + 4] = {0};
    put_word(chunk + HEAD, (uint32_t)e->width);
    put_word(chunk + HEAD + 4, (uint32_t)e->height);
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

bool glmv_diff_encode_png(const struct glmv_image *a, const uint8_t *marks, int width, int height,
                          struct glmv_buf *out, struct glmv_err *err)
{
    struct painter p = {.a = a, .marks = marks, .width = width, .height = height};
    p.colours = malloc(glmv_diff_colours_step(width) * (size_t)height);
    if (p.colours == NULL) {
        return glmv_fail_memory(err);
    }
    p.jobs = diff_job_count((size_t)width * (size_t)height);
    diff_run_jobs(p.jobs, paint_rows, &p);
    bool ok = glmv_diff_encode_colours(p.colours, width, height, out, err);
    free(p.colours);
    return ok;
}

bool glmv_diff_encode_colours(const uint8_t *colours, int width, int height, struct glmv_buf *out,
                              struct glmv_err *err)
{
    struct codes codes;
    fill_codes(&codes);
    struct encoder e = {.colours = colours, .width = width, .height = height, .codes = &codes};
    e.jobs = diff_job_count((size_t)width * (size_t)height);
    e.jobs = e.jobs > height ? height : e.jobs;
    size_t step = glmv_diff_colours_step(width);
    for (int i = 0; i < e.jobs; i++) { /* here: a thread's first malloc() costs it an arena */
        size_t rows = (size_t)(height / e.jobs) + 1;
        /* A literal takes nine bits at most. */
        e.strips[i].bound = (step + 1) * rows * 9 / 8 + 64;
        e.strips[i].bytes = malloc(e.strips[i].bound + step + 1);
    }
    diff_run_jobs(e.jobs, encode_strip, &e);
    bool ok = append_head(&e, out, err);
    uint32_t adler = 1;
    for (int i = 0; i < e.jobs && ok; i++) {
        const struct strip *s = &e.strips[i];
        ok = s->bytes != NULL ? glmv_buf_append(out, s->bytes, s->len, err) : glmv_fail_memory(err);
        adler = i == 0 ? s->adler : join_adler(adler, s->adler, s->raw);
    }
    for (int i = 0; i < e.jobs; i++) {
        free(e.strips[i].bytes);
    }
    return ok && append_tail(adler, out, err);
}
