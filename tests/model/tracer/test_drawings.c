/* Shapes that are no boxes: waves, circles over each other, hills. They become SVG and no bitmaps.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "model/tracer/drawing.h"
#include "tests/model/tracer/painted.h"

enum { FINE = 8 }; /* places across a px that are looked at for soft edges */

typedef bool inside_fn(double x, double y);
typedef void colour_fn(double x, double y, double *rgb);

/* Paints the places that are inside. */
static void paint(struct glmv_image *image, inside_fn *inside, colour_fn *colour)
{
    for (int y = 0; y < image->height; y++) {
        for (int x = 0; x < image->width; x++) {
            int n = 0;
            for (int k = 0; k < FINE * FINE; k++) {
                n += inside(x + (k % FINE + 0.5) / FINE, y + ((double)(k / FINE) + 0.5) / FINE);
            }
            uint8_t *p = image->rgba + ((size_t)y * (size_t)image->width + (size_t)x) * 4;
            double share = (double)n / (FINE * FINE);
            double rgb[3];
            colour(x + 0.5, y + 0.5, rgb);
            for (int c = 0; c < 3; c++) {
                p[c] = (uint8_t)lround(rgb[c] * share + p[c] * (1 - share));
            }
            p[3] = 255;
        }
    }
}

static void flat(uint32_t colour, double *rgb)
{
    for (int c = 0; c < 3; c++) {
        rgb[c] = colour >> (16 - 8 * c) & 255;
    }
}

static bool everywhere(double x, double y)
{
    return x >= 0 && y >= 0;
}

static bool above_wave(double x, double y)
{
    return y < 300 + 40 * sin(x / 90);
}

static bool left_disc(double x, double y)
{
    return hypot(x - 280, y - 200) < 120;
}

static bool right_disc(double x, double y)
{
    return hypot(x - 430.5, y - 240.25) < 130;
}

static void white(double x, double y, double *rgb)
{
    (void)x;
    (void)y;
    flat(0xffffff, rgb);
}

static void navy(double x, double y, double *rgb)
{
    (void)x;
    (void)y;
    flat(0x16324f, rgb);
}

static void coral(double x, double y, double *rgb)
{
    (void)x;
    (void)y;
    flat(0xf2545b, rgb);
}

static void amber(double x, double y, double *rgb)
{
    (void)x;
    (void)y;
    flat(0xf3a712, rgb);
}

/* linear-gradient(#ee0979, #ff6a00) over 400 px, and the other way round. */
static void dusk(double x, double y, double *rgb)
{
    (void)x;
    double t = fmin(1, y / 400);
    rgb[0] = 0xee + t * (0xff - 0xee);
    rgb[1] = 0x09 + t * (0x6a - 0x09);
    rgb[2] = 0x79 + t * (0x00 - 0x79);
}

static void dawn(double x, double y, double *rgb)
{
    dusk(x, 400 - y, rgb);
}

static const struct glmv_scene_picture *only_picture(const struct glmv_scene *scene)
{
    CHECK_MSG(scene->picture_count == 1, "%zu pictures", scene->picture_count);
    return scene->picture_count == 1 ? &scene->pictures[0] : NULL;
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        n++;
    }
    return n;
}

static void a_section_with_a_wave_at_its_end_is_a_path(void)
{
    struct glmv_image *image = new_picture(800, 600);
    paint(image, everywhere, white);
    paint(image, above_wave, navy);
    struct glmv_scene *scene = look_at(image);
    int paths = 0;
    for (size_t i = 0; i < scene->picture_count; i++) {
        const char *svg = scene->pictures[i].svg;
        CHECK(svg != NULL && scene->pictures[i].kind == GLMV_PICTURE_DRAWING);
        paths += svg != NULL ? count(svg, "<path") : 0;
        CHECK_MSG(svg == NULL || strlen(svg) < 800, "%s", svg);
    }
    /* A white box over the dark page that reaches up into it twice, or the other way round. */
    CHECK_MSG(paths == 1 || paths == 2, "%d", paths);
    glmv_scene_free(scene);
}

static void discs_over_each_other_are_circles_and_arcs(void)
{
    struct glmv_image *image = new_picture(700, 480);
    paint(image, everywhere, navy);
    paint(image, left_disc, coral);
    paint(image, right_disc, amber);
    struct glmv_scene *scene = look_at(image);
    for (size_t i = 0; i < scene->picture_count; i++) {
        CHECK(scene->pictures[i].svg != NULL);
    }
    CHECK_MSG(scene->picture_count == 1 && scene->box_count == 1, "%zu pictures, %zu boxes",
              scene->picture_count, scene->box_count);
    CHECK(scene->box_count == 1 && scene->boxes[0].radius[0] == scene->boxes[0].box.h / 2);
    glmv_scene_free(scene);
}

