/*
 * A part of a rendered page: named by numbers, by a simple selector or by a red ring, found in the
 * renderer's own facts. Private to replicate.
 */
#ifndef GLMV_REPLICATE_REGION_H
#define GLMV_REPLICATE_REGION_H

#include "base/box.h"
#include "base/err.h"
#include "base/image.h"
#include "base/page.h"

/*
 * words: "x,y,w,h" in CSS px, or a selector that fits one element (see replicate/selector.h), or
 * the path that the renderer gives an element. Of an element it is the box of what it paints:
 * letters reach out of it by a pixel or two. GLMV_ERR_USAGE when nothing on the page fits.
 */
bool replicate_region_parse(const struct glmv_page *page, const char *words, struct glmv_box *box,
                            struct glmv_err *err);

/* What a red ring encloses that mark has and render has not; mark may be a larger or smaller
 * picture of the same. */
bool replicate_region_ring(const struct glmv_image *render, const struct glmv_image *mark,
                           struct glmv_box *box, struct glmv_err *err);

/* The element that a region means: the one whose box fits it best; -1 for none. */
int replicate_region_element(const struct glmv_page *page, struct glmv_box box);

/* The elements that lie wholly in a box, the outermost only. Returns how many, at most max. */
size_t replicate_region_inside(const struct glmv_page *page, struct glmv_box box, int *elements,
                               size_t max);

/*
 * Counts the pixels outside a box that differ between two renders; what only one of them has counts
 * as well. where receives the box round all of them.
 */
size_t replicate_region_leak(const struct glmv_image *before, const struct glmv_image *after,
                             struct glmv_box box, struct glmv_box *where);

#endif
