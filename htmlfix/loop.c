/* Repetition at the end of a text. */
#include <stdlib.h>

#include "htmlfix/chars.h"
#include "htmlfix/repair.h"

enum {
    MAX_PERIOD = 8192,   /* bytes */
    MIN_COUNT = 7,       /* repetitions */
    MIN_BYTES = 1024,    /* of all of them, or a row of &nbsp; would count */
    MIN_PRODUCT = 49152, /* of both: a page may show a dozen equal rows or eight equal cards */
};

/*
 * The Z function of the text read backwards, for shifts up to MAX_PERIOD: how many bytes from the
 * end on equal those one period before. Linear: the window's right edge only grows.
 */
size_t htmlfix_loop_end(const char *text, size_t begin, size_t end, size_t *period)
{
    size_t n = end - begin, top = n / MIN_COUNT < MAX_PERIOD ? n / MIN_COUNT : MAX_PERIOD;
    const char *last = text + end - 1;
    size_t *z = n >= MIN_BYTES ? calloc(top + 1, sizeof *z) : NULL;
    if (z == NULL) {
        return end;
    }
    size_t left = 0, right = 0, best = 0;
    *period = 0;
    for (size_t p = 1; p <= top; p++) {
        size_t match = 0;
        if (p < right) {
            match = right - p < z[p - left] ? right - p : z[p - left];
        }
        while (p + match < n && *(last - match) == *(last - p - match)) {
            match++;
        }
        if (p + match > right) {
            left = p;
            right = p + match;
        }
        z[p] = match;
        size_t bytes = match + p, count = bytes / p;
        if (bytes >= MIN_BYTES && count >= MIN_COUNT && bytes >= MIN_PRODUCT / count &&
            match > best) {
            best = bytes;
            *period = p;
        }
    }
    free(z);
    return *period == 0 ? end : end - (best / *period - 2) * *period;
}
