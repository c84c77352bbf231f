/* Text on pictures that have no even ground. */
#include "tests/model/tracer/lettered.h"

enum { WIDTH = 640, HEIGHT = 320 };

/* A ground that changes slowly, with noise: no two px beside each other need be alike. */
static struct glmv_image *new_photo(int dark, int light, int noise)
{
    struct glmv_image *image = new_picture(WIDTH, HEIGHT);
    uint32_t seed = 7;
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            seed = seed * 1664525U + 1013904223U;
            int v = dark + (light - dark) * (x + 2 * y) / (WIDTH + 2 * HEIGHT);
            v += (int)(seed >> 24) % (2 * noise + 1) - noise;
            paint_px(image, x, y, (uint32_t)(v + 6) << 16 | (uint32_t)v << 8 | (uint32_t)v, 255);
        }
    }
    return image;
}

static void check_text(struct glmv_image *image, const char *const *texts, int count, uint32_t rgb)
{
    struct model_faces faces = {0};
    struct model_face *face = open_face(&faces, "Liberation Sans", 400);
    for (int i = 0; i < count; i++) {
        paint_text(image, &faces, face, texts[i], 18, 60, 60 + 60 * i, rgb);
    }
    model_faces_close(&faces);
    struct glmv_scene *scene = look_at(image);
    for (int i = 0; i < count; i++) {
        CHECK_MSG(find_line(scene, texts[i]) != NULL, "'%s' is not read", texts[i]);
    }
    glmv_scene_free(scene);
}

static void text_that_stands_out_far_is_read(void)
{
    static const char *const texts[] = {"Welcome to the harbour", "Boats leave at noon"};
    check_text(new_photo(40, 110, 14), texts, 2, 0xffffff);
}

/* Black on a dark photo: no more than forty levels, and nothing else stands out by as much. */
static void faint_text_is_read_where_the_photo_is_calm(void)
{
    static const char *const texts[] = {"Minim labore aliqua", "consequat dolor",
                                        "enim nostrud magna"};
    check_text(new_photo(38, 46, 4), texts, 3, 0x000000);
}

static void noise_is_no_text(void)
{
    struct glmv_scene *scene = look_at(new_photo(60, 120, 40));
    CHECK(scene->line_count == 0);
    glmv_scene_free(scene);
}

int main(void)
{
    text_that_stands_out_far_is_read();
    faint_text_is_read_where_the_photo_is_calm();
    noise_is_no_text();
    TEST_END();
}
