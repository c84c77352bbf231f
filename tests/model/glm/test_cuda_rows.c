/* Emulated kernels that work on rows: against the engine's operations, or formulas in double. */
#include "tests/model/glm/cuda_test.h"

static void test_embed(void)
{
    enum { VOCAB = 11, HIDDEN = 70, N = 4 };
    float *table = test_floats(VOCAB * HIDDEN, 1), *extra = test_floats(2 * HIDDEN, 1);
    uint16_t *rounded = test_rounded(table, VOCAB * HIDDEN);
    const int32_t ids[N] = {10, -2, 0, -1};
    float *x = test_new(N * HIDDEN, sizeof *x);
    struct glm_cuda_embed a = {rounded, extra, ids, x, N, HIDDEN};
    glm_emulate(glm_cuda_embed_launch(&a), &a, 1);
    for (int i = 0; i < N; i++) {
        const float *want = ids[i] < 0 ? extra + (-1 - ids[i]) * HIDDEN : table + ids[i] * HIDDEN;
        CHECK_MSG(memcmp(x + i * HIDDEN, want, HIDDEN * sizeof *x) == 0, "row %d", i);
    }
    free(table);
    free(extra);
    free(rounded);
    free(x);
}

/* x += rms(parts) * part_weight; y = rms(x) * weight, by the engine. */
static void test_norm(uint32_t width, uint32_t slices, bool sandwich, uint64_t seed)
{
    enum { N = 3 };
    const float eps = 1e-5f;
    const size_t count = (size_t)N * width;
    float *parts = test_floats(slices * count, 1), *x = test_floats(count, 1);
    float *weight = test_floats(width, 1), *part_weight = test_floats(width, 1);
    float *sum = test_new(count, 4), *y = test_new(count, 4), *want_x = test_new(count, 4);
    uint16_t *out = test_new(count, 2);
    struct glm_pool *pool = glm_pool_new(1, NULL);
    for (size_t i = 0; i < count; i++) {
        sum[i] = 0;
        for (uint32_t s = 0; s < slices; s++) {
            sum[i] += parts[s * count + i];
        }
    }
    if (sandwich) {
        glm_rms_norm(pool, sum, part_weight, eps, N, width, sum);
    }
    for (size_t i = 0; i < count; i++) {
        want_x[i] = x[i] + (slices > 0 ? sum[i] : 0);
    }
    struct glm_cuda_norm a = {.parts = slices > 0 ? parts : NULL,
                              .part_weight = sandwich ? part_weight : NULL,
                              .x = x,
                              .weight = weight,
                              .out = out,
                              .out_float = y,
                              .slices = slices,
                              .n = N,
                              .width = width,
                              .eps = eps};
    glm_emulate(glm_cuda_norm_launch(&a), &a, seed);
    CHECK_NEAR(x, want_x, count, 1e-6, "x of width %u", width);
    glm_rms_norm(pool, want_x, weight, eps, N, width, sum);
    CHECK_NEAR(y, sum, count, 1e-6, "norm of width %u, %u slices", width, slices);
    for (size_t i = 0; i < count; i++) {
        CHECK(out[i] == test_bf16(y[i]));
    }
    glm_pool_free(pool);
    free(parts);
    free(x);
    free(weight);
    free(part_weight);
    free(sum);
    free(y);
    free(want_x);
    free(out);
}

enum { HEADS = 4, KV = 2, DIM = 16, ROT = 8, ROWS = 3, CAPACITY = 9, SLICES = 2, LEN = 5 };
enum { WIDE = (HEADS + 2 * KV) * DIM };

/* One head of a row turned, in double. */
static void turn_head(const float *x, const float *freq, const int32_t place[3], bool halves,
                      double *out)
{
    for (int d = 0; d < DIM; d++) {
        out[d] = x[d];
    }
    for (int j = 0; j < ROT / 2; j++) {
        const int axis = j < 1 ? 0 : j < 3 ? 1 : 2;
        const int a = halves ? j : 2 * j, b = halves ? j + ROT / 2 : 2 * j + 1;
        const double angle = (double)place[axis] * freq[j];
        out[a] = x[a] * cos(angle) - x[b] * sin(angle);
        out[b] = x[b] * cos(angle) + x[a] * sin(angle);
    }
}

static void check_head(const uint16_t *got, const double *want, const char *what, int row)
{
    for (int d = 0; d < DIM; d++) {
        CHECK_MSG(fabs(test_float(got[d]) - want[d]) <= 0.005 * fabs(want[d]) + 1e-3,
                  "%s, row %d, dim %d: %g for %g", what, row, d, test_float(got[d]), want[d]);
    }
}

