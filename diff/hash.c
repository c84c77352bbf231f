/*
 * Eight sums of products: of each eight bytes, with a key laid over them, the halves are multiplied
 * and added to one sum, and the bytes as they are to its neighbour, so that nothing is lost where a
 * half becomes 0. The keys go on from stripe to stripe, which makes the order count, and after each
 * block the high bits of the sums are brought down.
 */
#include "diff/hash.h"

#include <stdbool.h>
#include <string.h>

#define LANES 8
#define STRIPE 64 /* bytes */
#define BLOCK 16  /* stripes */
#define PRIME 0x9e3779b97f4a7c15u
#define STEP 0xc2b2ae3d27d4eb4fu /* from a stripe's keys to the next one's */

struct state {
    uint64_t sums[LANES], keys[LANES];
};

/* Adds a number of stripes, at most a block. */
typedef void add_fn(struct state *s, const uint8_t *bytes, size_t stripes);

static void add_plain(struct state *s, const uint8_t *bytes, size_t stripes)
{
    for (; stripes > 0; stripes--, bytes += STRIPE) {
        for (size_t i = 0; i < LANES; i++) {
            uint64_t data;
            memcpy(&data, bytes + i * 8, 8);
            uint64_t mixed = data ^ s->keys[i];
            s->sums[i] += (mixed & 0xffffffff) * (mixed >> 32);
            s->sums[i ^ 1] += data;
            s->keys[i] += STEP;
        }
    }
}

#ifdef __x86_64__
#include <immintrin.h>

static void add_sse2(struct state *s, const uint8_t *bytes, size_t stripes)
{
    __m128i sums[LANES / 2];
    __m128i keys[LANES / 2];
    memcpy(sums, s->sums, sizeof sums);
    memcpy(keys, s->keys, sizeof keys);
    const __m128i step = _mm_set1_epi64x((long long)STEP);
    for (; stripes > 0; stripes--, bytes += STRIPE) {
        for (size_t i = 0; i < LANES / 2; i++) {
            __m128i data = _mm_loadu_si128((const void *)(bytes + i * 16));
            __m128i mixed = _mm_xor_si128(data, keys[i]);
            __m128i product = _mm_mul_epu32(mixed, _mm_srli_epi64(mixed, 32));
            sums[i] = _mm_add_epi64(sums[i], _mm_add_epi64(product, _mm_shuffle_epi32(data, 0x4e)));
            keys[i] = _mm_add_epi64(keys[i], step);
        }
    }
    memcpy(s->sums, sums, sizeof sums);
    memcpy(s->keys, keys, sizeof keys);
}

__attribute__((target("avx2"))) static void add_avx2(struct state *s, const uint8_t *bytes,
                                                     size_t stripes)
{
    __m256i sums[LANES / 4];
    __m256i keys[LANES / 4];
    memcpy(sums, s->sums, sizeof sums);
    memcpy(keys, s->keys, sizeof keys);
    const __m256i step = _mm256_set1_epi64x((long long)STEP);
    for (; stripes > 0; stripes--, bytes += STRIPE) {
        for (size_t i = 0; i < LANES / 4; i++) {
            __m256i data = _mm256_loadu_si256((const void *)(bytes + i * 32));
            __m256i mixed = _mm256_xor_si256(data, keys[i]);
            __m256i product = _mm256_mul_epu32(mixed, _mm256_srli_epi64(mixed, 32));
            sums[i] = _mm256_add_epi64(sums[i],
                                       _mm256_add_epi64(product, _mm256_shuffle_epi32(data, 0x4e)));
            keys[i] = _mm256_add_epi64(keys[i], step);
        }
    }
    memcpy(s->sums, sums, sizeof sums);
    memcpy(s->keys, keys, sizeof keys);
}
#endif

static uint64_t stir(uint64_t v)
{
    v ^= v >> 37;
    v *= 0x165667919e3779f9u;
    return v ^ (v >> 32);
}

static inline void hash_with(add_fn *add, const uint8_t *bytes, size_t len, uint64_t out[2])
{
    struct state s;
    for (uint64_t i = 0; i < LANES; i++) {
        s.sums[i] = stir(PRIME * (i + 1));
        s.keys[i] = stir(STEP * (i + 1)) ^ len;
    }
    size_t left = len;
    while (left >= STRIPE) {
        size_t stripes = left / STRIPE < BLOCK ? left / STRIPE : BLOCK;
        add(&s, bytes, stripes);
        for (size_t i = 0; i < LANES; i++) {
            s.sums[i] = ((s.sums[i] ^ (s.sums[i] >> 47)) ^ s.keys[i]) * PRIME;
        }
        bytes += stripes * STRIPE;
        left -= stripes * STRIPE;
    }
    if (left > 0) {
        uint8_t rest[STRIPE] = {0};
        memcpy(rest, bytes, left);
        add(&s, rest, 1);
    }
    out[0] = len * PRIME;
    out[1] = ~len * STEP;
    for (size_t i = 0; i < LANES; i++) {
        out[0] = stir(out[0] ^ s.sums[i]) * PRIME + i;
        out[1] = stir(out[1] + s.sums[LANES - 1 - i] * STEP) ^ out[0];
    }
}

static void hash_plain(const uint8_t *bytes, size_t len, uint64_t out[2])
{
    hash_with(add_plain, bytes, len, out);
}

#ifdef __x86_64__
static void hash_sse2(const uint8_t *bytes, size_t len, uint64_t out[2])
{
    hash_with(add_sse2, bytes, len, out);
}

static void hash_avx2(const uint8_t *bytes, size_t len, uint64_t out[2])
{
    hash_with(add_avx2, bytes, len, out);
}
#endif

diff_hash_fn *diff_hash_on(enum diff_hash_path path)
{
#ifdef __x86_64__
    switch (path) {
    case DIFF_HASH_SSE2:
        return hash_sse2;
    case DIFF_HASH_AVX2:
        return __builtin_cpu_supports("avx2") ? hash_avx2 : NULL;
    default:
        break;
    }
#endif
    return path == DIFF_HASH_PLAIN ? hash_plain : NULL;
}

diff_hash_fn *diff_hash_best(void)
{
    diff_hash_fn *best = hash_plain;
    for (int path = DIFF_HASH_SSE2; path < DIFF_HASH_PATHS; path++) {
        diff_hash_fn *fn = diff_hash_on((enum diff_hash_path)path);
        best = fn != NULL ? fn : best;
    }
    return best;
}
