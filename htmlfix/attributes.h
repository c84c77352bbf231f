/* Attributes as nobody writes them in HTML. Private to htmlfix. */
#ifndef GLMV_HTMLFIX_ATTRIBUTES_H
#define GLMV_HTMLFIX_ATTRIBUTES_H

#include "htmlfix/edits.h"
#include "htmlfix/report.h"
#include "htmlfix/scan.h"

/* JSX names and values, and curly quotes, in a start tag. */
bool htmlfix_attributes_repair(const char *text, const struct htmlfix_token *token,
                               struct htmlfix_edits *edits, struct htmlfix_report *report,
                               struct glmv_err *err);

/* Where the bytes of a data URI start that a cut-off tag ends in, when they are long enough to be a
 * runaway; HTMLFIX_NOWHERE otherwise. */
size_t htmlfix_attributes_base64(const char *text, size_t len, const struct htmlfix_token *token);

#endif
