#include "replicate/model_page.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model/tracer/tracer.h"
#include "replicate/extract.h"
#include "replicate/referee.h"
#include "replicate/tall_page.h"
#include "replicate/tools.h"

static bool extract(void *arg, const char *answer, size_t len, struct glmv_buf *html,
                    struct glmv_err *err)
{
    (void)arg;
    return replicate_extract(answer, len, html, err);
}

struct bench {
    struct replicate_court court;
    struct replicate_seats *seats; /* NULL: the court has a renderer of its own */
};

static struct glmv_render *measure(void *arg, const char *html, size_t len,
                                   struct glmv_score *score, struct glmv_err *err)
{
    const struct bench *bench = arg;
    struct replicate_court court = bench->court;
    if (bench->seats == NULL) {
        return replicate_measure(&court, html, len, score, err);
    }
    court.renderer = replicate_seats_take(bench->seats, err);
    if (court.renderer == NULL) {
        return NULL;
    }
    struct glmv_render *render = replicate_measure(&court, html, len, score, err);
    replicate_seats_give(bench->seats, court.renderer);
    return render;
}

/* Perception keeps a processor busy: it waits for a seat as a render does. */
static struct glmv_scene *look_at(const struct replicate_model_page *job, struct glmv_err *err)
{
    struct glmv_look_options look = {
        .lang = job->lang, .scale = job->scale, .threads = job->threads};
    if (job->seats == NULL) {
        return glmv_tracer_look(job->target, &look, err);
    }
    struct glmv_renderer *seat = replicate_seats_take(job->seats, err);
    struct glmv_scene *scene = seat != NULL ? glmv_tracer_look(job->target, &look, err) : NULL;
    if (seat != NULL) {
        replicate_seats_give(job->seats, seat);
    }
    return scene;
}

static void on_note(void *arg, const char *sentence)
{
    const struct replicate_rounds_options *rounds = arg;
    if (rounds->log != NULL) {
        rounds->log(rounds->log_arg, sentence);
    }
}

/* What arrives, while it arrives; standard output is the page's. */
static void on_arrival(void *arg, const char *text, size_t len)
{
    (void)arg;
    fwrite(text, 1, len, stderr);
}

struct glmv_render *replicate_model_page_measure(const struct replicate_model_page *job,
                                                 const struct glmv_scene *scene, const char *html,
                                                 size_t len, struct glmv_score *score,
                                                 struct glmv_err *err)
{
    struct bench bench = {{job->renderer, job->target, scene->scale, scene}, job->seats};
    return measure(&bench, html, len, score, err);
}

bool replicate_model_page_one(const struct replicate_model_page *job, struct glmv_chat *chat,
                              const char *part, struct replicate_rounds_result *result,
                              struct glmv_err *err)
{
    memset(result, 0, sizeof *result);
    double start = glmv_now();
    struct glmv_scene *scene = look_at(job, err);
    double looked = glmv_now() - start;
    if (scene == NULL) {
        return false;
    }
    struct replicate_rounds_options rounds = *job->rounds;
    struct bench bench = {{job->renderer, job->target, scene->scale, scene}, job->seats};
    struct replicate_referee referee = {extract, measure, &bench};
    struct replicate_tools tools = {.referee = &referee, .target = job->target, .scene = scene};
    struct replicate_author author = {
        .chat = chat,
        .options = job->model->chat,
        .watch = {.text = job->model->stream ? on_arrival : NULL,
                  .reasoning = job->model->show_thinking ? on_arrival : NULL,
                  .note = on_note,
                  .arg = &rounds},
        .target = job->target,
        .scene = scene,
        .part = part,
        .tools = job->tools ? &tools : NULL,
        .blocks = job->blocks,
    };
    author.options.cancel = replicate_cancel_flag();
    bool ok = replicate_rounds_run(&author, &referee, &rounds, result, err);
    replicate_tools_release(&tools);
    if (author.warning[0] != '\0') {
        on_note(&rounds, author.warning);
    }
    result->tokens = author.tokens;
    result->scene = scene;
    result->look_seconds = looked;
    return ok;
}

bool replicate_model_page_write(const struct replicate_model_page *job,
                                struct replicate_rounds_result *result, struct glmv_err *err)
{
    memset(result, 0, sizeof *result);
    struct glmv_chat *chat = job->chat != NULL ? job->chat : replicate_model_open(job->model, err);
    if (chat == NULL) {
        return false;
    }
    /* A page that is only a little taller is better off in one piece. */
    double most = job->slice_px * (job->scale > 0 ? job->scale : 1);
    bool tall = job->slice_px > 0 && job->target->height > 1.5 * most;
    bool ok = tall ? replicate_tall_page_write(job, chat, (int)most, result, err)
                   : replicate_model_page_one(job, chat, "", result, err);
    if (job->chat == NULL) {
        glmv_chat_close(chat);
    }
    return ok;
}
