/* A line of letters painted into two pictures is found where the second has it; what stays wrong is
 * said. */
#include "model/tracer/match.h"
#include "model/tracer/tracer.h"

#include <math.h>
#include <stdlib.h>

#include "tests/check.h"

enum { W = 600, H = 80 };

static const struct tracer_ink ink = {0x203040ff, 0xffffffff};

/* Strokes of uneven widths and heights that no shift but the right one lays over each other. */
static struct glmv_image *paint(double x, int y, double stretch)
{
    struct glmv_image *image = glmv_image_new(W, H, NULL);
    for (int i = 0; image != NULL && i < W * H * 4; i++) {
        image->rgba[i] = 255;
    }
    unsigned seed = 7;
    for (double at = 0; image != NULL && at < 400;) {
        seed = seed * 1664525U + 1013904223U;
        double wide = 1.5 + (seed >> 16) % 3;
        int top = (int)(seed >> 20) % 8;
        double left = x + at * stretch;
        for (int px = (int)left; px <= (int)(left + wide); px++) {
            double cover = fmin(px + 1, left + wide) - fmax(px, left);
            for (int row = y + top; cover > 0 && row < y + 14; row++) {
                uint8_t *p = image->rgba + ((size_t)row * W + (size_t)px) * 4;
                for (int c = 0; c < 3; c++) {
                    double full = ink.color >> (24 - 8 * c) & 255;
                    p[c] = (uint8_t)lround(255 + (full - 255) * fmin(1, cover));
                }
            }
        }
        at += wide + 2 + (seed >> 24) % 4;
    }
    return image;
}

static struct tracer_offset offset(double x, int y, double stretch, double down)
{
    struct glmv_image *target = paint(60, 30, 1);
    struct glmv_image *render = paint(x, y, stretch);
    struct tracer_offset off = {0};
    CHECK(target != NULL && render != NULL);
    if (target != NULL && render != NULL) {
        CHECK(tracer_match(target, render, (struct glmv_box){60, 30, 402, 14}, ink, down, &off));
    }
    glmv_image_free(target);
    glmv_image_free(render);
    return off;
}

static void an_equal_line_lies_where_it_is(void)
{
    struct tracer_offset off = offset(60, 30, 1, 0);
    CHECK(fabs(off.dx) < 0.1 && off.dy == 0 && fabs(off.wider) < 0.2);
    CHECK(off.alike > 0.999);
}

static void shifts_are_found_to_fractions_across_and_to_px_down(void)
{
    struct tracer_offset off = offset(62.5, 28, 1, 0);
    CHECK(fabs(off.dx - 2.5) < 0.2);
    CHECK(off.dy == -2);
    CHECK(fabs(off.wider) < 0.5);
}

static void a_line_far_down_is_found_where_it_is_expected(void)
{
    struct tracer_offset off = offset(60, 47, 1, 16);
    CHECK(off.dy == 17);
}

static void a_wider_line_tells_by_how_much(void)
{
    struct tracer_offset off = offset(60, 30, 1.01, 0);
    CHECK(fabs(off.wider - 4) < 0.8);
    CHECK(fabs(off.dx) < 0.5);
}

static void nothing_is_found_without_ink(void)
{
    struct glmv_image *target = paint(60, 30, 1);
    struct tracer_offset off;
    CHECK(target != NULL);
    if (target != NULL) {
        struct glmv_box empty = {500, 5, 60, 14};
        CHECK(!tracer_match(target, target, empty, ink, 0, &off));
        struct tracer_ink same = {0xffffffff, 0xffffffff};
        CHECK(!tracer_match(target, target, (struct glmv_box){60, 30, 402, 14}, same, 0, &off));
    }
    glmv_image_free(target);
}

static struct glmv_scene_line letters(char *text, double confidence)
{
    return (struct glmv_scene_line){.text = text,
                                    .font = "Example",
                                    .confidence = confidence,
                                    .ink = {60, 30, 402, 14},
                                    .color = ink.color,
                                    .background = ink.paper};
}

/* What a review of one line says when the render shows it, or letters of other widths. */
static size_t review(double confidence, bool same, char note[200])
{
    char text[] = "forty letters that are in their place now";
    struct glmv_scene_line line = letters(text, confidence);
    struct glmv_scene scene = {.lines = &line, .line_count = 1};
    struct glmv_image *target = paint(60, 30, 1);
    struct glmv_image *render = paint(60, 30, same ? 1 : 1.4);
    note[0] = '\0';
    CHECK(target != NULL && render != NULL);
    if (target != NULL && render != NULL) {
        CHECK(glmv_scene_review(&scene, target, render, NULL));
    }
    size_t count = scene.note_count;
    for (size_t i = 0; i < count; i++) {
        snprintf(note, 200, "%s", scene.notes[i]);
        free(scene.notes[i]);
    }
    free(scene.notes);
    glmv_image_free(target);
    glmv_image_free(render);
    return count;
}

static void what_stays_wrong_is_said(void)
{
    char note[200];
    CHECK(review(95, true, note) == 0);
    CHECK(review(95, false, note) == 1 && strncmp(note, "Example stands in", 17) == 0);
    CHECK(review(30, true, note) == 0);
    CHECK(review(30, false, note) == 1);
    CHECK_MSG(strstr(note, "60, 30") != NULL && strstr(note, "\"forty letters that are in") != NULL,
              "%s", note);
}

int main(void)
{
    what_stays_wrong_is_said();
    an_equal_line_lies_where_it_is();
    shifts_are_found_to_fractions_across_and_to_px_down();
    a_line_far_down_is_found_where_it_is_expected();
    a_wider_line_tells_by_how_much();
    nothing_is_found_without_ink();
    TEST_END();
}
