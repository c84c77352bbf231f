#include "replicate/rounds.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "replicate/blocks.h"
#include "replicate/correct.h"
#include "replicate/slots.h"
#include "replicate/tools.h"

#define WHY 80

struct replicate_rounds_options replicate_rounds_defaults(void)
{
    return (struct replicate_rounds_options){
        .rounds = 3,
        .target = 0.99,
        .gain = 0.002,
        .margin = 0.03,
        .patience = 2,
        .corrections = 5,
    };
}

void replicate_rounds_release(struct replicate_rounds_result *result)
{
    glmv_buf_release(&result->html);
    glmv_buf_release(&result->page);
    glmv_render_free(result->render);
    glmv_scene_free(result->scene);
    result->render = NULL;
    result->scene = NULL;
}

bool replicate_rounds_accepts(const struct replicate_rounds_options *options,
                              const struct glmv_score *best, const struct glmv_score *candidate,
                              char *why)
{
    if (candidate->total < best->total + options->gain) {
        snprintf(why, WHY, "the score went from %.3f to %.3f", best->total, candidate->total);
        return false;
    }
    for (int i = 0; i < best->slice_count && i < candidate->slice_count; i++) {
        if (candidate->slices[i] < best->slices[i] - options->margin) {
            snprintf(why, WHY, "part %d of %d of the page fell from %.3f to %.3f", i + 1,
                     best->slice_count, best->slices[i], candidate->slices[i]);
            return false;
        }
    }
    return true;
}

/* One run. */
struct run {
    struct replicate_author *author;
    const struct replicate_referee *referee;
    const struct replicate_rounds_options *options;
    struct replicate_rounds_result *best;
    double started;
    char tried[512]; /* told to the model after a rejection */
    struct replicate_round history[REPLICATE_MAX_ROUNDS + 1];
    int history_count;
};

static void say(const struct run *run, const char *format, ...) GLMV_PRINTF(2, 3);
static void say(const struct run *run, const char *format, ...)
{
    if (run->options->log != NULL) {
        char sentence[700];
        va_list args;
        va_start(args, format);
        vsnprintf(sentence, sizeof sentence, format, args);
        va_end(args);
        run->options->log(run->options->log_arg, sentence);
    }
}

static void begin_page(struct replicate_rounds_result *result)
{
    memset(result, 0, sizeof *result);
    glmv_buf_init(&result->html, REPLICATE_MAX_HTML);
    glmv_buf_init(&result->page, REPLICATE_MAX_PAGE);
}

/* Fills the slots of result->html, renders and measures. */
static bool measure(struct run *run, struct replicate_rounds_result *result, struct glmv_err *err)
{
    const struct replicate_referee *referee = run->referee;
    if (!replicate_slots_fill(run->author->scene, result->html.data, result->html.len,
                              &result->page, err)) {
        return false;
    }
    result->render =
        referee->measure(referee->arg, result->page.data, result->page.len, &result->score, err);
    return result->render != NULL;
}

/* Renders and measures one answer. result holds the page afterwards. */
static bool judge(struct run *run, const struct glmv_buf *answer,
                  struct replicate_rounds_result *result, struct glmv_err *err)
{
    const struct replicate_referee *referee = run->referee;
    const struct replicate_tools *tools = run->author->tools;
    struct glmv_err problem = {0};
    begin_page(result);
    bool ok = referee->extract(referee->arg, answer->data != NULL ? answer->data : "", answer->len,
                               &result->html, &problem) &&
              measure(run, result, &problem);
    /* A page that the model drew with its tools counts when what it said in the end is worse. */
    if (problem.code != GLMV_ERR_CANCELLED && tools != NULL && tools->best.len > 0 &&
        (!ok || tools->score.total > result->score.total)) {
        replicate_rounds_release(result);
        begin_page(result);
        glmv_err_clear(&problem);
        ok = glmv_buf_append(&result->html, tools->best.data, tools->best.len, &problem) &&
             measure(run, result, &problem);
    }
    return ok || glmv_fail(err, problem.code, "%s", problem.message);
}

/* What a report shows of a page that was drawn. */
static void note(struct run *run, const struct glmv_score *score, bool accepted, int facts,
                 double start)
{
    if (run->history_count <= REPLICATE_MAX_ROUNDS) {
        run->history[run->history_count++] =
            (struct replicate_round){*score, accepted, facts, glmv_now() - start};
    }
}

