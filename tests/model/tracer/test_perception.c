/* What the tracer measures in pictures that are painted here, so that every number is known. */
#include <math.h>
#include <stdint.h>

#include "tests/model/tracer/painted.h"

static void fill(struct glmv_image *image, int x0, int y0, int w, int h, uint32_t rgb)
{
    for (int y = y0; y < y0 + h; y++) {
        for (int x = x0; x < x0 + w; x++) {
            uint8_t *p = image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
            p[0] = (uint8_t)(rgb >> 16);
            p[1] = (uint8_t)(rgb >> 8);
            p[2] = (uint8_t)rgb;
            p[3] = 255;
        }
    }
}

static struct glmv_image *blank(int w, int h, uint32_t rgb)
{
    struct glmv_image *image = new_picture(w, h);
    fill(image, 0, 0, w, h, rgb);
    return image;
}

/* Letters of bars, 18 px high and 3 px thick. */
static void letter(struct glmv_image *image, char c, int x, int y, uint32_t rgb)
{
    bool left = strchr("EFHL", c) != NULL;
    bool middle = strchr("EFH", c) != NULL;
    if (left) {
        fill(image, x, y, 3, 18, rgb);
    }
    if (c == 'H') {
        fill(image, x + 9, y, 3, 18, rgb);
    }
    if (c == 'T') {
        fill(image, x + 5, y, 3, 18, rgb);
    }
    if (strchr("EFT", c) != NULL) {
        fill(image, x, y, c == 'T' ? 13 : 11, 3, rgb);
    }
    if (middle) {
        fill(image, x, y + 8, c == 'H' ? 12 : 10, 3, rgb);
    }
    if (strchr("EL", c) != NULL) {
        fill(image, x, y + 15, 11, 3, rgb);
    }
}

static void write_text(struct glmv_image *image, const char *text, int x, int y, uint32_t rgb)
{
    for (; *text != '\0'; x += *text++ == ' ' ? 8 : 16) {
        letter(image, *text, x, y, rgb);
    }
}

static const struct glmv_scene_line *find_line(const struct glmv_scene *scene, const char *text)
{
    for (size_t i = 0; i < scene->line_count; i++) {
        if (strcmp(scene->lines[i].text, text) == 0) {
            return &scene->lines[i];
        }
    }
    return NULL;
}

static void text_is_read_dark_on_light_and_light_on_dark(void)
{
    struct glmv_image *image = blank(400, 200, 0xffffff);
    write_text(image, "THE LEFT", 40, 30, 0x203040);
    fill(image, 0, 100, 400, 100, 0x1040a0);
    write_text(image, "FELT THE", 40, 140, 0xf0f0f0);
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_line *dark = find_line(scene, "THE LEFT");
    const struct glmv_scene_line *light = find_line(scene, "FELT THE");
    CHECK(dark != NULL && light != NULL);
    if (dark != NULL) {
        CHECK(dark->color == 0x203040ff && dark->background == 0xffffffff);
        CHECK(dark->ink.x == 40 && dark->ink.y == 30 && dark->ink.h == 18);
        CHECK(dark->word_count == 2 && dark->font_px > 18 && dark->font_px < 34);
        CHECK(fabs(dark->baseline - 48) <= 1);
    }
    if (light != NULL) {
        CHECK(light->color == 0xf0f0f0ff && light->background == 0x1040a0ff);
    }
    CHECK(scene->picture_count == 0);
    glmv_scene_free(scene);
}

static void a_card_has_its_fill_and_its_border(void)
{
    struct glmv_image *image = blank(300, 200, 0xf4f4f4);
    fill(image, 50, 40, 200, 100, 0xcc0000);
    fill(image, 52, 42, 196, 96, 0xfff8e0);
    struct glmv_scene *scene = look_at(image);
    CHECK(scene->background == 0xf4f4f4ff);
    CHECK(scene->box_count == 1 && scene->picture_count == 0);
    if (scene->box_count == 1) {
        const struct glmv_scene_box *box = &scene->boxes[0];
        CHECK(box->box.x == 50 && box->box.y == 40 && box->box.w == 200 && box->box.h == 100);
        CHECK(box->fill == GLMV_FILL_SOLID && box->color == 0xfff8e0ff);
        for (int side = 0; side < 4; side++) {
            CHECK(box->border[side].width == 2 && box->border[side].color == 0xcc0000ff);
            CHECK(box->radius[side] == 0);
        }
    }
    glmv_scene_free(scene);
}

static bool has_box(const struct glmv_scene *scene, struct glmv_box want, uint32_t colour)
{
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_box *b = &scene->boxes[i].box;
        if (b->x == want.x && b->y == want.y && b->w == want.w && b->h == want.h &&
            scene->boxes[i].color == colour) {
            return true;
        }
    }
    return false;
}

