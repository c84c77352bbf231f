/* The emulated sampler and verifier, against sample.c; quantisers, against codes.c. */
#include "model/glm/sample.h"
#include "tests/model/glm/cuda_test.h"

enum { VOCAB = 700, MAX_ROWS = 6 };

struct setting {
    double temperature, top_p, penalty;
    int top_k;
    uint32_t n;
    bool bans;
};

/* The memory of a device sampler. */
struct sampler {
    struct glm_cuda_sample a;
    struct glm_cuda_state state;
    uint32_t seen[(VOCAB + 31) / 32], banned[(VOCAB + 31) / 32];
    int32_t ids[MAX_ROWS], part_ids[MAX_ROWS * GLM_CUDA_PARTS * GLM_CUDA_BEST];
    float part_logits[MAX_ROWS * GLM_CUDA_PARTS * GLM_CUDA_BEST];
    int32_t best_ids[MAX_ROWS * GLM_CUDA_BEST], best_count[MAX_ROWS];
    double best_chances[MAX_ROWS * GLM_CUDA_BEST];
    uint64_t cut[MAX_ROWS], mass[MAX_ROWS];
};

static void run_sampler(struct sampler *s, const struct setting *t, float *logits, uint64_t seed)
{
    s->a = (struct glm_cuda_sample){.logits = logits,
                                    .banned = t->bans ? s->banned : NULL,
                                    .seen = s->seen,
                                    .ids = s->ids,
                                    .state = &s->state,
                                    .part_logits = s->part_logits,
                                    .part_ids = s->part_ids,
                                    .best_ids = s->best_ids,
                                    .best_chances = s->best_chances,
                                    .best_count = s->best_count,
                                    .cut = s->cut,
                                    .mass = s->mass,
                                    .temperature = t->temperature,
                                    .top_p = t->top_p,
                                    .penalty = t->penalty,
                                    .n = t->n,
                                    .vocab = VOCAB,
                                    .want = t->temperature > 0 ? (uint32_t)t->top_k : 1};
    if (t->temperature > 0 && (t->top_k == 0 || t->top_k > GLM_CUDA_BEST)) {
        s->a.top_k = s->a.want;
        s->a.want = 0;
        glm_emulate(glm_cuda_whole_limit_launch(&s->a), &s->a, seed);
        glm_emulate(glm_cuda_whole_draw_launch(&s->a), &s->a, seed + 1);
    } else {
        glm_emulate(glm_cuda_best_parts_launch(&s->a), &s->a, seed);
        glm_emulate(glm_cuda_best_merge_launch(&s->a), &s->a, seed + 1);
    }
    glm_emulate(glm_cuda_verify_launch(&s->a), &s->a, seed + 2);
}

/* What the engine chooses, row after row, while the guesses hold. */
static uint32_t choose(const struct setting *t, const float *logits, const int32_t *ids,
                       const int32_t *history, size_t len, uint64_t *random, int32_t *tokens,
                       const uint32_t *banned)
{
    struct glm_sampler s = {t->temperature, t->top_p, t->penalty, t->top_k, *random};
    struct glm_candidates c;
    int32_t said[64];
    float row[VOCAB];
    uint32_t count = 0;
    glm_candidates_init(&c, VOCAB, NULL);
    memcpy(said, history, len * sizeof *said);
    for (uint32_t i = 0; i < t->n; i++) {
        memcpy(row, logits + (size_t)i * VOCAB, sizeof row);
        for (int k = 0; k < VOCAB; k++) {
            bool out = !isfinite(row[k]) || (t->bans && (banned[k / 32] >> k % 32 & 1) != 0);
            row[k] = out ? -INFINITY : row[k];
        }
        tokens[count++] = glm_sample(&s, &c, row, VOCAB, said, len);
        if (i + 1 == t->n || tokens[count - 1] != ids[i + 1]) {
            break;
        }
        said[len++] = ids[i + 1];
    }
    *random = s.random;
    glm_candidates_release(&c);
    return count;
}

