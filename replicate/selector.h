/* Whether a selector fits an element that the renderer described. Private to replicate. */
#ifndef GLMV_REPLICATE_SELECTOR_H
#define GLMV_REPLICATE_SELECTOR_H

#include <stddef.h>

#include "base/page.h"

#define REPLICATE_INLINE_STYLE (1u << 24) /* ranks above every specificity */

/*
 * A list of selectors: compounds of tag, *, #id, .class, :root, :first-child, :last-child,
 * :nth-child(N), :nth-of-type(N) and :link, joined by descendant and child combinators. Anything
 * else fits nothing. Returns 0, or 1 + the specificity of the most specific one that fits: ids *
 * 65536 + classes * 256 + tags.
 */
unsigned replicate_selector_fits(const char *list, size_t len, const struct glmv_page *page,
                                 int element);

#endif
