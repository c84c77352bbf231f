/* Gradients, edges and shadows of boxes, in pictures that are painted here by the rules of CSS. */
#include <math.h>
#include <stdint.h>

#include "tests/model/tracer/shapes.h"

/* linear-gradient(ANGLEdeg, ...) over a rectangle at the picture's corner. */
static void paint_gradient(struct glmv_image *image, int w, int h, double angle,
                           const struct glmv_scene_stop *stops, int count)
{
    double gx = sin(angle * 3.14159265358979 / 180);
    double gy = -cos(angle * 3.14159265358979 / 180);
    double length = fabs(w * gx) + fabs(h * gy);
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) {
            double t = ((x + 0.5 - w / 2.0) * gx + (y + 0.5 - h / 2.0) * gy) / length + 0.5;
            int i = 0;
            while (i + 2 < count && t > stops[i + 1].at) {
                i++;
            }
            double u = (t - stops[i].at) / (stops[i + 1].at - stops[i].at);
            u = fmin(1, fmax(0, u));
            double rgb[3];
            for (int c = 0; c < 3; c++) {
                double from = stops[i].color >> (24 - 8 * c) & 255;
                double to = stops[i + 1].color >> (24 - 8 * c) & 255;
                rgb[c] = from + u * (to - from);
            }
            put(image, x, y, rgb, 1);
        }
    }
}

static void gradients_of_three_stops_keep_angle_stops_and_what_lies_on_them(void)
{
    static const struct glmv_scene_stop stops[3] = {
        {0.15, 0x281483ff}, {0.7, 0x8f6ed5ff}, {1, 0xd782d9ff}};
    struct glmv_image *image = blank(900, 700, 0xffffff);
    paint_gradient(image, 900, 500, 150, stops, 3);
    paint_disc(image, 200, 250, 90, 0xffffff, 0.2);
    for (int i = 0; i < 12; i++) {
        fill(image, 400 + 16 * i, 240, 4, 18, 0xffffff); /* something like text */
    }
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *hero = box_at(scene, 0, 0, 900, 500);
    if (hero != NULL) {
        CHECK(hero->fill == GLMV_FILL_GRADIENT && hero->stop_count == 3);
        CHECK_MSG(fabs(hero->angle - 150) < 0.5, "%g", hero->angle);
        for (int i = 0; i < hero->stop_count && i < 3; i++) {
            CHECK_MSG(fabs(hero->stops[i].at - stops[i].at) < 0.02, "%g", hero->stops[i].at);
            for (int shift = 8; shift < 32; shift += 8) {
                int got = (int)(hero->stops[i].color >> shift & 255);
                CHECK(abs(got - (int)(stops[i].color >> shift & 255)) <= 4);
            }
        }
    }
    const struct glmv_scene_box *disc = box_at(scene, 110, 160, 180, 180);
    if (disc != NULL) {
        CHECK(disc->fill == GLMV_FILL_SOLID && disc->color >> 8 == 0xffffff);
        CHECK_MSG(abs((int)(disc->color & 255) - 51) <= 3, "%u", (unsigned)(disc->color & 255));
        CHECK(disc->radius[0] >= 86 && disc->radius[2] >= 86);
    }
    glmv_scene_free(scene);
}

/* The foot is off by a level or two, as where an edge is blurred: no stop of its own. */
static void a_foot_a_little_off_is_no_stop(void)
{
    static const struct glmv_scene_stop stops[2] = {{0, 0x204080ff}, {1, 0x80a0e0ff}};
    struct glmv_image *image = blank(900, 700, 0xffffff);
    paint_gradient(image, 900, 480, 180, stops, 2);
    fill(image, 0, 471, 900, 9, 0x80a0e0);
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *hero = box_at(scene, 0, 0, 900, 480);
    if (hero != NULL) {
        CHECK(hero->fill == GLMV_FILL_GRADIENT && hero->stop_count == 2);
        for (int shift = 8; shift < 32; shift += 8) {
            int got = (int)(hero->stops[1].color >> shift & 255);
            CHECK_MSG(abs(got - (int)(stops[1].color >> shift & 255)) <= 4, "%d", got);
        }
    }
    glmv_scene_free(scene);
}

/* A shadow takes most of the first px of the content's ground, the picture's edge its foot. */
static void a_ground_that_shows_round_its_cards_is_one_box(void)
{
    struct glmv_image *image = blank(1000, 600, 0xffffff);
    fill(image, 300, 49, 200, 1, 0xe8eaee);
    fill(image, 300, 50, 700, 550, 0xe8eaee);
    fill(image, 330, 200, 640, 180, 0xffffff);
    fill(image, 330, 400, 640, 200, 0xffffff);
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *ground = box_at(scene, 300, 49, 700, 551);
    CHECK(ground == NULL || ground->color == 0xe8eaeeff);
    box_at(scene, 330, 400, 640, 200);
    glmv_scene_free(scene);
}

