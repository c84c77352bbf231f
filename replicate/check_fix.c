/* A page that looks like the baseline, for each page that no longer does. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "replicate/check_run.h"
#include "replicate/model_page.h"
#include "replicate/referee.h"
#include "replicate/trace.h"

#define PAGE_MAX ((size_t)64 << 20)

/* How near the picture that was compared comes to the baseline; the same measure for both pages. */
static bool score_page(const struct check_run *run, const struct check_result *result,
                       const struct glmv_image *target, double *score, struct glmv_err *err)
{
    char *path = check_path(run->config->output, result->name, ".actual.png", err);
    struct glmv_image *actual = path != NULL ? glmv_image_read(path, err) : NULL;
    struct glmv_score measured;
    bool ok = actual != NULL && glmv_diff_score(target, actual, &measured, err);
    *score = ok ? measured.total : 0;
    glmv_image_free(actual);
    free(path);
    return ok;
}

/* Writes the page into html with its render's score. */
static bool trace_page(const struct glmv_image *target, double scale, const struct check_run *run,
                       struct glmv_buf *html, double *score, struct glmv_err *err)
{
    struct replicate_trace_options options = replicate_trace_defaults();
    options.look.scale = scale;
    options.cancel = run->options->cancel;
    struct replicate_trace t;
    struct glmv_score measured;
    bool ok = replicate_trace_run(target, &options, &t, err) && t.render != NULL &&
              glmv_diff_score(target, t.render->image, &measured, err) &&
              glmv_buf_append(html, t.html.data, t.html.len, err);
    *score = ok ? measured.total : 0;
    replicate_trace_release(&t);
    return ok;
}

static bool model_page(const struct glmv_image *target, double scale,
                       const struct replicate_model *model, struct glmv_buf *html, double *score,
                       struct glmv_err *err)
{
    struct replicate_rounds_options rounds = replicate_rounds_defaults();
    struct replicate_rounds_result written = {0};
    struct glmv_renderer *renderer = glmv_renderer_open(NULL, err);
    struct replicate_model_page job = {
        .model = model, .rounds = &rounds, .renderer = renderer, .target = target, .scale = scale};
    struct glmv_score measured;
    bool ok = renderer != NULL && replicate_model_page_write(&job, &written, err) &&
              written.render != NULL &&
              glmv_diff_score(target, written.render->image, &measured, err) &&
              glmv_buf_append(html, written.page.data, written.page.len, err);
    *score = ok ? measured.total : 0;
    replicate_rounds_release(&written);
    glmv_renderer_close(renderer);
    return ok;
}

static bool fix_one(struct check_run *run, struct check_result *result,
                    const struct replicate_model *model, struct glmv_err *err)
{
    char *baseline = check_path(run->config->baselines, result->name, ".png", err);
    char *path = check_path(run->config->output, result->name, ".proposed.html", err);
    struct glmv_image *target = baseline != NULL ? glmv_image_read(baseline, err) : NULL;
    double scale = result->item->picture != NULL ? 1 : result->item->viewport.scale;
    struct glmv_buf html;
    glmv_buf_init(&html, PAGE_MAX);
    bool ok = target != NULL && path != NULL;
    if (ok) {
        glmv_image_flatten(target, 0xffffff);
        ok = score_page(run, result, target, &result->page_score, err) &&
             (model != NULL && model->where != NULL
                  ? model_page(target, scale, model, &html, &result->proposal_score, err)
                  : trace_page(target, scale, run, &html, &result->proposal_score, err)) &&
             glmv_file_write(path, html.data, html.len, err);
    }
    if (ok) {
        result->proposal = path;
        path = NULL;
    }
    glmv_buf_release(&html);
    glmv_image_free(target);
    free(baseline);
    free(path);
    return ok;
}

bool check_fix(struct check_run *run, const struct replicate_model *model, struct glmv_err *err)
{
    bool ok = true;
    for (size_t i = 0; i < run->count && ok; i++) {
        struct check_result *result = &run->results[i];
        if (result->status == CHECK_IS_CHANGED && !result->updated) {
            ok = fix_one(run, result, model, err);
        }
    }
    return ok;
}
