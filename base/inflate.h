/*
 * Deflate (RFC 1951) unpacked a piece at a time, so that a caller can use one piece while it is in
 * the cache and need not hold the whole. What zlib refuses is refused here, too.
 */
#ifndef GLMV_BASE_INFLATE_H
#define GLMV_BASE_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE_INFLATE_WINDOW 32768 /* bytes that a match can reach back */
#define BASE_INFLATE_PAD 32       /* bytes behind the input that must be readable */
#define BASE_INFLATE_SLACK 320    /* bytes behind the target that may be written */

#define BASE_INFLATE_AHEAD 8 /* bytes from in on that the bits at hand may be of */

/* Lengths of tables of 11 and 8 bits with the largest subtables that complete codes can need. */
#define BASE_INFLATE_SYMBOLS 2342
#define BASE_INFLATE_DISTANCES 402

struct base_inflate {
    const uint8_t *in, *end;
    uint64_t bits; /* read and not used; the next one is the lowest */
    unsigned count;
    int place;       /* in the block structure; private */
    bool last;       /* the block at hand is the last one */
    bool ended;      /* all blocks are unpacked */
    uint32_t stored; /* bytes left of a stored block */
    uint32_t symbols[BASE_INFLATE_SYMBOLS], distances[BASE_INFLATE_DISTANCES];
};

/* The input is borrowed until the last call. */
void base_inflate_init(struct base_inflate *s, const uint8_t *data, size_t len);

/*
 * Goes on until at least target bytes of room are filled or the stream has ended; *filled says how
 * many are, before and after. The last BASE_INFLATE_WINDOW bytes of what came out so far must lie
 * before *filled. room holds target + BASE_INFLATE_SLACK bytes. False for a broken stream.
 */
bool base_inflate_until(struct base_inflate *s, uint8_t *room, size_t *filled, size_t target);

/* Where the stream ended in the input; only after it has. */
const uint8_t *base_inflate_tail(const struct base_inflate *s);

#endif
