/*
 * Tokens where more of them may be chosen than are worth sorting: top-k 0 or above GLM_CUDA_BEST.
 * A block has one row. Chances are whole numbers, so that sums are the same in any order; the token
 * at which a sum in falling order of logits passes a number is found by two rounds of bins, each of
 * equal width, and among the few that share a bin one by one.
 */
#include "model/glm/cuda/sample.cuh"

static constexpr uint32_t THREADS = GLM_CUDA_WHOLE, BINS = 1024, LIST = 256, AT_ONCE = 8;
static constexpr float BEST_WEIGHT = 17592186044416.0f; /* 2^44: 2^19 tokens do not overflow */
static constexpr float LOG2_E = 1.4426950408889634f;

/* Where a token stands: the larger first. Equal logits in order of their ids; 0 is none. */
DEVICE uint64_t order_of(float logit, uint32_t id)
{
    const uint32_t bits = bits_of(logit + 0.0f); /* minus zero is zero */
    const uint32_t key = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    return (uint64_t)key << 32 | (0xFFFFFFFFu - id);
}

/* What threads of a block tell each other. */
struct whole_room {
    uint64_t bins[BINS], parts[32], found, reached;
    float most[32], least[32];
    uint32_t list[LIST], count;
};

/* A row, and what is known of it. */
struct whole_row {
    const glm_cuda_sample &a;
    uint32_t row;
    float best, worst; /* logits that may be chosen */
    uint64_t cut;      /* what comes after it may not */
    bool weighed;      /* sums are of chances, else of ones */
};

DEVICE uint64_t weight_of(const whole_row &r, float logit)
{
    const float scale = LOG2_E / (float)r.a.temperature;
    return r.weighed ? (uint64_t)(power_of_two((logit - r.best) * scale) * BEST_WEIGHT) : 1;
}

/* visit(id, logit) for every token that may be chosen and is not behind the cut; several loads are
 * on their way at a time. */
template <class Visit> DEVICE void each_token(const whole_row &r, Visit visit)
{
    const float *logits = r.a.logits + (size_t)r.row * r.a.vocab;
    for (uint32_t base = threadIdx.x; base < r.a.vocab; base += THREADS * AT_ONCE) {
        float x[AT_ONCE];
#pragma unroll
        for (uint32_t k = 0; k < AT_ONCE; k++) {
            const uint32_t id = base + k * THREADS;
            x[k] = id < r.a.vocab ? logits[id] : -INFINITY;
        }
#pragma unroll
        for (uint32_t k = 0; k < AT_ONCE; k++) {
            const uint32_t id = base + k * THREADS;
            const float logit = id < r.a.vocab ? adjust(r.a, r.row, id, x[k]) : -INFINITY;
            if (logit > -INFINITY && order_of(logit, id) >= r.cut) {
                visit(id, logit);
            }
        }
    }
}

/* The sum over the block, the same in every thread. */
DEVICE uint64_t block_total(uint64_t value, whole_room &room)
{
    for (int mask = 16; mask > 0; mask /= 2) {
        value += shuffle_xor(value, mask);
    }
    block_wait();
    if (lane_of() == 0) {
        room.parts[threadIdx.x / 32] = value;
    }
    block_wait();
    uint64_t sum = 0;
    for (uint32_t i = 0; i < THREADS / 32; i++) {
        sum += room.parts[i];
    }
    return sum;
}

/* The best and the worst logit; infinities where none may be chosen. */
DEVICE void find_range(whole_row &r, whole_room &room)
{
    float most = -INFINITY, least = INFINITY;
    each_token(r, [&](uint32_t, float logit) {
        most = fmaxf(most, logit);
        least = fminf(least, logit);
    });
    for (int mask = 16; mask > 0; mask /= 2) {
        most = fmaxf(most, shuffle_xor(most, mask));
        least = fminf(least, shuffle_xor(least, mask));
    }
    if (lane_of() == 0) {
        room.most[threadIdx.x / 32] = most;
        room.least[threadIdx.x / 32] = least;
    }
    block_wait();
    r.best = room.most[0];
    r.worst = room.least[0];
    for (uint32_t i = 1; i < THREADS / 32; i++) {
        r.best = fmaxf(r.best, room.most[i]);
        r.worst = fminf(r.worst, room.least[i]);
    }
}

