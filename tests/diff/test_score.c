#include "diff/diff.h"
#include "tests/check.h"

#include <math.h>

/* Light paper with dark boxes where the page number's bits say so. */
static struct glmv_image *paper(int w, int h)
{
    struct glmv_image *image = glmv_image_new(w, h, NULL);
    memset(image->rgba, 250, (size_t)w * (size_t)h * 4);
    glmv_image_flatten(image, 0xffffff);
    for (size_t i = 0; i < (size_t)w * (size_t)h; i++) {
        image->rgba[i * 4 + 3] = 255;
    }
    return image;
}

static void box(struct glmv_image *image, int x, int y, int w, int h, unsigned rgb)
{
    for (int row = y; row < y + h; row++) {
        for (int col = x; col < x + w; col++) {
            uint8_t *p = image->rgba + ((size_t)row * (size_t)image->width + (size_t)col) * 4;
            p[0] = (uint8_t)(rgb >> 16);
            p[1] = (uint8_t)(rgb >> 8);
            p[2] = (uint8_t)rgb;
        }
    }
}

static void equal_pictures_score_one(void)
{
    struct glmv_image *a = paper(300, 450);
    box(a, 20, 30, 100, 40, 0x204080);
    struct glmv_score s;
    CHECK(glmv_diff_score(a, a, &s, NULL));
    CHECK(s.total == 1 && s.pixel == 1 && fabs(s.ssim - 1) < 1e-12 && s.size == 1);
    CHECK(s.slice_count == 3 && fabs(s.slices[2] - 1) < 1e-12);
    size_t count;
    struct glmv_region *r = glmv_diff_regions(a, a, 0.1, 10, &count, NULL);
    CHECK(count == 0);
    free(r);
    glmv_image_free(a);
}

static void a_change_lowers_its_slice_and_makes_a_region(void)
{
    struct glmv_image *a = paper(300, 450);
    struct glmv_image *b = paper(300, 450);
    box(b, 50, 250, 60, 30, 0xcc0000);
    box(b, 200, 20, 20, 10, 0x00cc00);
    struct glmv_score s;
    CHECK(glmv_diff_score(a, b, &s, NULL));
    CHECK(s.total < 1);
    CHECK(fabs(s.pixel - (1 - (60.0 * 30 + 20 * 10) / (300.0 * 450))) < 1e-9);
    CHECK(s.slices[1] < s.slices[0] && s.slices[0] < s.slices[2]);
    size_t count;
    struct glmv_region *r = glmv_diff_regions(a, b, 0.1, 10, &count, NULL);
    CHECK(count == 2);
    CHECK(count == 2 && r[0].x == 50 && r[0].y == 250 && r[0].w == 60 && r[0].h == 30 &&
          r[0].pixels == 1800);
    CHECK(count == 2 && r[1].x == 200 && r[1].y == 20 && r[1].w == 20 && r[1].h == 10);
    free(r);
    glmv_image_free(a);
    glmv_image_free(b);
}

static void what_only_one_has_is_different(void)
{
    struct glmv_image *a = paper(100, 100);
    struct glmv_image *b = paper(100, 150);
    struct glmv_score s;
    CHECK(glmv_diff_score(a, b, &s, NULL));
    CHECK(fabs(s.total - 100.0 / 150) < 1e-9);
    size_t count;
    struct glmv_region *r = glmv_diff_regions(a, b, 0.1, 10, &count, NULL);
    CHECK(count == 1 && r[0].y == 100 && r[0].h == 50);
    free(r);
    struct glmv_image *d = glmv_diff_picture(a, b, 0.1, NULL);
    CHECK(d != NULL && d->height == 150 && d->rgba[(120 * 100) * 4] == 220 && d->rgba[0] != 220);
    glmv_image_free(d);
    glmv_image_free(a);
    glmv_image_free(b);
}

static void what_lies_beside_the_picture_is_charged(void)
{
    struct glmv_image *a = paper(300, 450);
    struct glmv_score s;
    CHECK(glmv_diff_score(a, a, &s, NULL));
    glmv_score_charge_width(&s, 300, 300);
    glmv_score_charge_width(&s, 300, 200);
    CHECK(s.total == 1 && s.size == 1);
    glmv_score_charge_width(&s, 300, 400);
    CHECK(fabs(s.total - 0.75) < 1e-9 && fabs(s.size - 0.75) < 1e-9 && s.pixel == 1);
    glmv_image_free(a);
}

static void thresholds_mean_what_pixelmatch_means(void)
{
    /* Black against grey g: 0.5053 g^2 against 35215 t^2 = 352.15 turns at g = 26.4. */
    const uint8_t black[3] = {0, 0, 0};
    const uint8_t below[3] = {26, 26, 26};
    const uint8_t above[3] = {27, 27, 27};
    CHECK(!glmv_diff_pixel(black, below, 0.1));
    CHECK(glmv_diff_pixel(black, above, 0.1));
}

static void tiny_pictures_are_measured(void)
{
    struct glmv_image *a = paper(1, 1);
    struct glmv_image *b = paper(3, 2);
    struct glmv_score s;
    CHECK(glmv_diff_score(a, b, &s, NULL));
    CHECK(s.total > 0 && s.total < 1);
    glmv_image_free(a);
    glmv_image_free(b);
}

int main(void)
{
    equal_pictures_score_one();
    a_change_lowers_its_slice_and_makes_a_region();
    what_only_one_has_is_different();
    what_lies_beside_the_picture_is_charged();
    thresholds_mean_what_pixelmatch_means();
    tiny_pictures_are_measured();
    TEST_END();
}