static void test_rope(bool halves, bool picture)
{
    float *parts = test_floats(SLICES * ROWS * WIDE, 1), *bias = test_floats(WIDE, 1);
    const float freq[ROT / 2] = {1.0f, 0.25f, 0.0625f, 0.015625f};
    const int32_t places[ROWS * 3] = {40, 3, 9, 40, 4, 2, 41, 41, 41};
    struct glm_cuda_state state = {.len = LEN, .place = 40};
    uint16_t *q = test_new(ROWS * HEADS * DIM, 2);
    uint16_t *keys = test_new(KV * CAPACITY * DIM, 2), *values = test_new(KV * CAPACITY * DIM, 2);
    struct glm_cuda_rope a = {.parts = parts,
                              .bias = bias,
                              .freq = freq,
                              .positions = picture ? places : NULL,
                              .state = &state,
                              .q = q,
                              .keys = keys,
                              .values = values,
                              .slices = SLICES,
                              .n = ROWS,
                              .heads = HEADS,
                              .kv_heads = KV,
                              .dim = DIM,
                              .rot = ROT,
                              .capacity = CAPACITY,
                              .section = {1, 2},
                              .halves = halves};
    glm_emulate(glm_cuda_rope_launch(&a), &a, 5);
    for (int row = 0; row < ROWS; row++) {
        const int32_t text[3] = {40 + row, 40 + row, 40 + row};
        for (int head = 0; head < HEADS + 2 * KV; head++) {
            float x[DIM];
            double want[DIM];
            for (int d = 0; d < DIM; d++) {
                const int at = row * WIDE + head * DIM + d;
                x[d] = bias[head * DIM + d] + parts[at] + parts[ROWS * WIDE + at];
                want[d] = x[d];
            }
            if (head < HEADS + KV) {
                turn_head(x, freq, picture ? places + 3 * row : text, halves, want);
            }
            const int kv = (head - HEADS) % KV, place = (kv * CAPACITY + LEN + row) * DIM;
            check_head(head < HEADS        ? q + (row * HEADS + head) * DIM
                       : head < HEADS + KV ? keys + place
                                           : values + place,
                       want,
                       head < HEADS        ? "q"
                       : head < HEADS + KV ? "k"
                                           : "v",
                       row);
        }
    }
    /* nothing beside the new rows */
    for (int i = 0; i < KV * CAPACITY; i++) {
        const bool fresh = i % CAPACITY >= LEN && i % CAPACITY < LEN + ROWS;
        CHECK((keys[i * DIM] == 0xFFFF) != fresh);
    }
    free(parts);
    free(bias);
    free(q);
    free(keys);
    free(values);
}

enum { HIGH = 6, ACROSS = 4, MERGE = 2, PATCHES = HIGH * ACROSS };

/* Row and column of each patch by walking through the blocks. */
static void walk(int place[PATCHES][2])
{
    int n = 0;
    for (int block = 0; block < HIGH / MERGE; block++) {
        for (int column = 0; column < ACROSS / MERGE; column++) {
            for (int i = 0; i < MERGE * MERGE; i++, n++) {
                place[n][0] = block * MERGE + i / MERGE;
                place[n][1] = column * MERGE + i % MERGE;
            }
        }
    }
}

/* Cubic convolution with a = -0.75 at y of a table of side places. */
static double cubic(double y, int side, const double *values)
{
    double sum = 0;
    const int base = (int)floor(y);
    for (int i = base - 1; i <= base + 2; i++) {
        const double u = fabs(y - i), a = -0.75;
        const double w = u <= 1 ? ((a + 2) * u - (a + 3)) * u * u + 1
                                : a * u * u * u - 5 * a * u * u + 8 * a * u - 4 * a;
        sum += w * values[i < 0 ? 0 : i >= side ? side - 1 : i];
    }
    return sum;
}

