#include "model/glm/sample.h"

#include <math.h>
#include <stdlib.h>
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

/* A worse than b: a smaller logit, or the same and a later id. */
static bool worse(const float *logits, int32_t a, int32_t b)
{
    return logits[a] < logits[b] || (!(logits[a] > logits[b]) && a > b);
}

/* Moves the element at the top of a heap, whose worst is on top, down to its place. */
static void sink(const float *logits, int32_t *heap, size_t count)
{
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) {
            return;
        }
        child += child + 1 < count && worse(logits, heap[child + 1], heap[child]) ? 1 : 0;
        if (!worse(logits, heap[child], heap[at])) {
            return;
        }
        int32_t moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

static void rise(const float *logits, int32_t *heap, size_t at)
{
    while (at > 0 && worse(logits, heap[at], heap[(at - 1) / 2])) {
        int32_t moved = heap[at];
        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = moved;
        at = (at - 1) / 2;
    }
}

/* The want best in falling order; equal ones in order of their id. */
static size_t best_of(const float *logits, size_t vocab, size_t want, int32_t *ids)
{
    size_t count = 0;
    for (size_t i = 0; i < vocab; i++) {
        if (!(logits[i] > -INFINITY)) {
            continue;
        }
        if (count < want) {
            ids[count] = (int32_t)i;
            rise(logits, ids, count++);
        } else if (worse(logits, ids[0], (int32_t)i)) {
            ids[0] = (int32_t)i;
            sink(logits, ids, count);
        }
    }
    for (size_t left = count; left > 1; left--) { /* the worst goes to the end */
        int32_t worst = ids[0];
        ids[0] = ids[left - 1];
        ids[left - 1] = worst;
        sink(logits, ids, left - 1);
    }
    return count;
}

bool glm_candidates_init(struct glm_candidates *c, size_t vocab, struct glmv_err *err)
{
    c->ids = malloc(vocab * sizeof *c->ids);
    c->p = malloc(vocab * sizeof *c->p);
    c->marks = malloc(vocab);
    c->count = 0;
    return (c->ids != NULL && c->p != NULL && c->marks != NULL) || glmv_fail_memory(err);
}

void glm_candidates_release(struct glm_candidates *c)
{
    free(c->ids);
    free(c->p);
    free(c->marks);
    memset(c, 0, sizeof *c);
}

void glm_candidates_find(struct glm_candidates *c, const struct glm_sampler *s, float *logits,
                         size_t vocab, const int32_t *history, size_t len)
{
    if (s->repetition_penalty > 0 && s->repetition_penalty != 1) {
        penalise(logits, vocab, history, len, s->repetition_penalty, c->marks);
    }
    bool greedy = !(s->temperature > 0) || s->top_k == 1;
    size_t want = greedy ? 1 : s->top_k > 0 && (size_t)s->top_k < vocab ? (size_t)s->top_k : vocab;
    size_t count = best_of(logits, vocab, want, c->ids), kept = 0;
    double sum = 0, mass = 0;
    for (size_t i = 0; i < count; i++) {
        c->p[i] =
            greedy ? 1 : exp(((double)logits[c->ids[i]] - logits[c->ids[0]]) / s->temperature);
        sum += c->p[i];
    }
    /* the smallest set of best tokens whose mass reaches top_p */
    double limit = s->top_p > 0 && s->top_p < 1 ? s->top_p * sum : sum;
    while (kept < count && (kept == 0 || mass < limit)) {
        mass += c->p[kept++];
    }
    for (size_t i = 0; i < kept; i++) {
        c->p[i] /= mass;
    }
    c->count = kept;
}

int32_t glm_sample(struct glm_sampler *s, struct glm_candidates *c, float *logits, size_t vocab,
                   const int32_t *history, size_t len)
{
    glm_candidates_find(c, s, logits, vocab, history, len);
    if (c->count <= 1) {
        return c->count == 1 ? c->ids[0] : -1;
    }
    double draw = random_unit(&s->random);
    for (size_t i = 0; i < c->count; i++) {
        draw -= c->p[i];
        if (draw < 0) {
            return c->ids[i];
        }
    }
    return c->ids[c->count - 1];
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
