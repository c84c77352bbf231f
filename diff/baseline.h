/*
 * A stored picture that a frame in memory is compared with in little more time than reading the
 * frame takes. It is a PNG that every reader reads; a chunk of its own holds a hash of each strip
 * of rows and where the strip lies in the file, and no strip needs another to be unpacked. Strips
 * whose hash is the frame's are never unpacked.
 *
 * The hash (128 bits) finds changes, not forgeries.
 */
#ifndef GLMV_DIFF_BASELINE_H
#define GLMV_DIFF_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/image.h"

#define GLMV_BASELINE_ROWS 16  /* of a strip */
#define GLMV_BASELINE_MARGIN 4 /* rows above and below a strip that differs that are held, too */

/* Appends the file. */
bool glmv_baseline_encode(const struct glmv_image *frame, struct glmv_buf *out,
                          struct glmv_err *err);

/* Whether a file is of this kind, and none of its strips is damaged. */
bool glmv_baseline_is(const void *bytes, size_t len);

struct glmv_baseline_rows {
    struct glmv_image *stored; /* owned; only rows that are held, the others are zeros */
    uint8_t *differs;          /* owned; 1 for rows that differ in any bit */
    uint8_t *held;             /* owned; 1 for rows that the stored picture has */
};

/*
 * Which rows of a frame differ from the stored picture, whose rows are held there and a few
 * around. False, with nothing to release, where the file is not of this kind or its
 * picture has another size: glmv_image_decode reads it.
 */
bool glmv_baseline_compare(const void *bytes, size_t len, const struct glmv_image *frame,
                           struct glmv_baseline_rows *rows);
void glmv_baseline_release(struct glmv_baseline_rows *rows);

#endif
