/* Code is read cell by cell: drawn here in an installed face of one width, so that every letter is
 * known. */
#include "model/tracer/code.h"
#include "tests/model/tracer/painted.h"

enum { WIDTH = 640, LEFT = 20 };

static struct model_face *find_mono(struct model_faces *faces)
{
    for (size_t i = 0; i < faces->count; i++) {
        struct model_face *face = &faces->items[i];
        if (face->kind == GLMV_FAMILY_MONO && !face->cjk && face->weight == 400) {
            return face;
        }
    }
    return NULL;
}

/* Black letters on white, one line every 24 px. */
static struct glmv_image *draw(struct model_faces *faces, struct model_face *face, double size,
                               const char *const *lines, int count)
{
    struct glmv_err err = {0};
    int height = 24 * (count + 2);
    struct model_measure m = {0};
    struct model_ink ink = {calloc(WIDTH, (size_t)height), WIDTH, height};
    struct glmv_image *image = glmv_image_new(WIDTH, height, &err);
    CHECK(image != NULL && ink.px != NULL && model_face_measure(face, "x", &m));
    for (int i = 0; i < count; i++) {
        double x = LEFT;
        for (const char *c = lines[i]; *c != '\0'; c++, x += m.advance * size) {
            if (*c != ' ') {
                model_face_draw_letter(faces, face, (uint32_t)*c, size, x, 24 * (i + 2), &ink);
            }
        }
    }
    for (int i = 0; i < WIDTH * height; i++) {
        uint8_t *p = image->rgba + (size_t)i * 4;
        p[0] = p[1] = p[2] = (uint8_t)(255 - ink.px[i]);
        p[3] = 255;
    }
    free(ink.px);
    return image;
}

static bool has_line(const struct glmv_scene *scene, const char *text)
{
    for (size_t i = 0; i < scene->line_count; i++) {
        if (strcmp(scene->lines[i].text, text) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < scene->line_count; i++) {
        fprintf(stderr, "read: '%s'\n", scene->lines[i].text);
    }
    return false;
}

static void signs_and_alike_letters_are_read(void)
{
    static const char *const lines[] = {
        "const list = items.map((item) => item.value);",
        "return list[0] + list[1] - offset;",
        "let sum = _.reduce([1, 2, 3], add, 0);",
        "import { map } from 'cdn.jsdelivr.net';",
    };
    struct glmv_err err = {0};
    struct model_faces faces;
    CHECK(model_faces_open(&faces, &err));
    struct model_face *face = find_mono(&faces);
    if (face == NULL) {
        model_faces_close(&faces);
        SKIP("no face of one width is installed");
    }
    struct glmv_image *image = draw(&faces, face, 13, lines, 4);
    model_faces_close(&faces);
    struct glmv_scene *scene = look_at(image);
    for (int i = 0; i < 4; i++) {
        CHECK_MSG(has_line(scene, lines[i]), "'%s' is not read", lines[i]);
    }
    glmv_scene_free(scene);
}

/* A cell that shows one letter is that letter and no other, wherever it begins between two px. */
static void every_letter_is_told(void)
{
    struct glmv_err err = {0};
    struct model_faces faces;
    CHECK(model_faces_open(&faces, &err));
    struct model_face *face = find_mono(&faces);
    struct model_stencils stencils;
    double pitch = 8.4;
    struct model_measure m = {0};
    if (face == NULL || !model_face_measure(face, "x", &m) ||
        !model_stencils_draw(&stencils, &faces, face, pitch)) {
        model_faces_close(&faces);
        SKIP("no face of one width is installed");
    }
    stencils.like = 1;
    for (char c = '!'; c <= '~'; c++) {
        for (double x = 4; x < 5; x += 0.3) {
            uint8_t px[24 * 30] = {0};
            struct model_ink ink = {px, 24, 30};
            struct model_strip strip = {px, 24, 30, x, 20};
            double like = 0;
            CHECK(
                model_face_draw_letter(&faces, face, (uint32_t)c, pitch / m.advance, x, 20, &ink));
            char read = model_stencils_match(&stencils, &strip, 0, 0, &like);
            CHECK_MSG(read == c, "'%c' at %.1f read as '%c'", c, x, read);
        }
    }
    model_stencils_release(&stencils);
    model_faces_close(&faces);
}

int main(void)
{
    every_letter_is_told();
    signs_and_alike_letters_are_read();
    TEST_END();
}
