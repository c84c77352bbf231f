/* Lists of links, cells, badges: what a developer has elements for. */
#include "scenes.h"

#include "tests/check.h"

/* Short texts side by side beside a logo at the top. */
static void links_beside_a_logo_are_a_menu(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 600);
    scene_text(&kit, "Company", 20, 40, 70);
    scene_text(&kit, "Home", 400, 40, 40);
    scene_text(&kit, "Prices", 470, 40, 44);
    scene_text(&kit, "About", 544, 40, 42);
    scene_text(&kit, "Some text in the middle of the page", 40, 300, 270);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "<nav") != NULL && strstr(html, " aria-label=\"Main\"") != NULL);
    CHECK(strstr(html, "<a href=\"#\">Prices</a></li>") != NULL);
    CHECK(strstr(html, "<a href=\"#\">Company</a></li>") == NULL);
    free(html);
}

/* Entries in a column at the side of the page; the current one has a ground of its own. */
static void entries_of_a_sidebar_are_links_of_a_list(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 1000, 800);
    scene_box(&kit, 0, 0, 200, 800, 0x222222ff);
    scene_box(&kit, 10, 84, 180, 36, 0x0055aaff);
    static const char *const names[] = {"Home", "Cards", "Charts", "Tables", "Forms"};
    for (int i = 0; i < 5; i++) {
        scene_text(&kit, names[i], 30, 107 + 44 * i, 48);
    }
    scene_text(&kit, "Some text in the middle of the page", 400, 300, 270);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "<nav") != NULL && strstr(html, " aria-label=\"Sidebar\"") != NULL);
    CHECK(strstr(html, "<a href=\"#\">Charts</a></li>") != NULL);
    CHECK(strstr(html, ">Home</a>") != NULL);
    CHECK(strstr(html, "<button") == NULL);
    free(html);
}

/* The same distances in the middle of a page are a list, of no links. */
static void entries_in_the_middle_are_no_links(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 1000, 800);
    static const char *const names[] = {"Flour", "Sugar", "Butter", "Eggs"};
    for (int i = 0; i < 4; i++) {
        scene_text(&kit, names[i], 400, 300 + 44 * i, 48);
    }
    char *html = page_of(&kit, false);
    CHECK(strstr(html, ">Sugar</li>") != NULL);
    CHECK(strstr(html, "<a ") == NULL);
    free(html);
}

static void a_small_box_round_a_word_is_a_badge(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    scene_box(&kit, 40, 40, 72, 22, 0xd0ffd0ff)->radius[0] = 11;
    scene_text(&kit, "Approved", 48, 56, 56)->font_px = 12;
    scene_box(&kit, 240, 40, 120, 40, 0x0055aaff);
    scene_text(&kit, "Send it", 276, 66, 48);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "Approved</span>") != NULL);
    CHECK(strstr(html, "Send it</button>") != NULL);
    free(html);
}

/* While rounds go on texts of cells have elements that can be measured. */
static void texts_stand_right_in_their_cells(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 400);
    static const char *const cells[] = {"Name", "Place", "Sum",   "Anna", "Bern", "120",
                                        "Bert", "Paris", "86.50", "Carl", "Rome", "240.75"};
    for (int i = 0; i < 12; i++) {
        scene_text(&kit, cells[i], 40 + 200 * (i % 3), 60 + 50 * (i / 3), 44)->weight =
            i < 3 ? 700 : 400;
    }
    char *html = page_of(&kit, false);
    CHECK(strstr(html, ">Paris</td>") != NULL);
    CHECK(strstr(html, ">Place</th>") != NULL);
    free(html);
    html = page_of(&kit, true);
    CHECK(strstr(html, ">Paris</p>") != NULL);
    free(html);
}

static void a_blue_text_is_a_link(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 800);
    scene_text(&kit, "A sentence that says what there is.", 40, 160, 250);
    scene_text(&kit, "Forgot your password?", 40, 220, 160)->color = 0x0d6efdff;
    scene_text(&kit, "Some are green and no links", 40, 330, 200)->color = 0x198754ff;
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "<a href=\"#\">Forgot your password?</a></p>") != NULL);
    CHECK(strstr(html, "green and no links</p>") != NULL);
    free(html);
}

/* Words of another colour within a line: black among grey sets off, blue leads somewhere. */
static void a_run_is_a_link_where_it_has_a_colour(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 800);
    scene_text(&kit, "Subject", 40, 160, 50)->color = 0x000000ff;
    scene_text(&kit, "and the words of the mail that follow", 94, 160, 250)->color = 0x666666ff;
    scene_text(&kit, "Details", 40, 260, 50)->color = 0x0d6efdff;
    scene_text(&kit, "and the words of the page that follow", 94, 260, 250)->color = 0x666666ff;
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "\">Subject</span>") != NULL);
    CHECK(strstr(html, "href=\"#\">Details</a>") != NULL);
    free(html);
}

/* The page without marks has what the rounds measured, where it is asked for. */
static void texts_of_cells_keep_elements_where_asked(void)
{
    for (int apart = 0; apart < 2; apart++) {
        struct scene_kit kit;
        scene_begin(&kit, 800, 300);
        for (int i = 0; i < 4; i++) {
            scene_text(&kit, "Tokyo is", 40, 60 + 20 * i, 60)->cell = true;
            scene_text(&kit, "far away", 140, 60 + 20 * i, 60)->cell = true;
        }
        struct glmv_draft *draft = draft_of(&kit);
        if (apart) {
            glmv_draft_keep_texts_apart(draft);
        }
        char *html = page_of_draft(draft, false);
        CHECK(strstr(html, "data-glmv") == NULL && count_of(html, "<td") == 8);
        CHECK((strstr(html, "Tokyo is</td>") == NULL) == (apart == 1));
        free(html);
    }
}

int main(void)
{
    links_beside_a_logo_are_a_menu();
    entries_of_a_sidebar_are_links_of_a_list();
    entries_in_the_middle_are_no_links();
    a_small_box_round_a_word_is_a_badge();
    texts_stand_right_in_their_cells();
    a_blue_text_is_a_link();
    a_run_is_a_link_where_it_has_a_colour();
    texts_of_cells_keep_elements_where_asked();
    TEST_END();
}