static void keep(struct run *run, struct replicate_rounds_result *candidate)
{
    candidate->tried = run->best->tried;
    candidate->accepted = run->best->accepted;
    candidate->corrected = run->best->corrected;
    replicate_rounds_release(run->best);
    *run->best = *candidate;
    memset(candidate, 0, sizeof *candidate);
}

static bool cancelled(const struct run *run, struct glmv_err *err)
{
    const atomic_bool *cancel = run->author->options.cancel;
    return cancel != NULL && atomic_load(cancel) &&
           !glmv_fail(err, GLMV_ERR_CANCELLED, "interrupted");
}

/*
 * The numbers that the model got wrong, put right in its own style sheet by what the render showed.
 * Judged as a round is: what does not help as a whole may help in part. A page that cannot be
 * corrected stays as it is.
 */
static void correct(struct run *run)
{
    static const unsigned plans[] = {REPLICATE_CORRECT_PAINT | REPLICATE_CORRECT_LAYOUT,
                                     REPLICATE_CORRECT_LAYOUT, REPLICATE_CORRECT_PAINT};
    const struct replicate_rounds_options *options = run->options;
    struct replicate_rounds_result *best = run->best;
    size_t plan = 0;
    for (int i = 0; i < options->corrections && plan < sizeof plans / sizeof plans[0];) {
        struct replicate_rounds_result candidate;
        struct glmv_err problem = {0};
        char why[WHY];
        int changed = 0;
        double start = glmv_now();
        if (best->score.total >= options->target || cancelled(run, &problem)) {
            return;
        }
        begin_page(&candidate);
        bool made = replicate_correct(run->author->scene, best->render, run->author->scene->scale,
                                      best->html.data, best->html.len, plans[plan], &candidate.html,
                                      &changed, &problem) &&
                    changed > 0;
        bool drawn = made && measure(run, &candidate, &problem);
        i += drawn;
        if (drawn && replicate_rounds_accepts(options, &best->score, &candidate.score, why)) {
            say(run, "%d numbers corrected: score %.3f -> %.3f", changed, best->score.total,
                candidate.score.total);
            note(run, &candidate.score, true, changed, start);
            keep(run, &candidate);
            best->corrected += changed;
        } else {
            plan++;
        }
        replicate_rounds_release(&candidate);
    }
}

/* A page that renders is needed before anything can be said about it: one more chance, also for an
 * answer that broke off. */
static bool draft(struct run *run, struct glmv_err *err)
{
    for (int chance = 0;; chance++) {
        struct glmv_buf answer;
        struct replicate_rounds_result candidate = {0};
        struct glmv_err problem = {0};
        double start = glmv_now();
        glmv_buf_init(&answer, REPLICATE_MAX_HTML);
        bool ok = replicate_author_draft(run->author, &answer, &problem) &&
                  judge(run, &answer, &candidate, &problem);
        glmv_buf_release(&answer);
        if (ok) {
            note(run, &candidate.score, true, 0, start);
            keep(run, &candidate);
            say(run, "draft: score %.3f", run->best->score.total);
            correct(run);
            return true;
        }
        replicate_rounds_release(&candidate);
        if (chance > 0 || problem.code == GLMV_ERR_CANCELLED) {
            return glmv_fail(err, problem.code, "%s", problem.message);
        }
        say(run, "draft: %s; once more", problem.message);
    }
}

static bool over_budget(const struct run *run)
{
    const struct replicate_rounds_options *o = run->options;
    return (o->budget_tokens > 0 && run->author->tokens >= o->budget_tokens) ||
           (o->budget_seconds > 0 && glmv_now() - run->started >= o->budget_seconds);
}

/* An answer in blocks becomes the page that they make of the best one. Where they do not fit, whole
 * pages are asked for from then on. */
static bool merge_blocks(struct run *run, struct glmv_buf *answer, struct glmv_err *err)
{
    const char *text = answer->data != NULL ? answer->data : "";
    if (!run->author->blocks || !replicate_blocks_found(text, answer->len)) {
        return true;
    }
    struct glmv_buf page;
    glmv_buf_init(&page, REPLICATE_MAX_HTML);
    bool ok = replicate_blocks_apply(run->best->html.data, run->best->html.len, text, answer->len,
                                     &page, err);
    run->author->blocks = ok;
    glmv_buf_release(answer);
    *answer = page;
    return ok;
}

