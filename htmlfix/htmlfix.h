/*
 * The page inside what a model says. It finds the document; it does not rewrite it: a document that
 * is whole comes out byte for byte. Knows nothing of models or rendering.
 */
#ifndef GLMV_HTMLFIX_HTMLFIX_H
#define GLMV_HTMLFIX_HTMLFIX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct glmv_fix_report {
    bool no_html;        /* there is no document; nothing was appended */
    bool truncated;      /* the document has no end; what was open at the cut is closed */
    bool duplicate;      /* several documents: the last whole one was taken */
    bool unclosed_think; /* the reasoning never ended, so there is no answer */
    size_t start, end;   /* the document in the text, bytes */
};

/* Appends the document to out. A text without one is no failure: report->no_html. */
bool glmv_html_fix(const char *text, size_t len, struct glmv_buf *out,
                   struct glmv_fix_report *report, struct glmv_err *err);

#endif
