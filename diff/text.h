/* Texts as code points, compared by their longest common runs. Private to diff. */
#ifndef GLMV_DIFF_TEXT_H
#define GLMV_DIFF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diff_text {
    uint32_t *chars; /* lower case, compatibility forms folded, single blanks */
    size_t len;
    uint64_t *pairs; /* its distinct pairs of neighbours, ascending */
    size_t pair_count;
};

/* False without memory. */
bool diff_text_init(struct diff_text *text, const char *utf8);
/* a, a blank unless both sides are Han, Kana or Hangul, b. */
bool diff_text_join(struct diff_text *text, const struct diff_text *a, const struct diff_text *b,
                    bool always_blank);
/* A zeroed one is allowed. */
void diff_text_release(struct diff_text *text);

/* 2 x matching / all characters; -1 without memory. */
double diff_text_ratio(const struct diff_text *a, const struct diff_text *b);
/* The same, taken as 0 where the two share hardly any pair of letters. */
double diff_text_similarity(const struct diff_text *a, const struct diff_text *b);

#endif
