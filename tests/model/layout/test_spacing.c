/* Regularities: what neighbours keep from each other and from the edges is said by their parent. */
#include "scenes.h"

#include <math.h>

#include "model/tracer/spacing.h"
#include "tests/check.h"

static void distances_that_differ_by_rounding_are_one_gap(void)
{
    double steps[] = {18, 17, 18, 17};
    double early;
    double gap = tracer_gap_find(steps, 4, (struct tracer_slack){0.49, 0.5}, &early);
    CHECK(gap == 17.5 && fabs(early) <= 0.5);
    for (int i = 0; i < 4; i++) {
        CHECK(steps[i] == 0);
    }
}

static void one_that_deviates_keeps_the_rest(void)
{
    double steps[] = {16, 16, 30, 16};
    double early;
    CHECK(tracer_gap_find(steps, 4, (struct tracer_slack){0.49, 0.5}, &early) == 16);
    CHECK(steps[0] == 0 && steps[1] == 0 && steps[2] == 14 && steps[3] == 0);
}

static void distances_of_their_own_have_no_gap(void)
{
    double steps[] = {4, 31, 12, 50};
    double early;
    CHECK(tracer_gap_find(steps, 4, (struct tracer_slack){0.49, 0.5}, &early) == 0);
    CHECK(steps[0] == 4 && steps[3] == 50);
    double back[] = {16, 16, 3, 16, 2}; /* two of five would have to go back */
    CHECK(tracer_gap_find(back, 5, (struct tracer_slack){0.49, 0.5}, &early) == 0);
}

static void boxes_in_a_row(struct scene_kit *kit, const double *x, int boxes)
{
    scene_begin(kit, 800, 300);
    for (int i = 0; i < boxes; i++) {
        scene_box(kit, x[i], 40, 60 + 10 * i, 60, 0xeeeeeeff);
    }
}

static void a_row_of_equal_distances_has_a_gap(void)
{
    struct scene_kit kit;
    boxes_in_a_row(&kit, (const double[]){40, 116, 202, 298}, 4);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "gap: 16px") != NULL && strstr(html, "margin-left") == NULL);
    free(html);
    boxes_in_a_row(&kit, (const double[]){40, 116, 202, 318}, 4); /* the last one 20 px further */
    html = page_of(&kit, false);
    CHECK(strstr(html, "gap: 16px") != NULL && strstr(html, "margin-left: 20px") != NULL);
    free(html);
}

static void what_all_keep_from_the_edges_is_padding(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    scene_box(&kit, 40, 40, 300, 109, 0xeeeeeeff);
    for (int i = 0; i < 3; i++) { /* lines of 21 px: baselines are 16 px below their upper edge */
        scene_text(&kit, i == 1 ? "A second text" : "One text", 60, 72 + 28 * i, 80 + 9 * i);
    }
    char *html = page_of(&kit, false);

    CHECK(strstr(html, "padding: 16px 20px") != NULL && strstr(html, "gap: 7px") != NULL);
    CHECK(strstr(html, "min-height: 109px") == NULL);
    CHECK(count_of(html, "margin-top") <= 1 && strstr(html, "margin-left: 20px") == NULL);
    free(html);
}

static void what_shares_a_middle_is_centred(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    scene_box(&kit, 0, 0, 800, 64, 0x224466ff);
    scene_box(&kit, 20, 12, 40, 40, 0xddddddff);
    scene_text(&kit, "Brand", 76, 38, 44);
    scene_box(&kit, 136, 22, 60, 20, 0xccccccff);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "align-items: center") != NULL);
    CHECK(strstr(html, "margin-top") == NULL);
    free(html);
}

static void what_ends_at_the_right_edge_is_pushed_there(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    scene_box(&kit, 0, 0, 800, 64, 0x224466ff);
    scene_text(&kit, "Brand", 24, 38, 44);
    scene_text(&kit, "Sign in", 722, 38, 54);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "justify-content: space-between") != NULL);
    CHECK(strstr(html, "0 24px") != NULL);
    CHECK(strstr(html, "margin-left") == NULL);
    free(html);
    scene_text(&kit, "Docs", 84, 38, 36);
    html = page_of(&kit, false);
    CHECK(strstr(html, "margin-left: auto") != NULL && strstr(html, "gap: 16px") != NULL);
    free(html);
}

/* Room at the right that is as wide as a phone is no edge to stand at. */
static void what_ends_far_from_the_edge_stays(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 1200, 300);
    scene_box(&kit, 0, 0, 1200, 200, 0x224466ff);
    scene_text(&kit, "One", 500, 38, 30);
    scene_text(&kit, "Two", 660, 38, 30);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "space-between") == NULL);
    CHECK(strstr(html, "padding-inline: max(16px, calc(50% - 100px))") != NULL);
    free(html);
}

static void equal_cards_side_by_side_are_a_grid(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    for (int i = 0; i < 3; i++) {
        scene_box(&kit, 20 + 260 * i, 50, 240, 120, 0xeeeeeeff);
        scene_text(&kit, "A card", 40 + 260 * i, 90, 50);
    }
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "repeat(auto-fit, minmax(min(100%, 200px), 1fr))") != NULL);
    CHECK(strstr(html, "gap: 20px") != NULL && strstr(html, " width: 240px") == NULL);
    free(html);
}

/* The line reaches 2 px below the box that its letters end in. */
static void what_sticks_out_makes_nothing_higher(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 800, 300);
    scene_box(&kit, 20, 40, 300, 34, 0xddddddff);
    scene_text(&kit, "Some words", 30, 71, 80);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "min-height: 34px") != NULL && strstr(html, "margin-bottom: -2px") != NULL);
    free(html);
}

static void a_column_in_the_middle_has_a_width_of_its_own(void)
{
    struct scene_kit kit;
    scene_begin(&kit, 1000, 400);
    scene_text(&kit, "A heading", 200, 80, 90);
    scene_box(&kit, 200, 120, 600, 80, 0xeeeeeeff);
    scene_text(&kit, "Some text", 200, 250, 80);
    char *html = page_of(&kit, false);
    CHECK(strstr(html, "max-width: 600px") != NULL && strstr(html, "margin-inline: auto") != NULL);
    CHECK(strstr(html, "margin-left") == NULL);
    free(html);
}

int main(void)
{
    distances_that_differ_by_rounding_are_one_gap();
    one_that_deviates_keeps_the_rest();
    distances_of_their_own_have_no_gap();
    a_row_of_equal_distances_has_a_gap();
    what_all_keep_from_the_edges_is_padding();
    what_shares_a_middle_is_centred();
    what_ends_at_the_right_edge_is_pushed_there();
    what_ends_far_from_the_edge_stays();
    equal_cards_side_by_side_are_a_grid();
    what_sticks_out_makes_nothing_higher();
    a_column_in_the_middle_has_a_width_of_its_own();
    TEST_END();
}
