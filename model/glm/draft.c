#include "model/glm/draft.h"

#include <stdlib.h>
#include <string.h>

enum {
    NEAR = 4,        /* tokens that must agree for a place inside the list to be taken */
    FAR = 10,        /* the same where such a place is preferred to a cursor that just got lost */
    TABLE = 1 << 15, /* places remembered of each length */
    WINDOW = 1024,   /* tokens around a lost cursor that are searched */
    CHECKED = 24,    /* agreeing tokens past this make a place no better */
};

bool glm_draft_init(struct glm_draft *d, size_t cap, struct glmv_err *err)
{
    memset(d, 0, sizeof *d);
    d->ids = malloc((cap + 1) * sizeof *d->ids);
    d->table = malloc(TABLE * sizeof *d->table);
    d->distant = malloc(TABLE * sizeof *d->distant);
    d->cap = cap;
    if (d->ids == NULL || d->table == NULL || d->distant == NULL) {
        glm_draft_release(d);
        return glmv_fail_memory(err);
    }
    return true;
}

void glm_draft_release(struct glm_draft *d)
{
    free(d->ids);
    free(d->table);
    free(d->distant);
    memset(d, 0, sizeof *d);
}

static uint32_t slot_of(const int32_t *ids, size_t count)
{
    uint64_t h = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < count; i++) {
        h = (h ^ (uint32_t)ids[i]) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
    }
    return (uint32_t)h % TABLE;
}

/* How many tokens before place are those at the end of the list. */
static size_t agreement(const struct glm_draft *d, size_t place)
{
    size_t same = 0;
    while (same < CHECKED && same < place &&
           d->ids[place - 1 - same] == d->ids[d->len - 1 - same]) {
        same++;
    }
    return same;
}

/* Remembers where the tokens at the end of the list stand; returns their earlier place. */
static size_t remember(struct glm_draft *d, uint32_t *table, size_t count)
{
    if (d->len < count) {
        return 0;
    }
    uint32_t *slot = &table[slot_of(d->ids + d->len - count, count)];
    size_t place = *slot;
    *slot = (uint32_t)d->len;
    return place > 0 && agreement(d, place) >= count ? place : 0;
}

/* After a mismatch: the place near the cursor that agrees best with what was said since. A short
 * agreement counts only nearby, where "</td>" is the right one of many. */
static size_t resync(const struct glm_draft *d)
{
    size_t from = d->cursor > WINDOW / 4 ? d->cursor - WINDOW / 4 : 1;
    size_t to = d->cursor + WINDOW < d->start ? d->cursor + WINDOW : d->start, best = 0;
    double best_score = 0;
    for (size_t place = from; place < to; place++) {
        size_t same = agreement(d, place);
        size_t expected = d->cursor + d->lost;
        size_t away = place > expected ? place - expected : expected - place;
        size_t needed = away == 0 ? 1 : away <= 24 ? 2 : away <= 128 ? 3 : 5;
        double score = (double)same - (double)away / 64.0;
        if (same >= needed && (best == 0 || score > best_score)) {
            best = place;
            best_score = score;
        }
    }
    return best;
}

void glm_draft_begin(struct glm_draft *d, const int32_t *prompt, size_t len)
{
    size_t answer = d->len - d->start;
    len = len < d->cap ? len : d->cap;
    answer = answer < d->cap - len ? answer : 0; /* a piece of a page would only mislead */
    memmove(d->ids, d->ids + d->start, answer * sizeof *d->ids);
    memcpy(d->ids + answer, prompt, len * sizeof *d->ids);
    memset(d->table, 0, TABLE * sizeof *d->table);
    memset(d->distant, 0, TABLE * sizeof *d->distant);
    d->start = answer + len;
    d->cursor = d->run = d->lost = 0;
    for (d->len = 1; d->len <= d->start; d->len++) {
        remember(d, d->table, NEAR);
        remember(d, d->distant, FAR);
    }
    d->len = d->start;
}

void glm_draft_push(struct glm_draft *d, int32_t id)
{
    if (d->len >= d->cap) {
        d->cursor = 0;
        return;
    }
    bool foretold = d->cursor > 0 && d->lost == 0 && d->cursor < d->len && d->ids[d->cursor] == id;
    d->ids[d->len++] = id;
    size_t near = remember(d, d->table, NEAR), far = remember(d, d->distant, FAR), place = 0;
    if (foretold) {
        d->cursor++;
        d->run++;
        return;
    }
    d->run = 0;
    d->lost++;
    /* a cursor inside the page that is being edited is worth finding again; one that came from the
     * answer itself is not */
    if (d->cursor > 0 && d->cursor < d->start) {
        place = resync(d);
    }
    if (place == 0 && far > 0) {
        place = far;
    } else if (place == 0 && (d->cursor == 0 || d->cursor >= d->start || d->lost > 48)) {
        place = near;
    }
    if (place > 0) {
        d->run = agreement(d, place);
        d->cursor = place;
        d->lost = 0;
    }
}

size_t glm_draft_guess(struct glm_draft *d, int32_t *out, size_t most, double price)
{
    if (d->cursor == 0 || d->cursor + d->lost >= d->len) {
        return 0;
    }
    /* Lost: perhaps as many tokens were exchanged for others. Otherwise the longer the run, the
     * likelier its next token (the rule of succession). A row is worth checking while the chance
     * that all before it hold is above its price. */
    double chance = d->lost > 0 ? 0.5 : ((double)d->run + 1) / ((double)d->run + 1.5), all = chance;
    size_t from = d->cursor + d->lost, count = 0;
    most = most < d->len - from ? most : d->len - from;
    while (count < most && all > price) {
        out[count] = d->ids[from + count];
        count++;
        all *= chance;
    }
    return count;
}
