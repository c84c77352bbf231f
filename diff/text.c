#include "diff/text.h"

#include <stdlib.h>
#include <string.h>

#include "diff/blocks.h"

#define LONG_TEXT 1500000 /* product of lengths above which words are compared, not letters */

static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f) || c == 0x85 || c == 0xa0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

static bool is_east_asian(uint32_t c)
{
    return (c >= 0x2e80 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7af) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0xff00 && c <= 0xffef);
}

/* One code point; what is no UTF-8 becomes U+FFFD. */
static uint32_t next_char(const unsigned char **text)
{
    const unsigned char *p = *text;
    int more = p[0] < 0x80 ? 0 : p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;
    uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);
    bool broken = p[0] >= 0x80 && p[0] < 0xc2;
    int used = 1;
    for (; used <= more && !broken; used++) {
        broken = (p[used] & 0xc0) != 0x80;
        if (broken) {
            break;
        }
        c = c << 6 | (p[used] & 0x3fu);
    }
    *text = p + used;
    return broken ? 0xfffd : c;
}

static uint32_t lower(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
        (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f)) {
        return c + 32;
    }
    if (c >= 0x400 && c <= 0x40f) {
        return c + 80;
    }
    if ((c >= 0x100 && c <= 0x137 && c != 0x130) || (c >= 0x14a && c <= 0x177) ||
        (c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f) ||
        (c >= 0x1e00 && c <= 0x1e95) || (c >= 0x1ea0 && c <= 0x1eff)) {
        return c | 1;
    }
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) {
        return c % 2 == 1 ? c + 1 : c;
    }
    return c == 0x178 ? 0xff : c;
}

/* Unicode's compatibility forms that occur on pages; NULL for a character that stays. */
static const char *folded(uint32_t c)
{
    static const struct {
        uint32_t c;
        const char *text;
    } table[] = {{0xaa, "a"},
                 {0xb2, "2"},
                 {0xb3, "3"},
                 {0xb5, "\xce\xbc"},
                 {0xb9, "1"},
                 {0xba, "o"},
                 {0xbc, "1\xe2\x81\x84"
                        "4"},
                 {0xbd, "1\xe2\x81\x84"
                        "2"},
                 {0xbe, "3\xe2\x81\x84"
                        "4"},
                 {0x2011, "\xe2\x80\x90"},
                 {0x2024, "."},
                 {0x2025, ".."},
                 {0x2026, "..."},
                 {0x2033, "\xe2\x80\xb2\xe2\x80\xb2"},
                 {0x203c, "!!"},
                 {0x2070, "0"},
                 {0x2074, "4"},
                 {0x2075, "5"},
                 {0x2076, "6"},
                 {0x2077, "7"},
                 {0x2078, "8"},
                 {0x2079, "9"},
                 {0x2103, "\xc2\xb0"
                          "c"},
                 {0x2116, "no"},
                 {0x2122, "tm"},
                 {0xfb00, "ff"},
                 {0xfb01, "fi"},
                 {0xfb02, "fl"},
                 {0xfb03, "ffi"},
                 {0xfb04, "ffl"}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].c == c) {
            return table[i].text;
        }
    }
    return NULL;
}

static int by_value(const void *p, const void *q)
{
    uint64_t a = *(const uint64_t *)p;
    uint64_t b = *(const uint64_t *)q;
    return a < b ? -1 : a > b;
}

static bool fill_pairs(struct diff_text *t)
{
    size_t count = t->len > 1 ? t->len - 1 : t->len;
    t->pairs = malloc((count + 1) * sizeof *t->pairs);
    if (t->pairs == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        t->pairs[i] = (uint64_t)t->chars[i] << 32 | (t->len > 1 ? t->chars[i + 1] : 0);
    }
    qsort(t->pairs, count, sizeof *t->pairs, by_value);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || t->pairs[i] != t->pairs[i - 1]) {
            t->pairs[t->pair_count++] = t->pairs[i];
        }
    }
    return true;
}

static void put(struct diff_text *t, uint32_t c)
{
    if (!is_space(c)) {
        t->chars[t->len++] = lower(c);
    } else if (t->len > 0 && t->chars[t->len - 1] != ' ') {
        t->chars[t->len++] = ' ';
    }
}

