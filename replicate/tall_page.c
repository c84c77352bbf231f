#include "replicate/tall_page.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "replicate/parts.h"
#include "replicate/prompt.h"
#include "replicate/slices.h"
#include "replicate/slots.h"

struct slices {
    const struct replicate_model_page *job;
    struct glmv_chat *chat;
    int tops[REPLICATE_MAX_PARTS + 1]; /* the height of the picture behind the last one */
    size_t count;
    struct replicate_rounds_result results[REPLICATE_MAX_PARTS];
    struct glmv_buf pages[REPLICATE_MAX_PARTS]; /* with slots numbered through; empty: none */
};

/* Says where a slice belongs, and which style sheets the slices above it have. */
static bool write_part_prompt(const struct slices *s, size_t number, struct glmv_buf *out,
                              struct glmv_err *err)
{
    struct glmv_buf styles;
    char which[24], of[24];
    glmv_buf_init(&styles, 1u << 20);
    bool ok = true;
    for (size_t i = 0; ok && i < number; i++) {
        const struct glmv_buf *html = &s->results[i].html;
        ok = html->len == 0 || replicate_parts_style(html->data, html->len, &styles, err);
    }
    snprintf(which, sizeof which, "%zu", number + 1);
    snprintf(of, sizeof of, "%zu", s->count);
    const struct replicate_fill fills[] = {
        {"number", which},
        {"count", of},
        {"styles", styles.len > 0 ? styles.data : "none yet\n"},
        {NULL, NULL},
    };
    ok = ok && replicate_prompt_write("part", fills, out, err);
    glmv_buf_release(&styles);
    return ok;
}

static bool write_slice(struct slices *s, size_t i, struct replicate_rounds_options *rounds,
                        struct glmv_err *err)
{
    const struct glmv_image *whole = s->job->target;
    struct replicate_model_page job = *s->job;
    struct glmv_buf part;
    glmv_buf_init(&part, 2u << 20);
    struct glmv_image *target =
        glmv_image_crop(whole, 0, s->tops[i], whole->width, s->tops[i + 1] - s->tops[i], err);
    job.target = target;
    job.rounds = rounds;
    if (i > 0) {
        job.scale = s->results[0].scene->scale; /* all are of one screen */
    }
    bool ok = target != NULL && write_part_prompt(s, i, &part, err) &&
              replicate_model_page_one(&job, s->chat, part.data, &s->results[i], err);
    glmv_buf_release(&part);
    glmv_image_free(target);
    return ok;
}

/* What is left of the budget; false when nothing is. */
static bool spend(struct replicate_rounds_options *rounds, int64_t tokens, double seconds)
{
    bool over = (rounds->budget_tokens > 0 && rounds->budget_tokens <= tokens) ||
                (rounds->budget_seconds > 0 && rounds->budget_seconds <= seconds);
    rounds->budget_tokens -= rounds->budget_tokens > 0 ? tokens : 0;
    rounds->budget_seconds -= rounds->budget_seconds > 0 ? seconds : 0;
    return !over;
}

/* The slices' pages as one, rendered and measured. The results' scenes are used up. */
static bool join_slices(struct slices *s, size_t done, struct replicate_rounds_result *result,
                        struct glmv_err *err)
{
    struct replicate_part parts[REPLICATE_MAX_PARTS];
    struct glmv_scene *scenes[REPLICATE_MAX_PARTS];
    size_t pictures = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < done; i++) {
        const struct glmv_buf *html = &s->results[i].html;
        scenes[i] = s->results[i].scene;
        glmv_buf_init(&s->pages[i], REPLICATE_MAX_HTML);
        ok = html->len == 0 ||
             replicate_slots_shift(html->data, html->len, pictures, &s->pages[i], err);
        pictures += scenes[i]->picture_count;
    }
    for (size_t i = 0; i < s->count; i++) {
        parts[i] = (struct replicate_part){i < done ? s->pages[i].data : NULL,
                                           i < done ? s->pages[i].len : 0,
                                           (s->tops[i + 1] - s->tops[i]) / scenes[0]->scale};
    }
    glmv_buf_init(&result->html, REPLICATE_MAX_HTML);
    glmv_buf_init(&result->page, REPLICATE_MAX_PAGE);
    struct glmv_scene *scene =
        ok ? replicate_slices_scene(scenes, s->tops, done, s->job->target->height, err) : NULL;
    if (scene == NULL) {
        return false;
    }
    for (size_t i = 0; i < done; i++) {
        s->results[i].scene = NULL;
    }
    result->scene = scene;
    ok = replicate_parts_join(parts, s->count, &result->html, err) &&
         replicate_slots_fill(scene, result->html.data, result->html.len, &result->page, err);
    result->render = ok ? replicate_model_page_measure(s->job, scene, result->page.data,
                                                       result->page.len, &result->score, err)
                        : NULL;
    return result->render != NULL;
}

/* Adds what a slice's rounds were to those of the page. */
static void account(struct replicate_rounds_result *result,
                    const struct replicate_rounds_result *slice)
{
    result->tried += slice->tried;
    result->accepted += slice->accepted;
    result->corrected += slice->corrected;
    result->tokens += slice->tokens;
    result->look_seconds += slice->look_seconds;
    for (int i = 0; i < slice->history_count; i++) {
        if (result->history_count <= REPLICATE_MAX_ROUNDS) {
            result->history[result->history_count++] = slice->history[i];
        }
    }
}

/* When a slice fails, those above it are the best page so far. */
static bool write_slices(struct slices *s, struct replicate_rounds_result *result,
                         struct glmv_err *err)
{
    struct replicate_rounds_options rounds = *s->job->rounds;
    struct glmv_err problem = {0};
    size_t done = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < s->count; i++) {
        char line[120];
        double start = glmv_now();
        snprintf(line, sizeof line, "slice %zu of %zu, y %d to %d px", i + 1, s->count, s->tops[i],
                 s->tops[i + 1]);
        if (rounds.log != NULL) {
            rounds.log(rounds.log_arg, line);
        }
        ok = write_slice(s, i, &rounds, &problem);
        done += ok || s->results[i].render != NULL;
        account(result, &s->results[i]);
        result->stop = s->results[i].stop;
        if (!spend(&rounds, s->results[i].tokens, glmv_now() - start)) {
            rounds.rounds = 0; /* drafts for the rest: a page with holes is no page */
            rounds.budget_tokens = rounds.budget_seconds = 0;
        }
    }
    if (done > 0 && !join_slices(s, done, result, ok ? err : NULL)) {
        ok = false;
    }
    if (problem.code != GLMV_ERR_NONE) {
        result->stop = REPLICATE_STOP_FAILED;
        return glmv_fail(err, problem.code, "%s", problem.message);
    }
    return ok;
}

bool replicate_tall_page_write(const struct replicate_model_page *job, struct glmv_chat *chat,
                               int most, struct replicate_rounds_result *result,
                               struct glmv_err *err)
{
    struct slices *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return glmv_fail_memory(err);
    }
    s->job = job;
    s->chat = chat;
    s->count = replicate_slices_cut(job->target, most, s->tops, REPLICATE_MAX_PARTS);
    s->tops[s->count] = job->target->height;
    bool ok = write_slices(s, result, err);
    for (size_t i = 0; i < s->count; i++) {
        replicate_rounds_release(&s->results[i]);
        glmv_buf_release(&s->pages[i]);
    }
    free(s);
    return ok;
}
