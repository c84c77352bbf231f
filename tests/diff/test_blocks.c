#include "diff/assign.h"
#include "diff/blocks.h"
#include "diff/ssim.h"
#include "tests/check.h"

#include <math.h>

/* Checked with Python's difflib.SequenceMatcher(None, a, b, autojunk=False).ratio(). */
static void texts_compare_as_difflib_compares_them(void)
{
    static const struct {
        const char *a, *b;
        double ratio;
    } cases[] = {{"abcd", "bcde", 0.75},
                 {"Report of the week", "Rapport of the week", 34.0 / 37},
                 {"private thread", "private volatile thread", 28.0 / 37},
                 {"qabxcd", "abycdf", 8.0 / 12},
                 {"", "x", 0},
                 {"  Two\n words ", "two words", 1},
                 {"\xef\xbc\xa1\xef\xbc\xa2", "ab", 1},
                 {"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",
                  "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", 1},
                 {"\xef\xac\x81ve\xe2\x80\xa6", "five...", 1},
                 {"\xff\xfe", "a", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double got = glmv_diff_text(cases[i].a, cases[i].b);
        CHECK_MSG(fabs(got - cases[i].ratio) < 1e-9, "case %zu: %.6f", i, got);
    }
}

static void assignments_cost_the_least(void)
{
    static const double cost[] = {4, 1, 3, 2, 0, 5, 3, 2, 2};
    int column[4];
    CHECK(diff_assign(cost, 3, 3, column));
    CHECK(column[0] == 1 && column[1] == 0 && column[2] == 2);
    static const double tall[] = {5, 9, 1, 8, 7, 2, 3, 3};
    CHECK(diff_assign(tall, 4, 2, column));
    CHECK(column[0] == -1 && column[1] == 0 && column[2] == 1 && column[3] == -1);
    CHECK(diff_assign(tall, 2, 4, column));
    CHECK(column[0] == 2 && column[1] == 1);
}

static void equal_pages_score_one(void)
{
    struct glmv_block page[] = {{"A title", 0.1, 0.1, 0.3, 0.1, {0, 0, 0}},
                                {"Some words below", 0.1, 0.3, 0.4, 0.1, {90, 90, 90}}};
    struct glmv_block_score s;
    CHECK(glmv_diff_blocks(page, 2, page, 2, &s, NULL));
    CHECK(s.block == 1 && s.text == 1 && s.position == 1 && s.colour == 1 && s.matched == 2);
    CHECK(glmv_diff_blocks(page, 0, page, 0, &s, NULL) && s.block == 1);
    CHECK(glmv_diff_blocks(page, 2, page, 0, &s, NULL) && s.block == 0 && s.text == 0);
}

static void split_blocks_are_merged(void)
{
    struct glmv_block whole = {"Deliveries start on Monday", 0.1, 0.1, 0.4, 0.1, {0, 0, 0}};
    struct glmv_block parts[] = {{"Deliveries start", 0.1, 0.1, 0.2, 0.1, {0, 0, 0}},
                                 {"on Monday", 0.3, 0.1, 0.2, 0.1, {0, 0, 0}}};
    struct glmv_block_score s;
    CHECK(glmv_diff_blocks(parts, 2, &whole, 1, &s, NULL));
    CHECK(s.matched == 1 && s.page_blocks == 1 && fabs(s.block - 1) < 1e-9 && s.text == 1);
    CHECK(glmv_diff_blocks(&whole, 1, parts, 2, &s, NULL));
    CHECK(s.matched == 1 && s.reference_blocks == 1 && fabs(s.position - 1) < 1e-9);
}

static void what_is_missing_lowers_the_share_of_blocks(void)
{
    struct glmv_block both[] = {{"First", 0, 0, 0.5, 0.1, {255, 255, 255}},
                                {"Another", 0, 0.5, 0.5, 0.3, {255, 255, 255}}};
    struct glmv_block moved = {"First", 0.25, 0, 0.5, 0.1, {0, 0, 0}};
    struct glmv_block_score s;
    CHECK(glmv_diff_blocks(&moved, 1, both, 2, &s, NULL));
    CHECK(fabs(s.block - 0.1 / 0.25) < 1e-9);
    CHECK(fabs(s.position - 0.75) < 1e-9);
    CHECK(fabs(s.colour) < 1e-6);
}

static void ssim_is_one_for_equals_and_falls(void)
{
    struct glmv_image *a = glmv_image_read("tests/diff/pairs/base.png", NULL);
    struct glmv_image *b = glmv_image_read("tests/diff/pairs/banner.png", NULL);
    struct glmv_ssim s;
    CHECK(glmv_diff_ssim(a, a, &s, NULL));
    CHECK(fabs(s.ssim - 1) < 1e-6 && fabs(s.multi - 1) < 1e-6 && s.pixels == 1);
    CHECK(glmv_diff_ssim(a, b, &s, NULL));
    CHECK(s.ssim > 0.2 && s.ssim < 0.9 && s.multi < 0.9 && s.quarter < 0.9);
    glmv_image_free(a);
    glmv_image_free(b);
}

int main(void)
{
    texts_compare_as_difflib_compares_them();
    assignments_cost_the_least();
    equal_pages_score_one();
    split_blocks_are_merged();
    what_is_missing_lowers_the_share_of_blocks();
    ssim_is_one_for_equals_and_falls();
    TEST_END();
}
