/*
 * The replication metrics of Design2Code (Si et al. 2024) on blocks of text: how much of the text
 * of two pages matches, how alike the matched texts are, and how near their places and colours.
 *
 * Neighbouring blocks of either side are merged while that makes a better assignment; blocks are
 * assigned by the similarity of their texts (2 x matching characters / all characters), with a
 * bonus for neighbours that match; pairs below 0.5 do not count. Texts are compared in lower case,
 * full-width and other compatibility forms as plain ones, runs of white space as one blank.
 */
#ifndef GLMV_DIFF_BLOCKS_H
#define GLMV_DIFF_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct glmv_block {
    const char *text;  /* UTF-8, borrowed; a block of white space is left out */
    double x, y, w, h; /* of the ink, as shares of the page's width and height */
    double rgb[3];     /* text colour, 0..255 */
};

/* Every share is 0..1, 1 for equal pages. */
struct glmv_block_score {
    double block;    /* area of the matched blocks over the area of all blocks of both pages */
    double text;     /* mean similarity of the matched texts */
    double position; /* mean of 1 - the larger of the distances of the centres in x and y */
    double colour;   /* mean of 1 - CIEDE2000 / 100 */
    size_t matched, page_blocks, reference_blocks; /* after merging */
};

/* Fails only without memory. */
bool glmv_diff_blocks(const struct glmv_block *page, size_t page_count,
                      const struct glmv_block *reference, size_t reference_count,
                      struct glmv_block_score *score, struct glmv_err *err);

/* 2 x matching characters / all characters of two normalised texts, as Ratcliff and Obershelp count
 * matching characters (the longest common run, then left and right of it). -1 without memory. */
double glmv_diff_text(const char *a, const char *b);

#endif
