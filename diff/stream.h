/*
 * Two PNG files read side by side, a strip at a time, each on a thread of its own. Rows whose
 * filtered bytes are the same below rows of the same pixels have the same pixels, so most of the
 * second file is never turned into pixels at all, and of both pictures only the rows are held that
 * differ, with a few around them.
 */
#ifndef GLMV_DIFF_STREAM_H
#define GLMV_DIFF_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/image.h"

#define GLMV_STREAM_MARGIN 16 /* rows above and below a row that differs that are held, too */

struct glmv_stream_file {
    const void *bytes;
    size_t len;
};

struct glmv_stream_options {
    bool whole;        /* hold every row */
    bool difference;   /* make the difference picture, see difference.h */
    double most_share; /* of pixels that differ; above it every row from there on is held */
    int processors;    /* to use at most; 0 for as many as the work is worth */
};

/* Everything in it lives in the arena that it was made with. */
struct glmv_stream {
    struct glmv_stream_file files[2];
    struct glmv_arena *memory;
    struct glmv_image images[2];        /* rows that are not held are zeros */
    uint8_t *differs;                   /* 1 for rows that differ in any bit */
    uint8_t *held;                      /* 1 for rows that the images have */
    struct glmv_difference *difference; /* NULL unless asked for; nothing is marked in it */
};

/* False where the files are not two common PNGs of one size, are broken or memory is short:
 * glmv_image_decode then says what is wrong. The files are borrowed. */
bool glmv_diff_stream(struct glmv_stream *s, const struct glmv_stream_file files[2],
                      const struct glmv_stream_options *options, struct glmv_arena *memory);
/* Reads the rows that are not held yet. False without memory. */
bool glmv_diff_stream_complete(struct glmv_stream *s);
bool glmv_diff_stream_is_whole(const struct glmv_stream *s);

#endif
