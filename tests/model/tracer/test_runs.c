/* Runs of another kind inside a line: what is bold, slanted, small or underlined in it. */
#include "tests/model/tracer/lettered.h"

enum { WIDTH = 640, HEIGHT = 260, GREY = 0x212529, BLUE = 0x0d6efd };

struct page {
    struct glmv_image *image;
    struct model_faces faces;
    struct model_face *regular, *bold;
};

static struct page new_page(void)
{
    struct page page = {0};
    page.regular = open_face(&page.faces, "Liberation Sans", 400);
    page.bold = model_faces_find(&page.faces, "Liberation Sans", 700);
    if (page.bold == NULL) {
        model_faces_close(&page.faces);
        SKIP("no bold face is installed");
    }
    page.image = new_picture(WIDTH, HEIGHT);
    paint_rect(page.image, 0, 0, WIDTH, HEIGHT, 0xffffff);
    return page;
}

static double put(struct page *page, struct model_face *face, const char *text, double size,
                  double x, int y, uint32_t rgb)
{
    return paint_text(page->image, &page->faces, face, text, size, x, y, rgb);
}

static struct glmv_scene *look(struct page *page)
{
    model_faces_close(&page->faces);
    return look_at(page->image);
}

static void bold_words_of_a_sentence_are_a_run(void)
{
    struct page page = new_page();
    double x = put(&page, page.regular, "functional helpers: ", 14, 20, 50, GREY);
    x = put(&page, page.bold, "map, filter, invoke", 14, x, 50, GREY);
    put(&page, page.regular, " and many more of this kind", 14, x, 50, GREY);
    put(&page, page.regular, "A sentence where all of the words have the same weight.", 14, 20, 90,
        GREY);
    struct glmv_scene *scene = look(&page);
    const struct glmv_scene_line *before = find_line(scene, "functional helpers:");
    const struct glmv_scene_line *bold = find_line(scene, "map, filter, invoke");
    const struct glmv_scene_line *after = find_line(scene, "and many more of this kind");
    CHECK(before != NULL && before->weight == 400);
    CHECK(bold != NULL && bold->weight == 700);
    CHECK(after != NULL && after->weight == 400);
    CHECK(before == NULL || bold == NULL || before->font_px == bold->font_px);
    CHECK(find_line(scene, "A sentence where all of the words have the same weight.") != NULL);
    glmv_scene_free(scene);
}

/* Upright letters, sheared by the slope that browsers give to faces without a slanted one. */
static void shear(struct glmv_image *image, int x0, int x1, int y0, int y1)
{
    for (int y = y0; y < y1; y++) {
        int by = (y1 - y) / 5;
        for (int x = x1 - 1; x >= x0 + by; x--) {
            memcpy(image->rgba + ((size_t)y * WIDTH + (size_t)x) * 4,
                   image->rgba + ((size_t)y * WIDTH + (size_t)(x - by)) * 4, 4);
        }
    }
}

static void slanted_words_of_a_sentence_are_a_run(void)
{
    struct page page = new_page();
    double x = put(&page, page.regular, "Enjoying this, and want to ", 16, 20, 50, GREY);
    double from = x;
    x = put(&page, page.regular, "some other sound here", 16, x, 50, GREY);
    shear(page.image, (int)from - 1, (int)x + 6, 36, 56);
    put(&page, page.regular, " and see the manual", 16, x + 4, 50, GREY);
    struct glmv_scene *scene = look(&page);
    const struct glmv_scene_line *slanted = find_line(scene, "some other sound here");
    const struct glmv_scene_line *after = find_line(scene, "and see the manual");
    CHECK(slanted != NULL && slanted->italic);
    CHECK(after != NULL && !after->italic);
    glmv_scene_free(scene);
}

