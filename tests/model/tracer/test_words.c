/* What becomes of words that OCR alone misreads; drawn here in an installed face. */
#include <math.h>

#include "tests/model/tracer/lettered.h"

enum { WIDTH = 640, LINE = 40 };

/* Black on white, one text below the other; NULL where the face is not installed. */
static struct glmv_image *draw(const char *const *texts, int count, double size)
{
    struct glmv_err err = {0};
    struct model_faces faces;
    CHECK(model_faces_open(&faces, &err));
    struct model_face *face = model_faces_find(&faces, "Liberation Sans", 400);
    struct glmv_image *image =
        face != NULL ? glmv_image_new(WIDTH, LINE * (count + 1), &err) : NULL;
    if (image != NULL) {
        memset(image->rgba, 255, (size_t)WIDTH * (size_t)image->height * 4);
    }
    for (int i = 0; image != NULL && i < count; i++) {
        struct model_ink ink;
        CHECK(model_face_draw(&faces, face, texts[i], size, &ink));
        paint_ink(image, &ink, 20, LINE * i + 20);
        model_ink_release(&ink);
    }
    model_faces_close(&faces);
    return image;
}

static struct glmv_scene *look(const char *const *texts, int count, double size)
{
    struct glmv_image *image = draw(texts, count, size);
    if (image == NULL) {
        SKIP("Liberation Sans is not installed");
    }
    return look_at(image);
}

static void check_lines(const char *const *texts, int count, double size)
{
    struct glmv_scene *scene = look(texts, count, size);
    for (int i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < scene->line_count; k++) {
            found = found || strcmp(scene->lines[k].text, texts[i]) == 0;
        }
        CHECK_MSG(found, "'%s' is not read", texts[i]);
    }
    glmv_scene_free(scene);
}

static void a_bar_that_stands_on_the_line_is_a_letter(void)
{
    static const char *const texts[] = {
        "finite number of heartbeats. I",
        "\"I will be the leader",
        "Street 12 | Victoria | Canada",
    };
    check_lines(texts, 3, 24);
}

static void a_lone_digit_keeps_its_full_stop(void)
{
    static const char *const texts[] = {"1.", "2.", "The first entry of a list"};
    check_lines(texts, 3, 16);
}

/* How much of a px lies between two edges. */
static double covered(double from, double to, int px)
{
    return fmax(0, fmin(to, px + 1) - fmax(from, px));
}

/* A bar of grey ink whose edges are in the midst of px. */
static void paint_bar(struct glmv_image *image, double x, double y, double w, double h)
{
    for (int at_y = (int)y; at_y < y + h; at_y++) {
        for (int at_x = (int)x; at_x < x + w; at_x++) {
            double cover = covered(x, x + w, at_x) * covered(y, y + h, at_y);
            paint_px(image, at_x, at_y, 0x666666, (int)lround(cover * 255));
        }
    }
}

static void short_dashes_are_no_dots(void)
{
    enum { PLACES = 8 };
    struct model_faces faces;
    struct model_face *face = open_face(&faces, "Liberation Sans", 400);
    for (int i = 0; i < PLACES; i++) { /* on its px in many ways */
        struct glmv_image *image = new_picture(WIDTH, 2 * LINE);
        paint_rect(image, 0, 0, image->width, image->height, 0xffffff);
        double x = paint_text(image, &faces, face, "Trip home to you", 16, 20, LINE, 0x666666);
        paint_bar(image, ceil(x) + 4, LINE - 5.06 + i / (double)PLACES, 3.9, 1.3);
        paint_text(image, &faces, face, "Mauris augue neque gravida", 16, ceil(x) + 12, LINE,
                   0x666666);
        struct glmv_scene *scene = look_at(image);
        CHECK_MSG(find_line(scene, "Trip home to you - Mauris augue neque gravida") != NULL,
                  "dash %d", i);
        glmv_scene_free(scene);
    }
    model_faces_close(&faces);
}

static void dots_between_words_are_dots(void)
{
    static const char *const texts[] = {
        "Your trips · Lorem ipsum dolor sit amet",
        "Weekly report · Bibendum ut tristique et egestas",
    };
    check_lines(texts, 2, 16);
    check_lines(texts, 2, 13);
}

static void full_stops_apart_are_no_dots(void)
{
    static const char *const texts[] = {
        "The English language . . . becomes ugly and inaccurate",
        "Home . Page . Copy . Stages of the journey",
    };
    check_lines(texts, 2, 20);
}

int main(void)
{
    a_bar_that_stands_on_the_line_is_a_letter();
    a_lone_digit_keeps_its_full_stop();
    short_dashes_are_no_dots();
    dots_between_words_are_dots();
    full_stops_apart_are_no_dots();
    TEST_END();
}
