/* Bars that touch letters: lines through words, underlines that letters stand on. */
#include "tests/model/tracer/lettered.h"

enum { WIDTH = 560, HEIGHT = 240, GREY = 0x30363d };

struct page {
    struct glmv_image *image;
    struct model_faces faces;
    struct model_face *face;
};

static struct page new_page(const char *family)
{
    struct page page = {0};
    page.face = open_face(&page.faces, family, 400);
    page.image = new_picture(WIDTH, HEIGHT);
    paint_rect(page.image, 0, 0, WIDTH, HEIGHT, 0xffffff);
    return page;
}

static double put(struct page *page, const char *text, double size, double x, int y)
{
    return paint_text(page->image, &page->faces, page->face, text, size, x, y, GREY);
}

static struct glmv_scene *look(struct page *page)
{
    model_faces_close(&page->faces);
    return look_at(page->image);
}

static void a_struck_price_is_read_and_stays_struck(void)
{
    struct page page = new_page("Liberation Sans");
    double end = put(&page, "$21.50", 18, 40, 60);
    paint_rect(page.image, 40, 54, (int)end - 40, 1, GREY);
    put(&page, "$17.25 only today", 18, end + 6, 60);
    struct glmv_scene *scene = look(&page);
    const struct glmv_scene_line *old = find_line(scene, "$21.50");
    const struct glmv_scene_line *now = find_line(scene, "$17.25 only today");
    CHECK(old != NULL && old->strike && !old->underline);
    CHECK(now != NULL && !now->strike);
    CHECK(scene->box_count == 0 && scene->picture_count == 0);
    glmv_scene_free(scene);
}

/* The line is as low as serifs stand, and joins all letters. */
static void an_underline_that_letters_stand_on_is_one(void)
{
    struct page page = new_page("Liberation Serif");
    double from = put(&page, "Read ", 20, 40, 60);
    double end = put(&page, "all the terms", 20, from, 60);
    paint_rect(page.image, (int)from, 60, (int)(end - from), 1, GREY);
    put(&page, " first", 20, end, 60);
    struct glmv_scene *scene = look(&page);
    const struct glmv_scene_line *terms = find_line(scene, "all the terms");
    CHECK(terms != NULL && terms->underline && !terms->strike);
    CHECK(scene->picture_count == 0);
    glmv_scene_free(scene);
}

/* The shaft of an arrow has nothing above it; a frame has two bars. */
static void arrows_and_frames_are_no_bars(void)
{
    struct page page = new_page("Liberation Sans");
    paint_rect(page.image, 40, 60, 60, 2, GREY);
    for (int i = 0; i < 8; i++) {
        paint_rect(page.image, 99 - i, 60 - i, 2, 2 * i + 2, GREY);
    }
    paint_rect(page.image, 40, 100, 60, 20, GREY);
    paint_rect(page.image, 42, 102, 56, 16, 0xffffff);
    put(&page, "Next", 12, 54, 115);
    struct glmv_scene *scene = look(&page);
    for (size_t i = 0; i < scene->line_count; i++) {
        CHECK(!scene->lines[i].strike && !scene->lines[i].underline);
    }
    CHECK(find_line(scene, "Next") != NULL);
    CHECK(scene->picture_count + scene->box_count > 0);
    glmv_scene_free(scene);
}

int main(void)
{
    a_struck_price_is_read_and_stays_struck();
    an_underline_that_letters_stand_on_is_one();
    arrows_and_frames_are_no_bars();
    TEST_END();
}