/* The sum of all that are not behind the cut. */
DEVICE uint64_t total_of(const whole_row &r, whole_room &room)
{
    uint64_t sum = 0;
    each_token(r, [&](uint32_t, float logit) { sum += weight_of(r, logit); });
    return block_total(sum, room);
}

/* How far a logit is from the best one, in bins: never less for a smaller logit. */
DEVICE float distance_of(const whole_row &r, float logit)
{
    const float range = r.best - r.worst;
    return range > 0 ? (r.best - logit) * ((float)BINS / range) : 0;
}
/* The bin; inside: that of the second round, of the tokens in a bin of the first. */
DEVICE uint32_t bin_of(float distance)
{
    const uint32_t bin = (uint32_t)distance;
    return bin < BINS ? bin : BINS - 1;
}
DEVICE uint32_t inside_of(float distance)
{
    return bin_of((distance - (float)bin_of(distance)) * (float)BINS);
}

/* The bin in which the sum passes target, which becomes what is left of it there. */
DEVICE uint32_t pass_bins(const whole_room &room, const uint64_t parts[32], uint64_t *target)
{
    uint32_t at = 0;
    for (; at < 31 && *target >= parts[at]; at++) {
        *target -= parts[at];
    }
    at *= BINS / 32;
    for (const uint32_t end = at + BINS / 32 - 1; at < end && *target >= room.bins[at]; at++) {
        *target -= room.bins[at];
    }
    return at;
}

/* A round: of all tokens, or of those in bin `outer`. */
template <bool INSIDE>
DEVICE uint32_t find_bin(const whole_row &r, whole_room &room, uint32_t outer, uint64_t *target)
{
    block_wait();
    for (uint32_t i = threadIdx.x; i < BINS; i += THREADS) {
        room.bins[i] = 0;
    }
    block_wait();
    each_token(r, [&](uint32_t, float logit) {
        const float distance = distance_of(r, logit);
        if (!INSIDE || bin_of(distance) == outer) {
            add_shared(&room.bins[INSIDE ? inside_of(distance) : bin_of(distance)],
                       weight_of(r, logit));
        }
    });
    block_wait();
    if (threadIdx.x < 32) {
        uint64_t sum = 0;
        for (uint32_t i = 0; i < BINS / 32; i++) {
            sum += room.bins[threadIdx.x * (BINS / 32) + i];
        }
        room.parts[threadIdx.x] = sum;
    }
    block_wait();
    return pass_bins(room, room.parts, target);
}

/* Of a short list: who has so much before it that it passes target. */
DEVICE void search_list(const whole_row &r, whole_room &room, uint64_t target)
{
    const float *logits = r.a.logits + (size_t)r.row * r.a.vocab;
    if (threadIdx.x >= room.count) {
        return;
    }
    const uint32_t id = room.list[threadIdx.x];
    const float logit = adjust(r.a, r.row, id, logits[id]);
    const uint64_t own = order_of(logit, id), weight = weight_of(r, logit);
    uint64_t before = 0;
    for (uint32_t i = 0; i < room.count; i++) {
        const uint32_t other = room.list[i];
        const float x = adjust(r.a, r.row, other, logits[other]);
        before += order_of(x, other) > own ? weight_of(r, x) : 0;
    }
    if (before <= target && target < before + weight) {
        room.found = own;
        room.reached = before + weight;
    }
}

/* The same where so many share a bin that they are no list, equal ones above all: the largest
 * order from which on the sum is more than target, bit by bit. */
