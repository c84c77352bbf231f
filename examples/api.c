/* From a screenshot to a measured page with the library: api SHOT.png > page.html */
#include <stdio.h>

#include "base/buf.h"
#include "diff/diff.h"
#include "model/tracer/tracer.h"
#include "render/render.h"

static bool rebuild(const struct glmv_image *shot, struct glmv_buf *html, struct glmv_score *score,
                    struct glmv_err *err)
{
    struct glmv_look_options look = {.scale = 1};
    struct glmv_render_options options = glmv_render_defaults();
    struct glmv_renderer *renderer = NULL;
    struct glmv_render *page = NULL;
    struct glmv_draft *draft = NULL;
    struct glmv_scene *scene = glmv_tracer_look(shot, &look, err);
    if (scene != NULL) {
        draft = glmv_draft_new(scene, NULL, err);
    }
    if (draft != NULL && glmv_draft_html(draft, false, html, err)) {
        renderer = glmv_renderer_open(NULL, err);
    }
    if (renderer != NULL) {
        options.width = shot->width;
        page = glmv_renderer_render(renderer, html->data, html->len, &options, err);
    }
    bool ok = page != NULL && glmv_diff_score(shot, page->image, score, err);
    glmv_render_free(page);
    glmv_renderer_close(renderer);
    glmv_draft_free(draft);
    glmv_scene_free(scene);
    return ok;
}

int main(int argc, char **argv)
{
    struct glmv_err err = {0};
    struct glmv_buf html;
    struct glmv_score score = {0};
    glmv_buf_init(&html, (size_t)64 << 20);
    struct glmv_image *shot = glmv_image_read(argc > 1 ? argv[1] : "-", &err);
    bool ok = shot != NULL;
    if (ok) {
        glmv_image_flatten(shot, 0xffffff);
        ok = rebuild(shot, &html, &score, &err);
    }
    if (ok) {
        fwrite(html.data, 1, html.len, stdout);
        fprintf(stderr, "score %.4f\n", score.total);
    } else {
        fprintf(stderr, "api: %s\n", err.message);
    }
    glmv_buf_release(&html);
    glmv_image_free(shot);
    return ok ? 0 : 1;
}