static void radial_gradients_keep_their_middle(void)
{
    struct glmv_image *image = blank(800, 600, 0xffffff);
    for (int y = 50; y < 450; y++) {
        for (int x = 60; x < 760; x++) {
            double t = fmin(1, hypot(x + 0.5 - 260, y + 0.5 - 200) / 600);
            const double rgb[3] = {67 - 56 * t, 56 - 40 * t, 202 - 170 * t};
            put(image, x, y, rgb, 1);
        }
    }
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *box = box_at(scene, 60, 50, 700, 400);
    if (box != NULL) {
        CHECK(box->fill == GLMV_FILL_GRADIENT && box->radial);
        CHECK_MSG(fabs(box->cx - 200) <= 3 && fabs(box->cy - 150) <= 3, "%g %g", box->cx, box->cy);
        CHECK_MSG(fabs(box->rx - box->ry) < 0.06 * box->rx, "%g %g", box->rx, box->ry);
    }
    CHECK(scene->picture_count == 0);
    glmv_scene_free(scene);
}

static void photos_are_no_gradients(void)
{
    struct glmv_image *image = blank(400, 300, 0xffffff);
    for (int y = 40; y < 260; y++) {
        for (int x = 40; x < 360; x++) {
            double v = 128 + 60 * sin(x / 31.0) * cos(y / 23.0);
            const double rgb[3] = {v, v * 0.8, 200 - v / 2};
            put(image, x, y, rgb, 1);
        }
    }
    struct glmv_scene *scene = look_at(image);
    for (size_t i = 0; i < scene->box_count; i++) {
        CHECK(scene->boxes[i].fill != GLMV_FILL_GRADIENT || scene->boxes[i].box.w < 300);
    }
    glmv_scene_free(scene);
}

static void slanted_ends_are_part_of_the_section_above(void)
{
    struct glmv_image *image = blank(800, 1100, 0xffffff);
    fill(image, 0, 0, 800, 300, 0x203040);
    fill(image, 0, 300, 800, 200, 0xe8ecf0);
    const double next[3] = {0xe8, 0xec, 0xf0};
    for (int x = 0; x < 800; x++) {
        double top = 300 - 60 * (x + 0.5) / 800;
        for (int y = 240; y < 300; y++) {
            put(image, x, y, next, fmin(1, fmax(0, y + 1 - top)));
        }
    }
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *above = box_at(scene, 0, 0, 800, 300);
    if (above != NULL) {
        CHECK_MSG(fabs(above->slant[1].depth - 60) <= 2, "%g", above->slant[1].depth);
        CHECK(!above->slant[1].left && above->slant[1].color == 0xe8ecf0ff);
        CHECK(above->slant[0].depth == 0);
    }
    box_at(scene, 0, 300, 800, 200);
    CHECK(scene->picture_count == 0);
    glmv_scene_free(scene);
}

static void dashed_outlines_are_boxes(void)
{
    struct glmv_image *image = blank(400, 200, 0xf8fafc);
    for (int i = 0; i < 240; i += 6) {
        fill(image, 60 + i, 50, 3, 1, 0xb0b4bc);
        fill(image, 60 + i, 109, 3, 1, 0xb0b4bc);
    }
    for (int i = 0; i < 60; i += 6) {
        fill(image, 60, 50 + i, 1, 3, 0xb0b4bc);
        fill(image, 299, 50 + i, 1, 3, 0xb0b4bc);
    }
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *box = box_at(scene, 60, 50, 240, 60);
    for (int side = 0; box != NULL && side < 4; side++) {
        CHECK(box->border[side].width == 1 && box->border[side].dashed);
        CHECK(!box->border[side].dotted);
        CHECK(box->border[side].color == 0xb0b4bcff);
    }
    CHECK(scene->picture_count == 0);
    glmv_scene_free(scene);
}

/* Something drawn in it is no part of it, and a photo beside it, for whose flat places all is
 * looked at again, does not show it twice. */
