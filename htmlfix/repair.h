/* What a browser would build otherwise than it was meant, put right. Private to htmlfix. */
#ifndef GLMV_HTMLFIX_REPAIR_H
#define GLMV_HTMLFIX_REPAIR_H

#include "htmlfix/outline.h"
#include "htmlfix/report.h"

struct htmlfix_repair_options {
    const struct htmlfix_side *sides; /* style sheets and scripts to put in */
    size_t side_count;
    bool fragment; /* no document: nothing is said about its missing end */
};

/* Appends the document, repaired. Places of sides are in the report's view, as the document's. */
bool htmlfix_repair(const struct htmlfix_document *document,
                    const struct htmlfix_repair_options *options, struct htmlfix_report *report,
                    struct glmv_buf *out, struct glmv_err *err);

/*
 * Where a text that ends by repeating itself should end: after two periods of the repetition, or
 * end itself. period: its length.
 */
size_t htmlfix_loop_end(const char *text, size_t begin, size_t end, size_t *period);

#endif
