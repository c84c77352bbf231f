#include "replicate/comparison.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "diff/difference.h"

/* Rows that moved make more than so much of the page differ; looking for them costs more than all
 * else. */
#define MOVED_SHARE 0.005

/* Matches rows that moved; keeps it only where it explains at least a fifth of the difference. */
static bool align(struct replicate_comparison *c, const struct glmv_pixel_options *options,
                  struct glmv_image **aligned, struct glmv_err *err)
{
    const struct glmv_image *a = c->images[0];
    const struct glmv_image *b = c->images[1];
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
    free(list);
    if (*aligned == NULL) {
        return false;
    }
    struct glmv_pixel_count rest;
    glmv_diff_count(a, *aligned, options, &rest, NULL);
    if (c->gap_count > 0 && (double)rest.differing <= 0.8 * (double)c->count.differing) {
        c->aligned = rest.differing;
    } else {
        c->gap_count = 0;
        glmv_image_free(*aligned);
        *aligned = NULL;
    }
    return true;
}

bool replicate_compare_images(struct replicate_comparison *c,
                              const struct glmv_pixel_options *options, struct glmv_err *err)
{
    const struct glmv_image *a = c->images[0];
    const struct glmv_image *b = c->images[1];
    size_t w = (size_t)(a->width > b->width ? a->width : b->width);
    size_t h = (size_t)(a->height > b->height ? a->height : b->height);
    for (int i = 0; i < 2; i++) {
        c->sizes[i][0] = c->images[i]->width;
        c->sizes[i][1] = c->images[i]->height;
    }
    c->marks = calloc(w, h);
    if (c->marks == NULL) {
        return glmv_fail_memory(err);
    }
    glmv_diff_mark(a, b, options, &c->count, c->marks);
    c->aligned = c->count.differing;
    if (c->count.differing == 0) {
        /* Colours that changed by less than the threshold still are a change. */
        return !c->wants_noise || glmv_diff_noise(a, b, &c->noise, err);
    }
    struct glmv_image *aligned = NULL;
    bool may_have_moved = a->width != b->width || a->height != b->height ||
                          (double)c->count.differing > MOVED_SHARE * (double)c->count.total;
    if (may_have_moved && !align(c, options, &aligned, err)) {
        return false;
    }
    const struct glmv_image *matched = aligned != NULL ? aligned : b;
    if (c->wants_noise && !glmv_diff_noise(a, matched, &c->noise, err)) {
        glmv_image_free(aligned);
        return false;
    }
    size_t regions;
    struct glmv_region *list =
        glmv_diff_regions(a, matched, options->threshold, REPLICATE_MAX_FINDINGS, &regions, err);
    if (list != NULL) {
        c->findings = glmv_diff_explain(a, matched, list, regions, &c->finding_count, err);
    }
    free(list);
    glmv_image_free(aligned);
    return c->findings != NULL;
}

/* One of the two files, decoded on a thread of its own. */
struct decoding {
    const struct glmv_buf *bytes;
    const char *path;
    struct glmv_image *image;
    struct glmv_err err;
};

static void *decode(void *argument)
{
    struct decoding *d = argument;
    d->image = glmv_image_decode(d->bytes->data, d->bytes->len, d->path, &d->err);
    return NULL;
}

static bool decode_both(struct replicate_comparison *c, const struct glmv_buf bytes[2],
                        struct glmv_err *err)
{
    struct decoding d[2] = {{.bytes = &bytes[0], .path = c->paths[0]},
                            {.bytes = &bytes[1], .path = c->paths[1]}};
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

/* Files of the same bytes are the same picture; only its size is read. */
static bool same_bytes(struct replicate_comparison *c, const struct glmv_buf bytes[2])
{
    int w;
    int h;
    if (bytes[0].len != bytes[1].len || memcmp(bytes[0].data, bytes[1].data, bytes[0].len) != 0 ||
        !glmv_image_size(bytes[0].data, bytes[0].len, &w, &h)) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        c->sizes[i][0] = w;
        c->sizes[i][1] = h;
    }
    c->count.total = (size_t)w * (size_t)h;
    return true;
}

bool replicate_compare(struct replicate_comparison *c, const struct glmv_pixel_options *options,
                       bool pictures, struct glmv_err *err)
{
    struct glmv_buf bytes[2];
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        glmv_buf_init(&bytes[i], GLMV_IMAGE_MAX_FILE);
        ok = ok && glmv_file_read(c->paths[i], GLMV_IMAGE_MAX_FILE, &bytes[i], err);
    }
    bool known = ok && !pictures && same_bytes(c, bytes);
    ok = ok && (known || decode_both(c, bytes, err));
    glmv_buf_release(&bytes[0]);
    glmv_buf_release(&bytes[1]);
    return ok && (known || replicate_compare_images(c, options, err));
}

void replicate_comparison_release(struct replicate_comparison *c)
{
    glmv_image_free(c->images[0]);
    glmv_image_free(c->images[1]);
    free(c->marks);
    free(c->gaps);
    free(c->findings);
    *c = (struct replicate_comparison){0};
}

bool replicate_comparison_png(const struct replicate_comparison *c, struct glmv_buf *out,
                              struct glmv_err *err)
{
    const struct glmv_image *a = c->images[0];
    const struct glmv_image *b = c->images[1];
    return glmv_diff_encode_png(a, c->marks, a->width > b->width ? a->width : b->width,
                                a->height > b->height ? a->height : b->height, out, err);
}
