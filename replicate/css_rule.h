/* Changes of a page that need no model. Private to replicate. */
#ifndef GLMV_REPLICATE_CSS_RULE_H
#define GLMV_REPLICATE_CSS_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends html with the rule "selector { property: value; }" at the end of its last style sheet, or
 * in a new one; a rule that an earlier call wrote for the same selector and property is replaced.
 * GLMV_ERR_USAGE when the words would not be one rule.
 */
bool replicate_css_set(const char *html, size_t len, const char *selector, const char *property,
                       const char *value, struct glmv_buf *out, struct glmv_err *err);

/* Appends html with <base href="file://FOLDER/"> at the start of its head, so that a copy elsewhere
 * finds its pictures. */
bool replicate_css_base(const char *html, size_t len, const char *folder, struct glmv_buf *out,
                        struct glmv_err *err);

#endif