/* Asks for one revision and keeps it if it is better. accepted tells which. false when the model
 * failed. */
static bool revise(struct run *run, const struct replicate_fact *facts, int count, bool *accepted,
                   struct glmv_err *err)
{
    struct replicate_revision revision = {
        .html = run->best->html.data,
        .render = run->best->render->image,
        .facts = facts,
        .fact_count = count,
        .tried = run->tried,
    };
    struct glmv_buf answer;
    struct replicate_rounds_result candidate = {0};
    struct glmv_err problem = {0};
    char why[WHY];
    double start = glmv_now();
    glmv_buf_init(&answer, REPLICATE_MAX_HTML);
    *accepted = false;
    if (run->author->tools != NULL) {
        run->author->tools->shown = run->best->render;
    }
    bool answered = replicate_author_revise(run->author, &revision, &answer, err);
    run->best->tried += answered;
    if (answered &&
        (!merge_blocks(run, &answer, &problem) || !judge(run, &answer, &candidate, &problem))) {
        say(run, "round %d: rejected: %s", run->best->tried, problem.message);
        snprintf(run->tried, sizeof run->tried,
                 "Your last answer was no complete page (%.300s); write the whole file.\n",
                 problem.message);
        if (problem.code == GLMV_ERR_CANCELLED) {
            answered = glmv_fail(err, problem.code, "%s", problem.message);
        }
    } else if (answered &&
               !replicate_rounds_accepts(run->options, &run->best->score, &candidate.score, why)) {
        note(run, &candidate.score, false, count, start);
        say(run, "round %d: rejected: %s", run->best->tried, why);
        snprintf(run->tried, sizeof run->tried,
                 "Your last attempt made it worse (%s) and was thrown away; try another way.\n",
                 why);
    } else if (answered) {
        say(run, "round %d: accepted: score %.3f -> %.3f", run->best->tried, run->best->score.total,
            candidate.score.total);
        note(run, &candidate.score, true, count, start);
        keep(run, &candidate);
        run->best->accepted++;
        run->tried[0] = '\0';
        *accepted = true;
        correct(run);
    }
    replicate_rounds_release(&candidate);
    glmv_buf_release(&answer);
    return answered;
}

static bool run_rounds(struct run *run, struct glmv_err *err)
{
    const struct replicate_rounds_options *options = run->options;
    struct replicate_author *author = run->author;
    struct replicate_rounds_result *result = run->best;
    result->stop = REPLICATE_STOP_FAILED;
    if (!draft(run, err)) {
        return false;
    }
    enum replicate_stop stop = REPLICATE_STOP_ROUNDS;
    int rejected = 0;
    while (result->tried < options->rounds) {
        struct replicate_fact facts[REPLICATE_MAX_FACTS];
        double scale = author->scene->scale;
        if (result->score.total >= options->target) {
            stop = REPLICATE_STOP_TARGET;
            break;
        }
        if (over_budget(run)) {
            stop = REPLICATE_STOP_BUDGET;
            break;
        }
        int count = replicate_feedback_find(author->scene, result->render, scale, facts, err);
        for (int i = 0; i < count; i++) {
            say(run, "  %s", facts[i].sentence);
        }
        bool accepted;
        if (count < 0 || (count > 0 && !revise(run, facts, count, &accepted, err))) {
            result->stop = REPLICATE_STOP_FAILED;
            return false;
        }
        if (count == 0) {
            stop = REPLICATE_STOP_PERFECT;
            break;
        }
        rejected = accepted ? 0 : rejected + 1;
        if (rejected >= options->patience) {
            stop = REPLICATE_STOP_PLATEAU;
            break;
        }
    }
    result->stop = result->score.total >= options->target ? REPLICATE_STOP_TARGET : stop;
    return true;
}

bool replicate_rounds_run(struct replicate_author *author, const struct replicate_referee *referee,
                          const struct replicate_rounds_options *options,
                          struct replicate_rounds_result *result, struct glmv_err *err)
{
    struct run run = {.author = author,
                      .referee = referee,
                      .options = options,
                      .best = result,
                      .started = glmv_now()};
    memset(result, 0, sizeof *result);
    bool ok = run_rounds(&run, err);
    memcpy(result->history, run.history, sizeof run.history);
    result->history_count = run.history_count;
    return ok;
}
