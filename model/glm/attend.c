/* Attention: the work shared out, and the loops of the reference. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/glm/config.h"
#include "model/glm/pool.h"

void glm_attend_scalar(const struct glm_attention *a, size_t key_head, size_t from, size_t count,
                       float *out);
void glm_halve_scalar(const float *x, size_t count, uint16_t *out);

void glm_halve(struct glm_pool *pool, const float *x, size_t count, uint16_t *out)
{
    glm_pool_kernels(pool)->halve(x, count, out);
}

void glm_halve_scalar(const float *x, size_t count, uint16_t *out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = glm_half_from_float(x[i]);
    }
}

enum { PART = 64 }; /* numbers that are made halves at a time */

/* Where a key begins; its next number lies GLM_KEY_BLOCK further. */
static size_t place_of(size_t place, size_t dim)
{
    return place / GLM_KEY_BLOCK * dim * GLM_KEY_BLOCK + place % GLM_KEY_BLOCK;
}

void glm_keys_put(float *blocks, size_t dim, size_t place, const float *keys, size_t row,
                  size_t count)
{
    for (size_t i = 0; i < count; i++, place++) {
        float *to = blocks + place_of(place, dim);
        for (size_t d = 0; d < dim; d++) {
            to[d * GLM_KEY_BLOCK] = keys[i * row + d];
        }
    }
}

void glm_keys_put_half(struct glm_pool *pool, uint16_t *blocks, size_t dim, size_t place,
                       const float *keys, size_t row, size_t count)
{
    uint16_t halves[PART];
    for (size_t i = 0; i < count; i++, place++) {
        uint16_t *to = blocks + place_of(place, dim);
        for (size_t from = 0; from < dim; from += PART) {
            const size_t some = dim - from < PART ? dim - from : PART;
            glm_halve(pool, keys + i * row + from, some, halves);
            for (size_t d = 0; d < some; d++) {
                to[(from + d) * GLM_KEY_BLOCK] = halves[d];
            }
        }
    }
}

static float number_at(const struct glm_attention *a, const void *from, size_t at)
{
    return a->half ? glm_half_to_float(((const uint16_t *)from)[at]) : ((const float *)from)[at];
}

/* Softmax in one pass: what was summed is scaled down when a larger score turns up. */
static void attend_one(const struct glm_attention *a, size_t head, size_t i, float *out)
{
    const float *q = a->q + i * a->q_row + head * a->q_head;
    const size_t k = head / a->group * a->k_head, v = head / a->group * a->v_head;
    float scale = 1.0f / sqrtf((float)a->dim), most = -INFINITY, sum = 0;
    memset(out, 0, a->dim * sizeof *out);
    for (size_t j = 0; j < a->first + i * a->step; j++) {
        const size_t key = k + place_of(j, a->dim);
        double dot = 0;
        for (size_t d = 0; d < a->dim; d++) {
            dot += (double)q[d] * number_at(a, a->k, key + d * GLM_KEY_BLOCK);
        }
        float score = (float)dot * scale, before = most;
        most = score > most ? score : most;
        float shrink = expf(before - most), p = expf(score - most);
        sum = sum * shrink + p;
        for (size_t d = 0; d < a->dim; d++) {
            out[d] = out[d] * shrink + p * number_at(a, a->v, v + j * a->v_row + d);
        }
    }
    for (size_t d = 0; d < a->dim; d++) {
        out[d] /= sum;
    }
}

void glm_attend_scalar(const struct glm_attention *a, size_t key_head, size_t from, size_t count,
                       float *out)
{
    for (size_t t = from; t < from + count; t++, out += a->dim) {
        attend_one(a, key_head * a->group + t % a->group, t / a->group, out);
    }
}

struct attend_job {
    struct glm_attention a;
    const struct glm_kernels *kernels;
    size_t queries, bundles; /* of a key head; bundles of GLM_QUERIES queries */
};

/* A bundle; see glm_work. */
static void attend_race(void *arg, size_t begin, size_t end, struct glm_try *try)
{
    const struct attend_job *job = arg;
    const struct glm_attention *a = &job->a;
    _Alignas(64) float out[GLM_QUERIES * GLM_MOST_DIM];
    assert(end == begin + 1);
    const size_t from = begin % job->bundles * GLM_QUERIES, key_head = begin / job->bundles;
    const size_t left = job->queries - from, count = left < GLM_QUERIES ? left : GLM_QUERIES;
    job->kernels->attend(a, key_head, from, count, out);
    if (!glm_pool_mine(try)) {
        return;
    }
    for (size_t t = 0; t < count; t++) {
        const size_t head = key_head * a->group + (from + t) % a->group;
        memcpy(a->out + (from + t) / a->group * a->out_row + head * a->out_head, out + t * a->dim,
               a->dim * sizeof *out);
    }
}

static void attend_part(void *arg, size_t begin, size_t end)
{
    for (size_t at = begin; at < end; at++) {
        attend_race(arg, at, at + 1, NULL);
    }
}

struct keep_job {
    const float *q;
    size_t width, row;
    float *to;
};

static void keep_part(void *arg, size_t begin, size_t end)
{
    const struct keep_job *job = arg;
    for (size_t i = begin; i < end; i++) {
        memcpy(job->to + i * job->width, job->q + i * job->row, job->width * sizeof *job->to);
    }
}

void glm_attend(struct glm_pool *pool, const struct glm_attention *a)
{
    struct attend_job job = {
        .a = *a, .kernels = glm_pool_kernels(pool), .queries = a->group * a->n};
    job.bundles = (job.queries + GLM_QUERIES - 1) / GLM_QUERIES;
    struct glm_work work = {
        .count = a->heads / a->group * job.bundles, .part = 1, .most = 1, .run = attend_part};
    if (a->n <= GLM_COLUMNS && a->q_head == a->dim &&
        glm_pool_has_room(pool, a->n * a->heads * a->dim * sizeof *a->q)) {
        /* a token: bundles take long where the context is long, so they are a race, with queries
         * of their own; about keys and values see backend.h */
        struct keep_job keep = {a->q, a->heads * a->dim, a->q_row, NULL};
        const struct glm_work copy = {.count = a->n, .part = 1, .most = 1, .run = keep_part};
        keep.to = glm_pool_room(pool, a->n * keep.width * sizeof *keep.to);
        glm_pool_queue(pool, &copy, &keep, sizeof keep);
        job.a.q = keep.to;
        job.a.q_row = keep.width;
        work.race = attend_race;
        work.last = true;
    }
    glm_pool_queue(pool, &work, &job, sizeof job);
}