bool diff_text_init(struct diff_text *text, const char *utf8)
{
    *text = (struct diff_text){0};
    text->chars = malloc((strlen(utf8) * 3 + 1) * sizeof *text->chars);
    if (text->chars == NULL) {
        return false;
    }
    for (const unsigned char *p = (const unsigned char *)utf8; *p != 0;) {
        uint32_t c = next_char(&p);
        const char *plain = folded(c);
        if (plain != NULL) {
            for (const unsigned char *q = (const unsigned char *)plain; *q != 0;) {
                put(text, next_char(&q));
            }
        } else {
            put(text, c >= 0xff01 && c <= 0xff5e ? c - 0xfee0 : c);
        }
    }
    text->len -= text->len > 0 && text->chars[text->len - 1] == ' ';
    return fill_pairs(text);
}

bool diff_text_join(struct diff_text *text, const struct diff_text *a, const struct diff_text *b,
                    bool always_blank)
{
    *text = (struct diff_text){0};
    text->chars = malloc((a->len + b->len + 1) * sizeof *text->chars);
    if (text->chars == NULL) {
        return false;
    }
    memcpy(text->chars, a->chars, a->len * sizeof *a->chars);
    text->len = a->len;
    if (always_blank || !is_east_asian(a->chars[a->len - 1]) || !is_east_asian(b->chars[0])) {
        text->chars[text->len++] = ' ';
    }
    memcpy(text->chars + text->len, b->chars, b->len * sizeof *b->chars);
    text->len += b->len;
    return fill_pairs(text);
}

void diff_text_release(struct diff_text *text)
{
    free(text->chars);
    free(text->pairs);
    *text = (struct diff_text){0};
}

/* A sequence of letters or of words: numbers that are equal for equal ones, and what each weighs.
 */
struct sequence {
    uint32_t *ids;
    uint32_t *weights;
    size_t len;
};

struct place {
    uint32_t id, at;
};

struct matcher {
    const struct sequence *a, *b;
    struct place *places; /* of b, by id and then by place */
    size_t *first, *past; /* for each of a: the range of its id in places */
    uint32_t *run, *last; /* lengths of the common runs that end at a place of b, plus one */
};

static int by_id(const void *p, const void *q)
{
    const struct place *a = p;
    const struct place *b = q;
    if (a->id != b->id) {
        return a->id < b->id ? -1 : 1;
    }
    return a->at < b->at ? -1 : a->at > b->at;
}

/* The first index in places whose id is not below. */
static size_t lower_bound(const struct place *places, size_t count, uint64_t id)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (places[middle].id < id) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return low;
}

static bool matcher_init(struct matcher *m, const struct sequence *a, const struct sequence *b)
{
    *m = (struct matcher){.a = a, .b = b};
    m->places = malloc((b->len + 1) * sizeof *m->places);
    m->first = malloc((a->len + 1) * sizeof *m->first);
    m->past = malloc((a->len + 1) * sizeof *m->past);
    m->run = calloc(b->len + 2, sizeof *m->run);
    m->last = calloc(b->len + 2, sizeof *m->last);
    if (m->places == NULL || m->first == NULL || m->past == NULL || m->run == NULL ||
        m->last == NULL) {
        return false;
    }
    for (size_t j = 0; j < b->len; j++) {
        m->places[j] = (struct place){b->ids[j], (uint32_t)j};
    }
    qsort(m->places, b->len, sizeof *m->places, by_id);
    for (size_t i = 0; i < a->len; i++) {
        m->first[i] = lower_bound(m->places, b->len, a->ids[i]);
        m->past[i] = lower_bound(m->places, b->len, (uint64_t)a->ids[i] + 1);
    }
    return true;
}

static void matcher_release(struct matcher *m)
{
    free(m->places);
    free(m->first);
    free(m->past);
    free(m->run);
    free(m->last);
}

struct span {
    size_t a, a_end, b, b_end;
};

static void clear_runs(struct matcher *m, size_t i, uint32_t *runs)
{
    for (size_t k = m->first[i]; k < m->past[i]; k++) {
        runs[m->places[k].at + 1] = 0;
    }
}

