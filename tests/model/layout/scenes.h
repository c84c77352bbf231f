/* Scenes made by hand for the tests of the layout. */
#ifndef GLMV_TESTS_MODEL_LAYOUT_SCENES_H
#define GLMV_TESTS_MODEL_LAYOUT_SCENES_H

#include <stdlib.h>
#include <string.h>

#include "model/tracer/tracer.h"
#include "tests/check.h"

#define SCENE_MOST 32

struct scene_kit {
    struct glmv_scene scene;
    struct glmv_scene_line lines[SCENE_MOST];
    struct glmv_scene_box boxes[SCENE_MOST];
    struct glmv_scene_picture pictures[4];
    struct glmv_scene_word words[SCENE_MOST];
    char first_words[SCENE_MOST][32];
};

static inline void scene_begin(struct scene_kit *kit, int width, int height)
{
    memset(kit, 0, sizeof *kit);
    kit->scene = (struct glmv_scene){.width = width,
                                     .height = height,
                                     .scale = 1,
                                     .background = 0xffffffff,
                                     .lang = "en",
                                     .lines = kit->lines,
                                     .boxes = kit->boxes,
                                     .pictures = kit->pictures};
}

/* A line of 16 px Liberation Sans with the ink from x on, w wide, on this baseline. */
static inline struct glmv_scene_line *scene_text(struct scene_kit *kit, const char *text, double x,
                                                 double baseline, double w)
{
    size_t index = kit->scene.line_count++;
    struct glmv_scene_line *line = &kit->lines[index];
    *line = (struct glmv_scene_line){.text = (char *)text,
                                     .ink = {x, baseline - 12, w, 15},
                                     .baseline = baseline,
                                     .font = "Liberation Sans",
                                     .font_px = 16,
                                     .weight = 400,
                                     .advance = w,
                                     .color = 0x222222ff,
                                     .background = 0xffffffff,
                                     .confidence = 95,
                                     .fit = 1};
    size_t len = strcspn(text, " ");
    memcpy(kit->first_words[index], text, len < 31 ? len : 31);
    kit->words[index] = (struct glmv_scene_word){
        kit->first_words[index], {x, baseline - 12, 8.0 * (double)len, 15}, 95};
    line->words = &kit->words[index];
    line->word_count = 1;
    return line;
}

static inline struct glmv_scene_box *scene_box(struct scene_kit *kit, double x, double y, double w,
                                               double h, uint32_t color)
{
    struct glmv_scene_box *box = &kit->boxes[kit->scene.box_count++];
    *box = (struct glmv_scene_box){.box = {x, y, w, h}, .fill = GLMV_FILL_SOLID, .color = color};
    return box;
}

/* The page of a draft, which it frees; the caller frees the page. */
static inline char *page_of_draft(struct glmv_draft *draft, bool marks)
{
    struct glmv_err err = {0};
    struct glmv_buf html;
    glmv_buf_init(&html, 1u << 20);
    CHECK_MSG(draft != NULL && glmv_draft_html(draft, marks, &html, &err), "%s", err.message);
    glmv_draft_free(draft);
    return glmv_buf_take(&html, NULL);
}

static inline struct glmv_draft *draft_of(const struct scene_kit *kit)
{
    struct glmv_err err = {0};
    struct glmv_emit_options options = {0};
    struct glmv_draft *draft = glmv_draft_new(&kit->scene, &options, &err);
    CHECK_MSG(draft != NULL, "%s", err.message);
    return draft;
}

/* The page of a kit's scene; the caller frees it. */
static inline char *page_of(const struct scene_kit *kit, bool marks)
{
    return page_of_draft(draft_of(kit), marks);
}

/* The same, made regular. */
static inline char *regular_page_of(const struct scene_kit *kit)
{
    struct glmv_err err = {0};
    struct glmv_draft *draft = draft_of(kit);
    CHECK_MSG(draft != NULL && glmv_draft_regularize(draft, &err), "%s", err.message);
    return page_of_draft(draft, false);
}

/* How often a text holds another. */
static inline int count_of(const char *text, const char *part)
{
    int found = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        found++;
    }
    return found;
}

#endif
