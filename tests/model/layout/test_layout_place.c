/* Boxes and lines of a page come out where the scene has them, rendered. */
#include "scenes.h"

#include <math.h>

#include "render/render.h"
#include "tests/check.h"

static const struct glmv_page_text *find_text(const struct glmv_page *page, const char *text)
{
    for (size_t i = 0; i < page->text_count; i++) {
        if (strcmp(page->texts[i].text, text) == 0) {
            return &page->texts[i];
        }
    }
    return NULL;
}

static void make(struct scene_kit *kit)
{
    scene_begin(kit, 800, 400);
    scene_box(kit, 0, 0, 800, 60, 0x224466ff);
    scene_text(kit, "Brand", 24, 36, 44);
    scene_box(kit, 0, 60, 200, 340, 0xf0f0f0ff);
    scene_text(kit, "Inbox", 20, 100, 40);
    scene_text(kit, "Archive", 20, 140, 54);
    for (int i = 0; i < 2; i++) {
        scene_box(kit, 230 + 280 * i, 90, 250, 120, 0xfff0ddff);
        scene_text(kit, i == 0 ? "Left card" : "Right card", 250 + 280 * i, 130, 70);
    }
    scene_box(kit, 300, 180, 60, 60, 0xcc0000ff); /* stands over the edge of the first card */
}

static void check_places(const struct scene_kit *kit, const struct glmv_render *shot)
{
    CHECK(shot->image->width == kit->scene.width);
    CHECK(shot->page->height == kit->scene.height);
    for (size_t i = 0; i < kit->scene.line_count; i++) {
        const struct glmv_scene_line *line = &kit->lines[i];
        const struct glmv_page_text *text = find_text(shot->page, line->text);
        CHECK_MSG(text != NULL, "%s is not on the page", line->text);
        if (text == NULL) {
            continue;
        }
        double baseline = text->box.y + round(0.905 * line->font_px);
        CHECK_MSG(fabs(text->box.x - line->ink.x) <= 1, "%s: x %.2f", line->text, text->box.x);
        CHECK_MSG(fabs(baseline - line->baseline) <= 1, "%s: baseline %.2f", line->text, baseline);
    }
    for (size_t i = 0; i < kit->scene.box_count; i++) {
        const struct glmv_box *want = &kit->boxes[i].box;
        bool found = false;
        for (size_t k = 0; k < shot->page->element_count; k++) {
            const struct glmv_box *got = &shot->page->elements[k].box;
            found = found || (fabs(got->x - want->x) <= 1 && fabs(got->y - want->y) <= 1 &&
                              fabs(got->w - want->w) <= 1 && fabs(got->h - want->h) <= 1);
        }
        CHECK_MSG(found, "box %zu is nowhere", i);
    }
}

int main(int argc, char **argv)
{
    struct glmv_err err = {0};
    struct scene_kit kit;
    make(&kit);
    struct glmv_draft *draft = glmv_draft_new(&kit.scene, NULL, &err);
    struct glmv_buf html;
    glmv_buf_init(&html, 1u << 20);
    CHECK_MSG(draft != NULL && glmv_draft_html(draft, true, &html, &err), "%s", err.message);
    struct glmv_renderer *renderer = glmv_renderer_open(argc > 1 ? argv[1] : NULL, &err);
    if (renderer == NULL && err.code == GLMV_ERR_MISSING) {
        glmv_buf_release(&html);
        glmv_draft_free(draft);
        SKIP(err.message);
    }
    struct glmv_render_options options = glmv_render_defaults();
    options.width = kit.scene.width;
    options.height = kit.scene.height;
    struct glmv_render *shot =
        html.len > 0 ? glmv_renderer_render(renderer, html.data, html.len, &options, &err) : NULL;
    CHECK_MSG(shot != NULL, "%s", err.message);
    if (shot != NULL) {
        check_places(&kit, shot);
    }
    glmv_render_free(shot);
    glmv_renderer_close(renderer);
    glmv_buf_release(&html);
    glmv_draft_free(draft);
    TEST_END();
}
