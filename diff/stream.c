#include "diff/stream.h"

#include <pthread.h>
#include <string.h>

#include "base/png_rows.h"
#include "diff/difference.h"
#include "diff/scan.h"

#define SLOTS 6 /* strips of each file that are under way */
/* Who has to wait, waits for so many strips: waking a thread costs as much as comparing one. */
#define BATCH 3
/* Pixels from which a thread for the second file saves more than it costs, and one for the first.
 */
#define SECOND_THREAD 60000
#define FIRST_THREAD 2500000

struct slot {
    uint8_t *room;
    const uint8_t *raw;
    uint8_t *pixels; /* the first file's only */
    int count;       /* rows */
};

/* One file and the thread that unpacks it. */
struct lane {
    struct glmv_png_rows *rows;
    bool makes_pixels;
    struct slot slots[SLOTS];
    pthread_t thread;
    bool threaded;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    int made, used; /* strips */
    int awaited;    /* strips made that the reader waits for; 0 when it does not */
    int freed;      /* strips used that the maker waits for; 0 when it does not */
    bool failed, stopped;
};

struct run {
    struct glmv_stream *s;
    struct lane lanes[2];
    uint8_t *colours; /* NULL when they are not wanted */
    int width, height;
    size_t bytes;        /* of a row of pixels */
    uint8_t *last[2];    /* the last row of pixels of the strip before */
    uint8_t *second;     /* the strip of the second picture where it differs */
    const uint8_t *b_up; /* pixels above the row at hand */
    bool same;           /* the row above is the same in both pictures */
    bool hold_all;
    int after;            /* rows still to be held after one that differs */
    size_t differing;     /* pixels, in any bit */
    size_t most;          /* of them; see most_share */
    const uint8_t *older; /* pixels of the strip before */
    int older_count;
};

/* Unpacks the next strip. */
static bool make_strip(struct lane *lane, int number)
{
    struct slot *slot = &lane->slots[number % SLOTS];
    slot->raw = glmv_png_rows_next(lane->rows, slot->room, &slot->count);
    if (slot->raw == NULL || !lane->makes_pixels) {
        return slot->raw != NULL;
    }
    const struct slot *before = &lane->slots[(number + SLOTS - 1) % SLOTS];
    const uint8_t *up = NULL;
    if (number > 0) {
        up = before->pixels + (size_t)(before->count - 1) * (size_t)lane->rows->width * 4;
    }
    return glmv_png_rows_undo(lane->rows, slot->raw, slot->count, up, slot->pixels);
}

static int strip_count(const struct glmv_png_rows *rows)
{
    return (rows->height + rows->strip - 1) / rows->strip;
}

static void *make_strips(void *argument)
{
    struct lane *lane = argument;
    int strips = strip_count(lane->rows);
    for (int i = 0; i < strips; i++) {
        pthread_mutex_lock(&lane->mutex);
        lane->freed = i >= lane->used + SLOTS ? i - SLOTS + BATCH : 0;
        while (lane->used < lane->freed && !lane->stopped) {
            pthread_cond_wait(&lane->changed, &lane->mutex);
        }
        lane->freed = 0;
        bool stopped = lane->stopped;
        pthread_mutex_unlock(&lane->mutex);
        bool ok = !stopped && make_strip(lane, i);
        pthread_mutex_lock(&lane->mutex);
        lane->made += ok;
        lane->failed = !ok;
        if (!ok || lane->made == lane->awaited) {
            pthread_cond_signal(&lane->changed);
        }
        pthread_mutex_unlock(&lane->mutex);
        if (!ok) {
            break;
        }
    }
    return NULL;
}

/* NULL when the file is broken. */
static const struct slot *wait_for(struct lane *lane, int number)
{
    bool ok;
    if (lane->threaded) {
        pthread_mutex_lock(&lane->mutex);
        int strips = strip_count(lane->rows);
        lane->awaited = lane->made > number ? 0 : number + BATCH < strips ? number + BATCH : strips;
        while (lane->made < lane->awaited && !lane->failed) {
            pthread_cond_wait(&lane->changed, &lane->mutex);
        }
        lane->awaited = 0;
        ok = lane->made > number;
        pthread_mutex_unlock(&lane->mutex);
    } else {
        ok = make_strip(lane, number);
    }
    return ok ? &lane->slots[number % SLOTS] : NULL;
}

/* The strips before this one may be written over. */
static void give_back(struct lane *lane, int number)
{
    if (lane->threaded) {
        pthread_mutex_lock(&lane->mutex);
        lane->used = number;
        if (lane->used == lane->freed) {
            pthread_cond_signal(&lane->changed);
        }
        pthread_mutex_unlock(&lane->mutex);
    }
}

