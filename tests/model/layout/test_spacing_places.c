/* Distances that are said once leave everything where it stood: elements made by hand. */
#include "scenes.h"

#include <math.h>

#include "model/tracer/draft.h"
#include "model/tracer/spacing.h"
#include "tests/check.h"

enum { MOST = 12 };

struct sample {
    struct tracer_elements all;
    struct tracer_node nodes[MOST];
};

/* A container of a node's own, as its parent placed it. */
static struct tracer_element *hold(struct sample *s, int depth, const char *layout,
                                   struct glmv_box box, const char *rules)
{
    struct glmv_err err = {0};
    struct tracer_element *e = tracer_element_add(&s->all, "div", "group", depth);
    struct tracer_node *node = &s->nodes[s->all.count - 1];
    *node = (struct tracer_node){.kind = TRACER_STACK, .scene_box = -1, .scene_picture = -1};
    e->node = node;
    e->layout = layout;
    e->box = box;
    e->inside = box;
    CHECK_MSG(tracer_element_declare(e, rules, &err), "%s", err.message);
    return e;
}

static struct tracer_element *text(struct sample *s, int depth, struct glmv_box box,
                                   const char *rules)
{
    struct tracer_element *e = hold(s, depth, NULL, box, rules);
    s->nodes[s->all.count - 1].kind = TRACER_TEXT;
    e->inside = (struct glmv_box){0};
    return e;
}

static void paint(struct sample *s)
{
    s->nodes[s->all.count - 1].scene_box = 0;
    s->all.list[s->all.count - 1].inside = (struct glmv_box){0};
}

static void space(struct sample *s)
{
    struct glmv_err err = {0};
    CHECK_MSG(tracer_spacing(&s->all, 1000, &err), "%s", err.message);
}

static bool has(const struct sample *s, int element, const char *name, const char *value)
{
    const char *said = tracer_element_find(&s->all.list[element], name);
    return value == NULL ? said == NULL : said != NULL && strcmp(said, value) == 0;
}

/* The paddings at the sides differ, so the middle between them is another than it was. */
static void between_unequal_paddings_nothing_is_centred(void)
{
    static struct sample s;
    hold(&s, 1, NULL, (struct glmv_box){0, 0, 1000, 200}, "");
    text(&s, 2, (struct glmv_box){40, 0, 100, 20}, "margin-left: 40px");
    hold(&s, 2, NULL, (struct glmv_box){40, 30, 920, 20},
         "max-width: 920px; width: 100%; margin-inline: auto; margin-top: 10px");
    paint(&s);
    text(&s, 2, (struct glmv_box){900, 60, 90, 20},
         "text-align: right; margin-right: 10px; margin-top: 10px");
    space(&s);
    CHECK(has(&s, 0, "padding", "0 10px 0 40px"));
    CHECK(has(&s, 2, "margin-inline", NULL) && has(&s, 2, "max-width", "920px"));
    CHECK(has(&s, 2, "margin-left", NULL));
    tracer_elements_release(&s.all);
}

/* A column leaves its paddings to its row; the table in it is as wide as before. */
static void a_table_keeps_its_width(void)
{
    static struct sample s;
    hold(&s, 1, "row", (struct glmv_box){0, 0, 600, 100}, "");
    hold(&s, 2, NULL, (struct glmv_box){0, 0, 500, 100}, "width: 500px");
    text(&s, 3, (struct glmv_box){20, 0, 100, 20}, "margin-left: 20px");
    struct tracer_element *table = hold(&s, 3, NULL, (struct glmv_box){20, 30, 400, 60},
                                        "margin-top: 10px; width: 80%; margin-left: 4%");
    snprintf(table->tag, sizeof table->tag, "table");
    table->node = NULL;
    table->inside = (struct glmv_box){0};
    space(&s);
    CHECK(has(&s, 1, "width", "480px"));
    CHECK(has(&s, 3, "width", "83.33%")); /* 400 of 480 */
    CHECK(has(&s, 3, "margin-left", NULL));
    tracer_elements_release(&s.all);
}

/* What a column leaves at its right stands before the next one. */
static void the_next_column_stays(void)
{
    static struct sample s;
    hold(&s, 1, "row", (struct glmv_box){0, 0, 600, 100}, "");
    hold(&s, 2, NULL, (struct glmv_box){0, 0, 100, 60}, "width: 100px");
    text(&s, 3, (struct glmv_box){10, 0, 60, 20}, "margin-left: 10px");
    hold(&s, 3, NULL, (struct glmv_box){10, 30, 80, 20},
         "max-width: 80px; width: 100%; margin-inline: auto; margin-top: 10px");
    paint(&s);
    text(&s, 2, (struct glmv_box){105, 0, 50, 20}, "margin-left: 5px");
    space(&s);
    CHECK(has(&s, 1, "width", "80px"));
    CHECK(has(&s, 0, "padding-left", "10px"));
    CHECK(has(&s, 0, "gap", "15px"));
    tracer_elements_release(&s.all);
}

