/* Attention of the emulated kernels, against the engine's on the same numbers. */
#include "tests/model/glm/cuda_test.h"

/* Weights and sums of a head are rounded to bf16 on their way. */
static const double attend_limit = 4e-3;

struct shape {
    uint32_t heads, kv_heads, dim, n, len;
};

struct data {
    struct shape s;
    uint32_t capacity;
    float *q, *k, *v; /* [n][heads][dim], [kv_head][capacity][dim] */
    uint16_t *q_half, *k_half, *v_half;
};

static struct data data_new(struct shape s)
{
    struct data d = {.s = s, .capacity = s.len + s.n + 3};
    const size_t queries = (size_t)s.n * s.heads * s.dim;
    const size_t cache = (size_t)s.kv_heads * d.capacity * s.dim;
    d.q = test_floats(queries, 3);
    d.k = test_floats(cache, 1);
    d.v = test_floats(cache, 1);
    d.q_half = test_rounded(d.q, queries);
    d.k_half = test_rounded(d.k, cache);
    d.v_half = test_rounded(d.v, cache);
    for (uint32_t h = 0; h < s.kv_heads; h++) { /* what lies behind the last key is no number */
        const size_t at = ((size_t)h * d.capacity + s.len + s.n) * s.dim;
        memset(d.k_half + at, 0xFF, 3 * s.dim * 2);
        memset(d.v_half + at, 0xFF, 3 * s.dim * 2);
    }
    return d;
}

static void data_release(struct data *d)
{
    free(d->q);
    free(d->k);
    free(d->v);
    free(d->q_half);
    free(d->k_half);
    free(d->v_half);
}

/* The engine's result; step 0: every query sees `keys` keys. */
static float *reference(const struct data *d, uint32_t first, uint32_t step)
{
    const struct shape *s = &d->s;
    const size_t dim = s->dim, room = ((size_t)d->capacity + 63) / 32 * 32;
    float *blocks = calloc(s->kv_heads * room * dim, sizeof *blocks);
    float *values = calloc(s->kv_heads * room * dim, sizeof *values);
    float *out = test_new((size_t)s->n * s->heads * dim, sizeof *out);
    for (size_t h = 0; h < s->kv_heads; h++) {
        glm_keys_put(blocks + h * room * dim, dim, 0, d->k + h * d->capacity * dim, dim,
                     s->len + s->n);
        memcpy(values + h * room * dim, d->v + h * d->capacity * dim,
               (s->len + s->n) * dim * sizeof *values);
    }
    struct glm_pool *pool = glm_pool_new(1, NULL);
    glm_pool_choose(pool, GLM_CPU_SCALAR);
    struct glm_attention a = {.q = d->q,
                              .k = blocks,
                              .v = values,
                              .out = out,
                              .n = s->n,
                              .heads = s->heads,
                              .group = s->heads / s->kv_heads,
                              .dim = dim,
                              .q_row = s->heads * dim,
                              .v_row = dim,
                              .out_row = s->heads * dim,
                              .q_head = dim,
                              .k_head = room * dim,
                              .v_head = room * dim,
                              .out_head = dim,
                              .first = first,
                              .step = step};
    glm_attend(pool, &a);
    glm_pool_free(pool);
    free(blocks);
    free(values);
    return out;
}

/* Rows `from` .. of a step; splits: how many are launched; each: rows a block, 0 for as many as the
 * launch says. */
static uint16_t *run_attend(const struct data *d, uint32_t from, uint32_t n, uint32_t splits,
                            uint32_t each, uint64_t seed)
{
    const struct shape *s = &d->s;
    const size_t wide = (size_t)s->heads * s->dim;
    struct glm_cuda_state state = {.len = (int32_t)(s->len + from)};
    uint16_t *out = test_new(n * wide, 2), *q = test_new(n * wide, 2);
    float *parts = test_new(glm_cuda_attend_bytes(n, s->heads, s->dim, splits), 1);
    memcpy(q, d->q_half + from * wide, n * wide * 2);
    struct glm_cuda_attend a = {.q = q,
                                .keys = d->k_half,
                                .values = d->v_half,
                                .state = &state,
                                .parts = parts,
                                .out = out,
                                .n = n,
                                .heads = s->heads,
                                .kv_heads = s->kv_heads,
                                .dim = s->dim,
                                .capacity = d->capacity,
                                .splits = splits,
                                .scale = 1.0f / sqrtf((float)s->dim)};
    struct glm_cuda_launch launch = glm_cuda_attend_launch(&a);
    launch.z = each > 0 ? (n + each - 1) / each : launch.z;
    glm_emulate(launch, &a, seed);
    glm_emulate(glm_cuda_combine_launch(&a), &a, seed + 1);
    free(parts);
    free(q);
    return out;
}

static void test_attend(struct shape s)
{
    struct data d = data_new(s);
    const size_t wide = (size_t)s.heads * s.dim;
    const uint32_t splits = (s.len + s.n + GLM_CUDA_SPLIT - 1) / GLM_CUDA_SPLIT;
    uint16_t *out = run_attend(&d, 0, s.n, splits, 0, 1);
    float *want = reference(&d, s.len + 1, 1), *got = test_widened(out, s.n * wide);
    CHECK_NEAR(got, want, s.n * wide, attend_limit, "step of %u rows after %u, dim %u", s.n, s.len,
               s.dim);
    uint16_t *more = run_attend(&d, 0, s.n, splits + 2, 3, 9);
    CHECK_MSG(memcmp(out, more, s.n * wide * 2) == 0,
              "%u splits more, %u rows a block, another order", 2u, 3u);
    for (uint32_t i = 0; i<s.n; i += s.n> 1 ? s.n - 1 : 1) {
        uint16_t *one = run_attend(&d, i, 1, splits, 0, 20 + i);
        CHECK_MSG(memcmp(one, out + i * wide, wide * 2) == 0, "row %u of %u alone, dim %u", i, s.n,
                  s.dim);
        free(one);
    }
    free(out);
    free(more);
    free(want);
    free(got);
    data_release(&d);
}

