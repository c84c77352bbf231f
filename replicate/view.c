#include "replicate/view.h"

#include "base/base64.h"
#include "replicate/view_css.h"
#include "replicate/view_js.h"

#define PICTURE_MAX ((size_t)512 << 20)

bool view_head(struct glmv_buf *out, const char *title, struct glmv_err *err)
{
    return glmv_buf_append_str(out,
                               "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
                               "charset=\"utf-8\">\n<meta name=\"viewport\" "
                               "content=\"width=device-width, initial-scale=1\">\n<title>",
                               err) &&
           glmv_buf_append_html(out, title, err) &&
           glmv_buf_append_str(out, "</title>\n<style>\n", err) &&
           glmv_buf_append_str(out, view_css, err) &&
           glmv_buf_append_str(out, "</style>\n</head>\n<body>\n<main>\n", err);
}

bool view_tail(struct glmv_buf *out, struct glmv_err *err)
{
    return glmv_buf_append_str(out, "</main>\n<script>\n", err) &&
           glmv_buf_append_str(out, view_js, err) &&
           glmv_buf_append_str(out, "</script>\n</body>\n</html>\n", err);
}

bool view_compare_begin(struct glmv_buf *out, struct glmv_err *err)
{
    return glmv_buf_append_str(out, "<div class=\"compare\"><div class=\"stage\">\n", err);
}

bool view_compare_end(struct glmv_buf *out, struct glmv_err *err)
{
    return glmv_buf_append_str(out, "</div></div>\n", err);
}

bool view_png(struct glmv_buf *out, const char *class, const char *caption, const void *png,
              size_t len, struct glmv_err *err)
{
    return glmv_buf_appendf(out, err,
                            "<figure class=\"%s\"><figcaption>%s</figcaption><div "
                            "class=\"picture\"><img alt=\"%s\" src=\"data:image/png;base64,",
                            class, caption, caption) &&
           glmv_base64_append(out, png, len, err) &&
           glmv_buf_append_str(out, "\"></div></figure>\n", err);
}

bool view_picture(struct glmv_buf *out, const char *class, const char *caption,
                  const struct glmv_image *image, struct glmv_err *err)
{
    struct glmv_buf png;
    glmv_buf_init(&png, PICTURE_MAX);
    bool ok = glmv_image_encode_png(image, 6, &png, err) &&
              view_png(out, class, caption, png.data, png.len, err);
    glmv_buf_release(&png);
    return ok;
}
