/* What stands below a box or a picture and belongs to it stays with it. */
#include "scenes.h"

static bool in_order(const char *html, const char *const *parts)
{
    const char *at = html;
    for (int i = 0; parts[i] != NULL && at != NULL; i++) {
        at = strstr(at, parts[i]);
    }
    return at != NULL;
}

/* Three boxes side by side and, touching them, three more: the body and the foot of a card each. */
static void a_card_keeps_its_foot(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 1000, 400);
    static const char *const heads[] = {"Apples", "Pears", "Plums"};
    static const char *const feet[] = {"From Kent", "From Rouen", "From Graz"};
    for (int i = 0; i < 3; i++) {
        double x = 40 + 310.0 * i;
        scene_box(&kit, x, 40, 280, 120, 0xf4f4f4ff);
        scene_box(&kit, x, 160, 280, 60, 0xd8d8d8ff);
        scene_text(&kit, heads[i], x + 20, 100, 70);
        scene_text(&kit, feet[i], x + 20, 196, 90);
    }
    char *html = page_of(&kit, false);
    CHECK(in_order(html, (const char *const[]){"Apples", "From Kent", "Pears", "From Rouen",
                                               "Plums", "From Graz", NULL}));
    free(html);
}

/* A product's name and price below its picture, nearer to it than products are to each other. */
static void texts_below_pictures_go_with_them(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 1000, 600);
    static const char *const names[] = {"Lamp", "Chair", "Table", "Shelf"};
    static const char *const prices[] = {"40 pounds", "55 pounds", "90 pounds", "75 pounds"};
    for (int i = 0; i < 4; i++) {
        double x = 40 + 480.0 * (i % 2);
        double y = 30 + 270.0 * (i / 2);
        scene_box(&kit, x, y, 400, 160, 0xc0d0e0ff);
        scene_text(&kit, names[i], x + 150, y + 190, 44);
        scene_text(&kit, prices[i], x + 150, y + 222, 80);
    }
    char *html = page_of(&kit, false);
    CHECK(in_order(html, (const char *const[]){"Lamp", "40 pounds", "Chair", "55 pounds", "Table",
                                               "90 pounds", "Shelf", "75 pounds", NULL}));
    free(html);
}

/* Cells that touch are rows of a table, and tiles as far below as beside each other are rows of
 * tiles. */
static void cells_and_tiles_stay_rows(void)
{
    static const struct {
        double step_x, step_y, w, h;
    } forms[] = {{300, 60, 300, 60}, {300, 120, 270, 90}};
    for (size_t k = 0; k < 2; k++) {
        struct scene_kit kit;
        scene_begin(&kit, 1000, 400);
        static const char *const words[] = {"One", "Two", "Three", "Four", "Five", "Six"};
        for (int i = 0; i < 6; i++) {
            double x = 40 + forms[k].step_x * (i % 3);
            double y = 40 + forms[k].step_y * (i / 3);
            scene_box(&kit, x, y, forms[k].w, forms[k].h, i % 2 ? 0xe0e0e0ff : 0xc8c8c8ff);
            scene_text(&kit, words[i], x + 100, y + 40, 40);
        }
        char *html = page_of(&kit, false);
        CHECK(in_order(html,
                       (const char *const[]){"One", "Two", "Three", "Four", "Five", "Six", NULL}));
        free(html);
    }
}

/* A card that begins on the header above it and is larger than that: its upper edge is seen, so it
 * lies over. */
static void a_card_lies_over_the_header_that_it_begins_on(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 1000, 700);
    scene_box(&kit, 0, 0, 1000, 140, 0x203050ff);
    scene_box(&kit, 60, 100, 880, 500, 0xf0f0f0ff);
    scene_text(&kit, "Orders", 90, 160, 60);
    char *html = page_of(&kit, false);
    const char *rules = strstr(html, "#203050");
    const char *color = rules != NULL ? strstr(html, "<body") : NULL;
    CHECK(color != NULL &&
          in_order(color, (const char *const[]){" layers\">", "class=\"over", "Orders", NULL}));
    free(html);
}

/* What holds a text that stands in both boxes is not put under the other one. */
static void a_card_does_not_cover_texts(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 1000, 700);
    scene_box(&kit, 0, 0, 1000, 300, 0x203050ff);
    scene_box(&kit, 60, 100, 880, 500, 0xf0f0f0ff);
    scene_text(&kit, "Orders", 90, 160, 60);
    char *html = page_of(&kit, false);
    CHECK(in_order(html, (const char *const[]){" layers\">", "<div>", "Orders", NULL}));
    free(html);
}

int main(void)
{
    a_card_does_not_cover_texts();
    a_card_lies_over_the_header_that_it_begins_on();
    a_card_keeps_its_foot();
    texts_below_pictures_go_with_them();
    cells_and_tiles_stay_rows();
    TEST_END();
}