static void bars_of_one_colour_that_meet_are_two_boxes(void)
{
    struct glmv_image *image = blank(640, 480, 0xffffff);
    fill(image, 0, 0, 640, 50, 0x203040);
    fill(image, 0, 50, 120, 430, 0x203040);
    fill(image, 100, 200, 20, 40, 0xffffff); /* the chosen entry of the menu */
    struct glmv_scene *scene = look_at(image);
    CHECK(scene->box_count == 3 && scene->picture_count == 0);
    CHECK(has_box(scene, (struct glmv_box){100, 200, 20, 40}, 0xffffffff));
    CHECK(has_box(scene, (struct glmv_box){0, 0, 640, 50}, 0x203040ff));
    CHECK(has_box(scene, (struct glmv_box){0, 50, 120, 430}, 0x203040ff));
    glmv_scene_free(scene);
    /* a bar with two legs: five boxes beside each other */
    image = blank(640, 480, 0xffffff);
    fill(image, 0, 0, 640, 50, 0x806040);
    fill(image, 40, 50, 100, 430, 0x806040);
    fill(image, 500, 50, 100, 430, 0x806040);
    scene = look_at(image);
    CHECK(scene->box_count == 5);
    CHECK(has_box(scene, (struct glmv_box){140, 0, 360, 50}, 0x806040ff));
    CHECK(has_box(scene, (struct glmv_box){500, 0, 100, 480}, 0x806040ff));
    glmv_scene_free(scene);
}

static void noise_becomes_a_picture_and_twins_are_found(void)
{
    struct glmv_image *image = blank(300, 120, 0xffffff);
    uint32_t state = 1;
    for (int y = 0; y < 80; y++) {
        for (int x = 0; x < 80; x++) {
            state = state * 1664525u + 1013904223u;
            fill(image, 20 + x, 20 + y, 1, 1, state >> 8 & 0x7f7f7f);
            fill(image, 180 + x, 20 + y, 1, 1, state >> 8 & 0x7f7f7f);
        }
    }
    struct glmv_scene *scene = look_at(image);
    CHECK(scene->picture_count == 2 && scene->line_count == 0);
    if (scene->picture_count == 2) {
        CHECK(scene->pictures[0].kind == GLMV_PICTURE_PHOTO && scene->pictures[0].same_as == -1);
        CHECK(scene->pictures[1].same_as == 0);
        CHECK(scene->pictures[0].box.x == 20 && scene->pictures[0].box.w == 80);
    }
    glmv_scene_free(scene);
}

static void the_smallest_and_the_emptiest_pictures_are_fine(void)
{
    struct glmv_scene *one = look_at(blank(1, 1, 0x123456));
    CHECK(one != NULL && one->line_count == 0 && one->box_count == 0);
    glmv_scene_free(one);
    struct glmv_scene *tall = look_at(blank(40, 16000, 0x123456));
    CHECK(tall != NULL && tall->background == 0x123456ff && tall->picture_count == 0);
    glmv_scene_free(tall);
    struct glmv_err err = {0};
    struct glmv_scene *clear = look_at(glmv_image_new(64, 64, &err));
    CHECK(clear != NULL && clear->background == 0xffffffff);
    glmv_scene_free(clear);
}

static void json_escapes_and_closes(void)
{
    struct glmv_image *image = blank(400, 80, 0xffffff);
    write_text(image, "THE LEFT", 40, 30, 0);
    struct glmv_scene *scene = look_at(image);
    struct glmv_buf out;
    struct glmv_err err = {0};
    glmv_buf_init(&out, 1 << 20);
    CHECK(glmv_scene_json(scene, &out, &err));
    CHECK(out.len > 2 && out.data[0] == '{' && strcmp(out.data + out.len - 2, "}\n") == 0);
    CHECK(strstr(out.data, "\"text\":\"THE LEFT\"") != NULL);
    glmv_buf_release(&out);
    glmv_scene_free(scene);
}

static void missing_data_names_the_package(void)
{
    struct glmv_err err = {0};
    struct glmv_image *image = blank(10, 10, 0);
    setenv("TESSDATA_PREFIX", "/nonexistent", 1);
    struct glmv_scene *scene = glmv_tracer_look(image, NULL, &err);
    CHECK(scene == NULL && err.code == GLMV_ERR_MISSING);
    CHECK(strstr(err.message, "tesseract-ocr-eng") != NULL);
    glmv_scene_free(scene);
    glmv_image_free(image);
    unsetenv("TESSDATA_PREFIX");
}

int main(void)
{
    missing_data_names_the_package();
    text_is_read_dark_on_light_and_light_on_dark();
    a_card_has_its_fill_and_its_border();
    bars_of_one_colour_that_meet_are_two_boxes();
    noise_becomes_a_picture_and_twins_are_found();
    the_smallest_and_the_emptiest_pictures_are_fine();
    json_escapes_and_closes();
    TEST_END();
}
