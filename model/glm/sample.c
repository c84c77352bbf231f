#include "model/glm/sample.h"

#include <math.h>
#include <string.h>

/* splitmix64 */
static double random_unit(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static void penalise(float *logits, size_t vocab, const int32_t *history, size_t len,
                     double penalty, unsigned char *marks)
{
    memset(marks, 0, vocab);
    for (size_t i = 0; i < len; i++) {
        size_t id = (size_t)history[i];
        if (id < vocab && marks[id] == 0) {
            marks[id] = 1; /* once, however often it occurred */
            logits[id] = (float)(logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty);
        }
    }
}

/* The want best in falling order; equal ones in order of their id. */
static int best_of(const float *logits, size_t vocab, int want, int32_t *ids)
{
    int count = 0;
    for (size_t i = 0; i < vocab; i++) {
        if (!(logits[i] > -INFINITY) || (count == want && !(logits[i] > logits[ids[count - 1]]))) {
            continue;
        }
        int at = count < want ? count++ : count - 1;
        while (at > 0 && logits[i] > logits[ids[at - 1]]) {
            ids[at] = ids[at - 1];
            at--;
        }
        ids[at] = (int32_t)i;
    }
    return count;
}

int32_t glm_sample(struct glm_sampler *s, float *logits, size_t vocab, const int32_t *history,
                   size_t len, unsigned char *marks)
{
    int32_t ids[GLM_MAX_TOP];
    double p[GLM_MAX_TOP], sum = 0;
    if (s->repetition_penalty > 0 && s->repetition_penalty != 1) {
        penalise(logits, vocab, history, len, s->repetition_penalty, marks);
    }
    bool greedy = !(s->temperature > 0) || s->top_k == 1;
    int want = greedy ? 1 : s->top_k > 0 && s->top_k < GLM_MAX_TOP ? s->top_k : GLM_MAX_TOP;
    int count = best_of(logits, vocab, want, ids);
    if (count <= 1) {
        return count == 1 ? ids[0] : -1;
    }
    for (int i = 0; i < count; i++) {
        p[i] = exp(((double)logits[ids[i]] - logits[ids[0]]) / s->temperature);
        sum += p[i];
    }
    /* the smallest set of best tokens whose mass reaches top_p */
    double mass = 0, limit = s->top_p > 0 && s->top_p < 1 ? s->top_p * sum : sum;
    int kept = 0;
    while (kept < count && (kept == 0 || mass < limit)) {
        mass += p[kept++];
    }
    double draw = random_unit(&s->random) * mass;
    for (int i = 0; i < kept; i++) {
        draw -= p[i];
        if (draw < 0) {
            return ids[i];
        }
    }
    return ids[kept - 1];
}

bool glm_loops(const int32_t *ids, size_t len)
{
    enum { LONGEST = 512, LEAST = 192 };
    for (size_t period = 1; period <= LONGEST && period * 3 <= len; period++) {
        size_t need = period * 3 > LEAST ? period * 3 : LEAST, same = 0;
        while (same + period < len && same < need &&
               ids[len - 1 - same] == ids[len - 1 - same - period]) {
            same++;
        }
        if (same >= need) {
            return true;
        }
    }
    return false;
}