DEVICE void search_bits(const whole_row &r, whole_room &room, uint32_t outer, uint32_t inside,
                        uint64_t target)
{
    uint64_t found = 0, reached = 0;
    for (int bit = 63; bit >= 0; bit--) {
        const uint64_t tried = found | (uint64_t)1 << bit;
        uint64_t sum = 0;
        each_token(r, [&](uint32_t id, float logit) {
            const float distance = distance_of(r, logit);
            sum += order_of(logit, id) >= tried && bin_of(distance) == outer &&
                           inside_of(distance) == inside
                       ? weight_of(r, logit)
                       : 0;
        });
        sum = block_total(sum, room);
        found = sum > target ? tried : found;
        reached = sum > target ? sum : reached;
    }
    if (threadIdx.x == 0) {
        room.found = found;
        room.reached = reached;
    }
}

/* The order of the token at which the sum passes target, less than all; *reached: the sum with it.
 */
DEVICE uint64_t find_token(const whole_row &r, whole_room &room, uint64_t target, uint64_t *reached)
{
    uint64_t left = target;
    const uint32_t outer = find_bin<false>(r, room, 0, &left);
    const uint32_t inside = find_bin<true>(r, room, outer, &left);
    if (threadIdx.x == 0) {
        room.count = 0;
    }
    block_wait();
    each_token(r, [&](uint32_t id, float logit) {
        const float distance = distance_of(r, logit);
        if (bin_of(distance) == outer && inside_of(distance) == inside) {
            const uint32_t at = next_shared(&room.count);
            if (at < LIST) {
                room.list[at] = id;
            }
        }
    });
    block_wait();
    if (room.count <= LIST) {
        search_list(r, room, left);
    } else {
        search_bits(r, room, outer, inside, left);
    }
    block_wait();
    *reached = target - left + room.reached;
    return room.found;
}

/* The last token of a row that may be chosen, by top-k and then top-p, and the sum of the chances.
 */
KERNEL(GLM_CUDA_WHOLE, 1) glm_cuda_whole_limit(const glm_cuda_sample a)
{
    SHARED whole_room room;
    depend_wait();
    depend_release();
    whole_row r = {a, blockIdx.x, 0, 0, 0, false};
    uint64_t reached = 0;
    find_range(r, room);
    const bool any = r.best > -INFINITY;
    if (any && a.top_k > 0 && total_of(r, room) > a.top_k) {
        r.cut = find_token(r, room, a.top_k - 1, &reached);
    }
    r.weighed = true;
    uint64_t mass = any ? total_of(r, room) : 0;
    if (any && a.top_p > 0 && a.top_p < 1) {
        const uint64_t limit = (uint64_t)ceil(a.top_p * (double)mass);
        r.cut = find_token(r, room, limit > 0 ? limit - 1 : 0, &reached);
        mass = reached;
    }
    if (threadIdx.x == 0) {
        a.cut[r.row] = r.cut;
        a.mass[r.row] = mass;
    }
    r.weighed = false;
    const uint64_t count = any ? total_of(r, room) : 0;
    if (threadIdx.x == 0) {
        a.best_count[r.row] = count > 1 ? 2 : (int32_t)count;
    }
}

/* The token of a row. It has its draw to itself: rows before it took one each where there was a
 * choice. */
KERNEL(GLM_CUDA_WHOLE, 1) glm_cuda_whole_draw(const glm_cuda_sample a)
{
    SHARED whole_room room;
    depend_wait();
    depend_release();
    whole_row r = {a, blockIdx.x, 0, 0, 0, false};
    find_range(r, room);
    r.cut = a.cut[r.row];
    r.weighed = true;
    const uint64_t mass = a.mass[r.row];
    uint64_t random = a.state->random, reached = 0;
    for (uint32_t i = 0; i < r.row; i++) {
        random += a.best_count[i] > 1 ? DRAW : 0;
    }
    const int32_t count = a.best_count[r.row];
    if (count <= 0) {
        return;
    }
    const uint64_t drawn = (uint64_t)(random_unit(&random) * (double)mass);
    const uint64_t target = count == 1 ? 0 : drawn < mass ? drawn : mass - 1;
    const uint64_t token = find_token(r, room, target, &reached);
    if (threadIdx.x == 0) {
        a.best_ids[r.row] = (int32_t)(0xFFFFFFFFu - (uint32_t)token);
    }
}
