#include "diff/judge.h"

#include <stdbool.h>
#include <string.h>

#define BEND 0.2561 /* above the largest eigenvalue of the distance as a form of r, g and b */
/* More than the float arithmetic is off by: terms up to 35215 in ten steps of 24 bits. */
#define SLACK 0.25

/* Whether opaque pixels are surely within a squared distance: cheap, and right when it says so. */
static bool surely_near(const uint8_t *p, const uint8_t *q, int limit)
{
    int r = p[0] - q[0];
    int g = p[1] - q[1];
    int b = p[2] - q[2];
    return p[3] == 255 && q[3] == 255 && r * r + g * g + b * b <= limit;
}

static struct diff_judgement judge_plain(const uint8_t *p, const uint8_t *q, double limit)
{
    struct diff_judgement judgement = {0, 0};
    int near = (int)(limit / BEND);
    for (int i = 0; i < DIFF_JUDGED; i++, p += 4, q += 4) {
        bool unsure = memcmp(p, q, 4) != 0 && !surely_near(p, q, near);
        judgement.unsure |= (uint32_t)unsure << i;
    }
    return judgement;
}

#ifdef __x86_64__
#include <immintrin.h>

__attribute__((target("avx2"))) static inline __m256 channel(__m256i p, __m256i q, int shift)
{
    const __m256i low = _mm256_set1_epi32(255);
    __m256i a = _mm256_and_si256(_mm256_srli_epi32(p, shift), low);
    __m256i b = _mm256_and_si256(_mm256_srli_epi32(q, shift), low);
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(a, b));
}

__attribute__((target("avx2"))) static inline __m256 sum(const __m256 d[3], float r, float g,
                                                         float b)
{
    __m256 all = _mm256_mul_ps(d[0], _mm256_set1_ps(r));
    all = _mm256_add_ps(all, _mm256_mul_ps(d[1], _mm256_set1_ps(g)));
    return _mm256_add_ps(all, _mm256_mul_ps(d[2], _mm256_set1_ps(b)));
}

/* The distance of pixels.c, in floats. */
__attribute__((target("avx2"))) static inline __m256 distances(__m256i p, __m256i q)
{
    __m256 d[3] = {channel(p, q, 0), channel(p, q, 8), channel(p, q, 16)};
    __m256 y = sum(d, 0.29889531F, 0.58662247F, 0.11448223F);
    __m256 i = sum(d, 0.59597799F, -0.27417610F, -0.32180189F);
    __m256 q2 = sum(d, 0.21147017F, -0.52261711F, 0.31114694F);
    __m256 squares[3] = {_mm256_mul_ps(y, y), _mm256_mul_ps(i, i), _mm256_mul_ps(q2, q2)};
    return sum(squares, 0.5053F, 0.299F, 0.1957F);
}

__attribute__((target("avx2"))) static inline uint32_t bits_of(__m256i lanes)
{
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(lanes));
}

__attribute__((target("avx2"))) static struct diff_judgement
judge_avx2(const uint8_t *p, const uint8_t *q, double limit)
{
    const __m256 near = _mm256_set1_ps((float)(limit - SLACK));
    const __m256 far = _mm256_set1_ps((float)(limit + SLACK));
    const __m256i alpha = _mm256_set1_epi32((int)0xff000000);
    struct diff_judgement judgement = {0, 0};
    for (int at = 0; at < DIFF_JUDGED; at += 8) {
        __m256i a = _mm256_loadu_si256((const void *)(p + (size_t)at * 4));
        __m256i b = _mm256_loadu_si256((const void *)(q + (size_t)at * 4));
        __m256 d = distances(a, b);
        uint32_t over = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(d, far, _CMP_GT_OQ));
        uint32_t maybe = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(d, near, _CMP_GE_OQ));
        __m256i both = _mm256_and_si256(_mm256_and_si256(a, b), alpha);
        uint32_t opaque = bits_of(_mm256_cmpeq_epi32(both, alpha));
        uint32_t same = bits_of(_mm256_cmpeq_epi32(a, b));
        judgement.far |= (over & opaque) << at;
        judgement.unsure |= (~same & ((maybe & ~over) | ~opaque) & 255) << at;
    }
    return judgement;
}
#endif

diff_judge_fn *diff_judge_on(enum diff_scan_path path)
{
#ifdef __x86_64__
    if (path == DIFF_SCAN_AVX2) {
        return __builtin_cpu_supports("avx2") ? judge_avx2 : NULL;
    }
#endif
    return path == DIFF_SCAN_PLAIN ? judge_plain : NULL;
}

diff_judge_fn *diff_judge_best(void)
{
    diff_judge_fn *wide = diff_judge_on(DIFF_SCAN_AVX2);
    return wide != NULL ? wide : judge_plain;
}
