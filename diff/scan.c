#include "diff/scan.h"

#include <string.h>

static size_t scan_plain(const uint8_t *a, const uint8_t *b, size_t from, size_t len)
{
    while (from < len) {
        size_t size = len - from < DIFF_GROUP ? len - from : DIFF_GROUP;
        if (memcmp(a + from, b + from, size) != 0) {
            return from;
        }
        from += size;
    }
    return len;
}

#ifdef __x86_64__
#include <immintrin.h>

static size_t scan_sse2(const uint8_t *a, const uint8_t *b, size_t from, size_t len)
{
    for (; from + DIFF_GROUP <= len; from += DIFF_GROUP) {
        __m128i same = _mm_set1_epi8(-1);
        for (size_t i = from; i < from + DIFF_GROUP; i += 16) {
            same = _mm_and_si128(same, _mm_cmpeq_epi8(_mm_loadu_si128((const void *)(a + i)),
                                                      _mm_loadu_si128((const void *)(b + i))));
        }
        if (_mm_movemask_epi8(same) != 0xffff) {
            return from;
        }
    }
    return scan_plain(a, b, from, len);
}

__attribute__((target("avx2"))) static bool differs_avx2(const uint8_t *a, const uint8_t *b,
                                                         size_t count)
{
    __m256i all = _mm256_setzero_si256();
    for (size_t i = 0; i < count; i += 32) {
        all = _mm256_or_si256(all, _mm256_xor_si256(_mm256_loadu_si256((const void *)(a + i)),
                                                    _mm256_loadu_si256((const void *)(b + i))));
    }
    return !_mm256_testz_si256(all, all);
}

/* Four groups a step while nothing differs. */
__attribute__((target("avx2"))) static size_t scan_avx2(const uint8_t *a, const uint8_t *b,
                                                        size_t from, size_t len)
{
    while (from + (size_t)4 * DIFF_GROUP <= len &&
           !differs_avx2(a + from, b + from, (size_t)4 * DIFF_GROUP)) {
        from += (size_t)4 * DIFF_GROUP;
    }
    for (; from + DIFF_GROUP <= len; from += DIFF_GROUP) {
        if (differs_avx2(a + from, b + from, DIFF_GROUP)) {
            return from;
        }
    }
    return scan_plain(a, b, from, len);
}
#endif

diff_scan_fn *diff_scan_on(enum diff_scan_path path)
{
#ifdef __x86_64__
    switch (path) {
    case DIFF_SCAN_SSE2:
        return scan_sse2;
    case DIFF_SCAN_AVX2:
        return __builtin_cpu_supports("avx2") ? scan_avx2 : NULL;
    default:
        break;
    }
#endif
    return path == DIFF_SCAN_PLAIN ? scan_plain : NULL;
}

diff_scan_fn *diff_scan_best(void)
{
    diff_scan_fn *best = scan_plain;
    for (int path = DIFF_SCAN_SSE2; path < DIFF_SCAN_PATHS; path++) {
        diff_scan_fn *fn = diff_scan_on((enum diff_scan_path)path);
        best = fn != NULL ? fn : best;
    }
    return best;
}
