#include "base/codec.h"
#include "base/unfilter.h"
#include "tests/check.h"

#include <libdeflate.h>
#include <png.h>

#define NOISE 16807u

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* Flat runs, slopes and noise, as pages and photos have them. */
static void paint(uint8_t *rows, size_t bytes, uint32_t *seed)
{
    for (size_t i = 0; i < bytes;) {
        size_t run = 1 + next(seed) % 90;
        uint32_t kind = next(seed) % 3;
        uint8_t value = (uint8_t)next(seed);
        for (; run > 0 && i < bytes; run--, i++) {
            value = kind == 0 ? value : (uint8_t)(kind == 1 ? value + 1u : next(seed));
            rows[i] = value;
        }
    }
}

static void keep(png_structp png, png_bytep from, size_t len)
{
    glmv_buf_append(png_get_io_ptr(png), from, len, NULL);
}

static void encode(struct glmv_buf *out, int w, int h, int channels, int filters, uint32_t *seed)
{
    size_t step = (size_t)w * (size_t)channels;
    uint8_t *rows = malloc(step * (size_t)h);
    paint(rows, step * (size_t)h, seed);
    for (int y = 1; y < h; y += 2) { /* every other row repeats most of the one above */
        memcpy(rows + (size_t)y * step, rows + (size_t)(y - 1) * step, step - step / 8);
    }
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, out, keep, NULL);
    png_set_filter(png, 0, filters);
    png_set_compression_buffer_size(png, 2000); /* many IDAT chunks */
    png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, 8,
                 channels == 4 ? PNG_COLOR_TYPE_RGBA : PNG_COLOR_TYPE_RGB, 0, 0, 0);
    png_write_info(png, info);
    for (int y = 0; y < h; y++) {
        png_write_row(png, rows + (size_t)y * step);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    free(rows);
}

/* Rows of filtered bytes as they come: every filter below every other, runs of zeros and noise. */
static void every_processor_gives_the_same_pixels(void)
{
#ifdef __x86_64__
    if (!__builtin_cpu_supports("avx2")) {
        return;
    }
    enum { ROWS = 40, MOST = 203 };
    static uint8_t raw[ROWS * (MOST * 4 + 1) + BASE_UNFILTER_SLACK];
    static uint8_t up[MOST * 4];
    static uint8_t out[2][ROWS * MOST * 4];
    uint32_t seed = 77;
    for (size_t width = 1; width <= MOST; width += 1 + width / 9) {
        for (int channels = 3; channels <= 4; channels++) {
            size_t step = width * (size_t)channels + 1;
            paint(raw, step * ROWS, &seed);
            paint(up, width * 4, &seed);
            for (size_t y = 0; y < ROWS; y++) {
                raw[y * step] = next(&seed) % 5;
                for (size_t x = 1; x < step && y % 4 > 0; x++) {
                    size_t place = x / (20 + y);
                    raw[y * step + x] = place % 3 > 0 ? 0 : raw[y * step + x];
                }
            }
            memset(out, 1, sizeof out);
            CHECK(base_unfilter_plain(raw, width, channels, ROWS, up, out[0]));
            CHECK(base_unfilter_avx2(raw, width, channels, ROWS, up, out[1]));
            CHECK_MSG(memcmp(out[0], out[1], sizeof out[0]) == 0, "%zu px, %d channels", width,
                      channels);
        }
    }
#endif
}

static void every_filter_gives_libpngs_pixels(void)
{
    static const int filters[] = {PNG_FILTER_NONE, PNG_FILTER_SUB,   PNG_FILTER_UP,
                                  PNG_FILTER_AVG,  PNG_FILTER_PAETH, PNG_ALL_FILTERS};
    static const int sizes[][2] = {{130, 300}, {257, 201}, {700, 60}, {1301, 90}};
    uint32_t seed = NOISE;
    int fast_ones = 0;
    for (size_t i = 0; i < 6 * 4 * 2; i++) {
        struct glmv_buf file;
        glmv_buf_init(&file, 1 << 24);
        const int *size = sizes[i % 4];
        encode(&file, size[0], size[1], 3 + (int)(i % 2), filters[i / 8], &seed);
        struct glmv_image *fast = base_png_decode_plain((const uint8_t *)file.data, file.len);
        struct glmv_image *sure = base_png_decode((const uint8_t *)file.data, file.len, "t", NULL);
        CHECK(sure != NULL && fast != NULL);
        if (fast != NULL && sure != NULL) {
            fast_ones++;
            CHECK(fast->width == sure->width && fast->height == sure->height);
            CHECK_MSG(memcmp(fast->rgba, sure->rgba, (size_t)size[0] * (size_t)size[1] * 4) == 0,
                      "case %zu", i);
        }
        glmv_image_free(fast);
        glmv_image_free(sure);
        glmv_buf_release(&file);
    }
    CHECK(fast_ones == 48);
}

static void broken_files_are_refused(void)
{
    struct glmv_buf file;
    glmv_buf_init(&file, 1 << 24);
    uint32_t seed = NOISE;
    encode(&file, 300, 200, 3, PNG_ALL_FILTERS, &seed);
    for (size_t len = 0; len < file.len - 12; len += 97) {
        CHECK(base_png_decode_plain((const uint8_t *)file.data, len) == NULL);
    }
    for (size_t at = 8; at < file.len - 12; at += 61) {
        file.data[at] ^= 4;
        CHECK(base_png_decode_plain((const uint8_t *)file.data, file.len) == NULL);
        file.data[at] ^= 4;
    }
    int w;
    int h;
    CHECK(glmv_image_size(file.data, file.len, &w, &h) && w == 300 && h == 200);
    CHECK(!glmv_image_size(file.data, 20, &w, &h));
    glmv_buf_release(&file);
}

int main(void)
{
    every_processor_gives_the_same_pixels();
    every_filter_gives_libpngs_pixels();
    broken_files_are_refused();
    TEST_END();
}
