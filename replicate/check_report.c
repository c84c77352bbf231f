#include "replicate/check_report.h"

#include <cjson/cJSON.h>
#include <string.h>

#include "base/json.h"
#include "replicate/view.h"

#define MARKDOWN_ROWS 100 /* GitHub shows a summary of 1 MB at most */

bool check_report_bad(const struct check_result *result)
{
    return result->status != CHECK_IS_SAME && !result->updated;
}

static const char *what_it_is(const struct check_result *result)
{
    return result->updated ? "updated" : check_status_name(result->status);
}

/* The text with each line behind lead and before tail. */
static bool lines(const char *text, const char *lead, const char *tail, struct glmv_buf *out,
                  struct glmv_err *err)
{
    bool ok = true;
    while (ok && text != NULL && *text != '\0') {
        size_t len = strcspn(text, "\n");
        size_t indent = strspn(text, " ");
        indent = indent > len ? len : indent;
        ok = glmv_buf_append_str(out, lead, err) &&
             glmv_buf_append(out, text + indent, len - indent, err) &&
             glmv_buf_append_str(out, tail, err);
        text += len + (text[len] == '\n');
    }
    return ok;
}

static bool proposal(const struct check_result *result, struct glmv_buf *out, struct glmv_err *err)
{
    return result->proposal == NULL ||
           glmv_buf_appendf(out, err,
                            "A page that looks like the baseline is proposed in %s: score %.4f, "
                            "the page itself %.4f.",
                            result->proposal, result->proposal_score, result->page_score);
}

bool check_report_line(const struct check_result *result, struct glmv_buf *out,
                       struct glmv_err *err)
{
    if (result->status == CHECK_IS_SAME && result->text == NULL) {
        return true;
    }
    return glmv_buf_appendf(out, err, "%-9s %s\n", check_status_name(result->status),
                            result->name) &&
           lines(result->text, "          ", "\n", out, err);
}

bool check_report_proposals(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; i < run->count && ok; i++) {
        const struct check_result *result = &run->results[i];
        if (result->proposal != NULL) {
            ok = glmv_buf_appendf(out, err, "proposed  %s\n          ", result->name) &&
                 proposal(result, out, err) && glmv_buf_append_str(out, "\n", err);
        }
    }
    return ok;
}

bool check_report_totals(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    bool first = true;
    for (int i = 0; i < CHECK_STATUS_COUNT && ok; i++) {
        if (run->totals[i] > 0) {
            ok = glmv_buf_appendf(out, err, "%s%zu %s", first ? "" : ", ", run->totals[i],
                                  check_status_name((enum check_status)i));
            first = false;
        }
    }
    if (ok && run->updated > 0) {
        ok = glmv_buf_appendf(out, err, "; %zu baseline%s updated", run->updated,
                              run->updated == 1 ? "" : "s");
    }
    return ok;
}

/* --- JSON --- */

static bool add_text(cJSON *object, const char *key, const char *text)
{
    return text == NULL || cJSON_AddStringToObject(object, key, text) != NULL;
}

static cJSON *result_json(const struct check_result *result)
{
    const struct check_case *item = result->item;
    cJSON *object = cJSON_CreateObject();
    bool ok = add_text(object, "name", result->name) &&
              add_text(object, "status", check_status_name(result->status)) &&
              cJSON_AddBoolToObject(object, "updated", result->updated) != NULL &&
              cJSON_AddNumberToObject(object, "renders", result->renders) != NULL;
    if (ok && item != NULL) {
        ok = add_text(object, "page", item->page) && add_text(object, "url", item->url) &&
             add_text(object, "picture", item->picture);
    }
    if (ok && item != NULL && item->picture == NULL) {
        ok = cJSON_AddNumberToObject(object, "width", item->viewport.width) != NULL &&
             cJSON_AddNumberToObject(object, "height", item->viewport.height) != NULL &&
             cJSON_AddNumberToObject(object, "scale", item->viewport.scale) != NULL &&
             add_text(object, "color_scheme", item->dark ? "dark" : "light");
    }
    ok = ok && add_text(object, "message", result->text);
    if (ok && result->json != NULL) {
        ok = cJSON_AddRawToObject(object, "comparison", result->json) != NULL;
    }
    if (ok && result->proposal != NULL) {
        ok = add_text(object, "proposal", result->proposal) &&
             cJSON_AddNumberToObject(object, "page_score", result->page_score) != NULL &&
             cJSON_AddNumberToObject(object, "proposal_score", result->proposal_score) != NULL;
    }
    if (!ok) {
        cJSON_Delete(object);
        return NULL;
    }
    return object;
}

bool check_report_json(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *totals = cJSON_AddObjectToObject(root, "totals");
    cJSON *list = cJSON_AddArrayToObject(root, "results");
    bool ok = totals != NULL && list != NULL;
    for (int i = 0; i < CHECK_STATUS_COUNT && ok; i++) {
        ok = cJSON_AddNumberToObject(totals, check_status_name((enum check_status)i),
                                     (double)run->totals[i]) != NULL;
    }
    ok = ok && cJSON_AddNumberToObject(totals, "updated", (double)run->updated) != NULL;
    for (size_t i = 0; i < run->count && ok; i++) {
        ok = cJSON_AddItemToArray(list, result_json(&run->results[i]));
    }
    if (!ok) {
        cJSON_Delete(root);
        return glmv_fail_memory(err);
    }
    return glmv_json_append(out, root, err);
}

