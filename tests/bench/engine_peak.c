/*
 * What the processor can multiply: loops of nothing but the instruction, in registers, on each of
 * THREADS threads (all by default). Best of ten turns, in GFLOP/s, a product and a sum counted as
 * two:
 *     int8     vpdpbusd
 *     scaled   the same as a prompt needs it: after every eight of them, a scale of the weights
 * times one of the inputs, the sum as a float, a fused addition bf16     vdpbf16ps floats
 * vfmadd231ps build/release/tests/model/glm/bench_engine_peak [THREADS]
 */
#include <stdio.h>
#include <stdlib.h>

#include "model/glm/backend.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <time.h>

enum { TURNS = 10, LOOPS = 1000000, CHAINS = 12 };

#define TARGET __attribute__((noinline, target("avx512f,avx512bw,avx512vl,avx512vnni,avx512bf16")))
#define ALL _Pragma("GCC unroll 12") for (size_t i = 0; i < CHAINS; i++)
#define HOLD(v) __asm__ volatile("" : "+v"(v)) /* the compiler may not know what is in it */

TARGET static void int8_pairs(void)
{
    __m512i sum[CHAINS], a = _mm512_set1_epi8(1), b = a;
    ALL sum[i] = _mm512_setzero_si512();
    for (size_t n = 0; n < LOOPS; n++) {
        ALL
        {
            sum[i] = _mm512_dpbusd_epi32(sum[i], a, b);
            HOLD(sum[i]);
        }
    }
}

TARGET static void scaled_pairs(void)
{
    __m512i dot[CHAINS], a = _mm512_set1_epi8(1), b = a;
    __m512 sum[CHAINS], scale = _mm512_set1_ps(1);
    ALL sum[i] = _mm512_setzero_ps();
    for (size_t n = 0; n < LOOPS / 8; n++) {
        ALL
        {
            dot[i] = _mm512_setzero_si512();
            HOLD(dot[i]);
        }
        _Pragma("GCC unroll 8") for (size_t k = 0; k < 8; k++)
        {
            ALL
            {
                dot[i] = _mm512_dpbusd_epi32(dot[i], a, b);
                HOLD(dot[i]);
            }
        }
        ALL
        {
            HOLD(scale);
            __m512 both = _mm512_mul_ps(scale, scale);
            sum[i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot[i]), both, sum[i]);
            HOLD(sum[i]);
        }
    }
}

TARGET static void bf16_pairs(void)
{
    __m512 sum[CHAINS];
    __m512i ones = _mm512_set1_epi16(0x3f80);
    ALL sum[i] = _mm512_setzero_ps();
    for (size_t n = 0; n < LOOPS; n++) {
        ALL
        {
            sum[i] = _mm512_dpbf16_ps(sum[i], (__m512bh)ones, (__m512bh)ones);
            HOLD(sum[i]);
        }
    }
}

TARGET static void floats(void)
{
    __m512 sum[CHAINS], one = _mm512_set1_ps(1);
    ALL sum[i] = _mm512_setzero_ps();
    for (size_t n = 0; n < LOOPS; n++) {
        ALL
        {
            sum[i] = _mm512_fmadd_ps(one, one, sum[i]);
            HOLD(sum[i]);
        }
    }
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void part(void *arg, size_t begin, size_t end)
{
    void (*const *loop)(void) = arg;
    for (; begin < end; begin++) {
        (*loop)();
    }
}

int main(int argc, char **argv)
{
    struct {
        const char *name;
        void (*loop)(void);
        double pairs;
        bool there;
    } all[] = {
        {"int8", int8_pairs, 64, __builtin_cpu_supports("avx512vnni")},
        {"scaled", scaled_pairs, 64, __builtin_cpu_supports("avx512vnni")},
        {"bf16", bf16_pairs, 32, __builtin_cpu_supports("avx512bf16")},
        {"floats", floats, 16, __builtin_cpu_supports("avx512f")},
    };
    struct glm_pool *pool = glm_pool_new(argc > 1 ? atoi(argv[1]) : 0, NULL);
    if (pool == NULL) {
        return 1;
    }
    const size_t threads = (size_t)glm_pool_threads(pool), jobs = threads * 4;
    printf("threads %zu", threads);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        double best = 1e9;
        for (int turn = 0; all[i].there && turn < TURNS; turn++) {
            double start = now(), took;
            glm_pool_run(pool, jobs, 1, part, &all[i].loop);
            took = now() - start;
            best = took < best ? took : best;
        }
        if (all[i].there) {
            printf(" %s %.0f", all[i].name,
                   2e-9 * all[i].pairs * CHAINS * LOOPS * (double)jobs / best);
        }
    }
    printf("\n");
    glm_pool_free(pool);
    return 0;
}
#else
int main(void)
{
    printf("only for processors of the x86-64 family\n");
    return 0;
}
#endif
