#include "base/png_rows.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/inflate.h"
#include "base/unfilter.h"

#define MAX_RATIO 1032          /* no deflate stream grows more */
#define STRIP ((size_t)1 << 16) /* bytes of a strip that stay in a core's cache with all else */
#define MIN_STRIP 16            /* rows */
#define MAX_STRIP 128
#define COMPARED ((size_t)4096) /* bytes at once where two files begin the same */
#define TAIL 4                  /* bytes of the checksum behind the stream */

struct glmv_png_stream {
    const uint8_t *data; /* the zlib stream; inside the file or in joined */
    size_t len;
    uint8_t *joined; /* NULL when the stream is one chunk */
    uint8_t *top;    /* the row above the picture */
    struct glmv_arena *memory;
    struct base_inflate inflate;
    uint32_t adler;
    int row;             /* rows handed out */
    const uint8_t *room; /* of the last strip */
    size_t filled;       /* bytes in it */
    size_t ahead;        /* of them, those that belong to the next strip */
};

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Chunks that say nothing about the pixels as this project reads them. */
static bool is_harmless(const uint8_t *type)
{
    static const char names[][5] = {"sRGB", "gAMA", "pHYs", "tEXt", "tIME",
                                    "sBIT", "bKGD", "cHRM", "glHS"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (memcmp(type, names[i], 4) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_header(struct glmv_png_rows *r, const uint8_t *chunk)
{
    uint32_t width = big_endian(chunk);
    uint32_t height = big_endian(chunk + 4);
    if (!base_image_fits(width, height, "", NULL) || chunk[8] != 8 ||
        (chunk[9] != 2 && chunk[9] != 6) || chunk[10] != 0 || chunk[11] != 0 || chunk[12] != 0) {
        return false;
    }
    r->width = (int)width;
    r->height = (int)height;
    r->channels = chunk[9] == 6 ? 4 : 3;
    r->step = (size_t)width * (size_t)r->channels + 1;
    size_t strip = STRIP / r->step;
    strip = strip < MIN_STRIP ? MIN_STRIP : strip > MAX_STRIP ? MAX_STRIP : strip;
    r->strip = (int)strip;
    r->room = BASE_INFLATE_WINDOW + (size_t)2 * BASE_INFLATE_SLACK + (size_t)r->strip * r->step + 1;
    return true;
}

/* Adds the content of one IDAT chunk; the second makes a copy of all of them necessary, and so does
 * one with too little behind it to be read carelessly. */
static bool add_data(struct glmv_png_stream *s, const uint8_t *content, size_t size,
                     const uint8_t *file, size_t file_len)
{
    size_t behind = (size_t)(file + file_len - content) - size;
    if (s->data == NULL && behind + TAIL >= BASE_INFLATE_PAD) {
        s->data = content;
        s->len = size;
        return true;
    }
    if (s->joined == NULL) {
        s->joined = glmv_arena_take(s->memory, file_len + BASE_INFLATE_PAD);
        if (s->joined == NULL) {
            return false;
        }
        if (s->len > 0) {
            memcpy(s->joined, s->data, s->len);
        }
        s->data = s->joined;
    }
    memcpy(s->joined + s->len, content, size);
    s->len += size;
    return true;
}

/* Walks the chunks; false for anything out of the ordinary. */
static bool read_chunks(struct glmv_png_rows *r, const uint8_t *bytes, size_t len)
{
    struct glmv_png_stream *s = r->stream;
    size_t pos = 8;
    bool data_ended = false;
    for (int n = 0; len - pos >= 12; n++) {
        size_t size = big_endian(bytes + pos);
        const uint8_t *type = bytes + pos + 4;
        if (size > len - pos - 12 ||
            libdeflate_crc32(0, type, size + 4) != big_endian(type + 4 + size)) {
            return false;
        }
        pos += size + 12;
        bool is_data = memcmp(type, "IDAT", 4) == 0;
        if (n == 0) {
            if (memcmp(type, "IHDR", 4) != 0 || size != 13 || !read_header(r, type + 4)) {
                return false;
            }
        } else if (is_data) {
            if (data_ended || !add_data(s, type + 4, size, bytes, len)) {
                return false;
            }
        } else if (memcmp(type, "IEND", 4) == 0) {
            return size == 0 && s->data != NULL;
        } else if (!is_harmless(type)) {
            return false;
        }
        data_ended = data_ended || (s->data != NULL && !is_data);
    }
    return false;
}

/* zlib's header: a window of 32 KiB, within which zlib accepts the same distances, no dictionary.
 */
static bool starts_well(const struct glmv_png_rows *r)
{
    const struct glmv_png_stream *s = r->stream;
    return s->len > 2 + TAIL && s->data[0] == 0x78 && (s->data[1] & 0x20) == 0 &&
           (s->data[0] * 256 + s->data[1]) % 31 == 0 &&
           r->step * (size_t)r->height / MAX_RATIO <= s->len;
}

struct glmv_png_rows *glmv_png_rows_open(const void *bytes, size_t len, struct glmv_arena *memory)
{
    if (len < 8 || memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) != 0) {
        return NULL;
    }
    struct glmv_png_rows *r = glmv_arena_take(memory, sizeof *r);
    struct glmv_png_stream *s = glmv_arena_take(memory, sizeof *s);
    if (r == NULL || s == NULL) {
        return NULL;
    }
    s->memory = memory;
    r->stream = s;
    if (!read_chunks(r, bytes, len) || !starts_well(r)) {
        return NULL;
    }
    s->top = glmv_arena_take(memory, (size_t)r->width * 4);
    if (s->top == NULL) {
        return NULL;
    }
    for (size_t x = 0; r->channels == 3 && x < (size_t)r->width; x++) {
        s->top[x * 4 + 3] = 255;
    }
    s->adler = 1;
    base_inflate_init(&s->inflate, s->data + 2, s->len - 2 - TAIL);
    return r;
}

/* Moves what matches can reach back to, and what came out too early, to the front of the room. */
static size_t carry(struct glmv_png_stream *s, uint8_t *room)
{
    size_t keep = BASE_INFLATE_WINDOW + s->ahead;
    keep = keep < s->filled ? keep : s->filled;
    if (keep > 0) {
        memmove(room, s->room + s->filled - keep, keep);
    }
    return keep;
}

const uint8_t *glmv_png_rows_next(struct glmv_png_rows *rows, uint8_t *room, int *count)
{
    struct glmv_png_stream *s = rows->stream;
    int left = rows->height - s->row;
    *count = left < rows->strip ? left : rows->strip;
    size_t size = (size_t)*count * rows->step;
    size_t filled = carry(s, room);
    uint8_t *strip = room + filled - s->ahead;
    size_t target = (size_t)(strip - room) + size;
    bool last = *count == left;
    /* One byte more than there is: the stream has to end before it. */
    if (left <= 0 || !base_inflate_until(&s->inflate, room, &filled, target + last) ||
        filled < target) {
        return NULL;
    }
    s->adler = libdeflate_adler32(s->adler, strip, size);
    s->row += *count;
    s->room = room;
    s->filled = filled;
    s->ahead = filled - target;
    if (last) {
        const uint8_t *tail = s->data + s->len - TAIL;
        return s->inflate.ended && s->ahead == 0 && base_inflate_tail(&s->inflate) == tail &&
                       s->adler == big_endian(tail)
                   ? strip
                   : NULL;
    }
    return strip;
}

size_t glmv_png_rows_common(const struct glmv_png_rows *rows, const struct glmv_png_rows *other)
{
    const struct glmv_png_stream *a = rows->stream;
    const struct glmv_png_stream *b = other->stream;
    if (rows->step != other->step || rows->channels != other->channels ||
        rows->height != other->height || rows->strip != other->strip) {
        return 0;
    }
    size_t len = a->len < b->len ? a->len : b->len;
    size_t common = 0;
    while (len - common >= COMPARED && memcmp(a->data + common, b->data + common, COMPARED) == 0) {
        common += COMPARED;
    }
    while (common < len && a->data[common] == b->data[common]) {
        common++;
    }
    return common;
}

bool glmv_png_rows_is_within(const struct glmv_png_rows *rows, size_t common)
{
    const struct glmv_png_stream *s = rows->stream;
    return (size_t)(s->inflate.in - s->data) + BASE_INFLATE_AHEAD <= common;
}

struct glmv_png_stream *glmv_png_rows_keeper(struct glmv_arena *memory)
{
    return glmv_arena_take(memory, sizeof(struct glmv_png_stream));
}

void glmv_png_rows_keep(const struct glmv_png_rows *rows, struct glmv_png_stream *kept)
{
    *kept = *rows->stream;
}

void glmv_png_rows_follow(struct glmv_png_rows *rows, const struct glmv_png_stream *kept)
{
    struct glmv_png_stream own = *rows->stream;
    struct glmv_png_stream *s = rows->stream;
    *s = *kept;
    s->data = own.data;
    s->len = own.len;
    s->joined = own.joined;
    s->top = own.top;
    s->inflate.in = own.data + (kept->inflate.in - kept->data);
    s->inflate.end = own.inflate.end;
}

bool glmv_png_rows_undo(const struct glmv_png_rows *rows, const uint8_t *raw, int count,
                        const uint8_t *up, uint8_t *rgba)
{
    return base_unfilter(raw, (size_t)rows->width, rows->channels, (size_t)count,
                         up != NULL ? up : rows->stream->top, rgba);
}

static bool decode_rows(struct glmv_png_rows *rows, uint8_t *room, uint8_t *pixels)
{
    size_t row = (size_t)rows->width * 4;
    bool ok = room != NULL && pixels != NULL;
    for (int y = 0, count; y < rows->height && ok; y += count) {
        const uint8_t *raw = glmv_png_rows_next(rows, room, &count);
        uint8_t *out = pixels + (size_t)y * row;
        ok = raw != NULL && glmv_png_rows_undo(rows, raw, count, y > 0 ? out - row : NULL, out);
    }
    return ok;
}

struct glmv_image *base_png_decode_plain(const unsigned char *bytes, size_t len)
{
    struct glmv_arena memory = {0};
    struct glmv_image *image = NULL;
    struct glmv_png_rows *rows = glmv_png_rows_open(bytes, len, &memory);
    if (rows != NULL) {
        uint8_t *pixels = base_pixels_new((size_t)rows->width * (size_t)rows->height * 4);
        image = malloc(sizeof *image);
        if (image != NULL && decode_rows(rows, glmv_arena_take(&memory, rows->room), pixels)) {
            *image = (struct glmv_image){rows->width, rows->height, pixels};
        } else {
            free(pixels);
            free(image);
            image = NULL;
        }
    }
    glmv_arena_release(&memory);
    return image;
}
