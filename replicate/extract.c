#include "replicate/extract.h"

#include <string.h>
#include <strings.h>

/* First (or last) place of word, upper and lower case alike; SIZE_MAX when it is not there. */
static size_t find(const char *text, size_t len, const char *word, bool last)
{
    size_t size = strlen(word), found = (size_t)-1;
    for (size_t at = 0; at + size <= len; at++) {
        if (strncasecmp(text + at, word, size) == 0) {
            found = at;
            if (!last) {
                break;
            }
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
    while ((open = find(html + at, len - at, "<!--", false)) != (size_t)-1) {
        at += open;
        size_t end = find(html + at, len - at, "-->", false);
        end = end == (size_t)-1 ? len - at : end;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            if (find(html + at, end, words[i], false) != (size_t)-1) {
                return true;
            }
        }
        at += end;
    }
    return false;
}

bool replicate_extract(const char *answer, size_t len, struct glmv_buf *html, struct glmv_err *err)
{
    size_t start = find(answer, len, "<!doctype html", false);
    if (start == (size_t)-1) {
        start = find(answer, len, "<html", false);
    }
    if (start == (size_t)-1) {
        return glmv_fail(err, GLMV_ERR_MODEL, "the answer holds no HTML page: '%.*s'",
                         (int)(len < 120 ? len : 120), answer);
    }
    size_t end = find(answer + start, len - start, "</html>", true);
    if (end == (size_t)-1) {
        return glmv_fail(err, GLMV_ERR_MODEL, "the page in the answer is cut off");
    }
    size_t size = end + 7;
    if (elided(answer + start, size)) {
        return glmv_fail(err, GLMV_ERR_MODEL, "the answer leaves parts of the page out");
    }
    return glmv_buf_append(html, answer + start, size, err) && glmv_buf_append(html, "\n", 1, err);
}
