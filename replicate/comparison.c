#include "replicate/comparison.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "diff/difference.h"
#include "diff/faint.h"
#include "replicate/region.h"

/* Rows that moved make more than so much of the page differ; looking for them costs more than all
 * else. */
#define MOVED_SHARE 0.005
#define INSERTION_LINE 2 /* px */

/* Matches rows that moved; keeps it only where it explains at least a fifth of the difference. */
static bool align(struct replicate_comparison *c, const struct glmv_image *a,
                  const struct glmv_image *b, const struct glmv_pixel_options *options,
                  struct glmv_image **aligned, struct glmv_err *err)
{
    size_t bands;
    struct glmv_band *list = glmv_diff_bands(a, b, &bands, err);
    if (list == NULL) {
        return false;
    }
    c->gaps = malloc((bands + 1) * sizeof *c->gaps);
    if (c->gaps != NULL) {
        c->gap_count = glmv_diff_gaps(list, bands, a->height, b->height, c->gaps);
        *aligned = glmv_diff_align(a, b, list, bands, c->gaps, c->gap_count, err);
    } else {
        glmv_fail_memory(err);
    }
    c->bands = list;
    c->band_count = bands;
    if (*aligned == NULL) {
        return false;
    }
    struct glmv_pixel_count rest;
    glmv_diff_count(a, *aligned, options, &rest, NULL);
    if (c->gap_count > 0 && (double)rest.differing <= 0.8 * (double)c->count.differing) {
        c->aligned = rest.differing;
    } else {
        c->gap_count = 0;
        c->band_count = 0;
        glmv_image_free(*aligned);
        *aligned = NULL;
    }
    return true;
}

/* Both pictures and, of files read as a stream, what is known of their rows. */
struct sight {
    const struct glmv_image *a, *b;
    const uint8_t *differs, *held; /* NULL: every row may differ and is there */
};

static bool explain(struct replicate_comparison *c, const struct sight *s,
                    const struct glmv_pixel_options *options, bool *enough, struct glmv_err *err)
{
    size_t regions;
    struct glmv_region *list = glmv_diff_regions_in(s->a, s->b, s->differs, options->threshold,
                                                    REPLICATE_MAX_FINDINGS, &regions, err);
    free(c->findings);
    c->findings = NULL;
    if (list != NULL) {
        c->findings = glmv_diff_explain_in(s->a, s->b, s->held, list, regions, &c->finding_count,
                                           enough, err);
    }
    free(list);
    return c->findings != NULL;
}

/* Adds flat areas that changed by less than the threshold. */
static bool add_faint(struct replicate_comparison *c, const struct sight *s,
                      const struct glmv_pixel_options *options, struct glmv_err *err)
{
    size_t count;
    struct glmv_finding *faint = glmv_diff_faint(s->a, s->b, s->differs, options->threshold,
                                                 REPLICATE_MAX_FINDINGS, &count, err);
    struct glmv_finding *list =
        faint != NULL ? realloc(c->findings, (c->finding_count + count + 1) * sizeof *list) : NULL;
    if (list == NULL) {
        free(faint);
        return glmv_fail_memory(err);
    }
    c->findings = list;
    count = c->finding_count + count < REPLICATE_MAX_FINDINGS
                ? count
                : REPLICATE_MAX_FINDINGS - c->finding_count;
    memcpy(list + c->finding_count, faint, count * sizeof *faint);
    c->finding_count += count;
    free(faint);
    return true;
}

/* Rows put in and as many taken out below, or the other way round: where one thing moving up or
 * down is all that happened, that is plainer. */
static bool is_one_move(struct replicate_comparison *c, const struct sight *s,
                        const struct glmv_pixel_options *options, bool *one, struct glmv_err *err)
{
    bool enough;
    const struct glmv_gap *g = c->gaps;
    *one = false;
    if (c->gap_count != 2 || g[0].inserted == g[1].inserted || g[0].h != g[1].h) {
        return true;
    }
    if (!explain(c, s, options, &enough, err)) {
        return false;
    }
    *one = c->finding_count == 1 && c->findings[0].change == GLMV_CHANGE_MOVED;
    return true;
}

