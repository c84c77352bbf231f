/* Products of the emulated kernels, against the engine's on the same numbers. */
#include "tests/model/glm/cuda_test.h"

static const char *const form_names[] = {"bf16", "fp8", "int8", "int4", "least"};
/* float sums in another order than the engine's; the inputs and weights are the same */
static const double product_limit = 2e-6;

static struct test_matrix matrix_of(uint32_t form, uint32_t rows, uint32_t cols)
{
    return test_matrix_new(form, rows, cols,
                           form == GLM_CUDA_LEAST ? 32
                           : cols % 128 == 0      ? 128
                                                  : 32);
}

/* The sums of the slices, [n][width]. */
static float *run_linear(const struct test_matrix *m, uint32_t count, const uint16_t *x, uint32_t n,
                         uint64_t seed)
{
    struct glm_cuda_linear a = {.x = x, .count = count, .n = n};
    for (uint32_t i = 0; i < count; i++) {
        a.m[i] = m[i].device;
        a.width += m[i].device.rows;
    }
    a.slices = glm_cuda_slices(a.m[0].form, a.width, a.m[0].cols);
    float *parts = test_new((size_t)a.slices * n * a.width, sizeof *parts);
    float *y = test_new((size_t)n * a.width, sizeof *y);
    a.parts = parts;
    glm_emulate(glm_cuda_linear_launch(&a), &a, seed);
    for (size_t i = 0; i < (size_t)n * a.width; i++) {
        y[i] = 0;
        for (uint32_t s = 0; s < a.slices; s++) {
            y[i] += parts[s * (size_t)n * a.width + i];
        }
    }
    free(parts);
    return y;
}

/* Each row alone, and with another order of threads: the same bits. */
static void check_rows_alone(const struct test_matrix *m, const uint16_t *x, uint32_t n,
                             const float *all)
{
    const uint32_t rows = m->device.rows, tries[] = {0, n / 2, n - 1};
    for (uint32_t i = 0; i < 3; i++) {
        uint16_t *row = test_new(m->device.cols, 2);
        memcpy(row, x + (size_t)tries[i] * m->device.cols, m->device.cols * 2);
        float *one = run_linear(m, 1, row, 1, 90 + i);
        CHECK_MSG(memcmp(one, all + (size_t)tries[i] * rows, rows * sizeof *one) == 0,
                  "%s: row %u of %u has other bits alone", form_names[m->device.form], tries[i], n);
        free(row);
        free(one);
    }
}

static void test_linear(uint32_t form, uint32_t rows, uint32_t cols, uint32_t n)
{
    struct test_matrix m = matrix_of(form, rows, cols);
    float *x = test_floats((size_t)n * cols, 1);
    uint16_t *rounded = test_rounded(x, (size_t)n * cols);
    float *want = test_product(&m, x, n), *got = run_linear(&m, 1, rounded, n, 7);
    CHECK_NEAR(got, want, (size_t)n * rows, product_limit, "linear %s %u x %u, %u rows",
               form_names[form], rows, cols, n);
    float *again = run_linear(&m, 1, rounded, n, 8);
    CHECK_MSG(memcmp(got, again, (size_t)n * rows * sizeof *got) == 0,
              "linear %s %u x %u, %u rows: the order of threads shows", form_names[form], rows,
              cols, n);
    check_rows_alone(&m, rounded, n, got);
    free(x);
    free(rounded);
    free(want);
    free(got);
    free(again);
    test_matrix_release(&m);
}

/* Three matrices side by side, as q, k and v. */
static void test_side_by_side(uint32_t form)
{
    enum { COLS = 64, N = 3 };
    struct test_matrix m[3] = {matrix_of(form, 80, COLS), matrix_of(form, 16, COLS),
                               matrix_of(form, 33, COLS)};
    float *x = test_floats(N * COLS, 1);
    uint16_t *rounded = test_rounded(x, N * COLS);
    float *got = run_linear(m, 3, rounded, N, 5);
    for (uint32_t i = 0, column = 0; i < 3; column += m[i++].device.rows) {
        float *want = test_product(&m[i], x, N);
        for (uint32_t n = 0; n < N; n++) {
            CHECK_NEAR(got + n * 129 + column, want + n * m[i].device.rows, m[i].device.rows,
                       product_limit, "matrix %u of three, %s", i, form_names[form]);
        }
        free(want);
    }
    for (uint32_t i = 0; i < 3; i++) {
        test_matrix_release(&m[i]);
    }
    free(x);
    free(rounded);
    free(got);
}

