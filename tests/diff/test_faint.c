#include "diff/faint.h"
#include "tests/check.h"

enum { W = 300, H = 200 };

static struct glmv_image *page(void)
{
    struct glmv_image *image = glmv_image_new(W, H, NULL);
    memset(image->rgba, 255, (size_t)W * H * 4);
    return image;
}

static void box(struct glmv_image *image, int x, int y, int w, int h, uint32_t rgb)
{
    for (int row = y; row < y + h; row++) {
        for (int column = x; column < x + w; column++) {
            uint8_t *p = image->rgba + ((size_t)row * W + (size_t)column) * 4;
            p[0] = (uint8_t)(rgb >> 16);
            p[1] = (uint8_t)(rgb >> 8);
            p[2] = (uint8_t)rgb;
        }
    }
}

static struct glmv_finding *find(const struct glmv_image *a, const struct glmv_image *b,
                                 size_t *count)
{
    struct glmv_finding *list = glmv_diff_faint(a, b, NULL, 0.1, 12, count, NULL);
    CHECK(list != NULL);
    return list;
}

static void flat_areas_below_the_threshold_are_named(void)
{
    struct glmv_image *a = page();
    struct glmv_image *b = page();
    size_t count;
    box(a, 21, 33, 70, 20, 0x2255cc);
    box(b, 21, 33, 70, 20, 0x2a60cc);
    box(b, 150, 100, 20, 20, 0xf6f6ff);
    struct glmv_finding *list = find(a, b, &count);
    CHECK(count == 2);
    if (count == 2) {
        CHECK(list[0].change == GLMV_CHANGE_COLOUR && list[0].faint);
        CHECK(list[0].before == 0x2255cc && list[0].after == 0x2a60cc && list[0].delta_e > 1);
        const struct glmv_region *r = &list[0].region;
        CHECK(r->x == 21 && r->y == 33 && r->w == 70 && r->h == 20 && r->pixels == 1400);
        CHECK(list[1].region.x == 150 && list[1].after == 0xf6f6ff);
    }
    free(list);
    glmv_image_free(a);
    glmv_image_free(b);
}

static void what_is_seen_already_or_never_is_not(void)
{
    struct glmv_image *a = page();
    struct glmv_image *b = page();
    size_t count;
    box(b, 10, 10, 80, 40, 0x208020);  /* above the threshold */
    box(b, 150, 10, 80, 40, 0xfefeff); /* no one sees it */
    box(b, 150, 100, 7, 9, 0xf0f0ff);  /* 63 pixels */
    struct glmv_finding *list = find(a, b, &count);
    CHECK_MSG(count == 0, "%zu", count);
    free(list);
    /* Noise: every pixel changes, no two alike. */
    uint32_t seed = 7;
    for (size_t i = 0; i < (size_t)W * H * 4; i++) {
        seed = seed * 1664525u + 1013904223u;
        a->rgba[i] = i % 4 == 3 ? 255 : 200;
        b->rgba[i] = i % 4 == 3 ? 255 : (uint8_t)(195 + (seed >> 16) % 11);
    }
    list = find(a, b, &count);
    CHECK_MSG(count == 0, "%zu", count);
    free(list);
    glmv_image_free(a);
    glmv_image_free(b);
}

int main(void)
{
    flat_areas_below_the_threshold_are_named();
    what_is_seen_already_or_never_is_not();
    TEST_END();
}