static void dashed_outlines_around_an_icon_are_boxes(void)
{
    struct glmv_image *image = blank(700, 300, 0xf8fafc);
    for (int i = 0; i < 240; i += 5) {
        fill(image, 60 + i, 50, 3, 1, 0xe4e7ec);
        fill(image, 60 + i, 109, 3, 1, 0xe4e7ec);
    }
    for (int i = 0; i < 60; i += 5) {
        fill(image, 60, 50 + i, 1, 3, 0xe4e7ec);
        fill(image, 299, 50 + i, 1, 3, 0xe4e7ec);
    }
    fill(image, 174, 78, 13, 3, 0x475467);
    fill(image, 179, 73, 3, 13, 0x475467);
    paint_photo(image, 340, 40, 320, 220);
    fill(image, 420, 120, 60, 30, 0x4c483f);
    paint_disc(image, 420, 150, 12, 0x4c483f, 1);
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *box = box_at(scene, 60, 50, 240, 60);
    CHECK(box != NULL && box->border[GLMV_TOP].dashed && box->border[GLMV_LEFT].dashed);
    for (size_t i = 0; i < scene->picture_count; i++) {
        const struct glmv_scene_picture *p = &scene->pictures[i];
        CHECK_MSG(p->box.x >= 300 || p->box.w <= 20, "%g x %g", p->box.w, p->box.h);
    }
    glmv_scene_free(scene);
}

static void dotted_outlines_are_told_from_dashed_ones(void)
{
    struct glmv_image *image = blank(400, 200, 0xffffff);
    for (int i = 0; i < 240; i += 4) {
        fill(image, 60 + i, 50, 2, 2, 0xf9a8d4);
        fill(image, 60 + i, 108, 2, 2, 0xf9a8d4);
    }
    for (int i = 0; i < 60; i += 4) {
        fill(image, 60, 50 + i, 2, 2, 0xf9a8d4);
        fill(image, 296, 50 + i, 2, 2, 0xf9a8d4);
    }
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *box = box_at(scene, 60, 50, 238, 60);
    for (int side = 0; box != NULL && side < 4; side++) {
        CHECK(box->border[side].width == 2 && box->border[side].dotted);
    }
    glmv_scene_free(scene);
}

static void boxes_that_share_an_outline_have_their_borders(void)
{
    struct glmv_image *image = blank(500, 300, 0xffffff);
    fill(image, 40, 60, 400, 180, 0xc8ccd0);
    fill(image, 41, 61, 99, 178, 0xf0f2f4);
    fill(image, 141, 61, 198, 178, 0xffffff);
    fill(image, 141, 61, 198, 1, 0xfafafa); /* a field's inner shadow */
    fill(image, 340, 61, 99, 178, 0xf0f2f4);
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *last = box_at(scene, 339, 60, 101, 180);
    for (int side = 0; last != NULL && side < 4; side++) {
        CHECK(last->border[side].width == 1 && last->border[side].color == 0xc8ccd0ff);
    }
    CHECK(scene->picture_count == 0);
    glmv_scene_free(scene);
}

static void shadows_without_blur_are_no_borders(void)
{
    struct glmv_image *image = blank(400, 200, 0xffffff);
    fill(image, 62, 53, 200, 60, 0xdfdfdf);
    fill(image, 60, 50, 200, 60, 0xed786a);
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *box = box_at(scene, 60, 50, 200, 60);
    if (box != NULL) {
        CHECK(box->shadow.present && box->shadow.blur == 0);
        CHECK(box->shadow.dx == 2 && box->shadow.dy == 3 && box->shadow.color == 0xdfdfdfff);
        CHECK(box->border[GLMV_RIGHT].width == 0 && box->border[GLMV_BOTTOM].width == 0);
    }
    glmv_scene_free(scene);
}

static void the_parts_of_a_card_cast_one_shadow(void)
{
    struct glmv_image *image = blank(600, 500, 0xffffff);
    paint_shadow(image, 100, 100, 400, 260);
    fill(image, 100, 100, 400, 50, 0xe0e4e8);
    fill(image, 100, 150, 400, 150, 0xfff8e0);
    fill(image, 100, 300, 400, 60, 0xe0e4e8);
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *card = box_at(scene, 100, 100, 400, 260);
    if (card != NULL) {
        CHECK(card->fill == GLMV_FILL_NONE && card->shadow.present);
        CHECK_MSG(fabs(card->shadow.blur - 16) <= 4, "%g", card->shadow.blur);
        CHECK_MSG(fabs(card->shadow.dy - 4) <= 1, "%g", card->shadow.dy);
    }
    const struct glmv_scene_box *foot = box_at(scene, 100, 300, 400, 60);
    CHECK(foot != NULL && !foot->shadow.present);
    CHECK(scene->picture_count == 0);
    glmv_scene_free(scene);
}

/* What a blurred box takes from a light ground, as CSS has it with a blur of 2 * deviation. */
static void paint_deep_shadow(struct glmv_image *image, int x0, int y0, int w, int h,
                              double deviation, double strength)
{
    const double black[3] = {0, 0, 0};
    for (int y = 0; y < image->height; y++) {
        for (int x = 0; x < image->width; x++) {
            double across = 0.5 * (erf((x + 0.5 - x0) / deviation / sqrt(2)) -
                                   erf((x + 0.5 - x0 - w) / deviation / sqrt(2)));
            double along = 0.5 * (erf((y + 0.5 - y0) / deviation / sqrt(2)) -
                                  erf((y + 0.5 - y0 - h) / deviation / sqrt(2)));
            put(image, x, y, black, strength * across * along);
        }
    }
}

