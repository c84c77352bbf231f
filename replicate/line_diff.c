#include "replicate/line_diff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

#define SHOWN 160             /* bytes of a line; data URIs are long */
#define MAX_TABLE (16u << 20) /* pairs of lines compared; larger changes are shown as a whole */

struct line {
    const char *text;
    size_t len;
};

struct lines {
    struct line *items; /* owned */
    size_t count;
};

static bool split(const char *text, size_t len, struct lines *out, struct glmv_err *err)
{
    size_t count = 1;
    for (size_t i = 0; i < len; i++) {
        count += text[i] == '\n';
    }
    out->items = calloc(count, sizeof *out->items);
    out->count = 0;
    if (out->items == NULL) {
        return glmv_fail_memory(err);
    }
    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t size = end != NULL ? (size_t)(end - text) - at : len - at;
        out->items[out->count++] = (struct line){text + at, size};
        at += size + 1;
    }
    return true;
}

static bool same(const struct line *a, const struct line *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void print(FILE *out, char sign, bool colour, const struct line *line)
{
    size_t len = line->len < SHOWN ? line->len : SHOWN;
    while (len < line->len && len > 0 && ((unsigned char)line->text[len] & 0xC0) == 0x80) {
        len--; /* a character stays whole */
    }
    fprintf(out, "%s%c %.*s%s%s\n",
            !colour       ? ""
            : sign == '-' ? "\033[31m"
                          : "\033[32m",
            sign, (int)len, line->text, len < line->len ? " ..." : "", colour ? "\033[0m" : "");
}

/* Longest common subsequence of what lies between equal ends. */
static bool middle(const struct line *a, size_t n, const struct line *b, size_t m, bool colour,
                   FILE *out, struct glmv_err *err)
{
    size_t cells = 0;
    bool small = glmv_size_mul(n + 1, m + 1, &cells) && cells <= MAX_TABLE;
    uint32_t *best = small ? calloc(cells, sizeof *best) : NULL;
    if (small && best == NULL) {
        return glmv_fail_memory(err);
    }
    for (size_t i = n; small && i-- > 0;) {
        for (size_t j = m; j-- > 0;) {
            uint32_t down = best[(i + 1) * (m + 1) + j], right = best[i * (m + 1) + j + 1];
            best[i * (m + 1) + j] = same(&a[i], &b[j]) ? best[(i + 1) * (m + 1) + j + 1] + 1
                                    : down > right     ? down
                                                       : right;
        }
    }
    size_t i = 0, j = 0;
    while (i < n || j < m) {
        if (small && i < n && j < m && same(&a[i], &b[j])) {
            i++;
            j++;
        } else if (i < n &&
                   (j == m || !small || best[(i + 1) * (m + 1) + j] >= best[i * (m + 1) + j + 1])) {
            print(out, '-', colour, &a[i++]);
        } else {
            print(out, '+', colour, &b[j++]);
        }
    }
    free(best);
    return true;
}

bool replicate_line_diff(const char *before, size_t before_len, const char *after, size_t after_len,
                         bool colour, FILE *out, struct glmv_err *err)
{
    struct lines a = {0}, b = {0};
    bool ok = split(before, before_len, &a, err) && split(after, after_len, &b, err);
    if (ok) {
        size_t head = 0, tail = 0;
        size_t least = a.count < b.count ? a.count : b.count;
        while (head < least && same(&a.items[head], &b.items[head])) {
            head++;
        }
        while (tail < least - head &&
               same(&a.items[a.count - 1 - tail], &b.items[b.count - 1 - tail])) {
            tail++;
        }
        ok = middle(a.items + head, a.count - head - tail, b.items + head, b.count - head - tail,
                    colour, out, err);
    }
    free(a.items);
    free(b.items);
    return ok;
}
