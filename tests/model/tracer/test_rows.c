/* What belongs to a line of text and what only lies beside it. */
#include <math.h>

#include "tests/model/tracer/lettered.h"

enum { WIDTH = 560, HEIGHT = 240, GREY = 0x30363d, BLUE = 0x4f7ee8 };

struct page {
    struct glmv_image *image;
    struct model_faces faces;
    struct model_face *face;
};

static struct page new_page(const char *family, int weight)
{
    struct page page = {0};
    page.face = open_face(&page.faces, family, weight);
    page.image = new_picture(WIDTH, HEIGHT);
    paint_rect(page.image, 0, 0, WIDTH, HEIGHT, 0xffffff);
    return page;
}

static void put(struct page *page, const char *text, double size, double x, int y, uint32_t rgb)
{
    paint_text(page->image, &page->faces, page->face, text, size, x, y, rgb);
}

static struct glmv_scene *look(struct page *page)
{
    model_faces_close(&page->faces);
    return look_at(page->image);
}

static void three_dots_belong_to_the_word_before(void)
{
    struct page page = new_page("Liberation Sans", 400);
    put(&page, "Search...", 14, 30, 40, 0x66615b);
    put(&page, "What people are saying...", 28, 30, 100, GREY);
    struct glmv_scene *scene = look(&page);
    CHECK(find_line(scene, "Search...") != NULL);
    CHECK(find_line(scene, "What people are saying...") != NULL);
    glmv_scene_free(scene);
}

/* Serifs reach to the edge of a box without padding; a bar along the edge is no letter. */
static void a_letter_at_the_edge_of_its_box_is_read(void)
{
    struct page page = new_page("Liberation Serif", 700);
    paint_rect(page.image, 20, 20, 500, 60, BLUE);
    put(&page, "Hello, Admin.", 32, 19.6, 62, 0xffffff);
    paint_rect(page.image, 20, 120, 500, 40, 0xe8edf5);
    paint_rect(page.image, 20, 128, 4, 24, BLUE);
    put(&page, "Dashboard", 18, 36, 146, GREY);
    struct glmv_scene *scene = look(&page);
    CHECK(find_line(scene, "Hello, Admin.") != NULL);
    CHECK(find_line(scene, "Dashboard") != NULL);
    glmv_scene_free(scene);
}

/* A picture of a screen on a stand, taller than the capitals after it and a little apart. */
static void an_icon_is_no_part_of_the_text_beside_it(void)
{
    struct page page = new_page("Liberation Sans", 700);
    for (int i = 0; i < 2; i++) {
        int y = 40 + 60 * i;
        paint_rect(page.image, 30, y, 20, 12, 0x94a3b8);
        paint_rect(page.image, 32, y + 2, 16, 8, 0xffffff);
        paint_rect(page.image, 38, y + 12, 4, 4, 0x94a3b8);
        paint_rect(page.image, 34, y + 15, 12, 2, 0x94a3b8);
        put(&page, i == 0 ? "LOGIN" : "MAPS", 13, 61, y + 13, GREY);
    }
    struct glmv_scene *scene = look(&page);
    const struct glmv_scene_line *login = find_line(scene, "LOGIN");
    CHECK(login != NULL && login->ink.x > 58 && login->ink.h < 13);
    CHECK(find_line(scene, "MAPS") != NULL);
    glmv_scene_free(scene);
}

/* The outline of a bar of pages is one mark with all its cells. */
static void the_cells_of_a_bar_of_pages_are_read(void)
{
    static const char *const cells[] = {"Newer", "2", "3", "15", "Older"};
    struct page page = new_page("Liberation Sans", 400);
    paint_rect(page.image, 30, 30, 322, 38, 0xdee2e6);
    for (int i = 0; i < 5; i++) {
        paint_rect(page.image, 31 + 64 * i, 31, 63, 36, 0xffffff);
        put(&page, cells[i], 16, 31 + 64 * i + (strlen(cells[i]) > 2 ? 10 : 24), 54, 0x0d6efd);
    }
    struct glmv_scene *scene = look(&page);
    for (int i = 0; i < 5; i++) {
        CHECK(find_line(scene, cells[i]) != NULL);
    }
    glmv_scene_free(scene);
}