static void the_page_is_what_lies_along_its_edge_even_under_deep_shadows(void)
{
    struct glmv_image *image = blank(640, 900, 0xeeeeee);
    paint_deep_shadow(image, 30, 190, 580, 650, 14, 0.45);
    paint_photo(image, 0, 0, 640, 220);
    for (int y = 90; y < 220; y++) { /* the dark end of the photo is nearly flat */
        for (int x = 0; x < 640; x++) {
            double v = 3 + (x / 7 + y / 5) % 4;
            const double dark[3] = {v, v, v};
            put(image, x, y, dark, 1);
        }
    }
    fill(image, 30, 180, 580, 650, 0xffffff);
    struct glmv_scene *scene = look_at(image);
    CHECK_MSG(scene->background == 0xeeeeeeff, "%08x", (unsigned)scene->background);
    CHECK(box_at(scene, 30, 180, 580, 650) != NULL);
    glmv_scene_free(scene);
}

static void a_shadow_on_two_grounds_is_that_of_the_lower_side(void)
{
    struct glmv_image *image = blank(600, 520, 0xf8f9fa);
    paint_deep_shadow(image, 180, 100, 240, 330, 12, 0.08);
    paint_photo(image, 20, 20, 560, 180);
    fill(image, 180, 90, 240, 330, 0xffffff);
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *card = box_at(scene, 180, 90, 240, 330);
    if (card != NULL) {
        CHECK(card->shadow.present && (card->shadow.color & 255) < 40);
        CHECK_MSG(card->shadow.blur >= 16, "%g", card->shadow.blur);
    }
    CHECK(scene->picture_count > 0 && scene->pictures[0].kind == GLMV_PICTURE_PHOTO);
    glmv_scene_free(scene);
}

static void a_section_keeps_its_colour_under_soft_discs(void)
{
    struct glmv_image *image = blank(800, 600, 0xffffff);
    fill(image, 0, 0, 800, 360, 0xfdf2f8);
    for (int y = 0; y < 360; y++) {
        for (int x = 0; x < 800; x++) {
            const double blue[3] = {150, 190, 250};
            double d = fmin(hypot(x - 620, y - 190), hypot(x - 350, y - 170));
            put(image, x, y, blue, 0.8 * 0.5 * erfc((d - 110) / 28));
        }
    }
    struct glmv_scene *scene = look_at(image);
    bool found = scene->background == 0xfdf2f8ff;
    for (size_t i = 0; i < scene->box_count; i++) {
        found = found || (scene->boxes[i].color == 0xfdf2f8ff && scene->boxes[i].box.w == 800);
    }
    CHECK(found);
    glmv_scene_free(scene);
}

static void ellipses_are_no_boxes(void)
{
    struct glmv_image *image = blank(400, 300, 0xf6f8fa);
    for (int y = 0; y < 300; y++) { /* a nought of a very large type */
        for (int x = 0; x < 400; x++) {
            double outer = hypot((x - 200) / 46.0, (y - 150) / 70.0);
            double inner = hypot((x - 200) / 22.0, (y - 150) / 48.0);
            const double black[3] = {0, 0, 0};
            put(image, x, y, black, outer < 1 && inner > 1 ? 1 : 0);
        }
    }
    struct glmv_scene *scene = look_at(image);
    for (size_t i = 0; i < scene->box_count; i++) {
        CHECK(scene->boxes[i].box.w < 80);
    }
    glmv_scene_free(scene);
}

int main(void)
{
    gradients_of_three_stops_keep_angle_stops_and_what_lies_on_them();
    a_foot_a_little_off_is_no_stop();
    a_ground_that_shows_round_its_cards_is_one_box();
    radial_gradients_keep_their_middle();
    photos_are_no_gradients();
    slanted_ends_are_part_of_the_section_above();
    dashed_outlines_are_boxes();
    dashed_outlines_around_an_icon_are_boxes();
    dotted_outlines_are_told_from_dashed_ones();
    boxes_that_share_an_outline_have_their_borders();
    shadows_without_blur_are_no_borders();
    the_parts_of_a_card_cast_one_shadow();
    the_page_is_what_lies_along_its_edge_even_under_deep_shadows();
    a_shadow_on_two_grounds_is_that_of_the_lower_side();
    a_section_keeps_its_colour_under_soft_discs();
    ellipses_are_no_boxes();
    TEST_END();
}
