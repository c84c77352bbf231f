/*
 * Takes the HTML document out of what a model said: thinking, prose and fences around it are left
 * out, the last complete document of several is taken, a cut-off one is closed where it would
 * swallow the rest. It knows nothing of models or rendering and never invents content.
 *
 *     struct glmv_fix fix;
 *     if (glmv_html_fix(answer, len, &html, &fix, &err) && (fix.flags & GLMV_FIX_TRUNCATED)) {
 *         ... ask the model to go on ...
 *     }
 */
#ifndef GLMV_HTMLFIX_HTMLFIX_H
#define GLMV_HTMLFIX_HTMLFIX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum glmv_fix_flag {
    GLMV_FIX_AROUND = 1,    /* text around the document was left out */
    GLMV_FIX_THINKING = 2,  /* thinking before it was left out */
    GLMV_FIX_DUPLICATE = 4, /* there were several documents */
    GLMV_FIX_TRUNCATED =
        8, /* the document has no end; an unfinished tag, comment, style or script was closed */
    GLMV_FIX_NO_HTML = 16,        /* there is no document */
    GLMV_FIX_UNCLOSED_THINK = 32, /* the answer never left its thinking */
};

struct glmv_fix {
    unsigned flags; /* of enum glmv_fix_flag; 0: the text was a document already and came out byte
                       for byte */
    size_t start, end; /* bytes of the text that the document came from */
};

/*
 * Appends the document to out. Fixing what came out changes nothing more. Work is linear in len.
 * Without a document out stays as it is, fix->flags has GLMV_FIX_NO_HTML and the result is false
 * with GLMV_ERR_FORMAT.
 */
bool glmv_html_fix(const char *text, size_t len, struct glmv_buf *out, struct glmv_fix *fix,
                   struct glmv_err *err);

/* The name of a flag, as the JSON of `fix` says it. */
const char *glmv_fix_name(enum glmv_fix_flag flag);

#endif
