/*
 * The common PNG a strip at a time: 8-bit RGB or RGBA without interlace, tRNS or anything unusual,
 * which is left to glmv_image_decode. The filtered rows come first and are turned into pixels in a
 * second step, for rows whose filtered bytes are the same in two pictures need that only once.
 */
#ifndef GLMV_BASE_PNG_ROWS_H
#define GLMV_BASE_PNG_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct glmv_png_rows {
    int width, height; /* px */
    int channels;      /* 3 or 4 */
    int strip;         /* rows of a strip, at least 16; the last one may have fewer. May be made
                          smaller before the first strip. */
    size_t step;       /* bytes of a filtered row: the filter, then width * channels */
    size_t room;       /* bytes that glmv_png_rows_next writes to */
    struct glmv_png_stream *stream;
};

/* Reads the head; the bytes are borrowed. The reader lives in memory. NULL for a picture out of the
 * ordinary, a broken one, and without memory: glmv_image_decode says which. */
struct glmv_png_rows *glmv_png_rows_open(const void *bytes, size_t len, struct glmv_arena *memory);

/*
 * The filtered rows of the next strip, *count of them, inside room; NULL when the file is broken.
 * The room of the strip before must still be as it was, or be the same. Whether the file is whole
 * is known with the last strip.
 */
const uint8_t *glmv_png_rows_next(struct glmv_png_rows *rows, uint8_t *room, int *count);

/*
 * Two files of the same encoder begin with the same bytes up to where their pictures first differ,
 * and what these unpack to is the same. How many bytes that is; 0 for pictures of other shapes.
 * To be asked before the first strip.
 */
size_t glmv_png_rows_common(const struct glmv_png_rows *rows, const struct glmv_png_rows *other);
/* Whether the strips so far came from the first so many bytes alone, whatever follows them. */
bool glmv_png_rows_is_within(const struct glmv_png_rows *rows, size_t common);
/* What is needed to go on from here: glmv_png_rows_keep notes it, and glmv_png_rows_follow lets
 * another reader go on from there that has the same bytes so far. */
void glmv_png_rows_keep(const struct glmv_png_rows *rows, struct glmv_png_stream *kept);
void glmv_png_rows_follow(struct glmv_png_rows *rows, const struct glmv_png_stream *kept);
struct glmv_png_stream *glmv_png_rows_keeper(struct glmv_arena *memory);

/* Turns count filtered rows into RGBA. up: the row above the first, NULL at the top of the picture.
 * False for a broken picture. */
bool glmv_png_rows_undo(const struct glmv_png_rows *rows, const uint8_t *raw, int count,
                        const uint8_t *up, uint8_t *rgba);

#endif
