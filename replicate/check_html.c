/* The report of a check as one page to look at. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "replicate/check_report.h"
#include "replicate/view.h"

#define PICTURES_MAX ((size_t)256 << 20) /* bytes; a browser should still open the page */

/* One picture in the page, or its name where the page would grow too large. Absent: nothing. */
static bool picture(const char *folder, const char *name, const char *ending, const char *class,
                    const char *caption, struct glmv_buf *out, struct glmv_err *err)
{
    char *path = check_path(folder, name, ending, err);
    if (path == NULL || access(path, F_OK) != 0) {
        free(path);
        return path != NULL;
    }
    struct glmv_buf png;
    glmv_buf_init(&png, GLMV_IMAGE_MAX_FILE + 65536);
    bool ok = glmv_file_read(path, GLMV_IMAGE_MAX_FILE, &png, err);
    if (ok && out->len + png.len > PICTURES_MAX) {
        ok = glmv_buf_append_str(out, "<figure><figcaption>", err) &&
             glmv_buf_append_html(out, path, err) &&
             glmv_buf_append_str(out, "</figcaption></figure>", err);
    } else if (ok) {
        ok = view_png(out, class, caption, png.data, png.len, err);
    }
    glmv_buf_release(&png);
    free(path);
    return ok;
}

static bool section(const struct check_run *run, const struct check_result *result,
                    struct glmv_buf *out, struct glmv_err *err)
{
    const struct check_config *config = run->config;
    const char *status = check_status_name(result->status);
    bool ok = glmv_buf_appendf(out, err, "<section class=\"%s\"><h2><b>%s%s</b> ",
                               result->updated                   ? "updated"
                               : result->status == CHECK_IS_SAME ? "same"
                                                                 : "different",
                               status, result->updated ? ", updated" : "") &&
              glmv_buf_append_html(out, result->name, err) &&
              glmv_buf_append_str(out, "</h2><pre>", err) &&
              (result->text == NULL || glmv_buf_append_html(out, result->text, err));
    if (ok && result->proposal != NULL) {
        ok = glmv_buf_appendf(out, err, "Proposed page (score %.4f, the page itself %.4f): ",
                              result->proposal_score, result->page_score) &&
             glmv_buf_append_html(out, result->proposal, err);
    }
    bool two = result->status == CHECK_IS_CHANGED && !result->updated;
    ok = ok && glmv_buf_append_str(out, "</pre>\n", err) && view_compare_begin(out, err);
    if (ok && (two || result->status == CHECK_IS_REMOVED)) {
        ok = picture(config->baselines, result->name, ".png", "before", "baseline", out, err);
    }
    return ok && picture(config->output, result->name, ".actual.png", "after", "now", out, err) &&
           picture(config->output, result->name, ".diff.png", "difference", "difference", out,
                   err) &&
           view_compare_end(out, err) && glmv_buf_append_str(out, "</section>\n", err);
}

bool check_report_html(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = view_head(out, "Check", err) &&
              glmv_buf_append_str(out, "<h1>Pages against their baselines</h1>\n<p class=\"sub\">",
                                  err) &&
              check_report_totals(run, out, err) && glmv_buf_append_str(out, "</p>\n", err);
    for (size_t i = 0; i < run->count && ok; i++) {
        if (run->results[i].status != CHECK_IS_SAME || run->results[i].renders > 1) {
            ok = section(run, &run->results[i], out, err);
        }
    }
    return ok && view_tail(out, err);
}
