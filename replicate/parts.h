/*
 * Pages of slices become one page: each slice is a row of its own height, and its style sheet
 * reaches its row only. Rules that all slices share, or that can touch one only, are written once
 * as they are. Private to replicate.
 */
#ifndef GLMV_REPLICATE_PARTS_H
#define GLMV_REPLICATE_PARTS_H

#include "base/buf.h"
#include "base/err.h"

#define REPLICATE_MAX_PARTS 32

struct replicate_part {
    const char *html; /* a whole document; NULL: nothing is known of this part */
    size_t len;
    double height; /* CSS px */
};

/* Appends the document of 1 to REPLICATE_MAX_PARTS parts, from the top. */
bool replicate_parts_join(const struct replicate_part *parts, size_t count, struct glmv_buf *out,
                          struct glmv_err *err);

/* Appends what stands in the <style> elements of a document. */
bool replicate_parts_style(const char *html, size_t len, struct glmv_buf *out,
                           struct glmv_err *err);

#endif
