/* What repeats is said once: places, colours, classes. */
#include "tests/model/layout/scenes.h"

/* Paragraphs 39, 38 and 40 px apart, in a card so that none of them is an entry of a list. */
static void four_boxes(struct scene_kit *kit, const double *y)
{
    scene_begin(kit, 800, 600);
    for (int i = 0; i < 4; i++) {
        scene_box(kit, 40, y[i], 300, 60, 0xddeeffff);
        scene_text(kit, "Some words", 60, y[i] + 35, 80);
    }
}

static void boxes_at_nearly_one_distance_get_one(void)
{
    struct scene_kit kit;
    four_boxes(&kit, (const double[]){40, 139, 240, 340});
    char *measured = page_of(&kit, false);
    char *regular = regular_page_of(&kit);
    /* Boxes 60 px high, 100 px apart. */
    CHECK(strstr(measured, "39px") != NULL && strstr(measured, "41px") != NULL);
    CHECK(strstr(regular, "40px") != NULL);
    CHECK(strstr(regular, "39px") == NULL && strstr(regular, "41px") == NULL);
    free(measured);
    free(regular);
}

static void boxes_at_other_distances_stay(void)
{
    struct scene_kit kit;
    four_boxes(&kit, (const double[]){40, 139, 260, 340});
    char *measured = page_of(&kit, false);
    char *regular = regular_page_of(&kit);
    CHECK(strcmp(measured, regular) == 0);
    free(measured);
    free(regular);
}

static void colours_that_nobody_can_tell_apart_are_one(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    scene_text(&kit, "The quick brown fox jumps", 40, 60, 180)->color = 0x303438ff;
    scene_text(&kit, "over the lazy dog.", 40, 160, 120)->color = 0x33363aff;
    scene_text(&kit, "A warning", 40, 260, 60)->color = 0xc02020ff;
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "#303438") != NULL && strstr(html, "#33363a") == NULL);
    CHECK(strstr(html, "--red-") != NULL && strstr(html, ": #c02020;") != NULL);
    free(html);
}

static void fills_are_told_apart_by_their_size(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 400);
    /* Stripes of a table: large, exact, two colours. */
    scene_box(&kit, 40, 20, 700, 60, 0xf9fafbff);
    scene_box(&kit, 40, 80, 700, 60, 0xf4f5f7ff);
    /* Dots of one kind, whose edges are most of them. */
    for (int i = 0; i < 3; i++) {
        scene_box(&kit, 40 + 100 * i, 200, 16, 16, i == 1 ? 0xdd500fff : 0xdb5014ff);
    }
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "#f9fafb") != NULL && strstr(html, "#f4f5f7") != NULL);
    CHECK(strstr(html, "#db5014") != NULL && strstr(html, "#dd500f") == NULL);
    free(html);
}

/* The ends of a gradient are a guess: what is another colour of the page is that one. */
static void ends_of_gradients_are_colours_of_the_page(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 400);
    scene_box(&kit, 40, 20, 300, 60, 0x0d6efdff);
    struct glmv_scene_box *box = scene_box(&kit, 40, 120, 300, 60, 0x0d6efdff);
    box->fill = GLMV_FILL_GRADIENT;
    box->angle = 90;
    box->stop_count = 2;
    box->stops[0] = (struct glmv_scene_stop){0, 0x0f6cf9ff};
    box->stops[1] = (struct glmv_scene_stop){1, 0xc02020ff};
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "#0d6efd") != NULL && strstr(html, "#0f6cf9") == NULL);
    CHECK(strstr(html, "#c02020") != NULL);
    free(html);
}

/* A word's width tells its size to a few per cent, that of a sentence to less. */
static void sizes_of_few_letters_join_those_of_many(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 400);
    scene_text(&kit, "All orders of this week, and the ones before", 40, 60, 320);
    scene_text(&kit, "Approved", 40, 120, 70)->font_px = 16.7;
    scene_text(&kit, "Denied", 40, 160, 50)->font_px = 15.4;
    scene_text(&kit, "Total", 40, 200, 50)->font_px = 18; /* too far off */
    scene_text(&kit, "Many words that are of another size, more than", 40, 260, 300)->font_px =
        15.3;
    scene_text(&kit, "enough to tell: fifteen and a bit, line after", 40, 300, 300)->font_px = 15.3;
    scene_text(&kit, "line, which nobody would measure off sixteen", 40, 340, 300)->font_px = 15.3;
    char *html = page_of(&kit, false);
    CHECK(strstr(html, ": 16px;") != NULL && strstr(html, ": 18px;") != NULL);
    CHECK(strstr(html, ": 15.3px;") != NULL);
    CHECK(strstr(html, ": 16.7px;") == NULL && strstr(html, ": 15.4px;") == NULL);
    free(html);
}

