#include "diff/stream.h"

#include <pthread.h>
#include <string.h>

#include "base/png_rows.h"
#include "diff/difference.h"
#include "diff/parallel.h"
#include "diff/relay.h"
#include "diff/scan.h"

#define SLOTS 6 /* strips of each file that are under way */
#define PIXEL_SLOTS                                                                                \
    5 /* of the first picture's pixels: at hand, the one before, and to be painted */
/* Less work than this is done before threads are awake. A byte of a file is as much work as four
 * pixels, and what both files begin with is unpacked once. */
#define THREADS_FROM ((size_t)1 << 20)
#define PIXELS_PER_BYTE 4
/* Processors from which there is a thread for the second file, the first, and the difference. */
enum { SECOND_THREAD = 2, FIRST_THREAD, PAINT_THREAD };

struct slot {
    uint8_t *room;
    const uint8_t *raw;
    int count;   /* rows */
    bool shared; /* the other file's strip is the same, and not unpacked again */
};

/* One file and the thread that unpacks it. */
struct lane {
    struct glmv_png_rows *rows;
    struct slot slots[SLOTS];
    /* The first file's: its strips within so many bytes are the second's, too. */
    struct lane *follower; /* NULL once it goes on by itself, and of the second file */
    size_t common;
    struct glmv_png_stream *kept; /* before the strip at hand */
    int first;                    /* strip that is made after parting */
    bool wants_thread;
    pthread_t thread;
    bool threaded;
    struct diff_relay relay;
};

/* The difference picture and the thread that makes it from the first picture's strips. */
struct painter {
    struct glmv_difference *difference; /* NULL when it is not wanted */
    uint8_t *const *pixels;
    int pixel_slots;
    const uint8_t *above; /* the row above the next strip */
    int width, height, strip;
    pthread_t thread;
    bool threaded;
    struct diff_relay relay;
};

struct run {
    struct glmv_stream *s;
    struct lane lanes[2];
    struct painter painter;
    int processors; /* worth using */
    int width, height;
    size_t bytes;                 /* of a row of pixels */
    const uint8_t *last;          /* row of the first picture in the strip before */
    uint8_t *second_end;          /* the same of the second, where it is another */
    uint8_t *pixels[PIXEL_SLOTS]; /* strips of the first picture */
    int pixel_slots;              /* of them, those in use */
    uint8_t *second;              /* the strip of the second picture where it differs */
    const uint8_t *b_up;          /* pixels above the row at hand */
    bool same;                    /* the row above is the same in both pictures */
    bool hold_all;
    int after;            /* rows still to be held after one that differs */
    size_t differing;     /* pixels, in any bit */
    size_t most;          /* of them; see most_share */
    const uint8_t *older; /* pixels of the strip before */
    int older_count;
};

static int strip_count(const struct glmv_png_rows *rows)
{
    return (rows->height + rows->strip - 1) / rows->strip;
}

static void *make_strips(void *argument);
static bool make_strip(struct lane *lane, int number);

/* From the strip on the second file has bytes of its own. That strip is made here, for it goes on
 * from what the first file's slots hold. */
static void part_ways(struct lane *lane, int number)
{
    struct lane *second = lane->follower;
    lane->follower = NULL;
    glmv_png_rows_follow(second->rows, lane->kept);
    bool ok = make_strip(second, number);
    diff_relay_made(&second->relay, number, ok);
    second->first = number + 1;
    second->threaded = ok && second->wants_thread &&
                       pthread_create(&second->thread, NULL, make_strips, second) == 0;
}

/* Unpacks the next strip. */
static bool make_strip(struct lane *lane, int number)
{
    struct slot *slot = &lane->slots[number % SLOTS];
    if (lane->follower != NULL) {
        glmv_png_rows_keep(lane->rows, lane->kept);
    }
    slot->raw = glmv_png_rows_next(lane->rows, slot->room, &slot->count);
    if (lane->follower != NULL && !glmv_png_rows_is_within(lane->rows, lane->common)) {
        part_ways(lane, number);
    }
    slot->shared = lane->follower != NULL;
    return slot->raw != NULL;
}

static void *make_strips(void *argument)
{
    struct lane *lane = argument;
    bool ok = true;
    for (int i = lane->first; i < lane->relay.strips && ok; i++) {
        ok = diff_relay_begin(&lane->relay, i) && make_strip(lane, i);
        diff_relay_made(&lane->relay, i, ok);
    }
    return NULL;
}

/* NULL when the file is broken. */
static const struct slot *wait_for(struct lane *lane, int number)
{
    bool ok;
    if (lane->threaded || number < lane->first) {
        ok = diff_relay_take(&lane->relay, number);
    } else {
        ok = make_strip(lane, number);
    }
    return ok ? &lane->slots[number % SLOTS] : NULL;
}