static void test_positions(void)
{
    enum { SIDE = 4, HIDDEN = 40 };
    float *table = test_floats(SIDE * SIDE * HIDDEN, 1), *x = test_floats(PATCHES * HIDDEN, 1);
    float *want = test_new(PATCHES * HIDDEN, 4);
    int place[PATCHES][2];
    walk(place);
    for (int n = 0; n < PATCHES; n++) {
        for (int k = 0; k < HIDDEN; k++) {
            double columns[SIDE], rows[SIDE];
            for (int r = 0; r < SIDE; r++) {
                for (int c = 0; c < SIDE; c++) {
                    columns[c] = table[(r * SIDE + c) * HIDDEN + k];
                }
                rows[r] = cubic((place[n][1] + 0.5) / ACROSS * SIDE - 0.5, SIDE, columns);
            }
            want[n * HIDDEN + k] =
                (float)(x[n * HIDDEN + k] +
                        cubic((place[n][0] + 0.5) / HIGH * SIDE - 0.5, SIDE, rows));
        }
    }
    struct glm_cuda_positions a = {{PATCHES, HIGH, ACROSS, MERGE}, table, x, SIDE, HIDDEN};
    glm_emulate(glm_cuda_positions_launch(&a), &a, 2);
    CHECK_NEAR(x, want, PATCHES * HIDDEN, 1e-6, "positions");
    free(table);
    free(x);
    free(want);
}

static void test_turn(void)
{
    enum { ALL = PATCHES * 3 * HEADS * DIM, HALF = DIM / 2, QUARTER = DIM / 4 };
    float *x = test_floats(ALL, 1), *want = test_new(ALL, 4);
    uint16_t *qkv = test_rounded(x, ALL);
    const float freq[QUARTER] = {1.0f, 0.1f, 0.01f, 0.001f};
    int place[PATCHES][2];
    walk(place);
    memcpy(want, x, ALL * sizeof *x);
    for (int n = 0; n < PATCHES; n++) {
        for (int i = 0; i < 2 * HEADS * HALF; i++) { /* q and k */
            const int at = n * 3 * HEADS * DIM + i / HALF * DIM + i % HALF, j = i % HALF;
            const double angle = (double)place[n][j / QUARTER] * freq[j % QUARTER];
            want[at] = (float)(x[at] * cos(angle) - x[at + HALF] * sin(angle));
            want[at + HALF] = (float)(x[at + HALF] * cos(angle) + x[at] * sin(angle));
        }
    }
    struct glm_cuda_turn a = {{PATCHES, HIGH, ACROSS, MERGE}, qkv, freq, HEADS, DIM};
    glm_emulate(glm_cuda_turn_launch(&a), &a, 3);
    float *got = test_widened(qkv, ALL);
    CHECK_NEAR(got, want, ALL, 3e-3, "turned heads");
    for (int n = 0; n < PATCHES; n++) { /* values stay */
        const size_t v = ((size_t)n * 3 + 2) * HEADS * DIM;
        CHECK(memcmp(got + v, x + v, HEADS * DIM * sizeof *x) == 0);
    }
    free(x);
    free(want);
    free(qkv);
    free(got);
}

static void test_gelu(void)
{
    enum { N = 2, WIDTH = 300 };
    float *x = test_floats(N * WIDTH, 3), *weight = test_floats(WIDTH, 1);
    float *bias = test_floats(WIDTH, 1), *want = test_new(N * WIDTH, 4);
    uint16_t *out = test_new(N * WIDTH, 2);
    for (int n = 0; n < N; n++) {
        double mean = 0, var = 0;
        for (int i = 0; i < WIDTH; i++) {
            mean += x[n * WIDTH + i] / (double)WIDTH;
        }
        for (int i = 0; i < WIDTH; i++) {
            var += pow(x[n * WIDTH + i] - mean, 2) / WIDTH;
        }
        for (int i = 0; i < WIDTH; i++) {
            const double v = (x[n * WIDTH + i] - mean) / sqrt(var + 1e-5) * weight[i] + bias[i];
            want[n * WIDTH + i] = (float)(0.5 * v * (1 + erf(v / sqrt(2.0))));
        }
    }
    struct glm_cuda_gelu a = {x, weight, bias, out, N, WIDTH};
    glm_emulate(glm_cuda_gelu_launch(&a), &a, 4);
    float *got = test_widened(out, N * WIDTH);
    CHECK_NEAR(got, want, N * WIDTH, 3e-3, "gelu");
    free(x);
    free(weight);
    free(bias);
    free(want);
    free(out);
    free(got);
}

int main(void)
{
    glm_emulate_watch();
    test_embed();
    test_norm(64, 0, false, 1);
    test_norm(64, 1, true, 2);
    test_norm(1536, 1, false, 3);
    test_norm(2100, 3, true, 4);
    test_norm(8192, 8, true, 5);
    for (int i = 0; i < 4; i++) {
        test_rope(i % 2 == 1, i / 2 == 1);
    }
    test_positions();
    test_turn();
    test_gelu();
    TEST_END();
}
