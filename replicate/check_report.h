/* What a check found, in the forms that people and CI read. Nothing in them depends on the time or
 * the number of workers. Each function appends to out. Private to replicate. */
#ifndef GLMV_REPLICATE_CHECK_REPORT_H
#define GLMV_REPLICATE_CHECK_REPORT_H

#include "replicate/check_run.h"

/* One result for a terminal; nothing for one that is the same at the first render. */
bool check_report_line(const struct check_result *result, struct glmv_buf *out,
                       struct glmv_err *err);
/* The pages that were proposed, for a terminal. */
bool check_report_proposals(const struct check_run *run, struct glmv_buf *out,
                            struct glmv_err *err);
/* "398 same, 2 changed". */
bool check_report_totals(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err);
bool check_report_json(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err);
bool check_report_junit(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err);
bool check_report_markdown(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err);
/* An annotation for each result that is not the same. */
bool check_report_github(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err);
/* One page with every picture in it: side by side, slider, blink. */
bool check_report_html(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err);

/* Whether a result needs somebody to look. */
bool check_report_bad(const struct check_result *result);

#endif
