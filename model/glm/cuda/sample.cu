/*
 * Logits to tokens, with the steps and the order of sample.c: penalty, bans, the best top-k,
 * chances by the temperature, the smallest set that reaches top-p, one draw.
 */
#include "model/glm/cuda/sample.cuh"

static constexpr uint32_t SAMPLE_THREADS = 256, SAMPLE_WARPS = SAMPLE_THREADS / 32;

struct candidate {
    float logit;
    int32_t id; /* INT32_MAX: none */
};
static constexpr int32_t NO_ID = 0x7FFFFFFF;

DEVICE bool better(const candidate &a, const candidate &b)
{
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

DEVICE candidate warp_best(candidate c)
{
    for (int mask = 16; mask > 0; mask /= 2) {
        const candidate other = {shuffle_xor(c.logit, mask), shuffle_xor(c.id, mask)};
        c = better(other, c) ? other : c;
    }
    return c;
}

DEVICE candidate block_best(candidate c, candidate room[SAMPLE_WARPS])
{
    c = warp_best(c);
    block_wait();
    if (lane_of() == 0) {
        room[threadIdx.x / 32] = c;
    }
    block_wait();
    c = room[0];
    for (uint32_t i = 1; i < SAMPLE_WARPS; i++) {
        c = better(room[i], c) ? room[i] : c;
    }
    return c;
}

/* The want best of a piece of the vocabulary, one after the other. */
KERNEL(256, 1) glm_cuda_best_parts(const glm_cuda_sample a)
{
    DYNAMIC_SHARED(shared);
    SHARED candidate room[SAMPLE_WARPS];
    float *logits = reinterpret_cast<float *>(shared);
    depend_wait();
    depend_release();
    const uint32_t row = blockIdx.y, each = (a.vocab + GLM_CUDA_PARTS - 1) / GLM_CUDA_PARTS;
    const uint32_t first = blockIdx.x * each;
    const uint32_t left = first < a.vocab ? a.vocab - first : 0, count = left < each ? left : each;
    for (uint32_t i = threadIdx.x; i < count; i += SAMPLE_THREADS) {
        logits[i] = adjust(a, row, first + i, a.logits[(size_t)row * a.vocab + first + i]);
    }
    const size_t out = ((size_t)row * GLM_CUDA_PARTS + blockIdx.x) * a.want;
    for (uint32_t k = 0; k < a.want; k++) {
        candidate mine = {-INFINITY, NO_ID};
        for (uint32_t i = threadIdx.x; i < count; i += SAMPLE_THREADS) {
            const candidate c = {logits[i], (int32_t)(first + i)};
            mine = c.logit > -INFINITY && better(c, mine) ? c : mine;
        }
        const candidate best = block_best(mine, room);
        if (best.id != NO_ID && (best.id - (int32_t)first) % (int32_t)SAMPLE_THREADS ==
                                    (int32_t)threadIdx.x) { /* whose it is takes it out */
            logits[best.id - (int32_t)first] = -INFINITY;
        }
        if (threadIdx.x == 0) {
            a.part_logits[out + k] = best.logit;
            a.part_ids[out + k] = best.id;
        }
    }
}

/* Chances of the sorted best, cut to the smallest set whose mass reaches top_p. One thread. */
DEVICE uint32_t find_chances(const glm_cuda_sample &a, const float *logits, uint32_t count,
                             double *p)
{
    double sum = 0, mass = 0;
    for (uint32_t i = 0; i < count; i++) {
        p[i] = a.want == 1 ? 1 : exp(((double)logits[i] - (double)logits[0]) / a.temperature);
        sum += p[i];
    }
    const double limit = a.top_p > 0 && a.top_p < 1 ? a.top_p * sum : sum;
    uint32_t kept = 0;
    while (kept < count && (kept == 0 || mass < limit)) {
        mass += p[kept++];
    }
    for (uint32_t i = 0; i < kept; i++) {
        p[i] /= mass;
    }
    return kept;
}

KERNEL(256, 1) glm_cuda_best_merge(const glm_cuda_sample a)
{
    DYNAMIC_SHARED(shared);
    SHARED candidate room[SAMPLE_WARPS];
    SHARED float best_logits[GLM_CUDA_BEST];
    const uint32_t row = blockIdx.x, count = GLM_CUDA_PARTS * a.want;
    float *logits = reinterpret_cast<float *>(shared);
    int32_t *ids = reinterpret_cast<int32_t *>(logits + count);
    depend_wait();
    depend_release();
    for (uint32_t i = threadIdx.x; i < count; i += SAMPLE_THREADS) {
        logits[i] = a.part_logits[(size_t)row * count + i];
        ids[i] = a.part_ids[(size_t)row * count + i];
    }
    uint32_t found = 0;
    for (uint32_t k = 0; k < a.want; k++) {
        candidate mine = {-INFINITY, NO_ID};
        for (uint32_t i = threadIdx.x; i < count; i += SAMPLE_THREADS) {
            const candidate c = {logits[i], ids[i]};
            mine = c.id != NO_ID && better(c, mine) ? c : mine;
        }
        const candidate best = block_best(mine, room);
        for (uint32_t i = threadIdx.x; i < count; i += SAMPLE_THREADS) {
            ids[i] = ids[i] == best.id ? NO_ID : ids[i];
        }
        if (best.id != NO_ID) {
            found++;
            if (threadIdx.x == 0) {
                best_logits[k] = best.logit;
                a.best_ids[(size_t)row * a.want + k] = best.id;
            }
        }
    }
    if (threadIdx.x == 0) {
        double *p = a.best_chances + (size_t)row * a.want;
        a.best_count[row] = (int32_t)find_chances(a, best_logits, found, p);
    }
}

/* The token of a row, -1 where every one is banned. */
DEVICE int32_t choose(const glm_cuda_sample &a, uint32_t row, uint64_t *random)
{
    if (a.want == 0) { /* whole_draw has found it */
        *random += a.best_count[row] > 1 ? DRAW : 0;
        return a.best_count[row] > 0 ? a.best_ids[row] : -1;
    }
    const int32_t *ids = a.best_ids + (size_t)row * a.want;
    const double *p = a.best_chances + (size_t)row * a.want;
    const int32_t count = a.best_count[row];
    if (count <= 1) {
        return count == 1 ? ids[0] : -1;
    }
    double draw = random_unit(random);
    for (int32_t i = 0; i < count; i++) {
        draw -= p[i];
        if (draw < 0) {
            return ids[i];
        }
    }
    return ids[count - 1];
}

/* One thread: every choice depends on the draws before it. */
KERNEL(32, 1) glm_cuda_verify(const glm_cuda_sample a)
{
    depend_wait();
    depend_release();
    if (threadIdx.x != 0) {
        return;
    }
    glm_cuda_state *s = a.state;
    uint64_t random = s->random;
    int32_t count = 0, token = -1;
    for (uint32_t row = 0; row < a.n; row++) {
        token = choose(a, row, &random);
        s->tokens[count++] = token;
        if (token < 0) {
            break;
        }
        if (a.seen != nullptr) {
            a.seen[token / 32] |= 1u << token % 32;
        }
        if (row + 1 >= a.n || token != a.ids[row + 1]) {
            break;
        }
    }
    s->random = random;
    s->count = count;
    s->len += count;
    s->place += count;
    a.ids[0] = token;
}
