#include "diff/colour.h"
#include "diff/diff.h"
#include "diff/difference.h"
#include "diff/judge.h"
#include "diff/pixels.h"
#include "diff/scan.h"
#include "diff/shift.h"
#include "tests/check.h"

#include <math.h>

static struct glmv_image *pair_of(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "tests/diff/pairs/%s.png", name);
    return glmv_image_read(path, NULL);
}

/* counts.txt holds what the peers counted; pairs.sh makes it again. */
static void counts_are_those_of_pixelmatch_and_odiff(void)
{
    FILE *file = fopen("tests/diff/pairs/counts.txt", "r");
    CHECK(file != NULL);
    struct glmv_image *base = pair_of("base");
    char line[160];
    int rows = 0;
    while (file != NULL && base != NULL && fgets(line, sizeof line, file) != NULL) {
        char name[32];
        char peer[16];
        double threshold;
        size_t all;
        size_t solid;
        if (sscanf(line, "%31s %lf %zu %zu %15s", name, &threshold, &all, &solid, peer) != 5) {
            continue;
        }
        rows++;
        struct glmv_image *other = pair_of(name);
        CHECK(other != NULL);
        struct glmv_pixel_options options = {threshold, false};
        struct glmv_pixel_count count;
        glmv_diff_count(base, other, &options, &count, NULL);
        CHECK_MSG(count.differing == all, "%s at %g: %zu, pixelmatch %zu", name, threshold,
                  count.differing, all);
        if (strcmp(peer, "-") != 0) { /* odiff counts with 12-bit fractions */
            double odiff = strtod(peer, NULL);
            CHECK_MSG(fabs((double)count.differing - odiff) <= 2 + odiff * 0.003,
                      "%s at %g: %zu, odiff %s", name, threshold, count.differing, peer);
        }
        options.antialiasing = true;
        glmv_diff_count(base, other, &options, &count, NULL);
        CHECK_MSG(count.differing == solid, "%s at %g: %zu, pixelmatch %zu", name, threshold,
                  count.differing, solid);
        CHECK(count.differing + count.antialiased == all);
        glmv_image_free(other);
    }
    CHECK(rows == 21);
    glmv_image_free(base);
    if (file != NULL) {
        fclose(file);
    }
}

static void what_one_picture_lacks_differs(void)
{
    struct glmv_image *a = pair_of("base");
    struct glmv_image *b = glmv_image_crop(a, 0, 0, a->width - 3, a->height - 5, NULL);
    struct glmv_pixel_options options = {0.1, true};
    struct glmv_pixel_count count;
    uint8_t *marks = malloc((size_t)a->width * (size_t)a->height);
    glmv_diff_count(a, b, &options, &count, marks);
    size_t want = (size_t)a->width * 5 + (size_t)(a->height - 5) * 3;
    CHECK(count.outside == want && count.differing == want);
    CHECK(marks[0] == GLMV_MARK_SAME && marks[a->width - 1] == GLMV_MARK_DIFFERENT);
    free(marks);
    glmv_image_free(a);
    glmv_image_free(b);
}

static void a_banner_is_one_insertion(void)
{
    struct glmv_image *a = pair_of("base");
    struct glmv_image *b = pair_of("banner");
    size_t count;
    struct glmv_gap gaps[8];
    struct glmv_band *bands = glmv_diff_bands(a, b, &count, NULL);
    CHECK(count >= 1 && bands[0].y == 0 && bands[0].dy == 20);
    size_t found = count < 8 ? glmv_diff_gaps(bands, count, a->height, b->height, gaps) : 0;
    CHECK(found >= 1 && gaps[0].inserted && gaps[0].y == 0 && gaps[0].h == 20);
    free(bands);
    bands = glmv_diff_bands(b, a, &count, NULL);
    found = count < 8 ? glmv_diff_gaps(bands, count, b->height, a->height, gaps) : 0;
    CHECK(found >= 1 && !gaps[0].inserted && gaps[0].y == 0 && gaps[0].h == 20);
    free(bands);
    glmv_image_free(b);
    b = pair_of("colour");
    bands = glmv_diff_bands(a, b, &count, NULL);
    CHECK(count == 1 && bands[0].dy == 0 && bands[0].h == a->height);
    CHECK(glmv_diff_gaps(bands, count, a->height, b->height, gaps) == 0);
    free(bands);
    glmv_image_free(a);
    glmv_image_free(b);
}

