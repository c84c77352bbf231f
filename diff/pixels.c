#include <string.h>

#include "diff/judge.h"
#include "diff/parallel.h"
#include "diff/pixels.h"
#include "diff/scan.h"

/* Both pictures cut to their overlap, each with its own stride. */
struct pair {
    const struct glmv_image *a, *b;
    int w, h;
};

struct count_job {
    struct pair pair;
    const struct glmv_pixel_options *options;
    diff_scan_fn *scan;
    diff_judge_fn *judge;
    const uint8_t *differs; /* for each row; NULL when all may */
    size_t canvas_w, canvas_h;
    uint8_t *marks;
    int jobs;
    struct glmv_pixel_count counts[DIFF_MAX_JOBS];
};

static const uint8_t *at(const struct glmv_image *image, int x, int y)
{
    return image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
}

/* The differences of two colours per channel, laid over the pattern that pixelmatch lays under
 * translucent pixels; place is the pixel's byte offset. */
static void channels(const uint8_t *p, const uint8_t *q, size_t place, double d[3])
{
    for (int c = 0; c < 3; c++) {
        d[c] = p[c] - q[c];
    }
    if (p[3] == 255 && q[3] == 255) {
        return;
    }
    size_t steps[3] = {place, (size_t)((double)place / 1.618033988749895),
                       (size_t)((double)place / 2.618033988749895)};
    for (int c = 0; c < 3; c++) {
        double under = 48 + 159 * (double)(steps[c] % 2);
        d[c] = (p[c] * p[3] - q[c] * q[3] - under * (p[3] - q[3])) / 255;
    }
}

static double luma(const double d[3])
{
    return d[0] * 0.29889531 + d[1] * 0.58662247 + d[2] * 0.11448223;
}

static double distance(const uint8_t *p, const uint8_t *q, size_t place)
{
    double d[3];
    channels(p, q, place, d);
    double y = luma(d);
    double i = d[0] * 0.59597799 - d[1] * 0.27417610 - d[2] * 0.32180189;
    double q2 = d[0] * 0.21147017 - d[1] * 0.52261711 + d[2] * 0.31114694;
    return 0.5053 * y * y + 0.299 * i * i + 0.1957 * q2 * q2;
}

static bool on_rim(const struct pair *pair, int x, int y)
{
    return x == 0 || y == 0 || x == pair->w - 1 || y == pair->h - 1;
}

static int clamp(int value, int max)
{
    return value < 0 ? 0 : value > max ? max : value;
}

/* Whether at least three neighbours have exactly this pixel's colour; the rim counts as one. */
static bool has_siblings(const struct pair *pair, const struct glmv_image *image, int x, int y)
{
    const uint8_t *centre = at(image, x, y);
    int equal = on_rim(pair, x, y);
    for (int nx = clamp(x - 1, pair->w - 1); nx <= clamp(x + 1, pair->w - 1); nx++) {
        for (int ny = clamp(y - 1, pair->h - 1); ny <= clamp(y + 1, pair->h - 1); ny++) {
            equal += (nx != x || ny != y) && memcmp(centre, at(image, nx, ny), 4) == 0;
        }
    }
    return equal > 2;
}

/* Vysniauskas 2009: a pixel on a slope between a darker and a brighter neighbour, one of which lies
 * in a flat part of both pictures. */
static bool is_antialiased(const struct pair *pair, const struct glmv_image *image, int x, int y)
{
    const uint8_t *centre = at(image, x, y);
    size_t place = ((size_t)y * (size_t)pair->w + (size_t)x) * 4;
    int equal = on_rim(pair, x, y);
    double low = 0;
    double high = 0;
    int low_x = 0;
    int low_y = 0;
    int high_x = 0;
    int high_y = 0;
    for (int nx = clamp(x - 1, pair->w - 1); nx <= clamp(x + 1, pair->w - 1); nx++) {
        for (int ny = clamp(y - 1, pair->h - 1); ny <= clamp(y + 1, pair->h - 1); ny++) {
            if (nx == x && ny == y) {
                continue;
            }
            double d[3];
            channels(centre, at(image, nx, ny), place, d);
            double delta = luma(d);
            equal += delta == 0;
            if (delta < low) {
                low = delta;
                low_x = nx;
                low_y = ny;
            } else if (delta > high) {
                high = delta;
                high_x = nx;
                high_y = ny;
            }
        }
    }
    if (equal > 2 || low == 0 || high == 0) {
        return false;
    }
    return (has_siblings(pair, pair->a, low_x, low_y) &&
            has_siblings(pair, pair->b, low_x, low_y)) ||
           (has_siblings(pair, pair->a, high_x, high_y) &&
            has_siblings(pair, pair->b, high_x, high_y));
}

static double limit_of(const struct count_job *job)
{
    return 35215 * job->options->threshold * job->options->threshold;
}

/* The bits of pixels that are further apart than the limit. */
static uint32_t far_pixels(const struct count_job *job, const uint8_t *p, const uint8_t *q,
                           size_t place)
{
    double limit = limit_of(job);
    struct diff_judgement judged = job->judge(p, q, limit);
    for (uint32_t left = judged.unsure; left != 0; left &= left - 1) {
        size_t at = (size_t)__builtin_ctz(left) * 4;
        bool far = distance(p + at, q + at, place + at) > limit;
        judged.far |= far ? left & -left : 0;
    }
    return judged.far;
}

