#include "replicate/extract.h"

#include <string.h>
#include <strings.h>

#include "htmlfix/htmlfix.h"

/* First place of word, upper and lower case alike; SIZE_MAX when it is not there. */
static size_t find(const char *text, size_t len, const char *word)
{
    size_t size = strlen(word), found = (size_t)-1;
    for (size_t at = 0; at + size <= len; at++) {
        if (strncasecmp(text + at, word, size) == 0) {
            found = at;
            break;
        }
    }
    return found;
}

/* A comment that stands for content: "rest of the page", "remains the same", "unchanged". */
static bool elided(const char *html, size_t len)
{
    static const char *const words[] = {"rest of the",    "remains the same",  "remain unchanged",
                                        "same as before", "unchanged content", "existing content"};
    size_t at = 0, open;
    while ((open = find(html + at, len - at, "<!--")) != (size_t)-1) {
        at += open;
        size_t end = find(html + at, len - at, "-->");
        end = end == (size_t)-1 ? len - at : end;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (find(html + at, end, words[i]) != (size_t)-1) {
                return true;
            }
        }
        at += end;
    }
    return false;
}

bool replicate_extract(const char *answer, size_t len, struct glmv_buf *html, struct glmv_err *err)
{
    struct glmv_fix fix;
    size_t before = html->len;
    struct glmv_err reason = {0};
    if (!glmv_html_fix(answer, len, html, &fix, &reason)) {
        return glmv_fail(err, GLMV_ERR_MODEL, "the answer holds no HTML page: '%.*s'",
                         (int)(len < 120 ? len : 120), answer);
    }
    if (fix.flags & GLMV_FIX_TRUNCATED) {
        return glmv_fail(err, GLMV_ERR_MODEL, "the page in the answer is cut off");
    }
    if (elided(html->data + before, html->len - before)) {
        return glmv_fail(err, GLMV_ERR_MODEL, "the answer leaves parts of the page out");
    }
    bool ended = html->data[html->len - 1] == '\n';
    return ended || glmv_buf_append(html, "\n", 1, err);
}
