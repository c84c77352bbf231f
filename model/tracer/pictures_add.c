/* Pictures as they are added to the scene: photos without the words on them, drawings as shapes,
 * the rest transparent around its ink. */
#include <math.h>
#include <string.h>

#include "model/tracer/drawing.h"
#include "model/tracer/pictures.h"

enum {
    ICON_SIDE = 72,
    HOLDER_SIDE = 32, /* px of a drawing that other things lie on */
};

#define SVG_MAX ((size_t)1 << 20)
#define DRAWING_FILL                                                                               \
    0.08 /* of its rectangle that a drawing covers at least, to hold other things */

/* Fills the px of text with those beside them, so that the words are not in the picture as well. */
static void remove_text(const struct model_view *view, struct model_rect r,
                        struct glmv_image *image)
{
    int w = r.x1 - r.x0;
    int h = r.y1 - r.y0;
    for (int y = 0; y < h; y++) {
        int left = -1;
        for (int x = 0; x < w; x++) {
            const uint8_t *mask =
                view->text_mask + (size_t)(r.y0 + y) * (size_t)view->w + (size_t)r.x0;
            if (!mask[x]) {
                left = x;
                continue;
            }
            int right = x + 1;
            while (right < w && mask[right]) {
                right++;
            }
            uint8_t *row = image->rgba + (size_t)y * (size_t)w * 4;
            int a = left >= 0 ? left : right < w ? right : -1;
            int b = right < w ? right : a;
            for (int k = x; a >= 0 && k < right; k++) {
                double t = b > a ? (double)(k - a) / (b - a) : 0;
                for (int c = 0; c < 3; c++) {
                    row[k * 4 + c] = (uint8_t)lround(row[a * 4 + c] * (1 - t) + row[b * 4 + c] * t);
                }
            }
            x = right - 1;
        }
    }
}

/* Explained px become transparent, except beside unexplained ones: those hold soft edges. */
static void cut_out(const struct leftovers *lo, struct model_rect r, struct glmv_image *image)
{
    int w = r.x1 - r.x0;
    for (int y = r.y0; y < r.y1; y++) {
        for (int x = r.x0; x < r.x1; x++) {
            size_t i = (size_t)y * (size_t)lo->view->w + (size_t)x;
            if (!lo->residual[i]) {
                uint8_t *p =
                    image->rgba + ((size_t)(y - r.y0) * (size_t)w + (size_t)(x - r.x0)) * 4;
                memset(p, 0, 4);
            }
        }
    }
}

static int find_twin(const struct glmv_scene *scene, const struct glmv_scene_picture *picture)
{
    for (size_t i = 0; i + 1 < scene->picture_count; i++) {
        const struct glmv_image *a = scene->pictures[i].image;
        const struct glmv_image *b = picture->image;
        if (scene->pictures[i].same_as < 0 && a->width == b->width && a->height == b->height &&
            memcmp(a->rgba, b->rgba, (size_t)a->width * (size_t)a->height * 4) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* Appends the px of a rectangle to the scene. NULL without memory. */
static struct glmv_scene_picture *append(const struct leftovers *lo, struct model_rect r,
                                         struct glmv_scene *scene, struct glmv_err *err)
{
    int w = r.x1 - r.x0;
    int h = r.y1 - r.y0;
    struct glmv_image *image = glmv_image_crop(lo->view->image, r.x0, r.y0, w, h, err);
    if (image == NULL) {
        return NULL;
    }
    struct glmv_scene_picture *picture =
        model_grow((void **)&scene->pictures, &scene->picture_count, sizeof *scene->pictures, err);
    if (picture == NULL) {
        glmv_image_free(image);
        return NULL;
    }
    picture->kind = w <= ICON_SIDE && h <= ICON_SIDE ? GLMV_PICTURE_ICON : GLMV_PICTURE_LEFTOVER;
    picture->box = (struct glmv_box){r.x0, r.y0, w, h};
    picture->image = image;
    return picture;
}

bool pictures_add(struct leftovers *lo, struct model_rect r, int residual, struct glmv_scene *scene,
                  struct glmv_err *err)
{
    struct glmv_scene_picture *picture = append(lo, r, scene, err);
    if (picture == NULL) {
        return false;
    }
    if (pictures_is_photo(r, residual)) {
        picture->kind = GLMV_PICTURE_PHOTO;
        remove_text(lo->view, r, picture->image);
    } else {
        cut_out(lo, r, picture->image);
    }
    picture->same_as = find_twin(scene, picture);
    return true;
}

static bool is_faint(const struct leftovers *lo, struct model_rect r)
{
    for (int i = 0; i < lo->faint_count; i++) {
        const struct model_rect *f = &lo->faint[i];
        if (f->x0 < r.x1 && r.x0 < f->x1 && f->y0 < r.y1 && r.y0 < f->y1) {
            return true;
        }
    }
    return false;
}

bool pictures_add_drawing(struct leftovers *lo, struct model_rect r, int residual,
                          struct glmv_scene *scene, bool *drawn, struct glmv_err *err)
{
    const struct drawing_source source = {lo->view,  lo->canvas, lo->residual,
                                          lo->owner, scene,      lo->odd};
    struct glmv_buf svg;
    glmv_buf_init(&svg, SVG_MAX);
    /* The soft px at the edge of a drawing may pass for explained. */
    r = (struct model_rect){model_max(0, r.x0 - 1), model_max(0, r.y0 - 1),
                            model_min(lo->view->w, r.x1 + 1), model_min(lo->view->h, r.y1 + 1)};
    bool ok =
        lo->no_drawings || is_faint(lo, r) || model_drawing_make(&source, r, &svg, drawn, err);
    if (ok && *drawn) {
        struct glmv_scene_picture *picture = append(lo, r, scene, err);
        ok = picture != NULL;
        if (ok) {
            cut_out(lo, r, picture->image);
            picture->svg = glmv_buf_take(&svg, NULL);
            bool filled = residual >= DRAWING_FILL * (r.x1 - r.x0) * (r.y1 - r.y0);
            bool wide = r.x1 - r.x0 >= HOLDER_SIDE && r.y1 - r.y0 >= HOLDER_SIDE;
            if (picture->kind != GLMV_PICTURE_ICON && filled && wide) {
                picture->kind = GLMV_PICTURE_DRAWING;
            }
            picture->same_as = find_twin(scene, picture);
        }
    }
    glmv_buf_release(&svg);
    return ok;
}
