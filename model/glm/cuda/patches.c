#include "model/glm/cuda/patches.h"

#include <stdlib.h>
#include <string.h>

#include "model/glm/cuda/upload.h"

#define BAND ((size_t)16 << 20) /* bytes of the picture that are on the device at a time */
#define MOST_LINES 65535        /* of a grid */

bool glm_cuda_shape_of(const struct glm_config *config, int width, int height,
                       struct glm_cuda_shape *shape, struct glmv_err *err)
{
    const struct glm_vision_config *c = &config->vision;
    *shape = (struct glm_cuda_shape){.width = width, .height = height};
    if (!glm_picture_size(config, width, height, &shape->out_width, &shape->out_height, err)) {
        return false;
    }
    const uint32_t h = (uint32_t)(shape->out_height / c->patch),
                   w = (uint32_t)(shape->out_width / c->patch);
    shape->grid = (struct glm_cuda_grid){h * w, h, w, (uint32_t)c->merge};
    return true;
}

/* What the kernels look up: taps of both passes, and the values as bf16. */
struct tables {
    struct glm_taps across, down;
    unsigned char *bytes; /* owned */
    size_t size, used;
};

static size_t taps_bytes(int in, int out)
{
    const size_t most = (size_t)((in + out - 1) / out * 2 + 1) * 2 + 3; /* not less than it has */
    return (size_t)out * (2 + most) * sizeof(int32_t);
}

static size_t table_bytes(const struct glm_cuda_shape *s)
{
    return taps_bytes(s->width, s->out_width) + taps_bytes(s->height, s->out_height) +
           3 * 256 * sizeof(uint16_t);
}

static size_t band_lines(const struct glm_cuda_shape *s)
{
    size_t lines = BAND / ((size_t)s->width * 4);
    lines = lines < 1 ? 1 : lines > MOST_LINES ? MOST_LINES : lines;
    return lines < (size_t)s->height ? lines : (size_t)s->height;
}

struct memory {
    uint8_t *band; /* [band_lines][width][4] */
    uint8_t *wide; /* [height][out_width][3] */
    unsigned char *tables;
};

static struct memory take(struct glm_cuda_arena *arena, const struct glm_cuda_shape *s)
{
    struct memory m;
    m.band = glm_cuda_take(arena, band_lines(s) * (size_t)s->width * 4);
    m.wide = glm_cuda_take(arena, (size_t)s->height * (size_t)s->out_width * 3);
    m.tables = glm_cuda_take(arena, table_bytes(s));
    return m;
}

size_t glm_cuda_patches_bytes(const struct glm_cuda_shape *shape)
{
    struct glm_cuda_arena arena = {0};
    take(&arena, shape);
    return arena.used;
}

static const void *put(struct tables *t, const unsigned char *base, const void *from, size_t bytes)
{
    const void *at = base + t->used;
    memcpy(t->bytes + t->used, from, bytes);
    t->used += bytes;
    return at;
}

static struct glm_cuda_taps put_taps(struct tables *t, const unsigned char *base,
                                     const struct glm_taps *taps)
{
    const size_t outs = (size_t)taps->outs, line = outs * sizeof(int32_t);
    struct glm_cuda_taps out = {.outs = (uint32_t)taps->outs, .most = (uint32_t)taps->most};
    out.first = put(t, base, taps->first, line);
    out.count = put(t, base, taps->count, line);
    out.weights = put(t, base, taps->weights, line * (size_t)taps->most);
    return out;
}

static bool open_tables(struct tables *t, const struct glm_cuda_shape *s, struct glmv_err *err)
{
    *t = (struct tables){.size = table_bytes(s)};
    t->bytes = calloc(t->size, 1); /* weights that no tap has are not set */
    return (t->bytes != NULL && glm_taps_make(&t->across, s->width, s->out_width) &&
            glm_taps_make(&t->down, s->height, s->out_height)) ||
           glmv_fail_memory(err);
}

static void close_tables(struct tables *t)
{
    glm_taps_release(&t->across);
    glm_taps_release(&t->down);
    free(t->bytes);
}

bool glm_cuda_patches_read(struct glm_cuda_device *device, const struct glm_config *config,
                           struct glm_cuda_arena arena, const struct glm_cuda_shape *s,
                           const struct glmv_image *image, uint16_t *patches, struct glmv_err *err)
{
    const struct memory m = take(&arena, s);
    struct tables t;
    float values[3][256];
    uint16_t rounded[3 * 256];
    glm_picture_values(&config->picture, values);
    for (size_t i = 0; i < 3 * 256; i++) {
        rounded[i] = glm_cuda_bf16(values[i / 256][i % 256]);
    }
    bool ok = open_tables(&t, s, err);
    if (ok) {
        struct glm_cuda_across across = {put_taps(&t, m.tables, &t.across), m.band, m.wide,
                                         (uint32_t)s->width, 0};
        struct glm_cuda_cut cut = {put_taps(&t, m.tables, &t.down),
                                   s->grid,
                                   m.wide,
                                   put(&t, m.tables, rounded, sizeof rounded),
                                   patches,
                                   (uint32_t)config->vision.patch,
                                   (uint32_t)config->vision.temporal};
        ok = glm_cuda_send(device, m.tables, t.bytes, t.used, err);
        const size_t height = (size_t)s->height, most = band_lines(s), line = (size_t)s->width * 4;
        for (size_t at = 0; ok && at < height; at += most) {
            across.lines = (uint32_t)(height - at < most ? height - at : most);
            across.out = m.wide + at * (size_t)s->out_width * 3;
            ok = glm_cuda_send(device, m.band, image->rgba + at * line, across.lines * line, err) &&
                 glm_cuda_run(device, glm_cuda_across_launch(&across), &across, err);
        }
        ok = ok && glm_cuda_run(device, glm_cuda_cut_launch(&cut), &cut, err);
    }
    /* Copies of pageable memory may be read as late as a kernel: the tables end here, and the
     * picture is the caller's. */
    ok = glm_cuda_wait(device, ok ? err : NULL) && ok;
    close_tables(&t);
    return ok;
}
