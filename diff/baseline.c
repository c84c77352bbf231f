/*
 * The file: IHDR, the chunk glHS, an IDAT for each strip, an IDAT that ends the stream, IEND. Rows
 * are not filtered and each strip's deflate ends with a full flush, so that it stands alone. glHS
 * holds a version, the rows of a strip, and for each strip its hash, the length of its IDAT and the
 * IDAT's checksum: a file that another program wrote again is told by them. Its name asks programs
 * that change the pixels to leave it out.
 */
#include "diff/baseline.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/inflate.h"
#include "diff/hash.h"

#define VERSION 1
#define HEAD 4   /* bytes of glHS before the strips */
#define ENTRY 24 /* bytes of a strip: its hash, length and checksum */
#define CHUNK 12 /* bytes of a chunk besides its content */
#define LEVEL 6
#define SIGNATURE "\x89PNG\r\n\x1a\n"

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

static void put_hash(const uint8_t *rows, size_t len, diff_hash_fn *hash, uint8_t *out)
{
    uint64_t h[2];
    hash(rows, len, h);
    for (int i = 0; i < 16; i++) {
        out[i] = (uint8_t)(h[i / 8] >> (8 * (i % 8)));
    }
}

static int strip_count(int height)
{
    return (height + GLMV_BASELINE_ROWS - 1) / GLMV_BASELINE_ROWS;
}

static int rows_of(int height, int strip)
{
    int left = height - strip * GLMV_BASELINE_ROWS;
    return left < GLMV_BASELINE_ROWS ? left : GLMV_BASELINE_ROWS;
}

static bool append_chunk(struct glmv_buf *out, const char *type, const uint8_t *content, size_t len,
                         uint32_t *checksum, struct glmv_err *err)
{
    uint8_t head[8];
    uint8_t tail[4];
    put32(head, (uint32_t)len);
    memcpy(head + 4, type, 4);
    *checksum = libdeflate_crc32(libdeflate_crc32(0, head + 4, 4), content, len);
    put32(tail, *checksum);
    return glmv_buf_append(out, head, 8, err) && glmv_buf_append(out, content, len, err) &&
           glmv_buf_append(out, tail, 4, err);
}

static bool is_opaque(const struct glmv_image *image)
{
    uint8_t all = 255;
    size_t len = (size_t)image->width * (size_t)image->height * 4;
    for (size_t i = 3; i < len; i += 4) {
        all &= image->rgba[i];
    }
    return all == 255;
}

/* The rows of a strip as PNG has them, unfiltered. */
static void pack_rows(const struct glmv_image *frame, int top, int count, int channels,
                      uint8_t *raw)
{
    for (int y = top; y < top + count; y++) {
        const uint8_t *p = frame->rgba + (size_t)y * (size_t)frame->width * 4;
        *raw++ = 0;
        for (int x = 0; x < frame->width; x++, p += 4, raw += channels) {
            memcpy(raw, p, (size_t)channels);
        }
    }
}

struct packer {
    z_stream z;
    uint8_t *raw, *packed; /* owned */
    size_t step, bound;
    uint32_t adler;
};

