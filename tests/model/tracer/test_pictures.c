/* Photos and icons: what belongs to them and what lies on them. */
#include <stdlib.h>

#include "tests/model/tracer/shapes.h"

/* A photo of hills under a colour that leaves little of it. */
static void paint_tinted(struct glmv_image *image, int w, int h)
{
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            double hills = fmax(0, 3 + 4 * sin(x / 90.0) + 4 * cos(y / 60.0));
            int leaf = x / 2 * 7919 + y / 2 * 104729 + (x / 2) * (y / 2) * 31;
            double leaves = hills > 5 ? leaf % 97 % 5 : 0;
            const double rgb[3] = {51 - hills / 2, 149 - hills - leaves, 255 - leaves};
            put(image, x, y, rgb, 1);
        }
    }
}

static void photos_that_their_shadows_join_are_cut_apart(void)
{
    struct glmv_image *image = blank(500, 300, 0xffffff);
    paint_shadow(image, 60, 60, 160, 120);
    paint_shadow(image, 236, 60, 160, 120);
    paint_photo(image, 60, 60, 160, 120);
    paint_photo(image, 236, 60, 160, 120);
    struct glmv_scene *scene = look_at(image);
    CHECK_MSG(scene->picture_count == 2, "%zu", scene->picture_count);
    for (size_t i = 0; i < scene->picture_count; i++) {
        CHECK(scene->pictures[i].kind == GLMV_PICTURE_PHOTO);
        CHECK(fabs(scene->pictures[i].box.w - 160) <= 24);
    }
    glmv_scene_free(scene);
}

/* Their shadows pass for their sky, and join them. */
static void photos_among_wide_shadows_are_cut_out_of_them(void)
{
    struct glmv_image *image = blank(640, 560, 0xffffff);
    static const int at[4][2] = {{50, 60}, {330, 60}, {50, 280}, {330, 280}};
    for (int i = 0; i < 4; i++) {
        cast_shadow(image, at[i][0], at[i][1], 250, 190, 10, 24, 0.3);
    }
    for (int i = 0; i < 4; i++) {
        paint_photo(image, at[i][0], at[i][1], 250, 190);
    }
    struct glmv_scene *scene = look_at(image);
    CHECK_MSG(scene->picture_count == 4, "%zu", scene->picture_count);
    for (size_t i = 0; i < scene->picture_count; i++) {
        const struct glmv_box *b = &scene->pictures[i].box;
        CHECK_MSG(b->w == 250 && b->h == 190, "%g x %g", b->w, b->h);
    }
    for (int i = 0; i < 4; i++) {
        const struct glmv_scene_box *box = box_at(scene, at[i][0], at[i][1], 250, 190);
        const struct glmv_scene_shadow none = {0};
        const struct glmv_scene_shadow *s = box != NULL ? &box->shadow : &none;
        CHECK_MSG(s->present && fabs(s->dy - 10) <= 2 && fabs(s->blur - 24) <= 6, "%g, %g", s->dy,
                  s->blur);
    }
    glmv_scene_free(scene);
}

static void photos_under_a_colour_are_photos(void)
{
    struct glmv_image *image = blank(900, 700, 0xffffff);
    paint_tinted(image, 900, 420);
    struct glmv_scene *scene = look_at(image);
    CHECK(scene->picture_count > 0);
    if (scene->picture_count > 0) {
        const struct glmv_scene_picture *photo = &scene->pictures[0];
        CHECK(photo->kind == GLMV_PICTURE_PHOTO);
        CHECK_MSG(photo->box.w >= 880 && photo->box.h >= 400, "%g x %g", photo->box.w,
                  photo->box.h);
    }
    glmv_scene_free(scene);
}

static void textures_are_no_photos(void)
{
    struct glmv_image *image = blank(900, 700, 0xfcfcfc);
    for (int y = 0; y < 700; y++) {
        for (int x = 0; x < 900; x++) {
            double v = 250 + (x * 7 + y * 13 + x * y % 11) % 5;
            const double rgb[3] = {v, v, v};
            put(image, x, y, rgb, 1);
        }
    }
    struct glmv_scene *scene = look_at(image);
    CHECK_MSG(scene->picture_count == 0, "%zu", scene->picture_count);
    glmv_scene_free(scene);
}

static void the_sky_of_a_photo_stays_with_it(void)
{
    struct glmv_image *image = blank(600, 400, 0xf8f9fa);
    paint_photo(image, 100, 60, 400, 280);
    for (int y = 66; y < 250; y++) { /* it is lighter than what is told from the page */
        for (int x = 100; x < 500; x++) {
            double v = 217 + 5 * sin(x / 37.0) + (x * 7 + y * 3) % 5;
            const double rgb[3] = {v, v, v};
            put(image, x, y, rgb, fmin(1, fmin(y - 66, 250 - y) / 60.0));
        }
    }
    struct glmv_scene *scene = look_at(image);
    CHECK_MSG(scene->picture_count == 1, "%zu", scene->picture_count);
    if (scene->picture_count > 0) {
        CHECK(fabs(scene->pictures[0].box.y - 60) <= 2 && scene->pictures[0].box.h >= 276);
    }
    glmv_scene_free(scene);
}

static void flat_places_of_a_photo_are_no_boxes(void)
{
    struct glmv_image *image = blank(700, 420, 0xffffff);
    paint_photo(image, 40, 40, 620, 320);
    fill(image, 200, 120, 60, 30, 0x4c483f); /* something dark in it, not as an author draws it */
    paint_disc(image, 200, 150, 12, 0x4c483f, 1);
    fill(image, 420, 200, 120, 40, 0xf44336); /* and a button */
    struct glmv_scene *scene = look_at(image);
    bool button = false;
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_box *b = &scene->boxes[i].box;
        button = button || (fabs(b->x - 420) <= 1 && fabs(b->w - 120) <= 2);
        CHECK_MSG(b->w > 110, "%g x %g at %g, %g", b->w, b->h, b->x, b->y);
    }
    CHECK(button);
    glmv_scene_free(scene);
}

static void the_body_of_an_icon_is_no_box(void)
{
    struct glmv_image *image = blank(300, 200, 0xffffff);
    paint_disc(image, 100, 100, 8, 0x205080, 1);
    for (int k = 0; k < 8; k++) { /* a notched disc with a tick */
        paint_disc(image, 100 + 8 * cos(k * 0.7854), 100 + 8 * sin(k * 0.7854), 1.2, 0xffffff, 1);
    }
    for (int k = 0; k < 10; k++) {
        fill(image, 95 + k, k < 4 ? 99 + k : 105 - k, 1, 2, 0xffffff);
    }
    struct glmv_scene *scene = look_at(image);
    CHECK_MSG(scene->box_count == 0, "%zu", scene->box_count);
    CHECK_MSG(scene->picture_count == 1, "%zu", scene->picture_count);
    if (scene->picture_count == 1) {
        CHECK(scene->pictures[0].box.w >= 18 && scene->pictures[0].box.h >= 18);
    }
    glmv_scene_free(scene);
}

int main(void)
{
    photos_that_their_shadows_join_are_cut_apart();
    photos_among_wide_shadows_are_cut_out_of_them();
    photos_under_a_colour_are_photos();
    textures_are_no_photos();
    the_sky_of_a_photo_stays_with_it();
    flat_places_of_a_photo_are_no_boxes();
    the_body_of_an_icon_is_no_box();
    TEST_END();
}
