/*
 * The style sheets and style attributes of a page as its author wrote them: which declaration gives
 * an element a property, and where it stands in the source, so that a number can be changed there.
 * It reads what models write: rules with lists of compound selectors joined by descendant and child
 * combinators. Rules in @-blocks, states and pseudo-elements match nothing. Private to replicate.
 */
#ifndef GLMV_REPLICATE_SHEET_H
#define GLMV_REPLICATE_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/page.h"
#include "replicate/css_scan.h"

#define REPLICATE_NO_ELEMENT (-1)

struct replicate_declaration {
    struct replicate_span name, value; /* the value without !important */
    bool important;
    int rule;
};

struct replicate_rule {
    struct replicate_span selectors; /* of a style attribute: empty */
    struct replicate_span body;      /* between the braces or the quotes */
    int element;                     /* whose style attribute it is; REPLICATE_NO_ELEMENT */
};

struct replicate_sheet {
    const char *html; /* borrowed */
    size_t len;
    const struct glmv_page *page; /* borrowed */
    struct replicate_rule *rules;
    size_t rule_count;
    struct replicate_declaration *declarations; /* in the order of the source */
    size_t declaration_count;
    unsigned *fits; /* rule_count x element_count: 0, or 1 + specificity */
};

/* page is of a render of html; both have to outlive the sheet. NULL on failure; GLMV_ERR_LIMIT when
 * the page is too large to be worth it. */
struct replicate_sheet *replicate_sheet_read(const char *html, size_t len,
                                             const struct glmv_page *page, struct glmv_err *err);
/* NULL is allowed. */
void replicate_sheet_free(struct replicate_sheet *sheet);

/* The declaration that wins for an element: of the property, or of its shorthand (may be NULL).
 * Inherited ones are not looked for. NULL: none. */
const struct replicate_declaration *replicate_sheet_find(const struct replicate_sheet *sheet,
                                                         int element, const char *property,
                                                         const char *shorthand);
/* The last declaration of a custom property, such as "--ink", wherever it stands. */
const struct replicate_declaration *replicate_sheet_custom(const struct replicate_sheet *sheet,
                                                           struct replicate_span name);
/* How many elements a rule fits. */
size_t replicate_sheet_users(const struct replicate_sheet *sheet, int rule);
/* The last rule or style attribute that fits this element and no other; -1 for none. */
int replicate_sheet_own_rule(const struct replicate_sheet *sheet, int element);

/* Whether bytes of the source are this word, letters of either case. */
bool replicate_span_is(const struct replicate_sheet *sheet, struct replicate_span span,
                       const char *word);

#endif
