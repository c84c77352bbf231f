/* What a run found, for a person (one HTML file that needs nothing else) and for a program (JSON).
 * Private to replicate. */
#ifndef GLMV_REPLICATE_REPORT_H
#define GLMV_REPLICATE_REPORT_H

#include "base/buf.h"
#include "diff/diff.h"
#include "replicate/trace.h"

struct replicate_report {
    const char *input, *output; /* names to show */
    const struct glmv_image *target;
    const struct replicate_trace *trace;
};

bool replicate_report_html(const struct replicate_report *report, struct glmv_buf *out,
                           struct glmv_err *err);
bool replicate_report_json(const struct replicate_report *report, struct glmv_buf *out,
                           struct glmv_err *err);

#endif
