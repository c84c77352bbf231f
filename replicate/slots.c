#include "replicate/slots.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"

static bool put_picture(const struct glmv_image *image, struct glmv_buf *out, struct glmv_err *err)
{
    struct glmv_buf png;
    glmv_buf_init(&png, GLMV_IMAGE_MAX_FILE);
    bool ok = glmv_image_encode_png(image, 6, &png, err) &&
              glmv_buf_append_str(out, "data:image/png;base64,", err) &&
              glmv_base64_append(out, png.data, png.len, err);
    glmv_buf_release(&png);
    return ok;
}

static bool write_picture(const struct glmv_image *image, const char *folder, size_t number,
                          struct glmv_buf *out, struct glmv_err *err)
{
    char path[4200];
    int len = snprintf(path, sizeof path, "%s/picture-%zu.png", folder, number);
    return len > 0 && (size_t)len < sizeof path
               ? glmv_image_write_png(image, path, err) && glmv_buf_append_str(out, path, err)
               : glmv_fail(err, GLMV_ERR_IO, "%s: the path is too long", folder);
}

/* Whether a slot's name begins here; end receives where it ends. */
static bool slot_at(const char *html, size_t len, size_t at, size_t *number, size_t *end)
{
    if (at + 6 > len || memcmp(html + at, "slot:", 5) != 0 ||
        !isdigit((unsigned char)html[at + 5]) ||
        (at > 0 && strchr("\"'(= ", html[at - 1]) == NULL)) {
        return false;
    }
    *number = 0;
    *end = at + 5;
    while (*end < len && isdigit((unsigned char)html[*end]) && *number < 100000) {
        *number = *number * 10 + (size_t)(html[(*end)++] - '0');
    }
    return true;
}

bool replicate_slots_shift(const char *html, size_t len, size_t by, struct glmv_buf *out,
                           struct glmv_err *err)
{
    size_t from = 0, number, end;
    bool ok = true;
    for (size_t at = 0; ok && at < len; at++) {
        if (slot_at(html, len, at, &number, &end)) {
            ok = glmv_buf_append(out, html + from, at - from, err) &&
                 glmv_buf_appendf(out, err, "slot:%zu", number + by);
            from = end;
            at = end - 1;
        }
    }
    return ok && glmv_buf_append(out, html + from, len - from, err);
}

/* folder NULL: as data URIs. */
static bool fill_slots(const struct glmv_scene *scene, const char *html, size_t len,
                       const char *folder, struct glmv_buf *out, struct glmv_err *err)
{
    size_t from = 0, number, end;
    bool ok = true;
    for (size_t at = 0; ok && at < len; at++) {
        if (!slot_at(html, len, at, &number, &end) || number >= scene->picture_count) {
            continue;
        }
        ok = glmv_buf_append(out, html + from, at - from, err) &&
             (folder == NULL
                  ? put_picture(scene->pictures[number].image, out, err)
                  : write_picture(scene->pictures[number].image, folder, number, out, err));
        from = end;
        at = end - 1;
    }
    return ok && glmv_buf_append(out, html + from, len - from, err);
}

bool replicate_slots_fill(const struct glmv_scene *scene, const char *html, size_t len,
                          struct glmv_buf *out, struct glmv_err *err)
{
    return fill_slots(scene, html, len, NULL, out, err);
}

bool replicate_slots_write(const struct glmv_scene *scene, const char *html, size_t len,
                           const char *folder, struct glmv_buf *out, struct glmv_err *err)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return glmv_fail(err, GLMV_ERR_IO, "%s: cannot be made: %s", folder, strerror(errno));
    }
    return fill_slots(scene, html, len, folder, out, err);
}
