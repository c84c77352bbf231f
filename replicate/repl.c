#include "replicate/repl.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "diff/diff.h"
#include "replicate/author.h"
#include "replicate/edit.h"
#include "replicate/region.h"

static struct glmv_render *draw(const struct replicate_repl *repl, const char *html, size_t len,
                                struct glmv_err *err)
{
    return glmv_renderer_render(repl->renderer, html, len, &repl->render_options, err);
}

bool repl_load(struct replicate_repl *repl, struct glmv_err *err)
{
    repl->render_options.width = repl->session->width;
    repl->render_options.height = repl->session->height;
    glmv_buf_clear(&repl->html);
    glmv_render_free(repl->render);
    repl->render = NULL;
    if (!replicate_session_read(repl->session, repl->session->current, &repl->html, err)) {
        return false;
    }
    repl->render = draw(repl, repl->html.data != NULL ? repl->html.data : "", repl->html.len, err);
    return repl->render != NULL;
}

bool repl_region(const struct replicate_repl *repl, bool *has, struct glmv_box *box,
                 struct glmv_err *err)
{
    *has = repl->has_box || repl->region[0] != '\0';
    *box = repl->box;
    if (repl->region[0] == '\0') {
        return true;
    }
    return repl->render != NULL
               ? replicate_region_parse(repl->render->page, repl->region, box, err)
               : glmv_fail(err, GLMV_ERR_RENDER, "there is no render to find the region in");
}

static bool score_of(const struct replicate_repl *repl, const struct glmv_render *render,
                     double *score)
{
    struct glmv_score measured;
    if (repl->target == NULL || render == NULL ||
        !glmv_diff_score(repl->target, render->image, &measured, NULL)) {
        return false;
    }
    *score = measured.total;
    return true;
}

void repl_show(const struct replicate_repl *repl)
{
    double score;
    printf("version %d of %d", repl->session->current, repl->session->count);
    if (repl->render != NULL) {
        printf(", %d x %d px", repl->render->image->width, repl->render->image->height);
    }
    if (score_of(repl, repl->render, &score)) {
        printf(", score %.4f", score);
    }
    putchar('\n');
}

/* Says how a render differs from the one that is shown. */
static void say_change(const struct replicate_repl *repl, const struct glmv_render *after,
                       bool has_region, struct glmv_box region)
{
    struct glmv_box nothing = {0}, where, out;
    double before_score, score;
    if (repl->render == NULL) {
        return;
    }
    size_t changed = replicate_region_leak(repl->render->image, after->image, nothing, &where);
    if (changed == 0) {
        puts("the page looks as before: no pixel changed");
    } else {
        printf("%zu pixels changed, within x %.0f, y %.0f, %.0f x %.0f px\n", changed, where.x,
               where.y, where.w, where.h);
    }
    if (has_region) {
        size_t leak = replicate_region_leak(repl->render->image, after->image, region, &out);
        printf("%zu of them outside the region", leak);
        if (leak > 0) {
            printf(", within x %.0f, y %.0f, %.0f x %.0f px; /undo takes the change back", out.x,
                   out.y, out.w, out.h);
        }
        putchar('\n');
    }
    if (score_of(repl, repl->render, &before_score) && score_of(repl, after, &score)) {
        printf("score %.4f -> %.4f\n", before_score, score);
    }
}

bool repl_change(struct replicate_repl *repl, const char *html, size_t len,
                 struct glmv_render *render, const char *what, struct glmv_err *err)
{
    bool has_region = false;
    struct glmv_box region;
    bool ok = repl_region(repl, &has_region, &region, err);
    bool same = repl->html.len == len && len > 0 && memcmp(repl->html.data, html, len) == 0;
    if (ok && same) {
        puts("nothing changed");
        glmv_render_free(render);
        return true;
    }
    if (ok && render == NULL) {
        render = draw(repl, html, len, err);
    }
    ok = ok && render != NULL && replicate_session_add(repl->session, html, len, what, err);
    if (!ok) {
        glmv_render_free(render);
        return false;
    }
    say_change(repl, render, has_region, region);
    glmv_render_free(repl->render);
    repl->render = render;
    glmv_buf_clear(&repl->html);
    printf("version %d\n", repl->session->current);
    return glmv_buf_append(&repl->html, html, len, err);
}

/* -- the model ----------------------------------------------------------------------------------
 */

