/*
 * Kernels in floats that are the same for every width of register: lanes_avx2.c and lanes_avx512.c
 * say what a register is and include this. Of each of these, LANES is the number of floats:
 *     V                       a register
 *     LOAD(p) STORE(p, v)     LOAD_SOME(p, n) STORE_SOME(p, v, n): the first n lanes, others are 0
 *     SET(x)                  x in every lane
 *     FMA(a, b, c)            a * b + c, rounded once
 *     ADD MUL DIV MIN MAX     MIN and MAX give the second one where either is no number
 *     ROUND(v)                to whole numbers
 *     TWO_TO(v)               2^v of whole numbers
 *     SUM(v) MOST(v)          over the lanes
 *     SQUARES(v)              the sum of squares in double
 *     BELOW(v, limit, from)   lanes i with from + i >= limit become -infinity
 *     HALVES(p) HALVES_SOME(p, n)  LOAD and LOAD_SOME of half floats
 *     TARGET                  attributes of a function
 * No guard: it is a body, included once in each of the two.
 */
#include <math.h>

#include "model/glm/pool.h"

#define INLINE TARGET __attribute__((always_inline)) static inline

/* e^x to about one unit of the last place; 0 far below, no number where x is none. */
INLINE V exp_of(V x)
{
    x = MAX(SET(-126.0f * 0.69314718f), MIN(SET(88.0f), x));
    V n = ROUND(MUL(x, SET(1.44269504f)));
    V r = FMA(n, SET(-0.693359375f), x), p = SET(1.0f / 5040);
    r = FMA(n, SET(2.12194440e-4f), r);
    p = FMA(p, r, SET(1.0f / 720));
    p = FMA(p, r, SET(1.0f / 120));
    p = FMA(p, r, SET(1.0f / 24));
    p = FMA(p, r, SET(1.0f / 6));
    p = FMA(p, r, SET(0.5f));
    p = FMA(p, r, SET(1.0f));
    p = FMA(p, r, SET(1.0f));
    return MUL(p, TWO_TO(n));
}

TARGET static void silu_mul(float *gate, const float *up, size_t count)
{
    for (size_t i = 0; i < count; i += LANES) {
        size_t some = count - i < LANES ? count - i : LANES;
        V g = LOAD_SOME(gate + i, some), u = LOAD_SOME(up + i, some);
        V e = exp_of(MUL(g, SET(-1.0f)));
        STORE_SOME(gate + i, MUL(DIV(g, ADD(e, SET(1.0f))), u), some);
    }
}

TARGET static void norm(const float *x, const float *weight, float eps, size_t width, float *y)
{
    double sum = 0;
    for (size_t i = 0; i < width; i += LANES) {
        sum += SQUARES(LOAD_SOME(x + i, width - i < LANES ? width - i : LANES));
    }
    V scale = SET(1.0f / sqrtf((float)(sum / (double)width) + eps));
    for (size_t i = 0; i < width; i += LANES) {
        size_t some = width - i < LANES ? width - i : LANES;
        V v = MUL(LOAD_SOME(x + i, some), scale);
        STORE_SOME(y + i, MUL(LOAD_SOME(weight + i, some), v), some);
    }
}

enum {
    KEYS = 256,    /* whose scores are held at a time */
    T = LANES / 2, /* queries whose sums fit into the registers */
    PAIR = 2 * LANES,
};

/* What a bundle of queries shares. */
struct bundle {
    const struct glm_attention *a;
    const float *q[GLM_QUERIES];
    size_t k, v; /* where the head begins */
    float *out[GLM_QUERIES], most[GLM_QUERIES];
    V sum[GLM_QUERIES];
    size_t keys[GLM_QUERIES]; /* it sees */
};

INLINE V load_of(bool half, const void *from, size_t at)
{
    return half ? HALVES((const uint16_t *)from + at) : LOAD((const float *)from + at);
}

INLINE V load_some_of(bool half, const void *from, size_t at, size_t some)
{
    return half ? HALVES_SOME((const uint16_t *)from + at, some)
                : LOAD_SOME((const float *)from + at, some);
}

/* Scores of count queries from first on against PAIR keys, into s[query][KEYS]. */
INLINE void scores_of(const struct bundle *b, bool half, size_t first, size_t count, size_t key,
                      float s[][KEYS], size_t at)
{
    const size_t dim = b->a->dim;
    /* the second register of keys: the next block, or the other half of the same one */
    const size_t k0 = b->k + key / GLM_KEY_BLOCK * dim * GLM_KEY_BLOCK;
    const size_t k1 = k0 + (LANES == GLM_KEY_BLOCK ? dim * GLM_KEY_BLOCK : LANES);
    V sum[T][2];
    UNROLL
    for (size_t t = 0; t < count; t++) {
        sum[t][0] = sum[t][1] = SET(0);
    }
    for (size_t d = 0; d < dim; d++) {
        V a = load_of(half, b->a->k, k0 + d * GLM_KEY_BLOCK);
        V c = load_of(half, b->a->k, k1 + d * GLM_KEY_BLOCK);
        UNROLL
        for (size_t t = 0; t < count; t++) {
            V q = SET(b->q[first + t][d]);
            sum[t][0] = FMA(q, a, sum[t][0]);
            sum[t][1] = FMA(q, c, sum[t][1]);
        }
    }
    UNROLL
    for (size_t t = 0; t < count; t++) {
        STORE(&s[first + t][at], sum[t][0]);
        STORE(&s[first + t][at + LANES], sum[t][1]);
    }
}