/* The pixels of one group, len bytes of it from the place on. */
static void compare_group(const struct count_job *job, int y, size_t from, size_t len,
                          struct glmv_pixel_count *count, uint8_t *marks)
{
    const uint8_t *p = at(job->pair.a, 0, y) + from;
    const uint8_t *q = at(job->pair.b, 0, y) + from;
    uint8_t room[2][DIFF_GROUP] = {{0}};
    if (len < DIFF_GROUP) { /* the row ends here, and what is behind it is the same */
        memcpy(room[0], p, len);
        memcpy(room[1], q, len);
        p = room[0];
        q = room[1];
    }
    const struct pair *pair = &job->pair;
    size_t place = (size_t)y * (size_t)pair->w * 4 + from;
    uint32_t far = far_pixels(job, p, q, place);
    uint32_t soft = 0;
    for (uint32_t left = job->options->antialiasing ? far : 0; left != 0; left &= left - 1) {
        int x = (int)(from / 4) + __builtin_ctz(left);
        if (is_antialiased(pair, pair->a, x, y) || is_antialiased(pair, pair->b, x, y)) {
            soft |= left & -left;
        }
    }
    count->antialiased += (size_t)__builtin_popcount(soft);
    count->differing += (size_t)__builtin_popcount(far & ~soft);
    for (uint32_t left = marks != NULL ? far : 0; left != 0; left &= left - 1) {
        marks[from / 4 + (size_t)__builtin_ctz(left)] =
            left & -left & soft ? GLMV_MARK_ANTIALIASED : GLMV_MARK_DIFFERENT;
    }
}

static void compare_row(const struct count_job *job, int y, struct glmv_pixel_count *count,
                        uint8_t *marks)
{
    const uint8_t *p = at(job->pair.a, 0, y);
    const uint8_t *q = at(job->pair.b, 0, y);
    size_t len = (size_t)job->pair.w * 4;
    if (memcmp(p, q, len) == 0) { /* most rows, in one call */
        return;
    }
    for (size_t from = job->scan(p, q, 0, len); from < len; from = job->scan(p, q, from, len)) {
        size_t size = len - from < DIFF_GROUP ? len - from : DIFF_GROUP;
        compare_group(job, y, from, size, count, marks);
        from += size;
    }
}

static void count_rows(void *context, int number)
{
    struct count_job *job = context;
    struct glmv_pixel_count *count = &job->counts[number];
    size_t w = job->canvas_w;
    size_t end = job->canvas_h * (size_t)(number + 1) / (size_t)job->jobs;
    for (size_t y = job->canvas_h * (size_t)number / (size_t)job->jobs; y < end; y++) {
        uint8_t *row = job->marks != NULL ? job->marks + y * w : NULL;
        size_t shared = y < (size_t)job->pair.h ? (size_t)job->pair.w : 0;
        if (shared > 0 && (job->differs == NULL || job->differs[y])) {
            compare_row(job, (int)y, count, row);
        }
        count->outside += w - shared;
        if (row != NULL && shared < w) {
            memset(row + shared, GLMV_MARK_DIFFERENT, w - shared);
        }
    }
}

static size_t rows_in(const uint8_t *differs, size_t height)
{
    size_t count = 0;
    for (size_t y = 0; y < height; y++) {
        count += differs[y];
    }
    return count;
}

void glmv_diff_mark_rows(const struct glmv_image *a, const struct glmv_image *b,
                         const uint8_t *differs, const struct glmv_pixel_options *options,
                         struct glmv_pixel_count *count, uint8_t *zeros)
{
    struct count_job job = {.options = options,
                            .scan = diff_scan_best(),
                            .judge = diff_judge_best(),
                            .differs = differs,
                            .marks = zeros};
    job.pair = (struct pair){a, b, a->width < b->width ? a->width : b->width,
                             a->height < b->height ? a->height : b->height};
    job.canvas_w = (size_t)(a->width > b->width ? a->width : b->width);
    job.canvas_h = (size_t)(a->height > b->height ? a->height : b->height);
    size_t rows = differs != NULL ? rows_in(differs, job.canvas_h) : job.canvas_h;
    job.jobs = diff_job_count(job.canvas_w * rows);
    diff_run_jobs(job.jobs, count_rows, &job);
    *count = (struct glmv_pixel_count){.total = job.canvas_w * job.canvas_h};
    for (int i = 0; i < job.jobs; i++) {
        count->differing += job.counts[i].differing + job.counts[i].outside;
        count->antialiased += job.counts[i].antialiased;
        count->outside += job.counts[i].outside;
    }
}

void glmv_diff_mark(const struct glmv_image *a, const struct glmv_image *b,
                    const struct glmv_pixel_options *options, struct glmv_pixel_count *count,
                    uint8_t *zeros)
{
    glmv_diff_mark_rows(a, b, NULL, options, count, zeros);
}

void glmv_diff_count(const struct glmv_image *a, const struct glmv_image *b,
                     const struct glmv_pixel_options *options, struct glmv_pixel_count *count,
                     uint8_t *marks)
{
    size_t w = (size_t)(a->width > b->width ? a->width : b->width);
    size_t h = (size_t)(a->height > b->height ? a->height : b->height);
    if (marks != NULL) {
        memset(marks, GLMV_MARK_SAME, w * h);
    }
    glmv_diff_mark(a, b, options, count, marks);
}
