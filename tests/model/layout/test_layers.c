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

/* Code in running text: one paragraph, no box of its own beside it. */
static void words_with_a_surface_stay_in_their_paragraph(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    scene_text(&kit, "Everything the", 40, 60, 102);
    scene_box(&kit, 146, 47, 74, 18, 0xf0f0f0ff)->radius[0] = 3;
    struct glmv_scene_line *code = scene_text(&kit, "option()", 151, 60, 62);
    code->family = GLMV_FAMILY_MONO;
    code->font_px = 13;
    strcpy(code->font, "Liberation Mono");
    scene_text(&kit, "decorator passes goes", 224, 60, 150);
    scene_text(&kit, "lazydogs and then sleeps in the sun until noon", 40, 84, 330);
    scene_text(&kit, "afterwards.", 40, 108, 80);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "Everything the <code class=") != NULL);
    CHECK(strstr(html, ">option()</code> decorator passes goes lazydogs and then") != NULL);
    CHECK(strstr(html, "padding: 2px 6px 1px") != NULL);
    CHECK(count(html, "<div") == 0);
    free(html);
}

/* A button beside one line is no part of a text. */
static void a_button_beside_a_line_is_its_own(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    scene_text(&kit, "Everything the", 40, 60, 102);
    scene_box(&kit, 146, 45, 74, 24, 0xf0f0f0ff);
    scene_text(&kit, "Option", 160, 60, 46);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "Everything the<") != NULL);
    free(html);
}

int main(void)
{
    layers_of_one_place_lie_side_by_side();
    a_text_across_columns_leaves_them_columns();
    words_with_a_surface_stay_in_their_paragraph();
    a_button_beside_a_line_is_its_own();
    TEST_END();
}