/* Queries of a prompt over a cache that has keys already. */
static void test_causal(struct shape s, uint32_t groups)
{
    struct data d = data_new(s);
    const size_t wide = (size_t)s.heads * s.dim;
    uint16_t *out = test_new(s.n * wide, 2), *again = test_new(s.n * wide, 2);
    struct glm_cuda_flash a = {.q = d.q_half,
                               .k = d.k_half,
                               .v = d.v_half,
                               .out = out,
                               .q_row = wide,
                               .k_row = s.dim,
                               .v_row = s.dim,
                               .out_row = wide,
                               .q_head = s.dim,
                               .k_head = (size_t)d.capacity * s.dim,
                               .v_head = (size_t)d.capacity * s.dim,
                               .out_head = s.dim,
                               .n = s.n,
                               .keys = s.len + s.n,
                               .heads = s.heads,
                               .group = s.heads / s.kv_heads,
                               .dim = s.dim,
                               .causal = 1,
                               .first = s.len,
                               .scale = 1.0f / sqrtf((float)s.dim)};
    glm_emulate(glm_cuda_flash_launch_on(&a, groups), &a, 1);
    float *want = reference(&d, s.len + 1, 1), *got = test_widened(out, s.n * wide);
    CHECK_NEAR(got, want, s.n * wide, attend_limit,
               "prompt of %u after %u, dim %u, by warpgroups %u", s.n, s.len, s.dim, groups);
    a.out = again;
    glm_emulate(glm_cuda_flash_launch_on(&a, groups), &a, 2);
    if (s.dim == 128) {
        test_turns("a prompt");
    }
    CHECK_MSG(memcmp(out, again, s.n * wide * 2) == 0, "prompt of %u: another order", s.n);
    free(out);
    free(again);
    free(want);
    free(got);
    data_release(&d);
}

/* The tower: every patch sees every patch; q, k and v lie in one row. */
static void test_full(uint32_t n, uint32_t heads, uint32_t dim, uint32_t groups)
{
    const size_t wide = (size_t)heads * dim;
    struct data d = data_new((struct shape){heads, heads, dim, n, 0});
    uint16_t *qkv = test_new(n * 3 * wide, 2), *out = test_new(n * wide, 2);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t h = 0; h < heads; h++) {
            uint16_t *row = qkv + i * 3 * wide + h * dim;
            const size_t key = ((size_t)h * d.capacity + i) * dim;
            memcpy(row, d.q_half + i * wide + h * dim, dim * 2);
            memcpy(row + wide, d.k_half + key, dim * 2);
            memcpy(row + 2 * wide, d.v_half + key, dim * 2);
        }
    }
    struct glm_cuda_flash a = {.q = qkv,
                               .k = qkv + wide,
                               .v = qkv + 2 * wide,
                               .out = out,
                               .q_row = 3 * wide,
                               .k_row = 3 * wide,
                               .v_row = 3 * wide,
                               .out_row = wide,
                               .q_head = dim,
                               .k_head = dim,
                               .v_head = dim,
                               .out_head = dim,
                               .n = n,
                               .keys = n,
                               .heads = heads,
                               .group = 1,
                               .dim = dim,
                               .scale = 1.0f / sqrtf((float)dim)};
    glm_emulate(glm_cuda_flash_launch_on(&a, groups), &a, 6);
    if (dim == 128) {
        test_turns("the tower");
    }
    float *want = reference(&d, n, 0), *got = test_widened(out, n * wide);
    CHECK_NEAR(got, want, n * wide, attend_limit, "tower of %u patches, dim %u, by warpgroups %u",
               n, dim, groups);
    free(qkv);
    free(out);
    free(want);
    free(got);
    data_release(&d);
}

int main(void)
{
    glm_emulate_watch();
    test_attend((struct shape){4, 2, 16, 1, 0});
    test_attend((struct shape){4, 2, 16, 6, 253}); /* rows on both sides of a split's end */
    test_attend((struct shape){4, 2, 16, 2, 700});
    test_attend((struct shape){16, 1, 128, 1, 300});
    test_attend((struct shape){16, 1, 128, 5, 254});
    test_attend((struct shape){32, 2, 128, 1, 10});
    test_causal((struct shape){2, 1, 16, 1, 0}, 0);
    test_causal((struct shape){4, 2, 16, 150, 70}, 0);
    test_causal((struct shape){2, 1, 128, 130, 5}, 0);
    test_full(24, 2, 16, 0);
    test_full(200, 1, 16, 0);
    test_full(140, 1, 128, 0);
    for (uint32_t i = 0; i < 2; i++) { /* by warpgroups: keys of one tile and of more */
        test_causal((struct shape){2, 1, 128, 1, i * 127}, 132);
        test_causal((struct shape){2, 1, 128, 130, 5 + i * 150}, 132);
        test_full(i == 0 ? 20 : 400, 2 - i, 128, 132);
    }
    TEST_END();
}
