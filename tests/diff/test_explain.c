#include "diff/explain.h"
#include "tests/check.h"

enum { W = 300, H = 200 };

static void box(struct glmv_image *image, int x, int y, int w, int h, uint32_t rgb)
{
    for (int row = y; row < y + h; row++) {
        for (int column = x; column < x + w; column++) {
            uint8_t *p = image->rgba + ((size_t)row * W + (size_t)column) * 4;
            p[0] = (uint8_t)(rgb >> 16);
            p[1] = (uint8_t)(rgb >> 8);
            p[2] = (uint8_t)rgb;
            p[3] = 255;
        }
    }
}

static struct glmv_image *page(void)
{
    struct glmv_image *image = glmv_image_new(W, H, NULL);
    box(image, 0, 0, W, H, 0xffffff);
    return image;
}

/* Strokes like those of a word; another seed is another word. */
static void word(struct glmv_image *image, int x, int y, unsigned seed)
{
    for (int i = 0; i < 8; i++, seed = seed * 1103515245u + 12345u) {
        box(image, x + i * 9, y + (int)(seed >> 16) % 5, 2, 8, 0x222222);
        box(image, x + i * 9, y + 2 + (int)(seed >> 20) % 8, 6, 2, 0x222222);
    }
}

static struct glmv_finding only(struct glmv_image *a, struct glmv_image *b)
{
    size_t regions;
    size_t found = 0;
    struct glmv_region *list = glmv_diff_regions(a, b, 0.1, 12, &regions, NULL);
    struct glmv_finding *findings = glmv_diff_explain(a, b, list, regions, &found, NULL);
    CHECK_MSG(found == 1, "%zu findings of %zu regions", found, regions);
    struct glmv_finding f = found > 0 ? findings[0] : (struct glmv_finding){0};
    free(list);
    free(findings);
    glmv_image_free(a);
    glmv_image_free(b);
    return f;
}

static void what_appears_and_vanishes_is_named(void)
{
    struct glmv_image *a = page();
    struct glmv_image *b = page();
    box(b, 40, 50, 60, 20, 0x2255cc);
    CHECK(only(a, b).change == GLMV_CHANGE_APPEARED);
    a = page();
    box(a, 40, 50, 60, 20, 0x2255cc);
    struct glmv_finding f = only(a, page());
    CHECK(f.change == GLMV_CHANGE_VANISHED && f.region.x == 40 && f.region.w == 60);
}

static void moves_have_their_distance(void)
{
    struct glmv_image *a = page();
    struct glmv_image *b = page();
    box(a, 40, 50, 60, 20, 0x2255cc);
    word(a, 45, 55, 3);
    box(b, 47, 48, 60, 20, 0x2255cc);
    word(b, 52, 53, 3);
    struct glmv_finding f = only(a, b);
    CHECK_MSG(f.change == GLMV_CHANGE_MOVED && f.dx == 7 && f.dy == -2, "%d: %d %d", f.change, f.dx,
              f.dy);
    a = page();
    b = page();
    word(a, 20, 20, 9);
    word(b, 180, 150, 9);
    f = only(a, b);
    CHECK(f.change == GLMV_CHANGE_MOVED && f.dx == 160 && f.dy == 130);
}

static void colours_sizes_and_texts_are_told_apart(void)
{
    struct glmv_image *a = page();
    struct glmv_image *b = page();
    box(a, 40, 50, 80, 24, 0x2255cc);
    word(a, 45, 55, 3);
    box(b, 40, 50, 80, 24, 0x1a9c5b);
    word(b, 45, 55, 3);
    struct glmv_finding f = only(a, b);
    CHECK(f.change == GLMV_CHANGE_COLOUR && f.before == 0x2255cc && f.after == 0x1a9c5b);
    CHECK(f.delta_e > 20);
    struct glmv_buf text;
    glmv_buf_init(&text, 1000);
    CHECK(glmv_finding_sentence(&f, &text, NULL));
    CHECK(strstr(text.data, "changed from #2255cc to #1a9c5b") != NULL);
    glmv_buf_release(&text);
    a = page();
    b = page();
    word(a, 20, 20, 9);
    word(b, 20, 20, 77);
    CHECK(only(a, b).change == GLMV_CHANGE_TEXT);
}

static void boxes_that_grow_have_both_sizes(void)
{
    struct glmv_image *a = page();
    struct glmv_image *b = page();
    box(a, 40, 50, 60, 30, 0x2255cc);
    box(b, 40, 50, 90, 30, 0x2255cc);
    struct glmv_finding f = only(a, b);
    CHECK(f.change == GLMV_CHANGE_SIZE && f.before_w == 60 && f.after_w == 90 && f.after_h == 30);
    a = page();
    b = page();
    box(a, 40, 50, 90, 40, 0x2255cc);
    box(b, 40, 50, 60, 30, 0x2255cc);
    f = only(a, b);
    CHECK_MSG(f.change == GLMV_CHANGE_SIZE && f.before_w == 90 && f.before_h == 40 &&
                  f.after_w == 60 && f.after_h == 30,
              "%d: %d x %d", f.change, f.before_w, f.before_h);
}

int main(void)
{
    what_appears_and_vanishes_is_named();
    moves_have_their_distance();
    colours_sizes_and_texts_are_told_apart();
    boxes_that_grow_have_both_sizes();
    TEST_END();
}
