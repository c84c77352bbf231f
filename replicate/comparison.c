#include "replicate/comparison.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

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
    c->marks = malloc(w * h);
    if (c->marks == NULL) {
        return glmv_fail_memory(err);
    }
    glmv_diff_count(a, b, options, &c->count, c->marks);
    c->aligned = c->count.differing;
    if (c->count.differing == 0) {
        return true;
    }
    struct glmv_image *aligned = NULL;
    if (!align(c, options, &aligned, err)) {
        return false;
    }
    c->regions = glmv_diff_regions(a, aligned != NULL ? aligned : b, options->threshold,
                                   REPLICATE_MAX_FINDINGS, &c->region_count, err);
    glmv_image_free(aligned);
    return c->regions != NULL;
}

bool replicate_compare(struct replicate_comparison *c, const struct glmv_pixel_options *options,
                       struct glmv_err *err)
{
    struct glmv_buf bytes[2];
    bool ok = true;
    for (int i = 0; i < 2; i++) {
        glmv_buf_init(&bytes[i], GLMV_IMAGE_MAX_FILE);
        ok = ok && glmv_file_read(c->paths[i], GLMV_IMAGE_MAX_FILE, &bytes[i], err);
    }
    for (int i = 0; i < 2 && ok; i++) {
        c->images[i] = glmv_image_decode(bytes[i].data, bytes[i].len, c->paths[i], err);
        ok = c->images[i] != NULL;
    }
    glmv_buf_release(&bytes[0]);
    glmv_buf_release(&bytes[1]);
    return ok && replicate_compare_images(c, options, err);
}

void replicate_comparison_release(struct replicate_comparison *c)
{
    glmv_image_free(c->images[0]);
    glmv_image_free(c->images[1]);
    free(c->marks);
    free(c->gaps);
    free(c->regions);
    *c = (struct replicate_comparison){0};
}

bool replicate_comparison_png(const struct replicate_comparison *c, struct glmv_buf *out,
                              struct glmv_err *err)
{
    const struct glmv_image *a = c->images[0];
    const struct glmv_image *b = c->images[1];
    struct glmv_image *picture = glmv_image_new(a->width > b->width ? a->width : b->width,
                                                a->height > b->height ? a->height : b->height, err);
    if (picture == NULL) {
        return false;
    }
    for (size_t i = 0; i < c->count.total; i++) {
        int x = (int)(i % (size_t)picture->width);
        int y = (int)(i / (size_t)picture->width);
        uint8_t *p = picture->rgba + i * 4;
        int grey = 255;
        if (x < a->width && y < a->height) {
            const uint8_t *q = a->rgba + ((size_t)y * (size_t)a->width + (size_t)x) * 4;
            grey = 255 - (255 - (299 * q[0] + 587 * q[1] + 114 * q[2]) / 1000) * q[3] / 1275;
        }
        memset(p, grey, 3);
        p[3] = 255;
        if (c->marks[i] == GLMV_MARK_DIFFERENT) {
            memcpy(p, (const uint8_t[]){220, 20, 40}, 3);
        } else if (c->marks[i] == GLMV_MARK_ANTIALIASED) {
            memcpy(p, (const uint8_t[]){255, 190, 0}, 3);
        }
    }
    bool ok = glmv_image_encode_png(picture, 1, out, err);
    glmv_image_free(picture);
    return ok;
}
