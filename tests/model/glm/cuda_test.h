/* What the tests of the emulated kernels share: numbers, matrices, comparisons. */
#ifndef GLMV_TESTS_MODEL_GLM_CUDA_TEST_H
#define GLMV_TESTS_MODEL_GLM_CUDA_TEST_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/glm/codes.h"
#include "tests/check.h"
#include "tests/model/glm/cuda_emulated.h"

static uint64_t test_random;

static inline float test_unit(void)
{
    test_random = test_random * 6364136223846793005u + 1442695040888963407u;
    return (float)(test_random >> 40) / 8388608.0f - 1.0f; /* -1 .. 1 */
}

/* Exact sizes, so that a read past the end is seen. */
static inline void *test_new(size_t count, size_t size)
{
    void *p = NULL;
    if (posix_memalign(&p, 16, count * size > 0 ? count * size : 1) != 0) {
        abort();
    }
    memset(p, 0xFF, count * size); /* NaNs */
    return p;
}

static inline float *test_floats(size_t count, float size)
{
    float *x = test_new(count, sizeof *x);
    for (size_t i = 0; i < count; i++) {
        x[i] = size * test_unit();
    }
    return x;
}

static inline float test_float(uint16_t bf16)
{
    uint32_t bits = (uint32_t)bf16 << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint16_t test_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/* The numbers as bf16; x becomes what they say. */
static inline uint16_t *test_rounded(float *x, size_t count)
{
    uint16_t *r = test_new(count, sizeof *r);
    for (size_t i = 0; i < count; i++) {
        r[i] = test_bf16(x[i]);
        x[i] = test_float(r[i]);
    }
    return r;
}

static inline float *test_widened(const uint16_t *x, size_t count)
{
    float *r = test_new(count, sizeof *r);
    for (size_t i = 0; i < count; i++) {
        r[i] = test_float(x[i]);
    }
    return r;
}

/* Length of the difference, over the length of what was wanted; NaN where there are NaNs. */
static inline double test_distance(const float *got, const float *want, size_t count)
{
    double off = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        off += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        size += (double)want[i] * want[i];
    }
    return sqrt(off / (size > 0 ? size : 1));
}

#define CHECK_NEAR(got, want, count, limit, ...)                                                   \
    do {                                                                                           \
        double near_distance = test_distance(got, want, count);                                    \
        char near_what[128];                                                                       \
        snprintf(near_what, sizeof near_what, __VA_ARGS__);                                        \
        CHECK_MSG(near_distance <= (limit), "%s: %g off", near_what, near_distance);               \
    } while (0)

/* Tiles of the last launch lie so that banks of shared memory give them in one turn. */
static inline void test_turns(const char *what)
{
    const struct glm_emulate_turns t = glm_emulate_turns();
    CHECK_MSG(t.least > 0 && t.taken == t.least, "%s: banks take %llu turns where %llu would do",
              what, (unsigned long long)t.taken, (unsigned long long)t.least);
}

/* A matrix in a form of the kernels, and what it means. */
struct test_matrix {
    struct glm_cuda_matrix device;
    float *means; /* [rows][cols] */
    void *data, *scales;
};

static inline float test_fp8(unsigned char code)
{
    int exponent = code >> 3 & 15, mantissa = code & 7;
    float size =
        exponent == 0 ? ldexpf((float)mantissa, -9) : ldexpf((float)(8 + mantissa), exponent - 10);
    return (code & 0x80) != 0 ? -size : size;
}

/* Four bits with a least value, which only GGUF files make: any codes and scales will do. */
static inline struct glm_matrix test_least(size_t rows, size_t cols)
{
    struct glm_matrix m = {GLM_FORM_LEAST, rows, cols, NULL, NULL, 32};
    size_t bytes, halves;
    glm_tile_sizes(&m, &bytes, &halves);
    unsigned char *data = test_new(bytes, 1);
    uint16_t *scales = test_new(halves / 2, 2);
    for (size_t i = 0; i < bytes; i++) {
        data[i] = (unsigned char)((int)(128 + 127 * test_unit()));
    }
    for (size_t i = 0; i < halves / 2; i++) {
        scales[i] = glm_half_from_float(0.01f + 0.005f * test_unit());
    }
    m.data = data;
    m.scales = scales;
    return m;
}

static inline void test_quantise_fp8(struct test_matrix *m, const uint16_t *rounded)
{
    struct glm_cuda_quantise q = {rounded,        m->data,        m->scales, GLM_CUDA_FP8,
                                  m->device.rows, m->device.cols, 0};
    glm_emulate(glm_cuda_quantise_launch(&q), &q, 1);
    for (size_t i = 0; i < (size_t)m->device.rows * m->device.cols; i++) {
        m->means[i] =
            test_fp8(((unsigned char *)m->data)[i]) * ((float *)m->scales)[i / m->device.cols];
    }
}

static inline struct test_matrix test_matrix_new(uint32_t form, uint32_t rows, uint32_t cols,
                                                 uint32_t group)
{
    struct test_matrix t = {{NULL, NULL, form, rows, cols, group}, NULL, NULL, NULL};
    const size_t count = (size_t)rows * cols;
    t.means = test_floats(count, 0.05f);
    uint16_t *rounded = test_rounded(t.means, count);
    if (form == GLM_CUDA_BF16) {
        t.data = rounded;
    } else if (form == GLM_CUDA_FP8) {
        t.data = test_new(count, 1);
        t.scales = test_new(rows, sizeof(float));
        test_quantise_fp8(&t, rounded);
        free(rounded);
    } else {
        struct glm_matrix from = {GLM_FORM_BF16, rows, cols, rounded, NULL, 0}, to;
        struct glm_pool *pool = glm_pool_new(1, NULL);
        if (form == GLM_CUDA_LEAST) {
            to = test_least(rows, cols);
        } else if (!glm_quantise(pool, &from, form == GLM_CUDA_INT4 ? GLM_FORM_INT4 : GLM_FORM_INT8,
                                 group, &to, NULL)) {
            abort();
        }
        for (size_t i = 0; i < rows; i++) {
            glm_row(&to, i, t.means + i * cols);
        }
        size_t bytes, halves;
        glm_tile_sizes(&to, &bytes, &halves);
        t.data = test_new(bytes, 1);
        t.scales = test_new(halves, 1);
        memcpy(t.data, to.data, bytes);
        memcpy(t.scales, to.scales, halves);
        free((void *)to.data);
        free((void *)to.scales);
        free(rounded);
        glm_pool_free(pool);
    }
    t.device.data = t.data;
    t.device.scales = t.scales;
    return t;
}

static inline void test_matrix_release(struct test_matrix *m)
{
    free(m->means);
    free(m->data);
    free(m->scales);
}

/* y[n][rows] = x * means^T by the engine. */
static inline float *test_product(const struct test_matrix *m, const float *x, size_t n)
{
    struct glm_matrix means = {GLM_FORM_F32, m->device.rows, m->device.cols, m->means, NULL, 0};
    float *y = test_new(n * m->device.rows, sizeof *y);
    struct glm_pool *pool = glm_pool_new(1, NULL);
    glm_pool_choose(pool, GLM_CPU_SCALAR);
    glm_linear(pool, &means, NULL, x, n, y);
    glm_pool_free(pool);
    return y;
}

#endif
