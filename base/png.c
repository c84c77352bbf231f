#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

/* What a libpng callback needs; libpng hands it back as an opaque pointer. */
struct png_job {
    const unsigned char *bytes;
    size_t len;
    size_t pos;
    const char *name;
    struct glmv_buf *out;
    struct glmv_err *err;
};

static void png_failed(png_structp png, png_const_charp message)
{
    struct png_job *job = png_get_error_ptr(png);
    glmv_fail(job->err, GLMV_ERR_FORMAT, "%s: broken PNG (%s); export it again", job->name,
              message);
    png_longjmp(png, 1);
}

static void png_warned(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static void png_pull(png_structp png, png_bytep to, size_t len)
{
    struct png_job *job = png_get_io_ptr(png);
    if (len > job->len - job->pos) {
        png_error(png, "the file ends too early");
    }
    memcpy(to, job->bytes + job->pos, len);
    job->pos += len;
}

static void png_push(png_structp png, png_bytep from, size_t len)
{
    struct png_job *job = png_get_io_ptr(png);
    if (!glmv_buf_append(job->out, from, len, job->err)) {
        png_longjmp(png, 1);
    }
}

static void png_flushed(png_structp png)
{
    (void)png;
}

/* Every kind of PNG becomes 8-bit RGBA. */
static void ask_for_rgba(png_structp png, png_infop info)
{
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

struct glmv_image *base_png_decode(const unsigned char *bytes, size_t len, const char *name,
                                   struct glmv_err *err)
{
    struct png_job job = {.bytes = bytes, .len = len, .name = name, .err = err};
    /* volatile: they are set between setjmp and longjmp, and read after it. */
    struct glmv_image *volatile image = NULL;
    png_bytep *volatile rows = NULL;
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, png_failed, png_warned);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL) {
        png_destroy_read_struct(&png, NULL, NULL);
        glmv_fail_memory(err);
        return NULL;
    }
    if (setjmp(png_jmpbuf(png)) != 0) {
        glmv_fail(err, GLMV_ERR_FORMAT, "%s: broken PNG; export it again", name);
        goto fail;
    }
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_set_read_fn(png, &job, png_pull);
    png_read_info(png, info);
    png_uint_32 width = png_get_image_width(png, info);
    png_uint_32 height = png_get_image_height(png, info);
    if (!base_image_fits(width, height, name, err)) {
        goto fail;
    }
    ask_for_rgba(png, info);
    image = glmv_image_new((int)width, (int)height, err);
    rows = malloc(height * sizeof *rows);
    if (image == NULL || rows == NULL) {
        glmv_fail_memory(err);
        goto fail;
    }
    for (png_uint_32 y = 0; y < height; y++) {
        rows[y] = image->rgba + (size_t)y * width * 4;
    }
    png_read_image(png, rows);
    png_read_end(png, NULL);
    free((void *)rows);
    png_destroy_read_struct(&png, &info, NULL);
    return image;

fail:
    free((void *)rows);
    glmv_image_free(image);
    png_destroy_read_struct(&png, &info, NULL);
    return NULL;
}

static bool is_opaque(const struct glmv_image *image)
{
    size_t count = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < count; i++) {
        if (image->rgba[i * 4 + 3] != 255) {
            return false;
        }
    }
    return true;
}

bool glmv_image_encode_png(const struct glmv_image *image, int level, struct glmv_buf *out,
                           struct glmv_err *err)
{
    struct png_job job = {.name = "picture", .out = out, .err = err};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &job, png_failed, png_warned);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL) {
        png_destroy_write_struct(&png, NULL);
        return glmv_fail_memory(err);
    }
    if (setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return glmv_fail(err, GLMV_ERR_FORMAT, "the picture could not be encoded");
    }
    png_set_write_fn(png, &job, png_push, png_flushed);
    png_set_compression_level(png, level);
    /* Pages are flat: rows as they are pack smaller than filtered ones, in a third of the time. */
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    bool opaque = is_opaque(image);
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 opaque ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGBA, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    if (opaque) {
        png_set_filler(png, 0, PNG_FILLER_AFTER);
    }
    for (int y = 0; y < image->height; y++) {
        png_write_row(png, image->rgba + (size_t)y * (size_t)image->width * 4);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return true;
}
