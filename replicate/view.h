/* The pages that show what was compared: one file each, that needs nothing else. Each function
 * appends to out. Private to replicate. */
#ifndef GLMV_REPLICATE_VIEW_H
#define GLMV_REPLICATE_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/image.h"

/* Everything before the heading. title is text, not HTML. */
bool view_head(struct glmv_buf *out, const char *title, struct glmv_err *err);
bool view_tail(struct glmv_buf *out, struct glmv_err *err);

/* Pictures that are looked at together: side by side, under a slider, blinking. What goes between
 * are pictures of the classes "before", "after" and "difference". */
bool view_compare_begin(struct glmv_buf *out, struct glmv_err *err);
bool view_compare_end(struct glmv_buf *out, struct glmv_err *err);
bool view_picture(struct glmv_buf *out, const char *class, const char *caption,
                  const struct glmv_image *image, struct glmv_err *err);
/* The same for a picture that is a PNG already. */
bool view_png(struct glmv_buf *out, const char *class, const char *caption, const void *png,
              size_t len, struct glmv_err *err);

#endif
