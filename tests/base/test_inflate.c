#include "base/inflate.h"
#include "tests/check.h"

#include <libdeflate.h>

#define SIZE 300000

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* Runs, patterns of all short distances, noise of few and of all values. */
static void paint(uint8_t *out, uint32_t seed)
{
    for (size_t i = 0; i < SIZE;) {
        size_t run = 1 + next(&seed) % 700;
        uint32_t kind = next(&seed) % 4;
        size_t back = 1 + next(&seed) % (kind == 1 ? 40 : 32768);
        for (; run > 0 && i < SIZE; run--, i++) {
            out[i] = kind == 0   ? (uint8_t)(next(&seed) % 5)
                     : kind == 3 ? (uint8_t)next(&seed)
                     : i < back  ? 0
                                 : out[i - back];
        }
    }
}

static bool unpack(const uint8_t *data, size_t len, size_t piece, uint8_t *out, size_t *filled)
{
    struct base_inflate s;
    base_inflate_init(&s, data, len);
    *filled = 0;
    while (!s.ended) {
        size_t target = *filled + piece < SIZE + 1 ? *filled + piece : SIZE + 1;
        if (*filled > SIZE || !base_inflate_until(&s, out, filled, target)) {
            return false;
        }
    }
    return base_inflate_tail(&s) == data + len;
}

static void every_level_and_piece_gives_the_bytes(void)
{
    uint8_t *plain = malloc(SIZE);
    uint8_t *packed = calloc(1, SIZE * 2);
    uint8_t *out = malloc(SIZE + 1 + BASE_INFLATE_SLACK);
    for (int level = 0; level <= 12; level++) {
        paint(plain, (uint32_t)level + 1);
        struct libdeflate_compressor *deflater = libdeflate_alloc_compressor(level);
        size_t len = libdeflate_deflate_compress(deflater, plain, SIZE, packed, SIZE * 2 - 64);
        libdeflate_free_compressor(deflater);
        static const size_t pieces[] = {1, 77, 4096, 65536, SIZE + 1};
        for (size_t i = 0; i < 5; i++) {
            size_t filled;
            CHECK_MSG(unpack(packed, len, pieces[i], out, &filled) && filled == SIZE &&
                          memcmp(out, plain, SIZE) == 0,
                      "level %d, pieces of %zu", level, pieces[i]);
        }
        for (size_t cut = 1; cut < len && cut < 4000; cut = cut * 3 + 1) {
            uint8_t *shorter = calloc(1, len - cut + BASE_INFLATE_PAD);
            size_t filled;
            memcpy(shorter, packed, len - cut);
            CHECK(!unpack(shorter, len - cut, 5000, out, &filled));
            free(shorter);
        }
    }
    free(plain);
    free(packed);
    free(out);
}

static void broken_streams_are_refused(void)
{
    static const uint8_t streams[][8 + BASE_INFLATE_PAD] = {
        {0x07},                               /* a kind of block that is not */
        {0x01, 0x02, 0x00, 0x00, 0x00},       /* a stored block whose lengths disagree */
        {0x01, 0x09, 0x00, 0xf6, 0xff, 0x61}, /* a stored block that ends too early */
        {0x03, 0x02},                         /* a match before the first byte */
        {0xfd, 0xff, 0xff, 0xff},             /* too many codes */
        {0x05, 0xc0, 0x81, 0x08}              /* no code for the block's end */
    };
    uint8_t out[1024];
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        struct base_inflate s;
        size_t filled = 0;
        base_inflate_init(&s, streams[i], 6);
        CHECK_MSG(!base_inflate_until(&s, out, &filled, 600), "stream %zu", i);
    }
}

int main(void)
{
    every_level_and_piece_gives_the_bytes();
    broken_streams_are_refused();
    TEST_END();
}
