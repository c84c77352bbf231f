/* Files read strip by strip give what whole pictures give. */
#include "diff/difference.h"
#include "diff/explain.h"
#include "diff/noise.h"
#include "diff/pixels.h"
#include "diff/stream.h"
#include "tests/check.h"

#include <png.h>

/* Of the pictures; set by each case. */
static size_t W = 360;
static size_t H = 500;

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* Boxes and lines of something like text. */
static struct glmv_image *paint(uint32_t seed)
{
    struct glmv_image *image = glmv_image_new((int)W, (int)H, NULL);
    memset(image->rgba, 255, W * H * 4);
    for (int i = 0; i < 60; i++) {
        int x = (int)(next(&seed) % (W - 120));
        int y = (int)(next(&seed) % (H - 40));
        uint32_t colour = next(&seed);
        for (int dy = 0; dy < 24; dy++) {
            for (int dx = 0; dx < 100; dx++) {
                uint8_t *p = image->rgba + ((size_t)(y + dy) * W + (size_t)(x + dx)) * 4;
                bool ink = i % 2 == 0 || (next(&seed) & 3) == 0;
                p[0] = ink ? (uint8_t)colour : 240;
                p[1] = ink ? (uint8_t)(colour >> 4) : 240;
                p[2] = ink ? (uint8_t)(colour >> 8) : 244;
            }
        }
    }
    return image;
}

static void keep(png_structp png, png_bytep from, size_t len)
{
    glmv_buf_append(png_get_io_ptr(png), from, len, NULL);
}