/* The marks of what still differs when rows that moved are matched: rows that only the first has,
 * and a line where rows of the second were put in, are marked whole. */
static void mark_aligned(struct replicate_comparison *c, const struct sight *s,
                         const struct glmv_pixel_options *options)
{
    struct glmv_pixel_count rest;
    size_t width = (size_t)(c->sizes[0][0] > c->sizes[1][0] ? c->sizes[0][0] : c->sizes[1][0]);
    int height = c->sizes[0][1] > c->sizes[1][1] ? c->sizes[0][1] : c->sizes[1][1];
    int moved = 0; /* by how much rows of the second lie lower */
    memset(c->marks, GLMV_MARK_SAME, width * (size_t)height);
    glmv_diff_mark(s->a, s->b, options, &rest, c->marks); /* as high as the first */
    for (size_t i = 0; i < c->gap_count; i++) {
        const struct glmv_gap *g = &c->gaps[i];
        int top = g->inserted ? g->y - moved : g->y;
        int rows = g->inserted ? INSERTION_LINE : g->h;
        for (int y = top; y < top + rows && y < height; y++) {
            memset(c->marks + (size_t)y * width, GLMV_MARK_DIFFERENT, width);
        }
        moved += g->inserted ? g->h : -g->h;
    }
}

/* The stream's missing rows, when there is one. */
static bool complete(struct replicate_comparison *c, struct sight *s, struct glmv_err *err)
{
    if (s->held != NULL && !glmv_diff_stream_complete(&c->stream)) {
        return glmv_fail_memory(err);
    }
    s->held = NULL;
    return true;
}

static bool compare(struct replicate_comparison *c, struct sight s,
                    const struct glmv_pixel_options *options, struct glmv_err *err)
{
    size_t w = (size_t)(s.a->width > s.b->width ? s.a->width : s.b->width);
    size_t h = (size_t)(s.a->height > s.b->height ? s.a->height : s.b->height);
    c->sizes[0][0] = s.a->width;
    c->sizes[0][1] = s.a->height;
    c->sizes[1][0] = s.b->width;
    c->sizes[1][1] = s.b->height;
    c->marks = s.held != NULL ? glmv_arena_take_sparse(&c->memory, w * h)
                              : glmv_arena_take(&c->memory, w * h);
    if (c->marks == NULL) {
        return glmv_fail_memory(err);
    }
    glmv_diff_mark_rows(s.a, s.b, s.differs, options, &c->count, c->marks);
    c->aligned = c->count.differing;
    if (c->count.differing == 0) {
        /* Colours that changed by less than the threshold still are a change. */
        return (!c->wants_noise || glmv_diff_noise_in(s.a, s.b, s.differs, &c->noise, err)) &&
               add_faint(c, &s, options, err);
    }
    struct glmv_image *aligned = NULL;
    bool may_have_moved = s.a->width != s.b->width || s.a->height != s.b->height ||
                          (double)c->count.differing > MOVED_SHARE * (double)c->count.total;
    if (may_have_moved && !(complete(c, &s, err) && align(c, s.a, s.b, options, &aligned, err))) {
        return false;
    }
    bool one_move = false;
    if (aligned != NULL && !is_one_move(c, &s, options, &one_move, err)) {
        glmv_image_free(aligned);
        return false;
    }
    if (one_move) {
        c->gap_count = 0;
        c->band_count = 0;
        c->aligned = c->count.differing;
    } else if (aligned != NULL) {
        s.b = aligned;
        s.differs = NULL;
        mark_aligned(c, &s, options);
    }
    bool enough = true;
    bool ok = (!c->wants_noise || glmv_diff_noise_in(s.a, s.b, s.differs, &c->noise, err)) &&
              explain(c, &s, options, &enough, err);
    if (ok && !enough) {
        ok = complete(c, &s, err) && explain(c, &s, options, &enough, err);
    }
    ok = ok && add_faint(c, &s, options, err);
    glmv_image_free(aligned);
    return ok;
}

