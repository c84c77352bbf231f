/* Texts that the tests of perception set into their pictures, in installed faces. */
#ifndef GLMV_TESTS_MODEL_TRACER_LETTERED_H
#define GLMV_TESTS_MODEL_TRACER_LETTERED_H

#include "model/tracer/faces.h"
#include "tests/model/tracer/painted.h"

static inline void paint_px(struct glmv_image *image, int x, int y, uint32_t rgb, int cover)
{
    if (x < 0 || y < 0 || x >= image->width || y >= image->height) {
        return;
    }
    uint8_t *p = image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
    for (int c = 0; c < 3; c++) {
        int to = (int)(rgb >> (16 - 8 * c) & 255);
        p[c] = (uint8_t)((p[c] * (255 - cover) + to * cover) / 255);
    }
    p[3] = 255;
}

static inline void paint_rect(struct glmv_image *image, int x, int y, int w, int h, uint32_t rgb)
{
    for (int dy = 0; dy < h; dy++) {
        for (int dx = 0; dx < w; dx++) {
            paint_px(image, x + dx, y + dy, rgb, 255);
        }
    }
}

/* A text whose origin is at x and on the line y. Returns where the next one begins. */
static inline double paint_text(struct glmv_image *image, struct model_faces *faces,
                                struct model_face *face, const char *text, double size, double x,
                                int y, uint32_t rgb)
{
    struct model_ink ink = {calloc((size_t)image->width, (size_t)image->height), image->width,
                            image->height};
    for (const char *c = text; *c != '\0'; c++) {
        const char one[2] = {*c, '\0'};
        struct model_measure m = {0};
        if (*c != ' ') {
            CHECK(model_face_draw_letter(faces, face, (uint32_t)*c, size, x, y, &ink));
        }
        CHECK(model_face_measure(face, *c == ' ' ? "a b" : one, &m));
        double wide = m.advance;
        if (*c == ' ') {
            struct model_measure both = {0};
            CHECK(model_face_measure(face, "ab", &both));
            wide -= both.advance;
        }
        x += wide * size;
    }
    for (int i = 0; i < ink.w * ink.h; i++) {
        if (ink.px[i] > 0) {
            paint_px(image, i % ink.w, i / ink.w, rgb, ink.px[i]);
        }
    }
    free(ink.px);
    return x;
}

/* The ink of a text, black, with its corner at x and y; what does not fit is cut off. */
static inline void paint_ink(struct glmv_image *image, const struct model_ink *ink, int x, int y)
{
    for (int i = 0; i < ink->w * ink->h; i++) {
        paint_px(image, x + i % ink->w, y + i / ink->w, 0, ink->px[i]);
    }
}

/* The installed face that the tests use; skips the program where it is missing. */
static inline struct model_face *open_face(struct model_faces *faces, const char *family,
                                           int weight)
{
    struct glmv_err err = {0};
    CHECK(model_faces_open(faces, &err));
    struct model_face *face = model_faces_find(faces, family, weight);
    if (face == NULL) {
        model_faces_close(faces);
        SKIP("a face that the test draws in is not installed");
    }
    return face;
}

static inline const struct glmv_scene_line *find_line(const struct glmv_scene *scene,
                                                      const char *text)
{
    for (size_t i = 0; i < scene->line_count; i++) {
        if (strcmp(scene->lines[i].text, text) == 0) {
            return &scene->lines[i];
        }
    }
    for (size_t i = 0; i < scene->line_count; i++) {
        fprintf(stderr, "read: '%s'\n", scene->lines[i].text);
    }
    return NULL;
}

#endif
