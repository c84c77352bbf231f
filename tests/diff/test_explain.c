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

/* The box of a card: an edge, a fill, a word, as far as they are wanted. */
enum { FILL = 1, EDGE = 2, WORD = 4, SHADOW = 8 };

static void card(struct glmv_image *image, int x, int y, int w, int h, int parts)
{
    for (int i = 6; (parts & SHADOW) != 0 && i > 0; i--) {
        box(image, x - i, y - i + 3, w + 2 * i, h + 2 * i, 0x010101 * (uint32_t)(190 + i * 10));
    }
    if ((parts & EDGE) != 0) {
        box(image, x, y, w, h, 0x334455);
        box(image, x + 1, y + 1, w - 2, h - 2, 0xffffff);
    }
    if ((parts & FILL) != 0) {
        box(image, x + 1, y + 1, w - 2, h - 2, 0x2255cc);
    }
    if ((parts & WORD) != 0) {
        word(image, x + 20, y + h / 2, 5);
    }
}

static void moves_by_less_than_the_size_are_one(void)
{
    static const int ways[][2] = {{40, 0}, {-40, 0}, {0, 30}, {0, -30}, {33, 17}, {-1, 0}, {0, 2}};
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
        for (int parts = 1; parts < 16; parts++) {
            int dx = ways[k][0];
            int dy = ways[k][1];
            struct glmv_image *a = page();
            struct glmv_image *b = page();
            if ((parts & (FILL | EDGE)) == 0) {
                parts |= FILL;
            }
            int inset = (parts & EDGE) == 0; /* a fill without an edge is a pixel smaller */
            bool shaded = (parts & SHADOW) != 0;
            card(a, 80, 70, 120, 60, parts);
            card(b, 80 + dx, 70 + dy, 120, 60, parts);
            struct glmv_finding f = only(a, b);
            CHECK_MSG(f.change == GLMV_CHANGE_MOVED && f.dx == dx && f.dy == dy,
                      "%d, %d of %d: %d by %d, %d", dx, dy, parts, f.change, f.dx, f.dy);
            CHECK_MSG(shaded || (f.region.x == 80 + inset && f.region.y == 70 + inset &&
                                 f.region.w == 120 - 2 * inset && f.region.h == 60 - 2 * inset),
                      "%d: %d, %d, %d x %d", parts, f.region.x, f.region.y, f.region.w, f.region.h);
        }
    }
}

static void moves_are_said_in_plain_words(void)
{
    static const struct {
        int dx, dy;
        const char *words;
    } cases[] = {{7, 0, "moved 7 px to the right."},
                 {-7, 0, "moved 7 px to the left."},
                 {0, 3, "moved 3 px down."},
                 {-2, -3, "moved 2 px to the left and 3 px up."}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct glmv_finding f = {.change = GLMV_CHANGE_MOVED, .dx = cases[i].dx, .dy = cases[i].dy};
        struct glmv_buf text;
        glmv_buf_init(&text, 1000);
        CHECK(glmv_finding_sentence(&f, &text, NULL));
        CHECK_MSG(strstr(text.data, cases[i].words) != NULL, "%s", text.data);
        glmv_buf_release(&text);
    }
}

static void a_row_of_boxes_moves_as_one(void)
{
    struct glmv_image *a = page();
    struct glmv_image *b = page();
    for (int i = 0; i < 2; i++) {
        box(a, 20 + i * 120, 50, 100, 40, 0x2255cc);
        box(b, 50 + i * 120, 50, 100, 40, 0x2255cc);
    }
    struct glmv_finding f = only(a, b);
    CHECK(f.change == GLMV_CHANGE_MOVED && f.dx == 30 && f.dy == 0 && f.region.w == 220);
}

/* Boxes side by side, of which one gives what the other takes, did not move. */
static void what_only_looks_like_two_ends_is_no_move(void)
{
    struct glmv_image *a = page();
    struct glmv_image *b = page();
    box(a, 40, 20, 100, 40, 0x2255cc);
    box(b, 40, 20, 140, 40, 0x2255cc);
    box(a, 40, 120, 140, 40, 0x2255cc);
    box(b, 40, 120, 100, 40, 0x2255cc);
    size_t regions;
    size_t found = 0;
    struct glmv_region *list = glmv_diff_regions(a, b, 0.1, 12, &regions, NULL);
    struct glmv_finding *f = glmv_diff_explain(a, b, list, regions, &found, NULL);
    CHECK(found == 2 && f[0].change == GLMV_CHANGE_SIZE && f[1].change == GLMV_CHANGE_SIZE);
    free(f);
    /* A box that moved while a word in it changed: both are told. */
    box(a, 0, 0, W, H, 0xffffff);
    box(b, 0, 0, W, H, 0xffffff);
    box(a, 20, 20, 200, 140, 0x2255cc);
    box(b, 60, 20, 200, 140, 0x2255cc);
    box(b, 150, 80, 12, 10, 0xffcc00);
    free(list);
    list = glmv_diff_regions(a, b, 0.1, 12, &regions, NULL);
    f = glmv_diff_explain(a, b, list, regions, &found, NULL);
    CHECK_MSG(found == 2, "%zu", found);
    CHECK(f[0].change == GLMV_CHANGE_MOVED && f[0].dx == 40 && f[0].region.w == 200);
    CHECK(found == 2 && f[1].change != GLMV_CHANGE_MOVED && f[1].region.x == 150);
    free(list);
    free(f);
    glmv_image_free(a);
    glmv_image_free(b);
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
    moves_by_less_than_the_size_are_one();
    moves_are_said_in_plain_words();
    a_row_of_boxes_moves_as_one();
    what_only_looks_like_two_ends_is_no_move();
    colours_sizes_and_texts_are_told_apart();
    boxes_that_grow_have_both_sizes();
    TEST_END();
}