bool replicate_compare_images(struct replicate_comparison *c,
                              const struct glmv_pixel_options *options, struct glmv_err *err)
{
    return compare(c, (struct sight){.a = c->images[0], .b = c->images[1]}, options, err);
}

/* Files that can be read as a stream; *read tells. */
static bool compare_stream(struct replicate_comparison *c, const struct glmv_stream_file files[2],
                           const struct glmv_pixel_options *options,
                           enum replicate_pictures pictures, bool *read, struct glmv_err *err)
{
    struct glmv_stream *stream = &c->stream;
    *read = glmv_diff_stream(
        stream, files,
        &(struct glmv_stream_options){.whole = pictures == REPLICATE_ALL_PICTURES,
                                      .difference = pictures != REPLICATE_NO_PICTURES,
                                      .most_share = MOVED_SHARE},
        &c->memory);
    if (!*read) {
        return true;
    }
    bool ok = compare(
        c, (struct sight){&stream->images[0], &stream->images[1], stream->differs, stream->held},
        options, err);
    size_t width = (size_t)c->sizes[0][0];
    for (int y = 0; ok && stream->difference != NULL && y < c->sizes[0][1]; y++) {
        if (c->count.differing + c->count.antialiased > 0 &&
            (stream->differs[y] || c->gap_count > 0)) {
            glmv_difference_mark(stream->difference, y, c->marks + (size_t)y * width);
        }
    }
    return ok;
}

/* One of the two files, decoded on a thread of its own. */
struct decoding {
    const struct glmv_stream_file *file;
    const char *path;
    struct glmv_image *image;
    struct glmv_err err;
};

static void *decode(void *argument)
{
    struct decoding *d = argument;
    d->image = glmv_image_decode(d->file->bytes, d->file->len, d->path, &d->err);
    return NULL;
}

static bool decode_both(struct replicate_comparison *c, const struct glmv_stream_file files[2],
                        struct glmv_err *err)
{
    struct decoding d[2] = {{.file = &files[0], .path = c->paths[0]},
                            {.file = &files[1], .path = c->paths[1]}};
    pthread_t thread;
    bool started = pthread_create(&thread, NULL, decode, &d[1]) == 0;
    decode(&d[0]);
    if (started) {
        pthread_join(thread, NULL);
    } else {
        decode(&d[1]);
    }
    for (int i = 0; i < 2; i++) {
        c->images[i] = d[i].image;
        if (d[i].image == NULL) {
            glmv_fail(err, d[i].err.code, "%s", d[i].err.message);
        }
    }
    return c->images[0] != NULL && c->images[1] != NULL;
}

static bool is_regular(int fd, off_t *size)
{
    struct stat st;
    bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    *size = regular ? st.st_size : 0;
    return regular;
}

/* Whether two files have the same bytes, and the size of the picture in them. */
static bool same_content(const int fds[2], int *w, int *h)
{
    static const size_t piece = 32768;
    off_t sizes[2];
    uint8_t *bytes = malloc(2 * piece);
    bool same = bytes != NULL && is_regular(fds[0], &sizes[0]) && is_regular(fds[1], &sizes[1]) &&
                sizes[0] == sizes[1] && sizes[0] > 0;
    for (off_t at = 0; same && at < sizes[0];) {
        ssize_t a = read(fds[0], bytes, piece);
        same = a > 0 && read(fds[1], bytes + piece, piece) == a &&
               memcmp(bytes, bytes + piece, (size_t)a) == 0 &&
               (at > 0 || glmv_image_size(bytes, (size_t)a, w, h));
        at += a;
    }
    free(bytes);
    return same;
}