static void encode(const struct glmv_image *image, int filters, bool alpha, struct glmv_buf *out)
{
    glmv_buf_init(out, 1 << 24);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, out, keep, NULL);
    png_set_filter(png, 0, filters);
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 alpha ? PNG_COLOR_TYPE_RGBA : PNG_COLOR_TYPE_RGB, 0, 0, 0);
    png_write_info(png, info);
    if (!alpha) {
        png_set_filler(png, 0, PNG_FILLER_AFTER);
    }
    for (int y = 0; y < image->height; y++) {
        png_write_row(png, image->rgba + (size_t)y * (size_t)image->width * 4);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

static void change(struct glmv_image *image, int x, int y, int w, int h, uint8_t by)
{
    for (int dy = 0; dy < h; dy++) {
        for (int dx = 0; dx < w; dx++) {
            image->rgba[((size_t)(y + dy) * W + (size_t)(x + dx)) * 4 + 1] ^= by;
        }
    }
}

/* The picture made piece by piece and then marked shows what the one made of whole pictures does.
 */
static void check_difference(struct glmv_stream *s, const struct glmv_image *const whole[2])
{
    struct glmv_pixel_options options = {0.1, true};
    struct glmv_pixel_count count;
    uint8_t *marks = calloc(W, H);
    glmv_diff_mark(whole[0], whole[1], &options, &count, marks);
    struct glmv_buf files[2];
    struct glmv_image *pictures[2];
    for (int i = 0; i < 2; i++) {
        glmv_buf_init(&files[i], 1 << 24);
    }
    for (int y = 0; y < (int)H; y++) {
        glmv_difference_mark(s->difference, y, marks + (size_t)y * W);
    }
    CHECK(glmv_difference_png(s->difference, &files[0], NULL));
    CHECK(glmv_diff_encode_png(whole[0], marks, (int)W, (int)H, &files[1], NULL));
    for (int i = 0; i < 2; i++) {
        pictures[i] = glmv_image_decode(files[i].data, files[i].len, "difference", NULL);
        CHECK(pictures[i] != NULL);
    }
    CHECK(memcmp(pictures[0]->rgba, pictures[1]->rgba, W * H * 4) == 0);
    for (int i = 0; i < 2; i++) {
        glmv_buf_release(&files[i]);
        glmv_image_free(pictures[i]);
    }
    free(marks);
}

/* Held rows are the pictures', what is not held is the same in both, and no more is said to differ
 * than does. */
static void check_rows(const struct glmv_stream *s, const struct glmv_image *const whole[2])
{
    size_t wrong = 0;
    for (size_t y = 0; y < H; y++) {
        size_t at = y * W * 4;
        bool same = memcmp(whole[0]->rgba + at, whole[1]->rgba + at, W * 4) == 0;
        wrong += s->differs[y] == same;
        wrong += !s->held[y] && !same;
        for (int i = 0; i < 2 && s->held[y]; i++) {
            wrong += memcmp(s->images[i].rgba + at, whole[i]->rgba + at, W * 4) != 0;
        }
        for (size_t near = y < 3 ? 0 : y - 3; !same && near < H && near <= y + 3; near++) {
            wrong += !s->held[near];
        }
    }
    CHECK_MSG(wrong == 0, "%zu rows are wrong", wrong);
}

static void check_results(struct glmv_stream *s, const struct glmv_image *const whole[2])
{
    for (int aa = 0; aa < 2; aa++) {
        struct glmv_pixel_options options = {0.1, aa == 1};
        struct glmv_pixel_count count[2];
        uint8_t *marks[2] = {calloc(W, H), calloc(W, H)};
        glmv_diff_mark(whole[0], whole[1], &options, &count[0], marks[0]);
        glmv_diff_mark_rows(&s->images[0], &s->images[1], s->differs, &options, &count[1],
                            marks[1]);
        CHECK(count[0].differing == count[1].differing);
        CHECK(count[0].antialiased == count[1].antialiased);
        CHECK(memcmp(marks[0], marks[1], W * H) == 0);
        free(marks[0]);
        free(marks[1]);
    }
    double noise[2];
    CHECK(glmv_diff_noise(whole[0], whole[1], &noise[0], NULL));
    CHECK(glmv_diff_noise_in(&s->images[0], &s->images[1], s->differs, &noise[1], NULL));
    CHECK(noise[0] == noise[1]);
    size_t regions[2];
    size_t found[2];
    bool enough;
    struct glmv_region *a = glmv_diff_regions(whole[0], whole[1], 0.1, 12, &regions[0], NULL);
    struct glmv_region *b =
        glmv_diff_regions_in(&s->images[0], &s->images[1], s->differs, 0.1, 12, &regions[1], NULL);
    CHECK(regions[0] == regions[1] && memcmp(a, b, regions[0] * sizeof *a) == 0);
    struct glmv_finding *f = glmv_diff_explain(whole[0], whole[1], a, regions[0], &found[0], NULL);
    struct glmv_finding *g = glmv_diff_explain_in(&s->images[0], &s->images[1], s->held, b,
                                                  regions[1], &found[1], &enough, NULL);
    if (!enough) {
        free(g);
        CHECK(glmv_diff_stream_complete(s));
        CHECK(glmv_diff_stream_is_whole(s));
        g = glmv_diff_explain(&s->images[0], &s->images[1], b, regions[1], &found[1], NULL);
    }
    CHECK(found[0] == found[1]);
    for (size_t i = 0; i < found[0] && i < found[1]; i++) {
        CHECK(f[i].change == g[i].change && f[i].dx == g[i].dx && f[i].dy == g[i].dy);
        CHECK(memcmp(&f[i].region, &g[i].region, sizeof f[i].region) == 0);
        CHECK(f[i].before_h == g[i].before_h && f[i].after_h == g[i].after_h);
    }
    free(a);
    free(b);
    free(f);
    free(g);
}

static void strips_give_what_whole_pictures_give(void)
{
    static const int filters[] = {PNG_ALL_FILTERS, PNG_FILTER_PAETH, PNG_FILTER_SUB, PNG_FILTER_UP,
                                  PNG_FILTER_NONE};
    static const struct {
        int x, y, w, h;
        uint8_t by;
    } changes[] = {{0, 0, 1, 1, 128},    {200, 200, 60, 20, 90}, {0, 499, 360, 1, 64},
                   {350, 33, 10, 1, 2},  {10, 10, 20, 480, 50},  {0, 0, 360, 200, 255},
                   {150, 450, 30, 4, 1}, {0, 0, 0, 0, 0}};
    uint32_t seed = 5;
    for (size_t i = 0; i < 8 * 6; i++) {
        bool large = i == 17; /* both files get a thread */
        W = large ? 1800 : 360;
        H = large ? 1500 : 500;
        const struct glmv_image *whole[2] = {paint(7 + (uint32_t)i / 8),
                                             paint(7 + (uint32_t)i / 8)};
        struct glmv_image *b = (struct glmv_image *)whole[1];
        change(b, changes[i % 8].x, changes[i % 8].y, changes[i % 8].w, changes[i % 8].h,
               changes[i % 8].by);
        if (i % 5 == 4) { /* a second one elsewhere */
            change(b, (int)(next(&seed) % 300), (int)(next(&seed) % 460), 40, 30, 77);
        }
        struct glmv_buf files[2];
        encode(whole[0], filters[i / 8 % 5], i % 7 == 6, &files[0]);
        encode(whole[1], filters[(i / 8 + (i % 3 == 2)) % 5], i % 7 == 5, &files[1]);
        const struct glmv_stream_file both[2] = {{files[0].data, files[0].len},
                                                 {files[1].data, files[1].len}};
        struct glmv_arena memory = {0};
        struct glmv_stream s;
        /* 48 cases meet each number of threads, and what is chosen for them */
        const struct glmv_stream_options options = {.difference = true,
                                                    .whole = i % 11 == 10,
                                                    .most_share = .005,
                                                    .processors = (int)i % 5};
        bool read = glmv_diff_stream(&s, both, &options, &memory);
        CHECK_MSG(read, "case %zu", i);
        if (read) {
            check_rows(&s, whole);
            check_difference(&s, whole);
            check_results(&s, whole);
            CHECK(glmv_diff_stream_complete(&s));
            CHECK(memcmp(s.images[1].rgba, b->rgba, W * H * 4) == 0);
        }
        glmv_arena_release(&memory);
        for (int k = 0; k < 2; k++) {
            glmv_buf_release(&files[k]);
            glmv_image_free((struct glmv_image *)whole[k]);
        }
    }
}

static void fill(struct glmv_image *image, int x, int y, int w, int h, int level)
{
    for (int row = y; row < y + h; row++) {
        memset(image->rgba + ((size_t)row * W + (size_t)x) * 4, level, (size_t)w * 4);
    }
}

/* What is told of regions whose rows are not all held, because the pictures agree on them, is what
 * whole pictures tell: a high box that moved onto itself, and two changes that are one region. */
static void regions_reach_over_rows_that_are_not_held(void)
{
    W = 360;
    H = 500;
    for (int i = 0; i < 3; i++) {
        struct glmv_image *whole[2];
        struct glmv_buf files[2];
        for (int k = 0; k < 2; k++) {
            whole[k] = glmv_image_new((int)W, (int)H, NULL);
            memset(whole[k]->rgba, 255, W * H * 4);
            if (i < 2) {
                fill(whole[k], 40 + (i == 0 ? 0 : k * 30), 60 + (i == 0 ? k * 25 : 0), 120, 300,
                     120);
            } else if (k == 1) { /* two lines appear */
                fill(whole[k], 100, 64, 90, 1, 0);
                fill(whole[k], 100, 109, 90, 1, 0);
            }
            encode(whole[k], PNG_ALL_FILTERS, false, &files[k]);
        }
        const struct glmv_stream_file both[2] = {{files[0].data, files[0].len},
                                                 {files[1].data, files[1].len}};
        struct glmv_arena memory = {0};
        struct glmv_stream s;
        const struct glmv_stream_options options = {.difference = true, .most_share = 1};
        CHECK(glmv_diff_stream(&s, both, &options, &memory));
        CHECK(i == 1 || !glmv_diff_stream_is_whole(&s));
        check_results(&s, (const struct glmv_image *const *)whole);
        glmv_arena_release(&memory);
        for (int k = 0; k < 2; k++) {
            glmv_buf_release(&files[k]);
            glmv_image_free(whole[k]);
        }
    }
}

static void what_is_not_a_pair_of_common_pngs_is_left_to_others(void)
{
    W = 360;
    H = 500;
    struct glmv_image *a = paint(1);
    struct glmv_image *small = glmv_image_crop(a, 0, 0, (int)W, (int)H - 1, NULL);
    struct glmv_buf files[2];
    encode(a, PNG_ALL_FILTERS, false, &files[0]);
    encode(small, PNG_ALL_FILTERS, false, &files[1]);
    struct glmv_stream_options options = {.most_share = 0.005};
    struct glmv_arena memory = {0};
    struct glmv_stream s;
    struct glmv_stream_file other_size[2] = {{files[0].data, files[0].len},
                                             {files[1].data, files[1].len}};
    CHECK(!glmv_diff_stream(&s, other_size, &options, &memory));
    for (size_t cut = 1; cut < files[0].len; cut = cut * 2 + 3) {
        char *broken = malloc(files[0].len);
        memcpy(broken, files[0].data, files[0].len);
        broken[files[0].len - cut] ^= 8;
        for (int which = 0; which < 2; which++) {
            struct glmv_stream_file pair[2] = {{files[0].data, files[0].len},
                                               {files[0].data, files[0].len}};
            pair[which].bytes = broken;
            options.processors = (int)(cut % 4) + 1;
            CHECK_MSG(!glmv_diff_stream(&s, pair, &options, &memory), "a byte %zu before the end",
                      cut);
            glmv_arena_release(&memory);
        }
        free(broken);
    }
    glmv_arena_release(&memory);
    glmv_buf_release(&files[0]);
    glmv_buf_release(&files[1]);
    glmv_image_free(a);
    glmv_image_free(small);
}

int main(void)
{
    strips_give_what_whole_pictures_give();
    regions_reach_over_rows_that_are_not_held();
    what_is_not_a_pair_of_common_pngs_is_left_to_others();
    TEST_END();
}
