/* Our inflate against zlib's: the same streams are accepted, with the same bytes, whatever the size
 * of the pieces. The first byte picks that size. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/inflate.h"

#define MAX_OUT ((size_t)1 << 20)

/* Unpacks as the PNG reader does: only the window is carried on. Returns the length or -1. */
static long unpack_in_pieces(const uint8_t *data, size_t len, size_t piece, uint8_t *out)
{
    size_t size = BASE_INFLATE_WINDOW + piece + (size_t)2 * BASE_INFLATE_SLACK;
    uint8_t *room = malloc(size);
    struct base_inflate *s = malloc(sizeof *s);
    base_inflate_init(s, data, len);
    size_t filled = 0;
    long total = 0;
    bool ok = true;
    while (ok && !s->ended && (size_t)total < MAX_OUT) {
        size_t keep = filled < BASE_INFLATE_WINDOW ? filled : BASE_INFLATE_WINDOW;
        memmove(room, room + filled - keep, keep);
        filled = keep;
        ok = base_inflate_until(s, room, &filled, keep + piece);
        memcpy(out + total, room + keep, filled - keep);
        total += (long)(filled - keep);
    }
    ok = ok && s->ended && base_inflate_tail(s) == data + len;
    free(room);
    free(s);
    return ok ? total : -1;
}

static long unpack_by_zlib(const uint8_t *data, size_t len, uint8_t *out)
{
    z_stream z = {0};
    z.next_in = (Bytef *)data;
    z.avail_in = (uInt)len;
    z.next_out = out;
    z.avail_out = MAX_OUT;
    inflateInit2(&z, -15);
    int result = inflate(&z, Z_FINISH);
    long total = result == Z_STREAM_END && z.avail_in == 0 ? (long)z.total_out : -1;
    inflateEnd(&z);
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    size_t len = size - 1;
    size_t piece = 1 + (size_t)data[0] * data[0];
    uint8_t *in = calloc(1, len + BASE_INFLATE_PAD);
    uint8_t *ours = malloc(MAX_OUT + 70000);
    uint8_t *theirs = malloc(MAX_OUT);
    memcpy(in, data + 1, len);
    long want = unpack_by_zlib(in, len, theirs);
    long got = unpack_in_pieces(in, len, piece, ours);
    bool too_long = want < 0 && got >= (long)MAX_OUT;
    if (!too_long && (want != got || (want > 0 && memcmp(ours, theirs, (size_t)want) != 0))) {
        abort();
    }
    free(in);
    free(ours);
    free(theirs);
    return 0;
}
