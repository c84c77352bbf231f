#include "diff/noise.h"
#include "tests/check.h"

static struct glmv_image *pair_of(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "tests/diff/pairs/%s.png", name);
    return glmv_image_read(path, NULL);
}

static double score(const struct glmv_image *a, const struct glmv_image *b)
{
    double s = -1;
    CHECK(glmv_diff_noise(a, b, &s, NULL));
    return s;
}

static void changes_score_above_the_limit(void)
{
    struct glmv_image *base = pair_of("base");
    static const char *const names[] = {"colour", "text", "banner"};
    CHECK(score(base, base) == 0);
    for (size_t i = 0; i < 3; i++) {
        struct glmv_image *other = pair_of(names[i]);
        double there = score(base, other);
        CHECK_MSG(there > GLMV_NOISE_LIMIT, "%s: %.0f", names[i], there);
        CHECK(score(other, base) == there);
        glmv_image_free(other);
    }
    glmv_image_free(base);
}

/* Every pixel a little off, and a picture that is shifted by 0.15 px: what
 * other hinting and parts of a pixel do. */
static void noise_stays_below_it(void)
{
    struct glmv_image *base = pair_of("base");
    struct glmv_image *other = pair_of("base");
    size_t count = (size_t)base->width * (size_t)base->height;
    for (size_t i = 0; i < count * 4; i++) {
        int v = base->rgba[i] + (int)(i * 7 % 5) - 2;
        other->rgba[i] = (uint8_t)(i % 4 == 3 ? 255 : v < 0 ? 0 : v > 255 ? 255 : v);
    }
    CHECK_MSG(score(base, other) <= GLMV_NOISE_LIMIT, "%.0f", score(base, other));
    for (size_t i = 4; i < count * 4; i++) {
        other->rgba[i] = (uint8_t)((base->rgba[i] * 17 + base->rgba[i - 4] * 3) / 20);
    }
    CHECK_MSG(score(base, other) <= GLMV_NOISE_LIMIT, "%.0f", score(base, other));
    glmv_image_free(base);
    glmv_image_free(other);
}

/* A change far down the page, after rows that are equal. */
static void rows_that_are_skipped_change_nothing(void)
{
    struct glmv_image *a = glmv_image_new(64, 90, NULL);
    struct glmv_image *b = glmv_image_new(64, 90, NULL);
    memset(a->rgba, 255, 64 * 90 * 4);
    memset(b->rgba, 255, 64 * 90 * 4);
    memset(b->rgba + (70 * 64 + 20) * 4, 0, 8 * 4);
    memset(b->rgba + (71 * 64 + 20) * 4, 0, 8 * 4);
    double low = score(a, b);
    struct glmv_image *top_a = glmv_image_crop(a, 0, 64, 64, 26, NULL);
    struct glmv_image *top_b = glmv_image_crop(b, 0, 64, 64, 26, NULL);
    CHECK(low > 0 && score(top_a, top_b) == low);
    glmv_image_free(a);
    glmv_image_free(b);
    glmv_image_free(top_a);
    glmv_image_free(top_b);
}

int main(void)
{
    changes_score_above_the_limit();
    noise_stays_below_it();
    rows_that_are_skipped_change_nothing();
    TEST_END();
}
