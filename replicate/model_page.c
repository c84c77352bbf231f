#include "replicate/model_page.h"

#include <string.h>

#include "model/tracer/tracer.h"
#include "replicate/extract.h"
#include "replicate/referee.h"

static bool extract(void *arg, const char *answer, size_t len, struct glmv_buf *html,
                    struct glmv_err *err)
{
    (void)arg;
    return replicate_extract(answer, len, html, err);
}

static struct glmv_render *measure(void *arg, const char *html, size_t len,
                                   struct glmv_score *score, struct glmv_err *err)
{
    return replicate_measure(arg, html, len, score, err);
}

static void on_note(void *arg, const char *sentence)
{
    const struct replicate_rounds_options *rounds = arg;
    if (rounds->log != NULL) {
        rounds->log(rounds->log_arg, sentence);
    }
}

bool replicate_model_page_write(const struct replicate_model_page *job,
                                struct replicate_rounds_result *result, struct glmv_err *err)
{
    memset(result, 0, sizeof *result);
    struct glmv_look_options look = {.lang = job->lang, .scale = job->scale};
    struct glmv_chat *chat = replicate_model_open(job->model, err);
    struct glmv_scene *scene = chat != NULL ? glmv_tracer_look(job->target, &look, err) : NULL;
    bool ok = false;
    if (scene != NULL) {
        struct replicate_rounds_options rounds = *job->rounds;
        struct replicate_court court = {job->renderer, job->target, scene->scale, scene};
        struct replicate_referee referee = {extract, measure, &court};
        struct replicate_author author = {
            .chat = chat,
            .options = job->model->chat,
            .watch = {.note = on_note, .arg = &rounds},
            .target = job->target,
            .scene = scene,
        };
        author.options.cancel = replicate_cancel_flag();
        ok = replicate_rounds_run(&author, &referee, &rounds, result, err);
        if (author.warning[0] != '\0') {
            on_note(&rounds, author.warning);
        }
    }
    glmv_scene_free(scene);
    glmv_chat_close(chat);
    return ok;
}