/* A disc with a cross in it between two words: the line ends before it and another begins after. */
static void an_icon_between_words_parts_the_line(void)
{
    struct page page = new_page("Liberation Sans", 400);
    double x = paint_text(page.image, &page.faces, page.face, "2024, made with ", 14, 30, 60, GREY);
    for (int y = -6; y <= 6; y++) {
        for (int i = -6; i <= 6; i++) {
            if (i * i + y * y <= 40 && i != 0 && y != 0) {
                paint_px(page.image, (int)x + 8 + i, 55 + y, GREY, 255);
            }
        }
    }
    put(&page, "by the people of the town", 14, x + 20, 60, GREY);
    struct glmv_scene *scene = look(&page);
    CHECK(find_line(scene, "2024, made with") != NULL);
    CHECK(find_line(scene, "by the people of the town") != NULL);
    glmv_scene_free(scene);
}

/* A sheet with writing on it that nearly reaches to the word, as high as capitals are with some
 * above and little below. Nothing tells OCR that capitals of one height are no small letters. */
static void a_low_icon_is_no_part_of_the_word_beside_it(void)
{
    struct page page = new_page("Liberation Serif", 700);
    for (int i = 0; i < 2; i++) {
        int y = 40 + 60 * i;
        paint_rect(page.image, 30, y, 18, 18, GREY);
        paint_rect(page.image, 34, y + 9, 14, 3, 0xffffff);
        paint_rect(page.image, 44, y, 4, 4, 0xffffff);
        put(&page, i == 0 ? "MUSIC" : "ZIP", 14, 55, y + 16, GREY);
    }
    struct glmv_scene *scene = look(&page);
    const struct glmv_scene_line *music = find_line(scene, "MUSIC");
    CHECK(music != NULL && music->ink.x > 50);
    CHECK(find_line(scene, "ZIP") != NULL);
    glmv_scene_free(scene);
}

/* A portrait of three times the height of the letters stands a space beside them. */
static void a_portrait_is_no_part_of_the_text_beside_it(void)
{
    struct page page = new_page("Liberation Serif", 400);
    for (int y = 0; y < 36; y++) {
        for (int x = 0; x < 36; x++) {
            uint32_t rgb = (uint32_t)(80 + 4 * x) << 16 | (uint32_t)(60 + 3 * y) << 8 | 90;
            paint_px(page.image, 30 + x, 40 + y, rgb, 255);
        }
    }
    put(&page, "Alexa Liras", 14, 82, 54, GREY);
    put(&page, "alexa@people.example", 14, 82, 72, GREY);
    struct glmv_scene *scene = look(&page);
    const struct glmv_scene_line *line = find_line(scene, "alexa@people.example");
    CHECK(line != NULL && line->ink.h < 20);
    CHECK(find_line(scene, "Alexa Liras") != NULL);
    glmv_scene_free(scene);
}

/* A letter that touches a button makes one mark with it, several lines high. */
static void lines_beside_a_tall_mark_are_read(void)
{
    static const char *const entries[] = {"About", "Message", "Favorite", "Search"};
    struct page page = new_page("Liberation Sans", 400);
    for (int i = 0; i < 4; i++) {
        put(&page, entries[i], 16, 40, 60 + 18 * i, GREY);
    }
    paint_rect(page.image, 103, 54, 76, 50, GREY);
    paint_rect(page.image, 104, 55, 74, 48, 0xefefef);
    struct glmv_scene *scene = look(&page);
    CHECK(find_line(scene, "About") != NULL);
    CHECK(find_line(scene, "Search") != NULL);
    glmv_scene_free(scene);
}

/* A line of links close above another one: the dot of the i below is no part of it. */
static void a_dot_belongs_to_its_own_line(void)
{
    struct page page = new_page("Liberation Sans", 700);
    put(&page, "Bulma Blog", 16, 40, 60, BLUE);
    model_faces_close(&page.faces);
    page.face = open_face(&page.faces, "Liberation Sans", 400);
    put(&page, "Home Archives", 15, 40, 77, BLUE);
    struct glmv_scene *scene = look(&page);
    const struct glmv_scene_line *line = find_line(scene, "Bulma Blog");
    CHECK(line != NULL && line->ink.h < 17 && fabs(line->font_px - 16) < 0.8);
    CHECK(find_line(scene, "Home Archives") != NULL);
    glmv_scene_free(scene);
}

int main(void)
{
    three_dots_belong_to_the_word_before();
    a_letter_at_the_edge_of_its_box_is_read();
    an_icon_is_no_part_of_the_text_beside_it();
    the_cells_of_a_bar_of_pages_are_read();
    an_icon_between_words_parts_the_line();
    a_low_icon_is_no_part_of_the_word_beside_it();
    a_portrait_is_no_part_of_the_text_beside_it();
    lines_beside_a_tall_mark_are_read();
    a_dot_belongs_to_its_own_line();
    TEST_END();
}
