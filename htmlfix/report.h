/* What was found, with its place in the answer. Private to htmlfix. */
#ifndef GLMV_HTMLFIX_REPORT_H
#define GLMV_HTMLFIX_REPORT_H

#include "htmlfix/decode.h"
#include "htmlfix/htmlfix.h"

struct htmlfix_report {
    struct glmv_fix *fix;
    const struct htmlfix_view *view; /* that places are in */
};

void htmlfix_note(struct htmlfix_report *report, enum glmv_fix_flag flag, size_t begin, size_t end,
                  const char *sentence);

#endif
