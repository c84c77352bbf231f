/* The main job with a model as the author instead of the tracer. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "replicate/command.h"
#include "replicate/model_page.h"
#include "replicate/report.h"
#include "replicate/slots.h"

#define REPORT_MAX ((size_t)1 << 30)

/* The report shows a run of the model as it shows one of the tracer. */
static bool write_reports(const struct replicate_model_files *files,
                          const struct glmv_image *target,
                          const struct replicate_rounds_result *result, double seconds,
                          struct glmv_err *err)
{
    struct replicate_trace view = {.scene = result->scene,
                                   .scale = result->scene->scale,
                                   .render = result->render,
                                   .score = result->score,
                                   .round_count = result->history_count,
                                   .look_seconds = result->look_seconds,
                                   .total_seconds = seconds};
    memcpy(view.rounds, result->history, sizeof view.rounds);
    struct replicate_report report = {files->shot, files->output, target, &view};
    struct glmv_buf buf;
    bool ok = true;
    glmv_buf_init(&buf, REPORT_MAX);
    if (files->report != NULL) {
        ok = replicate_report_html(&report, &buf, err) &&
             glmv_file_write(files->report, buf.data, buf.len, err);
        glmv_buf_clear(&buf);
    }
    if (ok && files->json != NULL) {
        ok = replicate_report_json(&report, &buf, err) &&
             glmv_file_write(files->json, buf.data, buf.len, err);
    }
    glmv_buf_release(&buf);
    return ok;
}

static bool write_page(const struct replicate_model_files *files,
                       const struct replicate_rounds_result *result, struct glmv_err *err)
{
    if (files->assets == NULL) {
        return glmv_file_write(files->output, result->page.data, result->page.len, err);
    }
    struct glmv_buf page;
    glmv_buf_init(&page, REPORT_MAX);
    bool ok = replicate_slots_write(result->scene, result->html.data, result->html.len,
                                    files->assets, &page, err) &&
              glmv_file_write(files->output, page.data, page.len, err);
    glmv_buf_release(&page);
    return ok;
}

int replicate_with_model(const struct replicate_model_files *files,
                         struct replicate_model_page *job)
{
    static const char *const stops[] = {
        "the score reached the target", "all rounds are used",     "two rounds in a row were worse",
        "the budget is used up",        "nothing is left to name", "the model failed",
    };
    struct glmv_err err = {0}, problem = {0};
    struct replicate_rounds_result result = {0};
    struct glmv_image *target = glmv_image_read(files->shot, &err);
    job->target = target;
    job->renderer = target != NULL ? glmv_renderer_open(NULL, &err) : NULL;
    int code = REPLICATE_DONE;
    double start = glmv_now();
    bool ok = false;
    if (job->renderer != NULL) {
        glmv_image_flatten(target, 0xFFFFFF);
        ok = replicate_model_page_write(job, &result, &err);
    }
    if (result.render != NULL) {
        if (write_page(files, &result, &problem) &&
            write_reports(files, target, &result, glmv_now() - start, &problem)) {
            if (job->rounds->log != NULL) {
                fprintf(stderr, "score %.4f after %d rounds, %d accepted: %s\n", result.score.total,
                        result.tried, result.accepted, stops[result.stop]);
            }
            code = result.score.total >= job->rounds->target ? REPLICATE_DONE : REPLICATE_BELOW;
        } else {
            code = replicate_report(&problem);
        }
    }
    if (!ok) {
        code = replicate_report(&err);
    }
    replicate_rounds_release(&result);
    glmv_renderer_close(job->renderer);
    glmv_image_free(target);
    return code;
}
