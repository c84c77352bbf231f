#include "base/codec.h"
#include "diff/baseline.h"
#include "diff/hash.h"
#include "tests/check.h"

#include <libdeflate.h>

#define W 301
#define H 203 /* the last strip is a short one */

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static struct glmv_image *paint(bool opaque)
{
    struct glmv_image *image = glmv_image_new(W, H, NULL);
    uint32_t seed = 3;
    for (size_t i = 0; i < (size_t)W * H * 4; i++) {
        bool alpha = i % 4 == 3;
        image->rgba[i] = alpha && opaque ? 255 : i / 5000 % 2 ? (uint8_t)next(&seed) : 200;
    }
    return image;
}

static void every_path_gives_the_same_hash(void)
{
    uint8_t bytes[3000];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)next(&seed);
    }
    for (size_t len = 0; len < sizeof bytes; len = len * 9 / 8 + 1) {
        uint64_t want[2];
        diff_hash_on(DIFF_HASH_PLAIN)(bytes, len, want);
        for (int path = 0; path < DIFF_HASH_PATHS; path++) {
            diff_hash_fn *hash = diff_hash_on((enum diff_hash_path)path);
            uint64_t got[2] = {want[0], want[1]};
            if (hash != NULL) {
                hash(bytes, len, got);
            }
            CHECK_MSG(got[0] == want[0] && got[1] == want[1], "path %d, %zu bytes", path, len);
        }
    }
}

/* Of each pair of texts that differ in one bit, two bytes or the order of two stripes, both halves
 * of the hash differ. */
static void small_changes_change_both_halves(void)
{
    uint8_t bytes[2048] = {0};
    uint64_t first[2];
    diff_hash_fn *hash = diff_hash_best();
    size_t equal = 0;
    for (int flat = 0; flat < 2; flat++) {
        uint32_t seed = 9;
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = flat ? 255 : (uint8_t)next(&seed);
        }
        hash(bytes, sizeof bytes, first);
        for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
            uint64_t other[2];
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            hash(bytes, sizeof bytes, other);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            equal += other[0] == first[0];
            equal += other[1] == first[1];
        }
        for (size_t at = 0; at + 128 <= sizeof bytes && !flat; at += 64) {
            uint8_t swapped[sizeof bytes];
            uint64_t other[2];
            memcpy(swapped, bytes, sizeof bytes);
            memcpy(swapped + at, bytes + at + 64, 64);
            memcpy(swapped + at + 64, bytes + at, 64);
            hash(swapped, sizeof swapped, other);
            equal += other[0] == first[0];
            equal += other[1] == first[1];
        }
    }
    CHECK_MSG(equal == 0, "%zu halves are the same", equal);
}

static void the_file_is_a_png_of_the_frame(void)
{
    for (int opaque = 0; opaque < 2; opaque++) {
        struct glmv_image *frame = paint(opaque == 1);
        struct glmv_buf file;
        glmv_buf_init(&file, 1 << 24);
        CHECK(glmv_baseline_encode(frame, &file, NULL));
        struct glmv_image *sure = base_png_decode((const uint8_t *)file.data, file.len, "t", NULL);
        struct glmv_image *fast = base_png_decode_plain((const uint8_t *)file.data, file.len);
        CHECK(sure != NULL && memcmp(sure->rgba, frame->rgba, (size_t)W * H * 4) == 0);
        CHECK(fast != NULL && memcmp(fast->rgba, frame->rgba, (size_t)W * H * 4) == 0);
        glmv_image_free(sure);
        glmv_image_free(fast);
        glmv_image_free(frame);
        glmv_buf_release(&file);
    }
}

static void rows_that_differ_are_found_and_held(void)
{
    struct glmv_image *stored = paint(true);
    struct glmv_image *frame = paint(true);
    struct glmv_buf file;
    glmv_buf_init(&file, 1 << 24);
    CHECK(glmv_baseline_encode(stored, &file, NULL));
    static const size_t changed[] = {0, 40, 47, 48, 130, H - 1};
    struct glmv_baseline_rows rows;
    CHECK(glmv_baseline_compare(file.data, file.len, frame, &rows));
    CHECK(memchr(rows.differs, 1, H) == NULL && memchr(rows.held, 1, H) == NULL);
    glmv_baseline_release(&rows);
    for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
        frame->rgba[(changed[i] * W + i * 50) * 4 + i % 3] ^= 1;
    }
    CHECK(glmv_baseline_compare(file.data, file.len, frame, &rows));
    for (size_t y = 0; y < H && rows.held != NULL; y++) {
        size_t at = y * W * 4;
        bool same = memcmp(stored->rgba + at, frame->rgba + at, (size_t)W * 4) == 0;
        CHECK(rows.differs[y] == !same);
        CHECK(same || rows.held[y]);
        CHECK(!rows.held[y] ||
              memcmp(rows.stored->rgba + at, stored->rgba + at, (size_t)W * 4) == 0);
    }
    CHECK(rows.held[15] && rows.held[16] && rows.held[31] && rows.held[67] && !rows.held[68]);
    glmv_baseline_release(&rows);
    glmv_image_free(stored);
    glmv_image_free(frame);
    glmv_buf_release(&file);
}

static void mend(uint8_t *chunk, size_t len)
{
    uint32_t v = libdeflate_crc32(0, chunk + 4, len + 4);
    for (int i = 0; i < 4; i++) {
        chunk[8 + len + (size_t)i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

static void other_files_are_left_to_others(void)
{
    struct glmv_image *frame = paint(true);
    struct glmv_image *small = glmv_image_crop(frame, 0, 0, W - 1, H, NULL);
    struct glmv_buf file;
    glmv_buf_init(&file, 1 << 24);
    struct glmv_baseline_rows rows;
    CHECK(glmv_image_encode_png(frame, 6, &file, NULL));
    CHECK(!glmv_baseline_compare(file.data, file.len, frame, &rows));
    glmv_buf_clear(&file);
    CHECK(glmv_baseline_encode(frame, &file, NULL));
    CHECK(!glmv_baseline_compare(file.data, file.len, small, &rows));
    CHECK(glmv_baseline_is(file.data, file.len));
    for (size_t at = 0; at + 20 < file.len; at += 97) { /* any damage but at the very end */
        file.data[at] ^= 16;
        CHECK_MSG(!glmv_baseline_is(file.data, file.len), "byte %zu", at);
        file.data[at] ^= 16;
    }
    for (size_t len = 0; len < file.len; len = len * 5 / 4 + 1) {
        char *cut = malloc(len + 1);
        memcpy(cut, file.data, len);
        CHECK(!glmv_baseline_compare(cut, len, frame, &rows));
        CHECK(!glmv_baseline_is(cut, len));
        free(cut);
    }
    /* Another program packed the first strip again: its checksum is another. */
    size_t table = 8 + 12 + 13;
    uint8_t *bytes = (uint8_t *)file.data;
    size_t size = (size_t)bytes[table + 2] << 8 | bytes[table + 3];
    uint8_t *strip = bytes + table + 12 + size;
    strip[20] ^= 1;
    mend(strip, (size_t)strip[2] << 8 | strip[3]);
    CHECK(!glmv_baseline_compare(file.data, file.len, frame, &rows));
    glmv_image_free(frame);
    glmv_image_free(small);
    glmv_buf_release(&file);
}

int main(void)
{
    every_path_gives_the_same_hash();
    small_changes_change_both_halves();
    the_file_is_a_png_of_the_frame();
    rows_that_differ_are_found_and_held();
    other_files_are_left_to_others();
    TEST_END();
}
