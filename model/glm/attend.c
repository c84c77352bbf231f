/* Attention: the work shared out, and the loops of the reference. */
#include <math.h>
#include <string.h>

#include "model/glm/pool.h"

void glm_attend_scalar(const struct glm_attention *a, size_t key_head, size_t from, size_t count);

void glm_keys_put(float *blocks, size_t dim, size_t place, const float *keys, size_t row,
                  size_t count)
{
    for (size_t i = 0; i < count; i++, place++) {
        float *to = blocks + place / GLM_KEY_BLOCK * dim * GLM_KEY_BLOCK + place % GLM_KEY_BLOCK;
        for (size_t d = 0; d < dim; d++) {
            to[d * GLM_KEY_BLOCK] = keys[i * row + d];
        }
    }
}

/* Softmax in one pass: what was summed is scaled down when a larger score turns up. */
static void attend_one(const struct glm_attention *a, size_t head, size_t i)
{
    const float *q = a->q + i * a->q_row + head * a->q_head;
    const float *k = a->k + head / a->group * a->k_head, *v = a->v + head / a->group * a->v_head;
    float *out = a->out + i * a->out_row + head * a->out_head;
    float scale = 1.0f / sqrtf((float)a->dim), most = -INFINITY, sum = 0;
    memset(out, 0, a->dim * sizeof *out);
    for (size_t j = 0; j < a->first + i * a->step; j++) {
        const float *key = k + j / GLM_KEY_BLOCK * a->dim * GLM_KEY_BLOCK + j % GLM_KEY_BLOCK;
        double dot = 0;
        for (size_t d = 0; d < a->dim; d++) {
            dot += (double)q[d] * key[d * GLM_KEY_BLOCK];
        }
        float score = (float)dot * scale, before = most;
        most = score > most ? score : most;
        float shrink = expf(before - most), p = expf(score - most);
        sum = sum * shrink + p;
        for (size_t d = 0; d < a->dim; d++) {
            out[d] = out[d] * shrink + p * v[j * a->v_row + d];
        }
    }
    for (size_t d = 0; d < a->dim; d++) {
        out[d] /= sum;
    }
}

void glm_attend_scalar(const struct glm_attention *a, size_t key_head, size_t from, size_t count)
{
    for (size_t t = from; t < from + count; t++) {
        attend_one(a, key_head * a->group + t % a->group, t / a->group);
    }
}

struct attend_job {
    const struct glm_attention *a;
    const struct glm_kernels *kernels;
    size_t queries, bundles; /* of a key head; bundles of GLM_QUERIES queries */
};

static void attend_part(void *arg, size_t begin, size_t end)
{
    const struct attend_job *job = arg;
    for (size_t at = begin; at < end; at++) {
        size_t from = at % job->bundles * GLM_QUERIES, left = job->queries - from;
        job->kernels->attend(job->a, at / job->bundles, from,
                             left < GLM_QUERIES ? left : GLM_QUERIES);
    }
}

void glm_attend(struct glm_pool *pool, const struct glm_attention *a)
{
    struct attend_job job = {.a = a, .kernels = glm_pool_kernels(pool), .queries = a->group * a->n};
    job.bundles = (job.queries + GLM_QUERIES - 1) / GLM_QUERIES;
    glm_pool_run(pool, a->heads / a->group * job.bundles, 1, attend_part, &job);
}