/* What most texts are stands on the body; what is not, in a class that says how it looks. */
static void most_texts_need_no_class(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 400);
    for (int i = 0; i < 3; i++) {
        scene_text(&kit, "The quick brown fox jumps", 40, 60 + 90 * i, 180);
    }
    scene_text(&kit, "Small and bold", 40, 360, 90)->weight = 700;
    char *html = page_of(&kit, false);
    const char *body = strstr(html, "\nbody {");
    CHECK(body != NULL && strstr(body, "color: var(--") != NULL);
    CHECK(count_of(html, "font-family: ") == 1);
    CHECK(strstr(html, ".text-bold {") != NULL);
    free(html);
}

static void boxes_of_one_sort_are_cards(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    for (int i = 0; i < 3; i++) {
        scene_box(&kit, 40 + 240 * i, 40, 220, 160, 0xeeeeeeff);
        scene_text(&kit, "One thing", 60 + 240 * i, 90, 70);
        scene_text(&kit, "said again about it", 60 + 240 * i, 150, 130);
    }
    char *html = regular_page_of(&kit);
    CHECK(count_of(html, "<div class=\"card stack\"") == 3 && count_of(html, "<p>") == 6);
    CHECK(strstr(html, ".card {") != NULL && count_of(html, "  background: var(--gray-") == 1);
    free(html);
}

/* What boxes of one sort share is said once; one that has another colour says that alone. */
static void what_differs_by_its_colour_says_no_more(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 400);
    for (int i = 0; i < 4; i++) {
        struct glmv_scene_box *box =
            scene_box(&kit, 40, 40 + 90 * i, 300, 60, i == 2 ? 0xfde8e8ff : 0xdef7ecff);
        for (int c = 0; c < 4; c++) {
            box->radius[c] = 12;
        }
        scene_text(&kit, i % 2 == 0 ? "Some words" : "Other ones", 60, 75 + 90 * i, 80);
    }
    char *html = page_of(&kit, false);
    CHECK(count_of(html, "border-radius: 12px;") == 1);
    CHECK(strstr(html, "-red-") != NULL); /* .card-red-60 { background } */
    const char *rest = strstr(html, "{\n  background: var(--red-");
    CHECK(rest != NULL && strncmp(strchr(rest, ';'), ";\n}", 3) == 0);
    free(html);
}

/* A class that sets one thing is for those who share it: what one alone needs stands in its own. */
static void a_distance_of_one_alone_needs_no_class(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 400);
    for (int i = 0; i < 3; i++) {
        scene_text(&kit, "The quick brown fox jumps", 40, 60 + 30 * i * i, 180);
    }
    struct glmv_scene_line *line = scene_text(&kit, "Small and bold", 40, 251, 90);
    line->weight = 700;
    line->color = 0xc02020ff;
    char *html = page_of(&kit, false);
    const char *own = strstr(html, ".text-bold-red-");
    const char *end = own != NULL ? strchr(own, '}') : NULL;
    const char *margin = own != NULL ? strstr(own, "margin-top: ") : NULL;
    CHECK(margin != NULL && margin < end);
    free(html);
}

int main(void)
{
    boxes_at_nearly_one_distance_get_one();
    boxes_at_other_distances_stay();
    colours_that_nobody_can_tell_apart_are_one();
    fills_are_told_apart_by_their_size();
    ends_of_gradients_are_colours_of_the_page();
    sizes_of_few_letters_join_those_of_many();
    most_texts_need_no_class();
    boxes_of_one_sort_are_cards();
    what_differs_by_its_colour_says_no_more();
    a_distance_of_one_alone_needs_no_class();
    TEST_END();
}