static bool lane_init(struct lane *lane, const struct glmv_stream_file *file, bool makes_pixels,
                      struct glmv_arena *memory)
{
    pthread_mutex_init(&lane->mutex, NULL);
    pthread_cond_init(&lane->changed, NULL);
    lane->makes_pixels = makes_pixels;
    lane->rows = glmv_png_rows_open(file->bytes, file->len, memory);
    return lane->rows != NULL;
}

static bool lane_start(struct lane *lane, size_t thread_from, struct glmv_arena *memory)
{
    size_t strip = (size_t)lane->rows->strip * (size_t)lane->rows->width * 4;
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &lane->slots[i];
        slot->room = glmv_arena_take(memory, lane->rows->room);
        slot->pixels = lane->makes_pixels ? glmv_arena_take(memory, strip) : NULL;
        if (slot->room == NULL || (lane->makes_pixels && slot->pixels == NULL)) {
            return false;
        }
    }
    size_t pixels = (size_t)lane->rows->width * (size_t)lane->rows->height;
    lane->threaded =
        pixels >= thread_from && pthread_create(&lane->thread, NULL, make_strips, lane) == 0;
    return true;
}

static void lane_release(struct lane *lane)
{
    if (lane->threaded) {
        pthread_mutex_lock(&lane->mutex);
        lane->stopped = true;
        pthread_cond_signal(&lane->changed);
        pthread_mutex_unlock(&lane->mutex);
        pthread_join(lane->thread, NULL);
    }
    pthread_mutex_destroy(&lane->mutex);
    pthread_cond_destroy(&lane->changed);
}

static void hold(struct run *r, int y, const uint8_t *a, const uint8_t *b)
{
    if (!r->s->held[y]) {
        memcpy(r->s->images[0].rgba + (size_t)y * r->bytes, a, r->bytes);
        memcpy(r->s->images[1].rgba + (size_t)y * r->bytes, b, r->bytes);
        r->s->held[y] = 1;
    }
}

/* Rows above one that differs: they are the same in both pictures, or held already. */
static void hold_above(struct run *r, int top, int y, const uint8_t *pixels)
{
    for (int i = 1; i <= GLMV_STREAM_MARGIN && y - i >= top - r->older_count; i++) {
        int above = y - i;
        const uint8_t *row = above >= top
                                 ? pixels + (size_t)(above - top) * r->bytes
                                 : r->older + (size_t)(above - top + r->older_count) * r->bytes;
        hold(r, above, row, row);
    }
}

/* Pixels that differ in any bit. */
static size_t count_pixels(const uint8_t *a, const uint8_t *b, size_t bytes, diff_scan_fn *scan)
{
    size_t count = 0;
    for (size_t from = scan(a, b, 0, bytes); from < bytes; from = scan(a, b, from, bytes)) {
        size_t end = bytes - from < DIFF_GROUP ? bytes : from + DIFF_GROUP;
        for (; from < end; from += 4) {
            count += memcmp(a + from, b + from, 4) != 0;
        }
    }
    return count;
}

static bool compare_row(struct run *r, const struct slot *a, const struct slot *b, int top, int y)
{
    const struct glmv_png_rows *rows = r->lanes[1].rows;
    bool comparable = r->lanes[0].rows->channels == rows->channels;
    size_t i = (size_t)(y - top);
    const uint8_t *p = a->pixels + i * r->bytes;
    const uint8_t *raw = b->raw + i * rows->step;
    const uint8_t *q = p;
    if (!r->same || !comparable || memcmp(a->raw + i * rows->step, raw, rows->step) != 0) {
        uint8_t *out = r->second + i * r->bytes;
        if (!glmv_png_rows_undo(rows, raw, 1, y > 0 ? r->b_up : NULL, out)) {
            return false;
        }
        r->same = memcmp(p, out, r->bytes) == 0;
        q = r->same ? p : out;
    }
    r->b_up = q;
    if (!r->same) {
        if (!r->s->differs[y]) {
            r->s->differs[y] = 1;
            r->differing += count_pixels(p, q, r->bytes, diff_scan_best());
        }
        hold_above(r, top, y, a->pixels);
        r->after = GLMV_STREAM_MARGIN + 1;
        if (r->differing > r->most) {
            r->hold_all = true;
        }
    }
    if (r->hold_all || r->after > 0) {
        hold(r, y, p, q);
        r->after -= r->after > 0;
    }
    return true;
}

static void colour_rows(struct run *r, const struct slot *a, int top)
{
    size_t packed = glmv_diff_colours_step(r->width);
    for (int i = 0; i < a->count; i++) {
        const uint8_t *row = a->pixels + (size_t)i * r->bytes;
        const uint8_t *above = i > 0 ? row - r->bytes : r->last[0];
        uint8_t *out = r->colours + (size_t)(top + i) * packed;
        if (top + i > 0 && memcmp(row, above, r->bytes) == 0) {
            memcpy(out, out - packed, packed);
        } else {
            glmv_diff_colours_row(row, r->width, r->width, out);
        }
    }
}

