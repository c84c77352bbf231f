#include "replicate/extract.h"

#include "htmlfix/htmlfix.h"

bool replicate_extract(const char *answer, size_t len, struct glmv_buf *html, struct glmv_err *err)
{
    struct glmv_fix fix;
    struct glmv_err reason = {0};
    if (!glmv_html_fix(answer, len, html, &fix, &reason)) {
        if (fix.flags & GLMV_FIX_UNCLOSED_THINK) {
            return glmv_fail(err, GLMV_ERR_MODEL, "%s", reason.message);
        }
        return glmv_fail(err, GLMV_ERR_MODEL, "the answer holds no HTML page: '%.*s'",
                         (int)(len < 120 ? len : 120), answer);
    }
    if (fix.flags & GLMV_FIX_LOOP) {
        return glmv_fail(err, GLMV_ERR_MODEL,
                         "the page in the answer repeats itself until it is cut off");
    }
    if (fix.flags & GLMV_FIX_TRUNCATED) {
        return glmv_fail(err, GLMV_ERR_MODEL, "the page in the answer is cut off");
    }
    if (fix.flags & GLMV_FIX_ELIDED) {
        return glmv_fail(err, GLMV_ERR_MODEL, "the answer leaves parts of the page out");
    }
    bool ended = html->data[html->len - 1] == '\n';
    return ended || glmv_buf_append(html, "\n", 1, err);
}