static void gradients_that_pass_each_others_colour_come_apart(void)
{
    struct glmv_image *image = new_picture(700, 600);
    paint(image, everywhere, white);
    for (int y = 0; y < 400; y++) {
        for (int x = 0; x < 700; x++) {
            double rgb[3];
            dusk(x, y + 0.5, rgb);
            for (int c = 0; c < 3; c++) {
                image->rgba[((size_t)y * 700 + (size_t)x) * 4 + (size_t)c] =
                    (uint8_t)lround(rgb[c]);
            }
        }
    }
    paint(image, left_disc, dawn);
    struct glmv_scene *scene = look_at(image);
    int gradients = 0;
    for (size_t i = 0; i < scene->box_count; i++) {
        gradients += scene->boxes[i].fill == GLMV_FILL_GRADIENT;
    }
    for (size_t i = 0; i < scene->picture_count; i++) {
        const char *svg = scene->pictures[i].svg;
        CHECK(svg != NULL);
        gradients += svg != NULL ? count(svg, "<linearGradient") : 0;
    }
    CHECK_MSG(gradients == 2, "%d", gradients);
    glmv_scene_free(scene);
}

static void photos_are_no_drawings(void)
{
    struct glmv_image *image = new_picture(500, 400);
    paint(image, everywhere, white);
    for (int y = 60; y < 300; y++) {
        for (int x = 60; x < 400; x++) {
            uint8_t *p = image->rgba + ((size_t)y * 500 + (size_t)x) * 4;
            double v = 100 + 60 * sin(x / 5.0) * cos(y / 4.0) + (x * 7 + y * 3) % 11;
            p[0] = (uint8_t)v;
            p[1] = (uint8_t)(0.7 * v);
            p[2] = (uint8_t)(160 - v / 2);
        }
    }
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_picture *picture = only_picture(scene);
    CHECK(picture == NULL || (picture->svg == NULL && picture->kind == GLMV_PICTURE_PHOTO));
    glmv_scene_free(scene);
}

/* Points of an outline, about one a px. */
static int outline(struct drawing_point *points, bool square)
{
    int n = 0;
    for (int i = 0; i < 240; i++) {
        double t = i / 240.0;
        double a = t * 2 * 3.14159265358979;
        double along = (t * 4 - floor(t * 4)) * 60;
        const double corner[4][4] = {
            {10, 10, 1, 0}, {70, 10, 0, 1}, {70, 70, -1, 0}, {10, 70, 0, -1}};
        const double *c = corner[(int)(t * 4)];
        points[n++] = square ? (struct drawing_point){c[0] + c[2] * along, c[1] + c[3] * along, 0.3}
                             : (struct drawing_point){40 + 30 * cos(a), 40 + 30 * sin(a), 0.3};
    }
    return n;
}

static void outlines_have_as_few_pieces_as_they_need(void)
{
    struct drawing_point points[240];
    struct glmv_err err = {0};
    struct glmv_buf path;
    glmv_buf_init(&path, 1 << 16);
    int n = outline(points, true);
    CHECK(drawing_put_outline(points, n, &path, &err));
    CHECK_MSG(count(path.data, "L") == 4 && count(path.data, "C") == 0, "%s", path.data);
    glmv_buf_clear(&path);
    n = outline(points, false);
    CHECK(drawing_put_outline(points, n, &path, &err));
    CHECK_MSG(count(path.data, "C") <= 8 && count(path.data, "L") == 0, "%s", path.data);
    struct drawing_point middle;
    double radius = 0;
    CHECK(drawing_is_circle(points, n, &middle, &radius) && fabs(radius - 30) < 0.1);
    CHECK(fabs(middle.x - 40) < 0.1 && fabs(middle.y - 40) < 0.1);
    glmv_buf_release(&path);
}

int main(void)
{
    outlines_have_as_few_pieces_as_they_need();
    a_section_with_a_wave_at_its_end_is_a_path();
    discs_over_each_other_are_circles_and_arcs();
    gradients_that_pass_each_others_colour_come_apart();
    photos_are_no_drawings();
    TEST_END();
}