static void on_text(void *arg, const char *text, size_t len)
{
    struct replicate_repl *repl = arg;
    (void)text;
    repl->received += len;
    if (repl->thinking_shown) {
        putchar('\n');
        repl->thinking_shown = false;
    }
    if (repl->terminal) {
        printf("\r\033[K... %zu bytes; Ctrl-C stops", repl->received);
        fflush(stdout);
    }
}

static void on_reasoning(void *arg, const char *text, size_t len)
{
    struct replicate_repl *repl = arg;
    if (repl->model.show_thinking) {
        fwrite(text, 1, len, stdout);
        fflush(stdout);
        repl->thinking_shown = true;
    } else if (repl->terminal) {
        repl->received += len;
        printf("\r\033[K... thinking, %zu bytes; Ctrl-C stops", repl->received);
        fflush(stdout);
    }
}

static void on_note(void *arg, const char *sentence)
{
    struct replicate_repl *repl = arg;
    printf("%s%s\n", repl->terminal ? "\r\033[K" : "", sentence);
}

bool repl_edit(struct replicate_repl *repl, const char *instruction, struct glmv_err *err)
{
    struct glmv_chat_options options = repl->model.chat;
    options.cancel = repl->cancel;
    struct glmv_chat_watch watch = {on_text, on_reasoning, on_note, repl};
    struct replicate_edit_request request = {
        .options = &options,
        .watch = &watch,
        .renderer = repl->renderer,
        .render_options = &repl->render_options,
        .html = repl->html.data != NULL ? repl->html.data : "",
        .before = repl->render,
        .instruction = instruction,
    };
    struct replicate_edit_result result = {0};
    if (repl->render == NULL) {
        return glmv_fail(err, GLMV_ERR_RENDER, "this version cannot be drawn; /undo goes back");
    }
    if (repl->model.where == NULL) {
        return glmv_fail(err, GLMV_ERR_USAGE,
                         "an instruction needs a model: /model ADDRESS, such as /model "
                         "http://localhost:8000/v1; /help lists what works without one");
    }
    if (repl->chat == NULL) {
        repl->chat = replicate_model_open(&repl->model, err);
    }
    request.chat = repl->chat;
    bool ok = repl->chat != NULL && repl_region(repl, &request.has_region, &request.region, err);
    repl->received = 0;
    ok = ok && replicate_edit(&request, &result, err);
    fputs(repl->thinking_shown ? "\n" : repl->terminal ? "\r\033[K" : "", stdout);
    repl->thinking_shown = false;
    if (ok) {
        if (result.warning[0] != '\0') {
            puts(result.warning);
        }
        struct glmv_render *after = result.after;
        result.after = NULL;
        ok = repl_change(repl, result.html.data, result.html.len, after, instruction, err);
    }
    replicate_edit_release(&result);
    return ok;
}

/* -- the target ---------------------------------------------------------------------------------
 */

static void target_path(const struct replicate_repl *repl, char *path, size_t size)
{
    snprintf(path, size, "%s/target.png", repl->session->folder);
}

bool repl_aim(struct replicate_repl *repl, struct glmv_image *target, struct glmv_err *err)
{
    char path[4200];
    target_path(repl, path, sizeof path);
    bool ok = target->width <= 16384 && target->height <= 16384
                  ? glmv_image_write_png(target, path, err)
                  : glmv_fail(err, GLMV_ERR_LIMIT, "a target is at most 16384 px a side");
    if (!ok) {
        glmv_image_free(target);
        return false;
    }
    glmv_image_free(repl->target);
    repl->target = target;
    repl->session->has_target = true;
    repl->session->width = target->width;
    repl->session->height = target->height;
    return replicate_session_write(repl->session, err);
}

bool repl_read_target(struct replicate_repl *repl, struct glmv_err *err)
{
    char path[4200];
    if (!repl->session->has_target) {
        return true;
    }
    target_path(repl, path, sizeof path);
    repl->target = glmv_image_read(path, err);
    if (repl->target != NULL) {
        glmv_image_flatten(repl->target, 0xFFFFFF);
    }
    return repl->target != NULL;
}

void repl_release(struct replicate_repl *repl)
{
    glmv_buf_release(&repl->html);
    glmv_render_free(repl->render);
    glmv_image_free(repl->target);
    glmv_chat_close(repl->chat);
    glmv_renderer_close(repl->renderer);
    replicate_session_close(repl->session);
}
