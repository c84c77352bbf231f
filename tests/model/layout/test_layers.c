/* What lies over other things, or across them, told by properties of the page's HTML. */
#include "scenes.h"

#include "tests/check.h"

static int count(const char *text, const char *part)
{
    int found = 0;
    for (const char *p = strstr(text, part); p != NULL; p = strstr(p + 1, part)) {
        found++;
    }
    return found;
}

/* Many boxes that each cross the next: one place with many layers, and none within another. */
static void layers_of_one_place_lie_side_by_side(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 900);
    static char names[12][8];
    for (int i = 0; i < 12; i++) {
        snprintf(names[i], sizeof names[i], "Box %c", 'A' + i);
        scene_box(&kit, 40 + 30 * i, 40 + 50 * i, 300 + i, 120, 0xeeeeeeff - 0x0a000000u * i);
        scene_text(&kit, names[i], 60 + 30 * i, 66 + 50 * i, 40);
    }
    char *html = page_of(&kit, false);
    CHECK(count(html, " layers layers-apart\">") <= 2);
    for (int i = 0; i < 12; i++) {
        CHECK(strstr(html, names[i]) != NULL);
    }
    free(html);
}

/* A text that was joined across two columns lies over them; the columns stay columns. */
static void a_text_across_columns_leaves_them_columns(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 900);
    for (int i = 0; i < 7; i++) {
        scene_box(&kit, 40, 40 + 60 * i, 200, 40, 0xeeeeeeff);
        scene_box(&kit, 300, 70 + 60 * i, 400 - 10 * i, 40, 0xddddddff);
    }
    scene_text(&kit, "Across both", 180, 260, 200);
    char *html = page_of(&kit, false);
    CHECK(count(html, " layers\">") + count(html, " layers layers-apart\">") == 1);
    CHECK(strstr(html, "z-index: 1") != NULL);
    CHECK(strstr(html, " row\"") != NULL);
    CHECK(strstr(html, "Across both") != NULL);
    free(html);
}

int main(void)
{
    layers_of_one_place_lie_side_by_side();
    a_text_across_columns_leaves_them_columns();
    TEST_END();
}