/* silu(gate) * up in bf16, from the engine. */
static float *gated(const struct test_matrix *gate, const struct test_matrix *up, const float *x,
                    uint32_t n)
{
    float *g = test_product(gate, x, n), *u = test_product(up, x, n);
    struct glm_pool *pool = glm_pool_new(1, NULL);
    glm_pool_choose(pool, GLM_CPU_SCALAR);
    glm_silu_mul(pool, g, u, (size_t)n * gate->device.rows);
    glm_pool_free(pool);
    free(u);
    return g;
}

static void test_gate(uint32_t form, uint32_t n)
{
    enum { ROWS = 96, COLS = 160 };
    struct test_matrix gate = matrix_of(form, ROWS, COLS), up = matrix_of(form, ROWS, COLS);
    float *x = test_floats((size_t)n * COLS, 2);
    uint16_t *rounded = test_rounded(x, (size_t)n * COLS);
    uint16_t *out = test_new((size_t)n * ROWS, 2), *one = test_new(ROWS, 2);
    struct glm_cuda_gate a = {gate.device, up.device, rounded, out, n};
    glm_emulate(glm_cuda_gate_launch(&a), &a, 3);
    float *want = gated(&gate, &up, x, n), *got = test_widened(out, (size_t)n * ROWS);
    CHECK_NEAR(got, want, (size_t)n * ROWS, 3e-3, "gate %s, %u rows", form_names[form], n);
    struct glm_cuda_gate last = {gate.device, up.device, rounded + (size_t)(n - 1) * COLS, one, 1};
    glm_emulate(glm_cuda_gate_launch(&last), &last, 4);
    CHECK_MSG(memcmp(one, out + (size_t)(n - 1) * ROWS, ROWS * 2) == 0,
              "gate %s: row %u has other bits alone", form_names[form], n - 1);
    free(x);
    free(rounded);
    free(out);
    free(one);
    free(want);
    free(got);
    test_matrix_release(&gate);
    test_matrix_release(&up);
}

/* A kernel of every device, or the one by warpgroups: on a device of fewer or more processors than
 * there are tiles. */
enum { PLAIN = 0, FEW = 1, MANY = 132 };

/* All ways to store, with a bias, a second matrix beside, and rows of y that are wider. */
static void test_gemm(uint32_t form, uint32_t rows, uint32_t cols, uint32_t n, uint32_t store,
                      uint32_t wide)
{
    struct test_matrix m[2] = {matrix_of(form, rows, cols), matrix_of(form, 24, cols)};
    const uint32_t width = rows + 24, stride = width + 6;
    float *x = test_floats((size_t)n * cols, 1), *bias = test_floats(width, 1);
    uint16_t *rounded = test_rounded(x, (size_t)n * cols);
    float *y = test_floats((size_t)n * stride, 1), *before = test_new((size_t)n * stride, 4);
    memcpy(before, y, (size_t)n * stride * 4);
    struct glm_cuda_gemm a = {.m = {m[0].device, m[1].device},
                              .x = rounded,
                              .bias = bias,
                              .y = y,
                              .x_row = cols,
                              .y_row = stride,
                              .count = 2,
                              .n = n,
                              .store = store};
    glm_emulate(wide > 0 ? glm_cuda_gemm_wide_launch(&a, wide) : glm_cuda_gemm_launch(&a), &a, 11);
    test_turns(form_names[form]);
    float *want[2] = {test_product(&m[0], x, n), test_product(&m[1], x, n)};
    float *full = test_new((size_t)n * width, 4), *got = test_new((size_t)n * width, 4);
    for (uint32_t i = 0; i < n * width; i++) {
        const uint32_t row = i / width, c = i % width;
        full[i] = bias[c] + (c < rows ? want[0][row * rows + c] : want[1][row * 24 + c - rows]);
        full[i] += store == GLM_CUDA_STORE_ADD ? before[row * stride + c] : 0;
        got[i] = store == GLM_CUDA_STORE_BF16 ? test_float(((uint16_t *)y)[row * stride + c])
                                              : y[row * stride + c];
    }
    /* weights that are not bf16 are rounded to it here; FP8 need not be */
    const bool exact = form <= GLM_CUDA_FP8 && store != GLM_CUDA_STORE_BF16;
    CHECK_NEAR(got, full, (size_t)n * width, exact ? product_limit : 3e-3,
               "gemm %s %u x %u, %u rows, store %u, wide %u", form_names[form], rows, cols, n,
               store, wide);
    for (uint32_t i = 0; i < 2; i++) {
        free(want[i]);
        test_matrix_release(&m[i]);
    }
    free(x);
    free(bias);
    free(rounded);
    free(y);
    free(before);
    free(full);
    free(got);
}