static bool packer_init(struct packer *p, int width, int channels)
{
    *p = (struct packer){.adler = 1, .step = (size_t)width * (size_t)channels + 1};
    if (deflateInit2(&p->z, LEVEL, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    p->bound = deflateBound(&p->z, (uLong)(p->step * GLMV_BASELINE_ROWS)) + 64;
    p->raw = malloc(p->step * GLMV_BASELINE_ROWS);
    p->packed = malloc(p->bound);
    return p->raw != NULL && p->packed != NULL;
}

static void packer_release(struct packer *p)
{
    deflateEnd(&p->z);
    free(p->raw);
    free(p->packed);
}

/* Appends one strip's IDAT and fills in its entry. */
static bool append_strip(struct packer *p, const struct glmv_image *frame, int strip, int channels,
                         uint8_t *entry, struct glmv_buf *out, struct glmv_err *err)
{
    int top = strip * GLMV_BASELINE_ROWS;
    int count = rows_of(frame->height, strip);
    size_t len = p->step * (size_t)count;
    size_t lead = strip == 0 ? 2 : 0;
    pack_rows(frame, top, count, channels, p->raw);
    p->adler = libdeflate_adler32(p->adler, p->raw, len);
    memcpy(p->packed, "\x78\x01", 2);
    p->z.next_in = p->raw;
    p->z.avail_in = (uInt)len;
    p->z.next_out = p->packed + lead;
    p->z.avail_out = (uInt)(p->bound - lead);
    if (deflate(&p->z, Z_FULL_FLUSH) != Z_OK || p->z.avail_in != 0 || p->z.avail_out == 0) {
        return glmv_fail(err, GLMV_ERR_LIMIT, "a picture could not be packed");
    }
    size_t packed = p->bound - p->z.avail_out;
    uint32_t checksum;
    size_t row = (size_t)frame->width * 4;
    put_hash(frame->rgba + (size_t)top * row, row * (size_t)count, diff_hash_best(), entry);
    put32(entry + 16, (uint32_t)packed);
    bool ok = append_chunk(out, "IDAT", p->packed, packed, &checksum, err);
    put32(entry + 20, checksum);
    return ok;
}

static bool append_file(const struct glmv_image *frame, struct packer *p, int channels,
                        uint8_t *table, struct glmv_buf *strips, struct glmv_buf *out,
                        struct glmv_err *err)
{
    int count = strip_count(frame->height);
    memcpy(table, (const uint8_t[HEAD]){VERSION, GLMV_BASELINE_ROWS, 0, 0}, HEAD);
    for (int i = 0; i < count; i++) {
        if (!append_strip(p, frame, i, channels, table + HEAD + (size_t)i * ENTRY, strips, err)) {
            return false;
        }
    }
    uint8_t head[13] = {[8] = 8, [9] = channels == 4 ? 6 : 2};
    put32(head, (uint32_t)frame->width);
    put32(head + 4, (uint32_t)frame->height);
    uint8_t end[6] = {3, 0}; /* the last block, empty */
    put32(end + 2, p->adler);
    uint32_t checksum;
    return glmv_buf_append(out, SIGNATURE, 8, err) &&
           append_chunk(out, "IHDR", head, sizeof head, &checksum, err) &&
           append_chunk(out, "glHS", table, HEAD + (size_t)count * ENTRY, &checksum, err) &&
           glmv_buf_append(out, strips->data, strips->len, err) &&
           append_chunk(out, "IDAT", end, sizeof end, &checksum, err) &&
           append_chunk(out, "IEND", end, 0, &checksum, err);
}

bool glmv_baseline_encode(const struct glmv_image *frame, struct glmv_buf *out,
                          struct glmv_err *err)
{
    struct packer p;
    struct glmv_buf strips;
    int channels = is_opaque(frame) ? 3 : 4;
    glmv_buf_init(&strips, (size_t)1 << 30);
    uint8_t *table = malloc(HEAD + (size_t)strip_count(frame->height) * ENTRY);
    bool ok = packer_init(&p, frame->width, channels) && table != NULL;
    ok = ok ? append_file(frame, &p, channels, table, &strips, out, err) : glmv_fail_memory(err);
    packer_release(&p);
    free(table);
    glmv_buf_release(&strips);
    return ok;
}

/* A file that is being compared. */
struct comparing {
    const struct glmv_image *frame;
    const uint8_t *table;   /* of glHS */
    const uint8_t **strips; /* owned; content of each strip's IDAT */
    int channels, count;
    size_t step;
    uint8_t *changed; /* owned; for each strip, whether its hash is another */
    struct glmv_baseline_rows *rows;
};

/* Finds the strips and sees that they are those which the table is of. */
static bool find_strips(struct comparing *c, const uint8_t *bytes, size_t len)
{
    size_t pos = 8 + CHUNK + 13;
    if (len < pos + CHUNK || memcmp(bytes, SIGNATURE "\0\0\0\x0dIHDR", 16) != 0) {
        return false;
    }
    const uint8_t *head = bytes + 16;
    c->channels = head[9] == 6 ? 4 : 3;
    c->count = strip_count(c->frame->height);
    c->step = (size_t)c->frame->width * (size_t)c->channels + 1;
    size_t size = get32(bytes + pos);
    if (get32(head) != (uint32_t)c->frame->width || get32(head + 4) != (uint32_t)c->frame->height ||
        head[8] != 8 || (head[9] != 2 && head[9] != 6) || head[10] + head[11] + head[12] != 0 ||
        memcmp(bytes + pos + 4, "glHS", 4) != 0 || size != HEAD + (size_t)c->count * ENTRY ||
        size > len - pos - CHUNK) {
        return false;
    }
    c->table = bytes + pos + 8;
    if (c->table[0] != VERSION || c->table[1] != GLMV_BASELINE_ROWS ||
        libdeflate_crc32(0, bytes + pos + 4, size + 4) != get32(c->table + size)) {
        return false;
    }
    pos += size + CHUNK;
    for (int i = 0; i < c->count; i++) {
        const uint8_t *entry = c->table + HEAD + (size_t)i * ENTRY;
        size = get32(entry + 16);
        if (len - pos < CHUNK || size > len - pos - CHUNK || get32(bytes + pos) != size ||
            memcmp(bytes + pos + 4, "IDAT", 4) != 0 ||
            get32(bytes + pos + 8 + size) != get32(entry + 20)) {
            return false;
        }
        c->strips[i] = bytes + pos + 8;
        pos += size + CHUNK;
    }
    return len - pos + 4 >= BASE_INFLATE_PAD; /* behind the last strip's content */
}

bool glmv_baseline_is(const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    if (len < 33) {
        return false;
    }
    struct glmv_image shape = {.width = (int)get32(p + 16), .height = (int)get32(p + 20)};
    if (shape.width < 1 || shape.width > GLMV_IMAGE_MAX_SIDE || shape.height < 1 ||
        shape.height > GLMV_IMAGE_MAX_SIDE) {
        return false;
    }
    struct comparing c = {.frame = &shape};
    c.strips = malloc((size_t)strip_count(shape.height) * sizeof *c.strips);
    bool ok = c.strips != NULL && find_strips(&c, bytes, len);
    for (int i = 0; i < c.count && ok; i++) {
        const uint8_t *entry = c.table + HEAD + (size_t)i * ENTRY;
        ok = libdeflate_crc32(0, c.strips[i] - 4, get32(entry + 16) + (size_t)4) ==
             get32(entry + 20);
    }
    free((void *)c.strips);
    return ok;
}

static void add_alpha(const uint8_t *rgb, size_t count, uint8_t *rgba)
{
    for (size_t x = 0; x < count; x++) {
        memcpy(rgba + x * 4, rgb + x * 3, 3);
        rgba[x * 4 + 3] = 255;
    }
}

static bool unpack_strip(const struct comparing *c, int strip, struct base_inflate *inflate,
                         uint8_t *room)
{
    const uint8_t *data = c->strips[strip];
    const uint8_t *entry = c->table + HEAD + (size_t)strip * ENTRY;
    size_t len = get32(entry + 16);
    size_t lead = strip == 0 ? 2 : 0;
    size_t rows = (size_t)rows_of(c->frame->height, strip);
    size_t filled = 0;
    size_t row = (size_t)c->frame->width * 4;
    size_t top = (size_t)strip * GLMV_BASELINE_ROWS;
    if (len < lead || libdeflate_crc32(0, data - 4, len + 4) != get32(entry + 20)) {
        return false;
    }
    base_inflate_init(inflate, data + lead, len - lead);
    if (!base_inflate_until(inflate, room, &filled, rows * c->step) || filled != rows * c->step) {
        return false;
    }
    for (size_t y = 0; y < rows; y++) {
        const uint8_t *raw = room + y * c->step;
        uint8_t *p = c->rows->stored->rgba + (top + y) * row;
        if (*raw++ != 0) {
            return false;
        }
        if (c->channels == 4) {
            memcpy(p, raw, row);
        } else {
            add_alpha(raw, row / 4, p);
        }
        c->rows->held[top + y] = 1;
        c->rows->differs[top + y] = memcmp(p, c->frame->rgba + (top + y) * row, row) != 0;
    }
    return true;
}

/* On one thread: a core alone hashes nearly as fast as memory is read. */
static bool compare_strips(struct comparing *c)
{
    diff_hash_fn *hash = diff_hash_best();
    size_t row = (size_t)c->frame->width * 4;
    struct base_inflate *inflate = malloc(sizeof *inflate);
    uint8_t *room = malloc(c->step * GLMV_BASELINE_ROWS + BASE_INFLATE_SLACK);
    bool ok = inflate != NULL && room != NULL;
    for (int i = 0; i < c->count && ok; i++) {
        uint8_t h[16];
        size_t top = (size_t)i * GLMV_BASELINE_ROWS;
        put_hash(c->frame->rgba + top * row, row * (size_t)rows_of(c->frame->height, i), hash, h);
        c->changed[i] = memcmp(h, c->table + HEAD + (size_t)i * ENTRY, sizeof h) != 0;
        ok = !c->changed[i] || unpack_strip(c, i, inflate, room);
    }
    free(inflate);
    free(room);
    return ok;
}

/* Rows beside a strip that changed are the frame's own. */
static void hold_rows(struct comparing *c, int from, int to)
{
    size_t row = (size_t)c->frame->width * 4;
    for (int y = from < 0 ? 0 : from; y < to && y < c->frame->height; y++) {
        if (!c->rows->held[y]) {
            memcpy(c->rows->stored->rgba + (size_t)y * row, c->frame->rgba + (size_t)y * row, row);
            c->rows->held[y] = 1;
        }
    }
}

static void hold_neighbours(struct comparing *c)
{
    for (int i = 0; i < c->count; i++) {
        int top = i * GLMV_BASELINE_ROWS;
        int bottom = top + rows_of(c->frame->height, i);
        if (c->changed[i]) {
            hold_rows(c, top - GLMV_BASELINE_MARGIN, top);
            hold_rows(c, bottom, bottom + GLMV_BASELINE_MARGIN);
        }
    }
}

bool glmv_baseline_compare(const void *bytes, size_t len, const struct glmv_image *frame,
                           struct glmv_baseline_rows *rows)
{
    struct comparing c = {.frame = frame, .rows = rows};
    size_t strips = (size_t)strip_count(frame->height);
    *rows = (struct glmv_baseline_rows){0};
    c.strips = malloc(strips * sizeof *c.strips);
    c.changed = calloc(strips, 1);
    bool ok = c.strips != NULL && c.changed != NULL && find_strips(&c, bytes, len);
    if (ok) {
        rows->stored = glmv_image_new(frame->width, frame->height, NULL);
        rows->differs = calloc((size_t)frame->height, 1);
        rows->held = calloc((size_t)frame->height, 1);
        ok = rows->stored != NULL && rows->differs != NULL && rows->held != NULL &&
             compare_strips(&c);
    }
    if (ok) {
        hold_neighbours(&c);
    }
    free((void *)c.strips);
    free(c.changed);
    if (!ok) {
        glmv_baseline_release(rows);
    }
    return ok;
}

void glmv_baseline_release(struct glmv_baseline_rows *rows)
{
    glmv_image_free(rows->stored);
    free(rows->differs);
    free(rows->held);
    *rows = (struct glmv_baseline_rows){0};
}
