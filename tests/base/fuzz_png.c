/* The fast PNG reader against libpng: what it accepts has the same pixels. The first byte picks a
 * file, whose checksums are made right so that mutations get past them, or rows of filtered bytes
 * that are put into a file. */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#define MAX_SIDE 300

static void put(unsigned char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (unsigned char)(v >> (24 - 8 * i));
    }
}

static size_t chunk(unsigned char *to, const char *type, const void *content, size_t len)
{
    put(to, (uint32_t)len);
    memcpy(to + 4, type, 4);
    memmove(to + 8, content, len);
    put(to + 8 + len, libdeflate_crc32(0, to + 4, len + 4));
    return len + 12;
}

/* Size, kind and rows from the fuzzer's bytes, repeated where they run out. */
static unsigned char *make_file(const uint8_t *data, size_t size, size_t *len)
{
    unsigned w = 1 + data[0] % MAX_SIDE;
    unsigned h = 1 + data[1] % 40;
    unsigned channels = data[2] & 1 ? 4 : 3;
    size_t step = (size_t)w * channels + 1;
    unsigned char *raw = malloc(step * h);
    for (size_t i = 0; i < step * h; i++) {
        raw[i] = i % step == 0 ? data[i % size] % 6 : data[3 + i % (size - 3)];
    }
    struct libdeflate_compressor *deflater = libdeflate_alloc_compressor(1);
    size_t bound = libdeflate_zlib_compress_bound(deflater, step * h);
    unsigned char *zlib = malloc(bound);
    size_t packed = libdeflate_zlib_compress(deflater, raw, step * h, zlib, bound);
    zlib[0] = 0x78;
    zlib[1] = 0x01;
    unsigned char head[13] = {[8] = 8, [9] = channels == 4 ? 6 : 2};
    put(head, w);
    put(head + 4, h);
    unsigned char *file = malloc(packed + 100);
    memcpy(file, "\x89PNG\r\n\x1a\n", 8);
    *len = 8 + chunk(file + 8, "IHDR", head, 13);
    size_t half = data[2] & 2 ? packed / 2 : packed;
    *len += chunk(file + *len, "IDAT", zlib, half);
    if (half < packed) {
        *len += chunk(file + *len, "IDAT", zlib + half, packed - half);
    }
    *len += chunk(file + *len, "IEND", "", 0);
    libdeflate_free_compressor(deflater);
    free(raw);
    free(zlib);
    return file;
}

static unsigned char *mend_checksums(const uint8_t *data, size_t size)
{
    unsigned char *file = malloc(size + 1);
    memcpy(file, data, size);
    memcpy(file, "\x89PNG\r\n\x1a\n", 8); /* whoever calls a PNG reader has looked at it */
    for (size_t pos = 8; size >= 12 && pos <= size - 12;) {
        size_t len = (size_t)file[pos] << 24 | (size_t)file[pos + 1] << 16 |
                     (size_t)file[pos + 2] << 8 | file[pos + 3];
        if (len > size - pos - 12) {
            break;
        }
        put(file + pos + 8 + len, libdeflate_crc32(0, file + pos + 4, len + 4));
        pos += len + 12;
    }
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 8) {
        return 0;
    }
    bool is_file = data[0] == 0x89;
    size_t len = size;
    unsigned char *file =
        is_file ? mend_checksums(data, size) : make_file(data + 1, size - 1, &len);
    int w;
    int h;
    if (is_file && glmv_image_size(file, len, &w, &h) && (int64_t)w * h > 1 << 20) {
        free(file);
        return 0;
    }
    struct glmv_image *fast = base_png_decode_plain(file, len);
    struct glmv_image *sure = base_png_decode(file, len, "fuzz", NULL);
    if (fast != NULL &&
        (sure == NULL || fast->width != sure->width || fast->height != sure->height ||
         memcmp(fast->rgba, sure->rgba, (size_t)sure->width * (size_t)sure->height * 4) != 0)) {
        abort();
    }
    glmv_image_free(fast);
    glmv_image_free(sure);
    free(file);
    return 0;
}