static void test_gemm_gate(uint32_t form, uint32_t rows, uint32_t cols, uint32_t n, uint32_t wide)
{
    struct test_matrix gate = matrix_of(form, rows, cols), up = matrix_of(form, rows, cols);
    float *x = test_floats((size_t)n * cols, 2);
    uint16_t *rounded = test_rounded(x, (size_t)n * cols), *out = test_new((size_t)n * rows, 2);
    struct glm_cuda_gemm a = {.m = {gate.device, up.device},
                              .x = rounded,
                              .y = out,
                              .x_row = cols,
                              .y_row = rows,
                              .count = 2,
                              .n = n,
                              .store = GLM_CUDA_STORE_BF16};
    glm_emulate(wide > 0 ? glm_cuda_gemm_wide_gate_launch(&a, wide) : glm_cuda_gemm_gate_launch(&a),
                &a, 13);
    test_turns(form_names[form]);
    float *want = gated(&gate, &up, x, n), *got = test_widened(out, (size_t)n * rows);
    CHECK_NEAR(got, want, (size_t)n * rows, 4e-3, "gemm gate %s", form_names[form]);
    free(x);
    free(rounded);
    free(out);
    free(want);
    free(got);
    test_matrix_release(&gate);
    test_matrix_release(&up);
}

int main(void)
{
    glm_emulate_watch();
    for (uint32_t form = 0; form < GLM_CUDA_FORMS; form++) {
        test_linear(form, 70, 1056, 1); /* two slices, columns that are no whole step */
        test_linear(form, 64, 256, 8);
        test_linear(form, 24, 4096, 2); /* eight slices */
        test_linear(form, 17, 96, 13);
        test_linear(form, 130, 160, 32);
        test_linear(form, 32, 128, 47);
        test_side_by_side(form);
        test_gate(form, 1);
        test_gate(form, 20);
        test_gate(form, 64);
        test_gemm(form, 136, 96, 130, form == GLM_CUDA_INT4 ? GLM_CUDA_STORE_ADD : 0, PLAIN);
        test_gemm(form, 40, 160, 5, form == GLM_CUDA_INT8 ? GLM_CUDA_STORE_BF16 : 0, PLAIN);
        test_gemm_gate(form, 72, 64, 70, PLAIN);
        test_gemm(form, 264, 416, 130, form == GLM_CUDA_INT4 ? GLM_CUDA_STORE_ADD : 0, FEW);
        test_gemm(form, 40, 160, 5, form == GLM_CUDA_INT8 ? GLM_CUDA_STORE_BF16 : 0, MANY);
        test_gemm_gate(form, 136, 64, 70, FEW);
    }
    for (uint32_t wide = PLAIN; wide <= FEW; wide++) { /* 40, as 1176, is no multiple of 32 */
        test_gemm(GLM_CUDA_BF16, 32, 40, 9, GLM_CUDA_STORE_BF16, wide);
        test_gemm(GLM_CUDA_BF16, 33, 64, 9, GLM_CUDA_STORE_ADD, wide);
        test_gemm_gate(GLM_CUDA_BF16, 17 * 8, 64, 3, wide);
    }
    TEST_END();
}