/* --- JUnit --- */

static bool junit_case(const struct check_result *result, struct glmv_buf *out,
                       struct glmv_err *err)
{
    bool skipped = result->status == CHECK_IS_SKIPPED;
    bool error = result->status == CHECK_IS_FAILED || result->status == CHECK_IS_BROKEN ||
                 result->status == CHECK_IS_UNSTABLE;
    const char *kind = skipped ? "skipped" : error ? "error" : "failure";
    bool ok = glmv_buf_append_str(out, "<testcase classname=\"check\" name=\"", err) &&
              glmv_buf_append_html(out, result->name, err) && glmv_buf_append_str(out, "\">", err);
    if (ok && check_report_bad(result)) {
        ok = glmv_buf_appendf(out, err, "<%s message=\"%s\">", kind,
                              check_status_name(result->status)) &&
             glmv_buf_append_html(out, result->text != NULL ? result->text : "", err) &&
             glmv_buf_appendf(out, err, "</%s>", kind);
    }
    return ok && glmv_buf_append_str(out, "</testcase>\n", err);
}

bool check_report_junit(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err)
{
    size_t errors = run->totals[CHECK_IS_FAILED] + run->totals[CHECK_IS_BROKEN] +
                    run->totals[CHECK_IS_UNSTABLE];
    size_t bad = 0;
    for (size_t i = 0; i < run->count; i++) {
        bad += check_report_bad(&run->results[i]);
    }
    bool ok = glmv_buf_appendf(out, err,
                               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite "
                               "name=\"glmv-replicate check\" tests=\"%zu\" failures=\"%zu\" "
                               "errors=\"%zu\" skipped=\"%zu\">\n",
                               run->count, bad - errors - run->totals[CHECK_IS_SKIPPED], errors,
                               run->totals[CHECK_IS_SKIPPED]);
    for (size_t i = 0; i < run->count && ok; i++) {
        ok = junit_case(&run->results[i], out, err);
    }
    return ok && glmv_buf_append_str(out, "</testsuite>\n", err);
}

/* --- GitHub --- */

/* A workflow command is one line, and ',' and ':' end its properties. */
static bool github_text(const char *text, bool property, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    for (; ok && text != NULL && *text != '\0' && strcmp(text, "\n") != 0; text++) {
        bool coded = *text == '%' || *text == '\n' || *text == '\r' ||
                     (property && (*text == ',' || *text == ':'));
        ok = coded ? glmv_buf_appendf(out, err, "%%%02X", (unsigned)(unsigned char)*text)
                   : glmv_buf_append(out, text, 1, err);
    }
    return ok;
}

bool check_report_github(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; i < run->count && ok; i++) {
        const struct check_result *result = &run->results[i];
        if (!check_report_bad(result)) {
            continue;
        }
        const char *file = result->item == NULL            ? NULL
                           : result->item->page != NULL    ? result->item->page
                           : result->item->picture != NULL ? result->item->picture
                                                           : NULL;
        if (file != NULL && strncmp(file, "./", 2) == 0) {
            file += 2; /* annotations know files from the root of the repository */
        }
        ok = glmv_buf_append_str(out, "::error ", err) &&
             (file == NULL ||
              (glmv_buf_append_str(out, "file=", err) && github_text(file, true, out, err) &&
               glmv_buf_append_str(out, ",", err))) &&
             glmv_buf_appendf(out, err, "title=%s ", check_status_name(result->status)) &&
             github_text(result->name, true, out, err) && glmv_buf_append_str(out, "::", err) &&
             github_text(result->text != NULL ? result->text : "", false, out, err) &&
             glmv_buf_append_str(out, "\n", err);
    }
    return ok;
}

/* --- Markdown --- */

bool check_report_markdown(const struct check_run *run, struct glmv_buf *out, struct glmv_err *err)
{
    size_t rows = 0;
    bool ok = glmv_buf_append_str(out, "## Pages against their baselines\n\n", err) &&
              check_report_totals(run, out, err) && glmv_buf_append_str(out, "\n", err);
    for (size_t i = 0; i < run->count && ok; i++) {
        const struct check_result *result = &run->results[i];
        if (result->status == CHECK_IS_SAME) {
            continue;
        }
        if (rows++ == MARKDOWN_ROWS) {
            return glmv_buf_append_str(out, "\nMore are in `report.html`.\n", err);
        }
        ok = glmv_buf_appendf(out, err, "\n**%s** `%s`\n\n", what_it_is(result), result->name) &&
             lines(result->text, "- ", "\n", out, err);
        if (ok && result->proposal != NULL) {
            ok = glmv_buf_append_str(out, "- ", err) && proposal(result, out, err) &&
                 glmv_buf_append_str(out, "\n", err);
        }
    }
    return ok;
}