/* All in the row keep 6 px from its upper edge: the row begins there, and ends where it did. */
static void a_row_that_begins_lower_ends_where_it_did(void)
{
    static struct sample s;
    hold(&s, 1, NULL, (struct glmv_box){0, 0, 400, 200}, "");
    hold(&s, 2, "row", (struct glmv_box){0, 0, 400, 41}, "");
    for (int i = 0; i < 2; i++) {
        hold(&s, 3, NULL, (struct glmv_box){100.0 * i, 0, 100, 41}, "width: 100px");
        text(&s, 4, (struct glmv_box){100.0 * i, 6, 60, 20}, "margin-top: 6px");
        text(&s, 4, (struct glmv_box){100.0 * i, 26, 60, 15}, "");
    }
    text(&s, 2, (struct glmv_box){0, 51, 60, 20}, "margin-top: 10px");
    space(&s);
    CHECK(has(&s, 0, "gap", "10px"));
    tracer_elements_release(&s.all);
}

/* Lines held at the right need their width, wherever others begin. */
static void what_is_held_at_the_right_keeps_its_width(void)
{
    static struct sample s;
    hold(&s, 1, "row", (struct glmv_box){0, 0, 600, 100}, "");
    hold(&s, 2, NULL, (struct glmv_box){0, 0, 76, 72}, "width: 76px");
    text(&s, 3, (struct glmv_box){12, 0, 58, 52},
         "max-width: 70px; margin-left: auto; margin-right: 6px; text-align: right")
        ->layout = "paragraph";
    text(&s, 3, (struct glmv_box){20, 54, 50, 18}, "margin-left: 20px; margin-top: 2px");
    space(&s);
    CHECK(has(&s, 1, "width", "70px"));
    tracer_elements_release(&s.all);
}

/* As padding the 400 px could not shrink with the page. */
static void what_stands_far_inside_of_a_box_keeps_a_share_of_it(void)
{
    for (int row = 0; row < 2; row++) {
        static struct sample s;
        hold(&s, 1, NULL, (struct glmv_box){0, 0, 1000, 200}, "");
        hold(&s, 2, row ? "row" : NULL, (struct glmv_box){0, 0, 500, 60}, "width: 500px");
        s.nodes[1].scene_box = 0;
        text(&s, 3, (struct glmv_box){400, 0, 60, 20}, "margin-left: 80%");
        space(&s);
        CHECK(has(&s, 1, "padding-left", NULL));
        CHECK(has(&s, 2, "margin-left", "80%"));
        tracer_elements_release(&s.all);
    }
}

static const struct tracer_node *find_box(const struct tracer_node *node, int box)
{
    const struct tracer_node *found = node->scene_box == box ? node : NULL;
    for (int i = 0; found == NULL && i < node->child_count; i++) {
        found = find_box(node->children[i], box);
    }
    return found;
}

/* What it holds came out 6 px higher, so its padding is as much less. */
static void a_box_that_came_out_higher_is_brought_back(void)
{
    struct scene_kit kit;
    struct glmv_err err = {0};
    scene_begin(&kit, 800, 300);
    scene_box(&kit, 40, 40, 300, 109, 0xeeeeeeff);
    for (int i = 0; i < 3; i++) {
        scene_text(&kit, i == 1 ? "A second text" : "One text", 60, 72 + 28 * i, 80 + 9 * i);
    }
    struct glmv_draft *draft = draft_of(&kit);
    const struct tracer_node *card = find_box(draft->tree, 0);
    CHECK(card != NULL);
    struct glmv_page_element element = {.mark = card->mark, .box = {40, 40, 300, 115}};
    struct glmv_page page = {.width = 800, .height = 300, .elements = &element, .element_count = 1};
    struct glmv_image *blank = glmv_image_new(800, 300, &err);
    struct glmv_draft *before = glmv_draft_copy(draft, &err);
    CHECK_MSG(before != NULL, "%s", err.message);
    int changed = 0;
    CHECK_MSG(blank != NULL && glmv_draft_revise(draft, blank, blank, &page, &changed, &err), "%s",
              err.message);
    CHECK(changed == 1);
    struct glmv_draft *without = glmv_draft_copy(draft, &err);
    CHECK_MSG(without != NULL, "%s", err.message);
    char *html = page_of_draft(draft, false);
    CHECK(strstr(html, "padding: 16px 20px 10px") != NULL);
    free(html);
    CHECK(glmv_draft_keep_ends(without, before) == 1);
    CHECK(glmv_draft_keep_ends(without, before) == 0);
    html = page_of_draft(without, false);
    CHECK(strstr(html, "padding: 16px 20px") != NULL && strstr(html, "20px 10px") == NULL);
    free(html);
    glmv_draft_free(before);
    glmv_image_free(blank);
}

int main(void)
{
    between_unequal_paddings_nothing_is_centred();
    a_table_keeps_its_width();
    the_next_column_stays();
    a_row_that_begins_lower_ends_where_it_did();
    what_is_held_at_the_right_keeps_its_width();
    what_stands_far_inside_of_a_box_keeps_a_share_of_it();
    a_box_that_came_out_higher_is_brought_back();
    TEST_END();
}