static bool compare_strip(struct run *r, const struct slot *a, const struct slot *b, int top)
{
    if (r->lanes[0].rows->step == r->lanes[1].rows->step && r->same && r->after == 0 &&
        !r->hold_all && memcmp(a->raw, b->raw, (size_t)a->count * r->lanes[0].rows->step) == 0) {
        r->b_up = a->pixels + (size_t)(a->count - 1) * r->bytes;
    } else {
        for (int y = top; y < top + a->count; y++) {
            if (!compare_row(r, a, b, top, y)) {
                return false;
            }
        }
    }
    if (r->colours != NULL) {
        colour_rows(r, a, top);
    }
    memcpy(r->last[0], a->pixels + (size_t)(a->count - 1) * r->bytes, r->bytes);
    memcpy(r->last[1], r->b_up, r->bytes);
    r->b_up = r->last[1];
    r->older = a->pixels;
    r->older_count = a->count;
    return true;
}

static bool compare_strips(struct run *r)
{
    int strips = strip_count(r->lanes[0].rows);
    int top = 0;
    for (int i = 0; i < strips; i++) {
        const struct slot *a = wait_for(&r->lanes[0], i);
        const struct slot *b = a != NULL ? wait_for(&r->lanes[1], i) : NULL;
        if (b == NULL || !compare_strip(r, a, b, top)) {
            return false;
        }
        top += a->count;
        /* Rows of this strip may still be held for what differs in the next. */
        give_back(&r->lanes[0], i);
        give_back(&r->lanes[1], i);
    }
    return true;
}

static bool alike(const struct glmv_png_rows *a, const struct glmv_png_rows *b)
{
    return a->width == b->width && a->height == b->height;
}

static bool stream_init(struct glmv_stream *s, int width, int height, bool colours)
{
    for (int i = 0; i < 2; i++) {
        size_t size = (size_t)width * (size_t)height * 4;
        s->images[i] = (struct glmv_image){width, height, glmv_arena_take(s->memory, size)};
    }
    s->differs = glmv_arena_take(s->memory, (size_t)height);
    s->held = glmv_arena_take(s->memory, (size_t)height);
    if (colours) {
        s->colours = glmv_arena_take(s->memory, glmv_diff_colours_step(width) * (size_t)height);
    }
    return s->images[0].rgba != NULL && s->images[1].rgba != NULL && s->differs != NULL &&
           s->held != NULL && (!colours || s->colours != NULL);
}

static bool run(struct glmv_stream *s, const struct glmv_stream_options *options)
{
    struct run r = {.s = s, .same = true, .hold_all = options->whole};
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        ok = lane_init(&r.lanes[i], &s->files[i], i == 0, s->memory) && ok;
    }
    const struct glmv_png_rows *rows = r.lanes[0].rows;
    ok = ok && alike(rows, r.lanes[1].rows);
    if (ok) {
        /* Strips go in step; a row of four channels is longer. */
        int strip = rows->strip < r.lanes[1].rows->strip ? rows->strip : r.lanes[1].rows->strip;
        r.lanes[0].rows->strip = r.lanes[1].rows->strip = strip;
        r.width = rows->width;
        r.height = rows->height;
        r.bytes = (size_t)rows->width * 4;
        r.most = (size_t)(options->most_share * (double)rows->width * rows->height);
        r.last[0] = glmv_arena_take(s->memory, r.bytes);
        r.last[1] = glmv_arena_take(s->memory, r.bytes);
        r.second = glmv_arena_take(s->memory, (size_t)strip * r.bytes);
        ok = r.last[0] != NULL && r.last[1] != NULL && r.second != NULL &&
             (s->differs != NULL || stream_init(s, r.width, r.height, options->colours));
        r.colours = options->colours ? s->colours : NULL;
    }
    ok = ok && lane_start(&r.lanes[1], SECOND_THREAD, s->memory) &&
         lane_start(&r.lanes[0], FIRST_THREAD, s->memory) && compare_strips(&r);
    lane_release(&r.lanes[0]);
    lane_release(&r.lanes[1]);
    return ok;
}

bool glmv_diff_stream(struct glmv_stream *s, const struct glmv_stream_file files[2],
                      const struct glmv_stream_options *options, struct glmv_arena *memory)
{
    *s = (struct glmv_stream){.files = {files[0], files[1]}, .memory = memory};
    bool ok = run(s, options);
    if (!ok) {
        *s = (struct glmv_stream){0};
    }
    return ok;
}

bool glmv_diff_stream_complete(struct glmv_stream *s)
{
    const struct glmv_stream_options options = {.whole = true};
    return glmv_diff_stream_is_whole(s) || run(s, &options);
}

bool glmv_diff_stream_is_whole(const struct glmv_stream *s)
{
    return memchr(s->held, 0, (size_t)s->images[0].height) == NULL;
}