/* The longest common run; of several the first in a, then the first in b. */
static size_t longest(struct matcher *m, const struct span *s, size_t *at_a, size_t *at_b)
{
    size_t best = 0;
    for (size_t i = s->a; i < s->a_end; i++) {
        for (size_t k = m->first[i]; k < m->past[i]; k++) {
            size_t j = m->places[k].at;
            if (j < s->b || j >= s->b_end) {
                continue;
            }
            uint32_t len = (j > s->b ? m->last[j] : 0) + 1;
            m->run[j + 1] = len;
            if (len > best) {
                best = len;
                *at_a = i + 1 - len;
                *at_b = j + 1 - len;
            }
        }
        if (i > s->a) {
            clear_runs(m, i - 1, m->last);
        }
        uint32_t *swap = m->last;
        m->last = m->run;
        m->run = swap;
    }
    if (s->a_end > s->a) {
        clear_runs(m, s->a_end - 1, m->last);
    }
    return best;
}

/* The weight of everything in common runs; -1 without memory. */
static double matching(const struct sequence *a, const struct sequence *b)
{
    struct matcher m;
    /* Spans on the stack share no letter of a, and there are at most two for each run. */
    struct span *stack = malloc((2 * a->len + 2) * sizeof *stack);
    double sum = 0;
    if (stack == NULL || !matcher_init(&m, a, b)) {
        if (stack != NULL) {
            matcher_release(&m);
        }
        free(stack);
        return -1;
    }
    size_t depth = 0;
    stack[depth++] = (struct span){0, a->len, 0, b->len};
    while (depth > 0) {
        struct span s = stack[--depth];
        size_t i = 0;
        size_t j = 0;
        size_t len = longest(&m, &s, &i, &j);
        if (len == 0) {
            continue;
        }
        for (size_t k = 0; k < len; k++) {
            sum += a->weights != NULL ? a->weights[i + k] : 1;
        }
        if (i > s.a && j > s.b) {
            stack[depth++] = (struct span){s.a, i, s.b, j};
        }
        if (i + len < s.a_end && j + len < s.b_end) {
            stack[depth++] = (struct span){i + len, s.a_end, j + len, s.b_end};
        }
    }
    matcher_release(&m);
    free(stack);
    return sum;
}

/* The words of a text: a hash each, weighing their letters and a blank. */
static bool words_of(const struct diff_text *t, struct sequence *s)
{
    s->ids = malloc((t->len + 1) * sizeof *s->ids);
    s->weights = malloc((t->len + 1) * sizeof *s->weights);
    s->len = 0;
    if (s->ids == NULL || s->weights == NULL) {
        return false;
    }
    for (size_t i = 0; i < t->len;) {
        uint32_t hash = 2166136261u;
        size_t from = i;
        for (; i < t->len && t->chars[i] != ' '; i++) {
            hash = (hash ^ t->chars[i]) * 16777619u;
        }
        s->ids[s->len] = hash;
        s->weights[s->len++] = (uint32_t)(i - from + 1);
        i++;
    }
    return true;
}

double diff_text_ratio(const struct diff_text *a, const struct diff_text *b)
{
    if (a->len == b->len && memcmp(a->chars, b->chars, a->len * sizeof *a->chars) == 0) {
        return 1;
    }
    double sum;
    if (a->len * b->len > LONG_TEXT) {
        struct sequence x = {0};
        struct sequence y = {0};
        sum = words_of(a, &x) && words_of(b, &y) ? matching(&x, &y) : -1;
        free(x.ids);
        free(x.weights);
        free(y.ids);
        free(y.weights);
    } else {
        struct sequence x = {a->chars, NULL, a->len};
        struct sequence y = {b->chars, NULL, b->len};
        sum = matching(&x, &y);
    }
    double ratio = sum < 0 ? -1 : 2 * sum / (double)(a->len + b->len);
    return ratio > 1 ? 1 : ratio;
}

double diff_text_similarity(const struct diff_text *a, const struct diff_text *b)
{
    if (a->len > 3 && b->len > 3) {
        size_t shared = 0;
        for (size_t i = 0, j = 0; i < a->pair_count && j < b->pair_count;) {
            uint64_t p = a->pairs[i];
            uint64_t q = b->pairs[j];
            shared += p == q;
            i += p <= q;
            j += q <= p;
        }
        size_t least = a->pair_count < b->pair_count ? a->pair_count : b->pair_count;
        if ((double)shared < 0.2 * (double)least) {
            return 0;
        }
    }
    return diff_text_ratio(a, b);
}

double glmv_diff_text(const char *a, const char *b)
{
    struct diff_text x = {0};
    struct diff_text y = {0};
    double ratio = diff_text_init(&x, a) && diff_text_init(&y, b) ? diff_text_ratio(&x, &y) : -1;
    diff_text_release(&x);
    diff_text_release(&y);
    return ratio;
}