/* Guesses that hold for the first `right` rows. */
static void test_sample(const struct setting *t, uint32_t right, uint64_t seed)
{
    struct sampler *s = calloc(1, sizeof *s);
    float *logits = test_floats((size_t)t->n * VOCAB, 3);
    int32_t history[8], want[MAX_ROWS], guess[MAX_ROWS + 1] = {0};
    for (int i = 0; i < 8; i++) {
        history[i] = (int32_t)((test_unit() + 1) * 0.5f * (VOCAB - 1));
        s->seen[history[i] / 32] |= 1u << history[i] % 32;
        s->banned[i] = 0x10100000u << i;
    }
    logits[3] = NAN;
    logits[17] = INFINITY;
    /* equal logits: the first id wins */
    logits[40] = logits[41] = 3.5f; /* above all others */
    guess[0] = history[7];
    for (uint32_t i = 0; i < right; i++) { /* what will be said, found row by row */
        struct setting short_one = *t;
        short_one.n = i + 1;
        uint64_t random = seed;
        choose(&short_one, logits, guess, history, 8, &random, want, s->banned);
        guess[i + 1] = want[i];
    }
    for (uint32_t i = right + 1; i < MAX_ROWS; i++) {
        guess[i] = 699;
    }
    memcpy(s->ids, guess, sizeof s->ids);
    s->state = (struct glm_cuda_state){.random = seed, .len = 100, .place = 80};
    uint64_t random = seed;
    const uint32_t count = choose(t, logits, guess, history, 8, &random, want, s->banned);
    run_sampler(s, t, logits, seed);
    CHECK_MSG(s->state.count == (int32_t)count, "%d chosen, the engine %u", s->state.count, count);
    CHECK(memcmp(s->state.tokens, want, count * sizeof *want) == 0);
    CHECK(s->state.random == random);
    CHECK(s->state.len == 100 + (int32_t)count && s->state.place == 80 + (int32_t)count);
    CHECK(s->ids[0] == want[count - 1]);
    for (uint32_t i = 0; i < count; i++) {
        CHECK((s->seen[want[i] / 32] >> want[i] % 32 & 1) != 0);
    }
    free(logits);
    free(s);
}

/* Draws all over the order of one row's tokens, with chances that a device has as whole numbers. */
static void test_draws(const struct setting *t, float spread, uint64_t draws, uint64_t seed)
{
    struct sampler *s = calloc(1, sizeof *s);
    float *logits = test_floats(VOCAB, spread);
    int32_t want[1], guess[2] = {0};
    size_t differ = 0;
    for (uint64_t i = 0; i < draws; i++) {
        uint64_t random = seed + 1000 * i;
        s->state = (struct glm_cuda_state){.random = random};
        choose(t, logits, guess, guess, 0, &random, want, s->banned);
        memset(s->seen, 0, sizeof s->seen);
        run_sampler(s, t, logits, seed + i);
        differ += s->state.tokens[0] != want[0] || s->state.random != random ? 1 : 0;
    }
    CHECK_MSG(differ == 0, "top-k %d, top-p %g, spread %g: %zu draws differ", t->top_k, t->top_p,
              spread, differ);
    free(logits);
    free(s);
}

static void test_nothing_left(int top_k)
{
    struct sampler *s = calloc(1, sizeof *s);
    const struct setting t = {0.8, 0.6, 1.1, top_k, 2, false};
    float *logits = test_floats(2 * VOCAB, 1);
    for (int i = 0; i < VOCAB; i++) {
        logits[i] = -INFINITY;
    }
    run_sampler(s, &t, logits, 1);
    CHECK(s->state.count == 1 && s->state.tokens[0] == -1);
    free(logits);
    free(s);
}

/* The same bytes as the engine's. */
static void test_quantise(enum glm_form form, uint32_t rows, uint32_t cols, uint32_t group)
{
    float *w = test_floats((size_t)rows * cols, 0.05f);
    memset(w, 0, cols * sizeof *w); /* a row of zeros */
    w[cols + 3] = 1.0f;             /* and one with an outlier */
    uint16_t *rounded = test_rounded(w, (size_t)rows * cols);
    struct glm_matrix from = {GLM_FORM_BF16, rows, cols, rounded, NULL, 0}, want;
    struct glm_pool *pool = glm_pool_new(1, NULL);
    CHECK(glm_quantise(pool, &from, form, group, &want, NULL));
    size_t bytes, halves;
    glm_tile_sizes(&want, &bytes, &halves);
    unsigned char *data = test_new(bytes, 1), *scales = test_new(halves, 1);
    struct glm_cuda_quantise q = {
        rounded, data, scales, form == GLM_FORM_INT4 ? GLM_CUDA_INT4 : GLM_CUDA_INT8,
        rows,    cols, group};
    glm_emulate(glm_cuda_quantise_launch(&q), &q, 3);
    CHECK_MSG(memcmp(scales, want.scales, halves) == 0, "scales, %u x %u by %u", rows, cols, group);
    CHECK_MSG(memcmp(data, want.data, bytes) == 0, "codes, %u x %u by %u", rows, cols, group);
    glm_pool_free(pool);
    free((void *)want.data);
    free((void *)want.scales);
    free(w);
    free(rounded);
    free(data);
    free(scales);
}