/* Without a thread one slot is enough for the second file, and two for the first, whose last strip
 * the second goes on from. */
static bool lane_init(struct lane *lane, bool wanted, struct glmv_arena *memory)
{
    int rooms = wanted ? SLOTS : 2;
    for (int i = 0; i < SLOTS; i++) {
        lane->slots[i].room =
            i < rooms ? glmv_arena_take(memory, lane->rows->room) : lane->slots[i % rooms].room;
        if (lane->slots[i].room == NULL) {
            return false;
        }
    }
    lane->wants_thread = wanted;
    return true;
}

static void lane_release(struct lane *lane)
{
    if (lane->threaded) {
        diff_relay_stop(&lane->relay);
        pthread_join(lane->thread, NULL);
    }
    diff_relay_release(&lane->relay);
}

static bool paint_strip(struct painter *p, int number)
{
    const uint8_t *pixels = p->pixels[number % p->pixel_slots];
    int left = p->height - number * p->strip;
    int count = left < p->strip ? left : p->strip;
    bool ok = glmv_difference_add(p->difference, pixels, p->above, p->width, count);
    p->above = pixels + (size_t)(count - 1) * (size_t)p->width * 4;
    return ok;
}

static void *paint_strips(void *argument)
{
    struct painter *p = argument;
    bool ok = true;
    for (int i = 0; i < p->relay.strips && ok; i++) {
        ok = diff_relay_take(&p->relay, i) && paint_strip(p, i);
        diff_relay_used(&p->relay, i);
    }
    if (!ok) {
        diff_relay_stop(&p->relay);
    }
    return NULL;
}

/* Waits for what is to be painted still; false when it could not be. */
static bool painter_end(struct painter *p, bool ok)
{
    if (p->threaded) {
        if (!ok) {
            diff_relay_made(&p->relay, 0, false);
        }
        pthread_join(p->thread, NULL);
        ok = ok && !atomic_load(&p->relay.stopped);
        diff_relay_release(&p->relay);
    }
    return ok;
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

static bool compare_row(struct run *r, const struct slot *a, const struct slot *b,
                        const uint8_t *pixels, int top, int y)
{
    const struct glmv_png_rows *rows = r->lanes[1].rows;
    bool comparable = r->lanes[0].rows->channels == rows->channels;
    size_t i = (size_t)(y - top);
    const uint8_t *p = pixels + i * r->bytes;
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
        hold_above(r, top, y, pixels);
        r->after = GLMV_STREAM_MARGIN + 1;
        if (r->differing > r->most && !r->hold_all) {
            r->hold_all = true;
            glmv_arena_expect(r->s->memory);
        }
    }
    if (r->hold_all || r->after > 0) {
        hold(r, y, p, q);
        r->after -= r->after > 0;
    }
    return true;
}

static bool compare_strip(struct run *r, const struct slot *a, const struct slot *b, int number)
{
    const struct glmv_png_rows *rows = r->lanes[0].rows;
    uint8_t *pixels = r->pixels[number % r->pixel_slots];
    int top = number * rows->strip;
    if (!glmv_png_rows_undo(rows, a->raw, a->count, top > 0 ? r->last : NULL, pixels)) {
        return false;
    }
    const uint8_t *end = pixels + (size_t)(a->count - 1) * r->bytes;
    if (rows->step == r->lanes[1].rows->step && r->same && r->after == 0 && !r->hold_all &&
        (b == a || memcmp(a->raw, b->raw, (size_t)a->count * rows->step) == 0)) {
        r->b_up = end;
    } else {
        for (int y = top; y < top + a->count; y++) {
            if (!compare_row(r, a, b, pixels, top, y)) {
                return false;
            }
        }
    }
    r->last = end;
    if (r->b_up != end) {
        memcpy(r->second_end, r->b_up, r->bytes);
        r->b_up = r->second_end;
    }
    r->older = pixels;
    r->older_count = a->count;
    return true;
}

static bool compare_strips(struct run *r)
{
    struct painter *painter = &r->painter;
    int strips = strip_count(r->lanes[0].rows);
    for (int i = 0; i < strips; i++) {
        const struct slot *a = wait_for(&r->lanes[0], i);
        const struct slot *b = a == NULL || a->shared ? a : wait_for(&r->lanes[1], i);
        if (b == NULL || (painter->threaded && !diff_relay_begin(&painter->relay, i)) ||
            !compare_strip(r, a, b, i)) {
            return false;
        }
        diff_relay_used(&r->lanes[0].relay, i);
        diff_relay_used(&r->lanes[1].relay, i);
        if (painter->threaded) {
            diff_relay_made(&painter->relay, i, true);
        } else if (painter->difference != NULL && !paint_strip(painter, i)) {
            return false;
        }
    }
    return true;
}