/* From the test data of Sharma, Wu and Dalal 2005: the pairs that catch wrong hue means, wrong
 * signs and wrong greys. */
static void ciede2000_agrees_with_the_published_pairs(void)
{
    static const double rows[][7] = {
        {50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425},
        {50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615},
        {50, 2.8361, -74.0200, 50, 0, -82.7485, 3.4412},
        {50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0000},
        {50, 0, 0, 50, -1, 2, 2.3669},
        {50, 2.4900, -0.0010, 50, -2.4900, 0.0009, 7.1792},
        {50, 2.4900, -0.0010, 50, -2.4900, 0.0011, 7.2195},
        {50, -0.0010, 2.4900, 50, 0.0009, -2.4900, 4.8045},
        {50, 2.5, 0, 50, 0, -2.5, 4.3065},
        {50, 2.5, 0, 73, 25, -18, 27.1492},
        {50, 2.5, 0, 61, -5, 29, 22.8977},
        {50, 2.5, 0, 56, -27, -3, 31.9030},
        {50, 2.5, 0, 58, 24, 15, 19.4535},
        {60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644},
        {63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630},
        {22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373},
        {90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441},
        {6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377},
        {2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double *r = rows[i];
        struct glmv_lab p = {r[0], r[1], r[2]};
        struct glmv_lab q = {r[3], r[4], r[5]};
        CHECK_MSG(fabs(glmv_ciede2000(p, q) - r[6]) < 1e-4, "pair %zu: %.5f", i,
                  glmv_ciede2000(p, q));
        CHECK(fabs(glmv_ciede2000(q, p) - r[6]) < 1e-4);
    }
    struct glmv_lab white = glmv_lab_of(0xffffff);
    CHECK(fabs(white.l - 100) < 0.01 && fabs(white.a) < 0.01 && fabs(white.b) < 0.02);
}

static void every_scan_finds_the_same_groups(void)
{
    enum { SIZE = 5000 };
    uint8_t *a = calloc(SIZE, 1);
    uint8_t *b = calloc(SIZE, 1);
    uint32_t seed = 7;
    int paths = 0;
    for (int round = 0; round < 300; round++) {
        seed = seed * 1664525u + 1013904223u;
        size_t place = (seed >> 8) % SIZE;
        size_t len = SIZE - (seed >> 4) % 300;
        size_t from = place > 2000 ? (seed >> 20) % 7 * DIFF_GROUP : 0;
        b[place] = (uint8_t)(1 + round % 255);
        size_t want = diff_scan_on(DIFF_SCAN_PLAIN)(a, b, from, len);
        CHECK(want == len || want / DIFF_GROUP * DIFF_GROUP <= place);
        for (int path = DIFF_SCAN_SSE2; path < DIFF_SCAN_PATHS; path++) {
            diff_scan_fn *scan = diff_scan_on((enum diff_scan_path)path);
            paths += round == 0 && scan != NULL;
            CHECK(scan == NULL || scan(a, b, from, len) == want);
        }
        if (round % 3 != 0) {
            b[place] = 0;
        }
    }
    printf("%d vector paths on this machine\n", paths);
    free(a);
    free(b);
}

/* What each path is sure of is what the exact distance says; of translucent pixels none is. */
static void every_judge_is_right_where_it_is_sure(void)
{
    enum { ROUNDS = 3000 };
    uint8_t p[DIFF_GROUP];
    uint8_t q[DIFF_GROUP];
    uint32_t seed = 3;
    size_t sure = 0;
    size_t wrong = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double threshold = round % 11 / 10.0 * (round % 2 ? 1 : 0.3);
        for (int i = 0; i < DIFF_GROUP; i++) {
            seed = seed * 1664525u + 1013904223u;
            int spread = 1 << (round % 9);
            int value = (int)(seed >> 24) + (int)(seed >> 8) % spread - spread / 2;
            p[i] = (uint8_t)(seed >> 24);
            q[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            if (i % 4 == 3 && seed >> 3 & 1) {
                p[i] = q[i] = 255;
            }
        }
        for (int path = 0; path < DIFF_SCAN_PATHS; path++) {
            diff_judge_fn *judge = diff_judge_on((enum diff_scan_path)path);
            if (judge == NULL) {
                continue;
            }
            struct diff_judgement judged = judge(p, q, 35215 * threshold * threshold);
            CHECK((judged.far & judged.unsure) == 0);
            for (int i = 0; i < DIFF_JUDGED; i++) {
                const uint8_t *a = p + (size_t)i * 4;
                const uint8_t *b = q + (size_t)i * 4;
                bool is_sure = !(judged.unsure >> i & 1);
                bool opaque = a[3] == 255 && b[3] == 255;
                sure += is_sure;
                wrong += is_sure && memcmp(a, b, 4) != 0 &&
                         (!opaque || glmv_diff_pixel(a, b, threshold) != (judged.far >> i & 1));
            }
        }
    }
    CHECK_MSG(wrong == 0 && sure > ROUNDS, "%zu of %zu", wrong, sure);
}

/* Large enough for several threads: the strips join into one PNG with the marks' colours. */
static void the_difference_is_a_png_of_the_marks(void)
{
    enum { W = 1501, H = 1400 };
    struct glmv_image *a = glmv_image_new(W, H, NULL);
    struct glmv_image *b = glmv_image_new(W, H, NULL);
    memset(a->rgba, 255, (size_t)W * H * 4);
    for (size_t i = 0; i < (size_t)W * H; i++) {
        a->rgba[i * 4] = (uint8_t)(i / 9000);
        a->rgba[i * 4 + 1] = (uint8_t)(i % 301 < 40 ? i * 7 : 200);
    }
    memcpy(b->rgba, a->rgba, (size_t)W * H * 4);
    for (size_t i = 5; i < (size_t)W * H; i += 977) {
        b->rgba[i * 4 + 2] = 0;
    }
    struct glmv_pixel_options options = {0.1, false};
    struct glmv_pixel_count count;
    uint8_t *marks = calloc(W, H);
    glmv_diff_mark(a, b, &options, &count, marks);
    CHECK(count.differing == ((size_t)W * H - 6) / 977 + 1);
    struct glmv_buf png;
    glmv_buf_init(&png, 1 << 26);
    CHECK(glmv_diff_encode_png(a, marks, W, H, &png, NULL));
    struct glmv_image *picture = glmv_image_decode(png.data, png.len, "difference", NULL);
    CHECK(picture != NULL && picture->width == W && picture->height == H);
    size_t red = 0;
    size_t wrong = 0;
    for (size_t i = 0; picture != NULL && i < (size_t)W * H; i++) {
        const uint8_t *p = picture->rgba + i * 4;
        const uint8_t *q = a->rgba + i * 4;
        bool is_red = p[0] == 220 && p[1] == 20 && p[2] == 40;
        int dark = 255 - (int)((77u * q[0] + 150u * q[1] + 29u * q[2]) >> 8);
        int grey = 255 - dark / 19 * 19 / 5;
        red += is_red;
        wrong += is_red != (marks[i] == GLMV_MARK_DIFFERENT) || (!is_red && p[0] != grey);
    }
    CHECK_MSG(red == count.differing && wrong == 0, "%zu red, %zu wrong", red, wrong);
    glmv_buf_release(&png);
    free(marks);
    glmv_image_free(picture);
    glmv_image_free(a);
    glmv_image_free(b);
}

int main(void)
{
    every_scan_finds_the_same_groups();
    every_judge_is_right_where_it_is_sure();
    the_difference_is_a_png_of_the_marks();
    counts_are_those_of_pixelmatch_and_odiff();
    what_one_picture_lacks_differs();
    a_banner_is_one_insertion();
    ciede2000_agrees_with_the_published_pairs();
    TEST_END();
}
