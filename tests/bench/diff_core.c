/* The comparison core on two 4K frames in memory against memcmp, every scan path against it, and a
 * frame against a stored one: ratios in one run. With a PNG of that size the frames hold it.
 * Usage: diff_core [ROUNDS [PNG]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "diff/baseline.h"
#include "diff/difference.h"
#include "diff/hash.h"
#include "diff/pixels.h"
#include "diff/scan.h"

enum { W = 3840, H = 2160 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int ascending(const void *p, const void *q)
{
    double a = *(const double *)p;
    double b = *(const double *)q;
    return a < b ? -1 : a > b;
}

static void print(const char *name, double *times, int rounds, double bytes)
{
    qsort(times, (size_t)rounds, sizeof *times, ascending);
    printf("%-34s median %7.2f ms, least %7.2f ms, %5.1f GB/s\n", name, times[rounds / 2], times[0],
           bytes / times[0] / 1e6);
}

/* Counting what differs between the first two frames, in turn with memcmp of the first and the
 * third, which are the same. */
static struct glmv_pixel_count time_count(const struct glmv_image *frames, double *times,
                                          int rounds)
{
    struct glmv_pixel_options options = {0.1, false};
    struct glmv_pixel_count count = {0};
    size_t len = (size_t)W * H * 4;
    double *ratios = malloc((size_t)rounds * sizeof *ratios);
    volatile int sink = 0;
    for (int r = 0; r < rounds && ratios != NULL; r++) {
        double start = now();
        sink += memcmp(frames[0].rgba, frames[2].rgba, len);
        double middle = now();
        glmv_diff_mark(&frames[0], &frames[1], &options, &count, NULL);
        times[r] = now() - middle;
        ratios[r] = (middle - start) / times[r];
    }
    print("count, 0.7 % differ, threads", times, rounds, 2.0 * (double)len);
    if (ratios != NULL) {
        qsort(ratios, (size_t)rounds, sizeof *ratios, ascending);
        printf("%zu pixels differ; median %.0f %% of memcmp's speed in the same round\n",
               count.differing, 100 * ratios[rounds / 2]);
    }
    free(ratios);
    return count;
}

/* A frame in memory against a stored one of which every tenth strip differs. */
static void time_baseline(struct glmv_image *a, double *times, int rounds)
{
    struct glmv_buf file;
    glmv_buf_init(&file, 1u << 28);
    if (!glmv_baseline_encode(a, &file, NULL)) {
        return;
    }
    double bytes = (double)W * H * 4;
    for (int changed = 0; changed < 2; changed++) {
        for (size_t y = 5; y < H && changed; y += (size_t)10 * GLMV_BASELINE_ROWS) {
            memset(a->rgba + (y * W + 700) * 4, 90, 2000);
        }
        struct glmv_pixel_options options = {0.1, false};
        struct glmv_pixel_count count = {0};
        for (int r = 0; r < rounds; r++) {
            double t = now();
            struct glmv_baseline_rows rows;
            if (glmv_baseline_compare(file.data, file.len, a, &rows)) {
                glmv_diff_mark_rows(rows.stored, a, rows.differs, &options, &count, NULL);
            }
            glmv_baseline_release(&rows);
            times[r] = now() - t;
        }
        print(changed ? "own baseline, 10 % of strips" : "own baseline, the same", times, rounds,
              bytes);
        printf("%zu pixels differ; the file has %zu bytes\n", count.differing, file.len);
    }
    glmv_buf_release(&file);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 25;
    /* Aligned as decoded pictures are. */
    struct glmv_image frames[3];
    for (int i = 0; i < 3; i++) {
        frames[i] = (struct glmv_image){W, H, aligned_alloc(4096, (size_t)W * H * 4)};
    }
    struct glmv_image *a = &frames[0];
    struct glmv_image *b = &frames[1];
    uint8_t *marks = calloc(W, H);
    double *times = malloc((size_t)rounds * sizeof *times);
    if (rounds < 1 || a->rgba == NULL || b->rgba == NULL || frames[2].rgba == NULL ||
        marks == NULL || times == NULL) {
        return 2;
    }
    size_t len = (size_t)W * H * 4;
    for (size_t i = 0; i < len; i++) {
        a->rgba[i] = i % 4 == 3 ? 255 : (uint8_t)(i >> 9);
    }
    struct glmv_image *page = argc > 2 ? glmv_image_read(argv[2], NULL) : NULL;
    if (page != NULL && page->width == W && page->height == H) {
        memcpy(a->rgba, page->rgba, len);
    }
    glmv_image_free(page);
    memcpy(b->rgba, a->rgba, len);
    memcpy(frames[2].rgba, a->rgba, len);
    volatile int sink = 0;
    for (int r = 0; r < rounds; r++) {
        double t = now();
        sink += memcmp(a->rgba, b->rgba, len);
        times[r] = now() - t;
    }
    print("memcmp", times, rounds, 2.0 * (double)len);
    static const char *const names[] = {"scan, plain", "scan, SSE2", "scan, AVX2"};
    for (int path = 0; path < DIFF_SCAN_PATHS; path++) {
        diff_scan_fn *scan = diff_scan_on((enum diff_scan_path)path);
        for (int r = 0; r < rounds && scan != NULL; r++) {
            double t = now();
            sink += (int)scan(a->rgba, b->rgba, 0, len);
            times[r] = now() - t;
        }
        if (scan != NULL) {
            print(names[path], times, rounds, 2.0 * (double)len);
        }
    }
    for (size_t y = 300; y < 420; y++) { /* 0.7 % of the page */
        for (size_t x = 500; x < 1000; x++) {
            b->rgba[(y * W + x) * 4 + 1] ^= 0x70;
        }
    }
    struct glmv_pixel_options options = {0.1, false};
    struct glmv_pixel_count count = time_count(frames, times, rounds);
    glmv_diff_mark(a, b, &options, &count, marks);
    for (int r = 0; r < rounds; r++) {
        struct glmv_buf png;
        glmv_buf_init(&png, 1u << 28);
        double t = now();
        sink += glmv_diff_encode_png(a, marks, W, H, &png, NULL);
        times[r] = now() - t;
        glmv_buf_release(&png);
    }
    print("difference picture", times, rounds, (double)len);
    uint64_t sum[2];
    for (int r = 0; r < rounds; r++) {
        double t = now();
        diff_hash_best()(a->rgba, len, sum);
        times[r] = now() - t;
        sink += (int)sum[0];
    }
    print("hash", times, rounds, (double)len);
    time_baseline(a, times, rounds);
    free(a->rgba);
    free(b->rgba);
    free(frames[2].rgba);
    free(marks);
    free(times);
    return 0;
}
