/* The main job with a model as the author instead of the tracer. */
#include <stdio.h>

#include "base/file.h"
#include "replicate/command.h"
#include "replicate/model_page.h"

int replicate_with_model(const char *shot, const char *output, struct replicate_model_page *job)
{
    static const char *const stops[] = {
        "the score reached the target", "all rounds are used",     "two rounds in a row were worse",
        "the budget is used up",        "nothing is left to name", "the model failed",
    };
    struct glmv_err err = {0}, problem = {0};
    struct replicate_rounds_result result = {0};
    struct glmv_image *target = glmv_image_read(shot, &err);
    job->target = target;
    job->renderer = target != NULL ? glmv_renderer_open(NULL, &err) : NULL;
    int code = REPLICATE_DONE;
    bool ok = false;
    if (job->renderer != NULL) {
        glmv_image_flatten(target, 0xFFFFFF);
        ok = replicate_model_page_write(job, &result, &err);
    }
    if (result.render != NULL) {
        if (glmv_file_write(output, result.page.data, result.page.len, &problem)) {
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