static void a_small_text_after_a_heading_has_its_own_size(void)
{
    struct page page = new_page();
    double x = put(&page, page.regular, "Simple Tables ", 24, 20, 60, GREY);
    put(&page, page.regular, "preview of simple tables", 15, x + 4, 60, GREY);
    put(&page, page.regular, "A sentence that shows the usual face of the whole page.", 15, 20, 110,
        GREY);
    put(&page, page.regular, "Another one below it that shows the very same face.", 15, 20, 134,
        GREY);
    struct glmv_scene *scene = look(&page);
    const struct glmv_scene_line *large = find_line(scene, "Simple Tables");
    const struct glmv_scene_line *small = find_line(scene, "preview of simple tables");
    CHECK(large != NULL && large->font_px > 23 && large->font_px < 25);
    CHECK(small != NULL && small->font_px > 14 && small->font_px < 16);
    CHECK(small == NULL || small->letter_spacing == 0);
    glmv_scene_free(scene);
}

/* A bar under words is an underline, broken where letters reach through it; one that goes on beyond
 * them is a rule. */
static void underlines_are_told_from_rules(void)
{
    struct page page = new_page();
    double x = put(&page, page.regular, "Read the ", 16, 20, 50, GREY);
    double from = x;
    x = put(&page, page.regular, "annotated source", 16, x, 50, GREY);
    paint_rect(page.image, (int)from, 52, (int)(x - from), 1, GREY);
    put(&page, page.regular, " and write", 16, x, 50, GREY);
    x = put(&page, page.regular, "Home", 16, 20, 100, GREY);
    paint_rect(page.image, 20, 103, 400, 1, GREY);
    struct glmv_scene *scene = look(&page);
    const struct glmv_scene_line *link = find_line(scene, "annotated source");
    const struct glmv_scene_line *home = find_line(scene, "Home");
    CHECK(link != NULL && link->underline);
    CHECK(home != NULL && !home->underline);
    CHECK(find_line(scene, "Read the") != NULL);
    bool rule = false;
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_box *b = &scene->boxes[i].box;
        CHECK_MSG(b->y > 60 || b->h > 3, "a box at %g, %g", b->x, b->y);
        rule = rule || (b->y == 103 && b->w == 400);
    }
    CHECK(rule);
    CHECK(scene->picture_count == 0);
    glmv_scene_free(scene);
}

/* The grey of "on" is a paler dark too, but it is the grey of what comes after it. */
static void a_short_word_has_the_colour_of_what_it_belongs_to(void)
{
    struct page page = new_page();
    double x = put(&page, page.regular, "Posted by ", 20, 20, 50, 0x6c757d);
    x = put(&page, page.regular, "Start Bootstrap ", 20, x, 50, GREY);
    put(&page, page.regular, "on September 24", 20, x, 50, 0x6c757d);
    struct glmv_scene *scene = look(&page);
    CHECK(find_line(scene, "Start Bootstrap") != NULL);
    CHECK(find_line(scene, "on September 24") != NULL);
    glmv_scene_free(scene);
}

/* N, W, V and K are sharp when they are sheared, although they stand upright. */
static void letters_with_slants_do_not_lean(void)
{
    struct page page = new_page();
    put(&page, page.regular, "NOW UI KIT", 12, 20, 40, GREY);
    put(&page, page.regular, "NEW HILL VIEW", 12, 20, 80, GREY);
    struct glmv_scene *scene = look(&page);
    const struct glmv_scene_line *kit = find_line(scene, "NOW UI KIT");
    const struct glmv_scene_line *view = find_line(scene, "NEW HILL VIEW");
    CHECK(kit != NULL && !kit->italic);
    CHECK(view != NULL && !view->italic);
    glmv_scene_free(scene);
}

int main(void)
{
    bold_words_of_a_sentence_are_a_run();
    slanted_words_of_a_sentence_are_a_run();
    a_small_text_after_a_heading_has_its_own_size();
    underlines_are_told_from_rules();
    a_short_word_has_the_colour_of_what_it_belongs_to();
    letters_with_slants_do_not_lean();
    TEST_END();
}
