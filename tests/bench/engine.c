/*
 * One generated token's matrices against what the machine can read: a full-width layer with random
 * weights in each form. Prints GB/s and the share of the read bandwidth measured in the same run.
 *     build/release/tests/model/glm/bench_engine [THREADS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/glm/backend.h"

enum { ROWS = 27392, COLS = 4096, TIMES = 15 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct reading {
    const unsigned long long *data;
    unsigned long long sum;
};

static void read_part(void *arg, size_t begin, size_t end)
{
    struct reading *r = arg;
    unsigned long long sum[8] = {0};
    for (size_t i = begin; i + 8 <= end; i += 8) {
        for (size_t k = 0; k < 8; k++) {
            sum[k] ^= r->data[i + k];
        }
    }
    for (size_t k = 0; k < 8; k++) {
        __atomic_fetch_xor(&r->sum, sum[k], __ATOMIC_RELAXED);
    }
}

/* Seconds of one pass over a matrix of n columns of x. */
static double linear_seconds(struct glm_pool *pool, const struct glm_matrix *m, const float *x,
                             size_t n, float *y)
{
    double start = now();
    glm_linear(pool, m, NULL, x, n, y);
    return now() - start;
}

struct form {
    const char *name;
    double bytes; /* of a weight */
    enum glm_form form;
    size_t group;
    struct glm_matrix m;
    double one, many; /* best times */
};

int main(int argc, char **argv)
{
    struct glm_pool *pool = glm_pool_new(argc > 1 ? atoi(argv[1]) : 0, NULL);
    size_t count = (size_t)ROWS * COLS;
    unsigned short *bf16 = malloc(count * 2);
    float *x = malloc(32 * COLS * sizeof *x), *y = malloc(32 * (size_t)ROWS * sizeof *y);
    if (pool == NULL || bf16 == NULL || x == NULL || y == NULL) {
        return 1;
    }
    if (!glm_pool_fit(pool, COLS, NULL)) {
        return 1;
    }
    unsigned state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        bf16[i] = (unsigned short)(0x3C00 | (state >> 16 & 0x80FF));
    }
    for (size_t i = 0; i < 32 * COLS; i++) {
        x[i] = (float)(i % 17) - 8;
    }
    struct form forms[] = {{.name = "bf16", .bytes = 2, .form = GLM_FORM_BF16},
                           {.name = "int8 g32", 1.0625, GLM_FORM_INT8, 32},
                           {.name = "int4 g32", 0.5625, GLM_FORM_INT4, 32},
                           {.name = "int4 g128", 0.515625, GLM_FORM_INT4, 128}};
    enum { FORMS = sizeof forms / sizeof forms[0] };
    struct glm_matrix stored = {GLM_FORM_BF16, ROWS, COLS, bf16, NULL, 0};
    for (int f = 0; f < FORMS; f++) {
        forms[f].m = stored;
        forms[f].one = forms[f].many = 1e9;
        if (f > 0 &&
            !glm_quantise(pool, &stored, forms[f].form, forms[f].group, &forms[f].m, NULL)) {
            return 1;
        }
    }
    /* By turns and the best of each, so that other work on the machine meets all alike. */
    double read = 1e9;
    struct reading reading = {(const unsigned long long *)(void *)bf16, 0};
    for (int i = 0; i < TIMES; i++) {
        double start = now();
        glm_pool_run(pool, count / 4, 16384, read_part, &reading);
        double t = now() - start;
        read = t < read ? t : read;
        for (int f = 0; f < FORMS; f++) {
            double one = linear_seconds(pool, &forms[f].m, x, 1, y);
            double many = linear_seconds(pool, &forms[f].m, x, 32, y);
            forms[f].one = one < forms[f].one ? one : forms[f].one;
            forms[f].many = many < forms[f].many ? many : forms[f].many;
        }
    }
    double band = (double)count * 2 / read;
    printf("%d threads, kernels %d, read %.1f GB/s (%llx)\n", glm_pool_threads(pool),
           (int)glm_cpu_best(), band / 1e9, reading.sum & 1);
    for (int f = 0; f < FORMS; f++) {
        double rate = (double)count * forms[f].bytes / forms[f].one;
        printf("%-9s %5.1f GB/s, %3.0f %% of read; 32 rows cost %4.1f rows, %4.0f GFLOP/s\n",
               forms[f].name, rate / 1e9, 100 * rate / band, forms[f].many / forms[f].one,
               64e-9 * (double)count / forms[f].many);
        if (f > 0) {
            free((void *)(size_t)forms[f].m.data);
            free((void *)(size_t)forms[f].m.scales);
        }
    }
    free(bf16);
    free(x);
    free(y);
    glm_pool_free(pool);
    return 0;
}