/* Of all codes none is nearer. */
static void test_fp8_nearest(void)
{
    enum { ROWS = 2, COLS = 256 };
    float *w = test_floats(ROWS * COLS, 1);
    for (int i = 0; i < COLS; i++) { /* a row that reaches down to the smallest codes */
        w[i] = ldexpf(w[i], -i / 12);
    }
    w[0] = 1;
    uint16_t *rounded = test_rounded(w, ROWS * COLS);
    struct test_matrix m = {.device = {NULL, NULL, GLM_CUDA_FP8, ROWS, COLS, 0},
                            .means = test_new(ROWS * COLS, 4),
                            .data = test_new(ROWS * COLS, 1),
                            .scales = test_new(ROWS, 4)};
    test_quantise_fp8(&m, rounded);
    for (int i = 0; i < ROWS * COLS; i++) {
        const float scale = ((float *)m.scales)[i / COLS], x = w[i] / scale;
        float nearest = INFINITY;
        for (int code = 0; code < 256; code++) {
            if ((code & 0x7F) != 0x7F) { /* which is no number */
                nearest = fminf(nearest, fabsf(test_fp8((unsigned char)code) - x));
            }
        }
        CHECK_MSG(fabsf(m.means[i] / scale - x) <= nearest + 1e-6f * fabsf(x) + 1e-9f,
                  "%g is kept as %g", x, m.means[i] / scale);
    }
    free(w);
    free(rounded);
    test_matrix_release(&m);
}

static void test_convert(void)
{
    enum { COUNT = 5000 };
    float *x = test_floats(COUNT, 100);
    uint16_t *halves = test_new(COUNT, 2), *out = test_new(COUNT, 2);
    for (int i = 0; i < COUNT; i++) {
        halves[i] = (uint16_t)(i * 13);
        halves[i] = (halves[i] >> 10 & 31) == 31 ? 0 : halves[i];
    }
    struct glm_cuda_convert a = {x, out, COUNT, 0}, b = {halves, out, COUNT, 1};
    glm_emulate(glm_cuda_convert_launch(&a), &a, 1);
    for (int i = 0; i < COUNT; i++) {
        CHECK(out[i] == test_bf16(x[i]));
    }
    glm_emulate(glm_cuda_convert_launch(&b), &b, 1);
    for (int i = 0; i < COUNT; i++) {
        CHECK(out[i] == test_bf16(glm_half_to_float(halves[i])));
    }
    free(x);
    free(halves);
    free(out);
}

static void test_fill_and_streams(void)
{
    enum { COUNT = 20000 };
    uint16_t *w = test_new(COUNT, 2), *copy = test_new(COUNT, 2);
    struct glm_cuda_fill a = {w, COUNT, 5, 0.02f};
    glm_emulate(glm_cuda_fill_launch(&a), &a, 1);
    double sum = 0, squares = 0;
    for (int i = 0; i < COUNT; i++) {
        sum += test_float(w[i]);
        squares += (double)test_float(w[i]) * test_float(w[i]);
    }
    CHECK_MSG(fabs(sum / COUNT) < 0.001, "mean %g", sum / COUNT);
    CHECK_MSG(fabs(sqrt(squares / COUNT) - 0.02) < 0.0005, "sigma %g", sqrt(squares / COUNT));
    float sums[3] = {-1, -1, -1};
    struct glm_cuda_stream s = {w, copy, sums, COUNT * 2, 3};
    glm_emulate(glm_cuda_copy_launch(&s), &s, 1);
    CHECK(memcmp(w, copy, COUNT * 2) == 0);
    glm_emulate(glm_cuda_read_launch(&s), &s, 1);
    CHECK(sums[0] > 0 && sums[1] > 0 && sums[2] > 0);
    free(w);
    free(copy);
}

int main(void)
{
    const struct setting settings[] = {{0.9, 1, 1, 0, 1, false},     {0.7, 0.8, 1.1, 0, 2, true},
                                       {1.1, 0.95, 1, 100, 2, true}, {0.01, 0.5, 1, 0, 1, false},
                                       {0, 1, 1, 0, 1, false},       {0, 1, 1.1, 0, 3, true},
                                       {0.8, 0.6, 1.1, 2, 3, false}, {1.5, 0.95, 1, 4, 3, true},
                                       {1, 1, 1.3, 9, 1, true},      {0.7, 0.9, 1, 1, 2, false}};
    glm_emulate_watch();
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        for (uint32_t right = 0; right < settings[i].n; right++) {
            test_sample(&settings[i], right, 77 + i * 10 + right);
        }
    }
    const struct setting wide[] = {{1, 1, 1, 0, 1, false},
                                   {1, 0.9, 1, 0, 1, false},
                                   {0.6, 1, 1, 300, 1, false},
                                   {5, 0.97, 1, 65, 1, true}};
    for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
        test_draws(&wide[i], 4, 2, 5 + i);
    }
    test_draws(&wide[1], 0, 1, 9); /* all alike, which is found bit by bit */
    test_nothing_left(4);
    test_nothing_left(0);
    test_quantise(GLM_FORM_INT4, 20, 256, 128);
    test_quantise(GLM_FORM_INT4, 16, 96, 32);
    test_quantise(GLM_FORM_INT4, 5, 160, 128); /* the last group is short */
    test_quantise(GLM_FORM_INT8, 33, 128, 128);
    test_quantise(GLM_FORM_INT8, 16, 64, 32);
    test_fp8_nearest();
    test_convert();
    test_fill_and_streams();
    TEST_END();
}