/* Scores to weights; returns what earlier sums have to be multiplied with. */
INLINE float soften(struct bundle *b, size_t t, size_t from, size_t count, float scale, float *s)
{
    V most = SET(b->most[t]);
    for (size_t i = 0; i < count; i += LANES) {
        V v = BELOW(MUL(LOAD(s + i), SET(scale)), b->keys[t], from + i);
        STORE(s + i, v);
        most = MAX(most, v);
    }
    float before = b->most[t];
    b->most[t] = MOST(most);
    float shrink = from > 0 ? expf(before - b->most[t]) : 0;
    b->sum[t] = MUL(b->sum[t], SET(shrink));
    for (size_t i = 0; i < count; i += LANES) {
        V p = exp_of(ADD(LOAD(s + i), SET(-b->most[t])));
        p = BELOW_ZERO(p, b->keys[t], from + i);
        b->sum[t] = ADD(b->sum[t], p);
        STORE(s + i, p);
    }
    return shrink;
}

/* out = out * shrink + weights times values, for count queries and two registers of dims. */
INLINE void values_of(const struct bundle *b, bool half, size_t first, size_t count, size_t from,
                      size_t keys, const float s[][KEYS], const float *shrink, size_t d,
                      size_t some)
{
    size_t v = b->v + from * b->a->v_row + d;
    const size_t more = some > LANES ? some - LANES : 0, low = some - more;
    V sum[T][2];
    UNROLL
    for (size_t t = 0; t < count; t++) {
        V old[2] = {SET(0), SET(0)};
        if (from > 0) {
            old[0] = LOAD_SOME(b->out[first + t] + d, low);
            old[1] = LOAD_SOME(b->out[first + t] + d + LANES, more);
        }
        sum[t][0] = MUL(old[0], SET(shrink[first + t]));
        sum[t][1] = MUL(old[1], SET(shrink[first + t]));
    }
    for (size_t j = 0; j < keys; j++, v += b->a->v_row) {
        const void *p = b->a->v;
        V a = some == PAIR ? load_of(half, p, v) : load_some_of(half, p, v, low);
        V c = some == PAIR ? load_of(half, p, v + LANES) : load_some_of(half, p, v + LANES, more);
        UNROLL
        for (size_t t = 0; t < count; t++) {
            V w = SET(s[first + t][j]);
            sum[t][0] = FMA(w, a, sum[t][0]);
            sum[t][1] = FMA(w, c, sum[t][1]);
        }
    }
    UNROLL
    for (size_t t = 0; t < count; t++) {
        STORE_SOME(b->out[first + t] + d, sum[t][0], low);
        STORE_SOME(b->out[first + t] + d + LANES, sum[t][1], more);
    }
}

/* The keys from .. from + keys, KEYS at most, for count queries of the bundle from first on. */
INLINE void block_of(struct bundle *b, bool half, size_t first, size_t count, size_t from,
                     size_t keys, float scale, float s[][KEYS], float *shrink)
{
    const size_t dim = b->a->dim;
    for (size_t at = 0; at < keys; at += PAIR) {
        scores_of(b, half, first, count, from + at, s, at);
    }
    for (size_t t = first; t < first + count; t++) {
        shrink[t] = soften(b, t, from, (keys + PAIR - 1) / PAIR * PAIR, scale, s[t]);
    }
    size_t d = 0;
    for (; d + PAIR <= dim; d += PAIR) {
        values_of(b, half, first, count, from, keys, (const float(*)[KEYS])s, shrink, d, PAIR);
    }
    if (d < dim) {
        values_of(b, half, first, count, from, keys, (const float(*)[KEYS])s, shrink, d, dim - d);
    }
}

INLINE void attend_of(const struct glm_attention *a, bool half, size_t key_head, size_t begin,
                      size_t count, float *out)
{
    _Alignas(64) float s[GLM_QUERIES][KEYS];
    float shrink[GLM_QUERIES];
    const float scale = 1.0f / sqrtf((float)a->dim);
    struct bundle b = {.a = a, .k = key_head * a->k_head, .v = key_head * a->v_head};
    size_t keys = 0;
    for (size_t t = 0; t < count; t++) {
        size_t head = key_head * a->group + (begin + t) % a->group, i = (begin + t) / a->group;
        b.q[t] = a->q + i * a->q_row + head * a->q_head;
        b.out[t] = out + t * a->dim;
        b.keys[t] = a->first + i * a->step;
        b.most[t] = -INFINITY;
        b.sum[t] = SET(0);
        keys = b.keys[t] > keys ? b.keys[t] : keys;
    }
    for (size_t from = 0; from < keys; from += KEYS) {
        size_t some = keys - from < KEYS ? keys - from : KEYS, t = 0;
        for (; t + T <= count; t += T) {
            block_of(&b, half, t, T, from, some, scale, s, shrink);
        }
        for (; t < count; t++) {
            block_of(&b, half, t, 1, from, some, scale, s, shrink);
        }
    }
    for (size_t t = 0; t < count; t++) {
        float inverse = 1.0f / SUM(b.sum[t]);
        for (size_t d = 0; d < a->dim; d++) {
            b.out[t][d] *= inverse;
        }
    }
}

TARGET static void attend(const struct glm_attention *a, size_t key_head, size_t begin,
                          size_t count, float *out)
{
    if (a->half) {
        attend_of(a, true, key_head, begin, count, out);
    } else {
        attend_of(a, false, key_head, begin, count, out);
    }
}