static bool alike(const struct glmv_png_rows *a, const struct glmv_png_rows *b)
{
    return a->width == b->width && a->height == b->height;
}

static bool stream_init(struct glmv_stream *s, int width, int height, bool difference)
{
    for (int i = 0; i < 2; i++) {
        size_t size = (size_t)width * (size_t)height * 4;
        s->images[i] = (struct glmv_image){width, height, glmv_arena_take_sparse(s->memory, size)};
    }
    s->differs = glmv_arena_take(s->memory, (size_t)height);
    s->held = glmv_arena_take(s->memory, (size_t)height);
    if (difference) {
        s->difference = glmv_difference_new(width, height, s->memory);
    }
    return s->images[0].rgba != NULL && s->images[1].rgba != NULL && s->differs != NULL &&
           s->held != NULL && (!difference || s->difference != NULL);
}

static void painter_start(struct run *r)
{
    struct painter *p = &r->painter;
    p->pixels = r->pixels;
    p->pixel_slots = r->pixel_slots;
    p->width = r->width;
    p->height = r->height;
    p->strip = r->lanes[0].rows->strip;
    if (r->pixel_slots == PIXEL_SLOTS) {
        /* The strip at hand is filtered by the one before, and compared with it. */
        diff_relay_init(&p->relay, strip_count(r->lanes[0].rows), PIXEL_SLOTS - 1);
        p->threaded = pthread_create(&p->thread, NULL, paint_strips, p) == 0;
    }
}

static int processors_for(const struct run *r, size_t common)
{
    const struct glmv_stream_file *files = r->s->files;
    size_t pixels = (size_t)r->width * (size_t)r->height;
    size_t work = files[0].len + files[1].len - common + pixels / PIXELS_PER_BYTE;
    return work < THREADS_FROM ? 1 : diff_processors();
}

static bool run_init(struct run *r, const struct glmv_stream_options *options)
{
    struct glmv_stream *s = r->s;
    for (int i = 0; i < 2; i++) {
        r->lanes[i].rows = glmv_png_rows_open(s->files[i].bytes, s->files[i].len, s->memory);
    }
    struct glmv_png_rows *rows = r->lanes[0].rows;
    struct glmv_png_rows *other = r->lanes[1].rows;
    if (rows == NULL || other == NULL || !alike(rows, other)) {
        return false;
    }
    /* Strips go in step; a row of four channels is longer. */
    rows->strip = other->strip = rows->strip < other->strip ? rows->strip : other->strip;
    r->width = rows->width;
    r->height = rows->height;
    r->bytes = (size_t)rows->width * 4;
    r->lanes[0].common = glmv_png_rows_common(rows, other);
    r->processors =
        options->processors > 0 ? options->processors : processors_for(r, r->lanes[0].common);
    r->most = (size_t)(options->most_share * (double)rows->width * rows->height);
    bool ok = s->differs != NULL || stream_init(s, r->width, r->height, options->difference);
    r->pixel_slots = options->difference && r->processors >= PAINT_THREAD ? PIXEL_SLOTS : 2;
    for (int i = 0; i < r->pixel_slots; i++) {
        r->pixels[i] = glmv_arena_take(s->memory, (size_t)rows->strip * r->bytes);
        ok = ok && r->pixels[i] != NULL;
    }
    r->second = glmv_arena_take(s->memory, (size_t)rows->strip * r->bytes);
    r->second_end = glmv_arena_take(s->memory, r->bytes);
    r->painter.difference = options->difference ? s->difference : NULL;
    return ok && r->second != NULL && r->second_end != NULL;
}

/* The second file follows the first, on whose thread its own is started. */
static bool lanes_start(struct run *r)
{
    struct lane *first = &r->lanes[0];
    struct lane *second = &r->lanes[1];
    first->kept = glmv_png_rows_keeper(r->s->memory);
    if (first->kept == NULL || !lane_init(first, r->processors >= FIRST_THREAD, r->s->memory) ||
        !lane_init(second, r->processors >= SECOND_THREAD, r->s->memory)) {
        return false;
    }
    first->follower = second;
    first->threaded =
        first->wants_thread && pthread_create(&first->thread, NULL, make_strips, first) == 0;
    return true;
}

static bool run(struct glmv_stream *s, const struct glmv_stream_options *options)
{
    struct run r = {.s = s, .same = true, .hold_all = options->whole};
    if (options->whole) {
        glmv_arena_expect(s->memory);
    }
    if (!run_init(&r, options)) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        diff_relay_init(&r.lanes[i].relay, strip_count(r.lanes[i].rows), SLOTS);
    }
    bool ok = lanes_start(&r);
    if (ok) {
        painter_start(&r);
        ok = compare_strips(&r);
        ok = painter_end(&r.painter, ok);
    }
    lane_release(&r.lanes[0]); /* first: it may start the other's thread */
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