/* Files of the same bytes are the same picture; only its size is read. */
static bool same_bytes(struct replicate_comparison *c)
{
    int w = 0;
    int h = 0;
    int fds[2];
    for (int i = 0; i < 2; i++) {
        fds[i] = open(c->paths[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    bool same = same_content(fds, &w, &h);
    for (int i = 0; i < 2; i++) {
        c->sizes[i][0] = w;
        c->sizes[i][1] = h;
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    c->count.total = (size_t)w * (size_t)h;
    return same;
}

bool replicate_compare(struct replicate_comparison *c, const struct glmv_pixel_options *options,
                       enum replicate_pictures pictures, struct glmv_err *err)
{
    if (pictures == REPLICATE_NO_PICTURES && same_bytes(c)) {
        return true;
    }
    struct glmv_stream_file files[2];
    for (int i = 0; i < 2; i++) {
        files[i].bytes =
            glmv_file_read_in(c->paths[i], GLMV_IMAGE_MAX_FILE, &c->memory, &files[i].len, err);
        if (files[i].bytes == NULL) {
            return false;
        }
    }
    bool done = false;
    return compare_stream(c, files, options, pictures, &done, err) &&
           (done || (decode_both(c, files, err) && replicate_compare_images(c, options, err)));
}

void replicate_comparison_release(struct replicate_comparison *c)
{
    glmv_image_free(c->images[0]);
    glmv_image_free(c->images[1]);
    for (size_t i = 0; c->selectors != NULL && i < c->finding_count; i++) {
        free(c->selectors[i]);
    }
    free((void *)c->selectors);
    free(c->bands);
    free(c->gaps);
    free(c->findings);
    glmv_page_free(c->page);
    glmv_arena_release(&c->memory);
    *c = (struct replicate_comparison){0};
}

struct glmv_box replicate_comparison_place(const struct replicate_comparison *c, size_t finding,
                                           int which)
{
    const struct glmv_finding *f = &c->findings[finding];
    const struct glmv_region *r = &f->region;
    struct glmv_box place = {r->x, r->y, r->w, r->h};
    if (which == 1) {
        int middle = r->y + r->h / 2;
        for (size_t i = 0; i < c->band_count; i++) {
            const struct glmv_band *band = &c->bands[i];
            place.y += middle >= band->y && middle < band->y + band->h ? band->dy : 0;
        }
        place.x += f->change == GLMV_CHANGE_MOVED ? f->dx : 0;
        place.y += f->change == GLMV_CHANGE_MOVED ? f->dy : 0;
    }
    return place;
}

const char *replicate_comparison_element(const struct replicate_comparison *c, size_t finding)
{
    if (c->page == NULL) {
        return c->selectors != NULL ? c->selectors[finding] : NULL;
    }
    struct glmv_box place = replicate_comparison_place(c, finding, c->page_side);
    int element = replicate_region_element(
        c->page, (struct glmv_box){place.x / c->scale, place.y / c->scale, place.w / c->scale,
                                   place.h / c->scale});
    return element >= 0 ? c->page->elements[element].path : NULL;
}

const struct glmv_image *replicate_comparison_image(const struct replicate_comparison *c, int which)
{
    const struct glmv_image *streamed = &c->stream.images[which];
    return c->images[which] != NULL ? c->images[which] : streamed->rgba != NULL ? streamed : NULL;
}

bool replicate_comparison_png(const struct replicate_comparison *c, struct glmv_buf *out,
                              struct glmv_err *err)
{
    if (c->stream.difference != NULL) {
        return glmv_difference_png(c->stream.difference, out, err);
    }
    const struct glmv_image *a = c->images[0];
    const struct glmv_image *b = c->images[1];
    return glmv_diff_encode_png(a, c->marks, a->width > b->width ? a->width : b->width,
                                a->height > b->height ? a->height : b->height, out, err);
}
