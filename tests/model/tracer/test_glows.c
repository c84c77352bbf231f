/* Soft spots and gradients that fade into what they lie on. */
#include "tests/model/tracer/shapes.h"

/* filter: blur() of a disc that is large for its blur */
static void paint_spot(struct glmv_image *image, int below, double cx, double cy, double r,
                       double deviation, uint32_t rgb)
{
    const double colour[3] = {rgb >> 16, rgb >> 8 & 255, rgb & 255};
    for (int y = 0; y < below; y++) {
        for (int x = 0; x < image->width; x++) {
            double d = hypot(x + 0.5 - cx, y + 0.5 - cy) - r;
            put(image, x, y, colour, 0.5 * erfc(d / (deviation * sqrt(2))));
        }
    }
}

/* radial-gradient(ellipse RX RY at CX CY, rgb, transparent) */
static void paint_fading(struct glmv_image *image, int y0, int y1, double cx, double cy, double rx,
                         double ry, uint32_t rgb)
{
    const double colour[3] = {rgb >> 16, rgb >> 8 & 255, rgb & 255};
    for (int y = y0; y < y1; y++) {
        for (int x = 0; x < image->width; x++) {
            double t = hypot((x + 0.5 - cx) / rx, (y + 0.5 - cy) / ry);
            put(image, x, y, colour, fmax(0, 1 - t));
        }
    }
}

static double largest_picture(const struct glmv_scene *scene)
{
    double most = 0;
    for (size_t i = 0; i < scene->picture_count; i++) {
        const struct glmv_scene_picture *p = &scene->pictures[i];
        most = p->svg == NULL ? fmax(most, p->box.w * p->box.h) : most;
    }
    return most;
}

static void blurred_discs_over_each_other_are_spots_of_their_section(void)
{
    struct glmv_image *image = blank(1000, 640, 0xfdf2f8);
    paint_spot(image, 420, 760, 90, 150, 45, 0xf9a8d4);
    paint_spot(image, 420, 560, 260, 120, 45, 0xc4b5fd);
    fill(image, 0, 420, 1000, 220, 0xffffff);
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *hero = box_at(scene, 0, 0, 1000, 420);
    if (hero != NULL) {
        CHECK_MSG(hero->glow_count == 2, "%d", hero->glow_count);
        CHECK_MSG(hero->color == 0xfdf2f8ff, "%08x", hero->color);
    }
    static const double want[2][4] = {{760, 90, 150, 45}, {560, 260, 120, 45}};
    for (int i = 0; hero != NULL && i < hero->glow_count; i++) {
        const struct glmv_scene_glow *g = &hero->glow[i];
        const double *w = fabs(g->cx - 760) < 60 ? want[0] : want[1];
        CHECK_MSG(fabs(g->cx - w[0]) <= 4 && fabs(g->cy - w[1]) <= 4, "%g, %g", g->cx, g->cy);
        CHECK_MSG(fabs(g->radius - w[2]) <= 8 && fabs(g->deviation - w[3]) <= 5, "%g, %g",
                  g->radius, g->deviation);
    }
    CHECK_MSG(largest_picture(scene) < 2000, "%g", largest_picture(scene));
    glmv_scene_free(scene);
}

static void a_gradient_that_fades_into_the_page_is_a_section(void)
{
    struct glmv_image *image = blank(1000, 700, 0x0b1020);
    paint_fading(image, 0, 400, 700, 140, 420, 420, 0x4338ca);
    fill(image, 120, 120, 160, 40, 0xfacc15);
    paint_disc(image, 760, 220, 60, 0x22d3ee, 1);
    fill(image, 100, 480, 800, 120, 0x1f2937);
    struct glmv_scene *scene = look_at(image);
    const struct glmv_scene_box *hero = box_at(scene, 0, 0, 1000, 400);
    if (hero != NULL) {
        CHECK(hero->fill == GLMV_FILL_GRADIENT && hero->radial);
        CHECK_MSG(fabs(hero->cx - 700) <= 4 && fabs(hero->cy - 140) <= 4, "%g, %g", hero->cx,
                  hero->cy);
        CHECK_MSG(fabs(hero->rx - 420) <= 20, "%g", hero->rx);
    }
    CHECK_MSG(largest_picture(scene) < 2000, "%g", largest_picture(scene));
    glmv_scene_free(scene);
}

static void a_shadow_on_a_glow_does_not_hide_it(void)
{
    struct glmv_image *image = blank(1000, 700, 0x111827);
    fill(image, 0, 0, 1000, 60, 0x1f2937);
    paint_fading(image, 60, 700, 480, 60, 460, 320, 0x1d4ed8);
    cast_shadow(image, 600, 130, 260, 160, 12, 30, 0.5);
    fill(image, 600, 130, 260, 160, 0xf97316);
    struct glmv_scene *scene = look_at(image);
    bool found = false;
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        found = found || (box->radial && box->box.y == 60 && fabs(box->cx - 480) <= 12);
    }
    CHECK(found);
    CHECK_MSG(largest_picture(scene) < 0.03 * 1000 * 700, "%g", largest_picture(scene));
    glmv_scene_free(scene);
}

static void photos_and_shadows_of_cards_are_no_glows(void)
{
    struct glmv_image *image = blank(900, 600, 0xf4f6f8);
    paint_photo(image, 40, 40, 400, 300);
    cast_shadow(image, 500, 60, 320, 220, 10, 40, 0.2);
    fill(image, 500, 60, 320, 220, 0xffffff);
    struct glmv_scene *scene = look_at(image);
    for (size_t i = 0; i < scene->box_count; i++) {
        const struct glmv_scene_box *box = &scene->boxes[i];
        CHECK_MSG(box->glow_count == 0 && box->fill != GLMV_FILL_GRADIENT, "%g x %g", box->box.w,
                  box->box.h);
    }
    const struct glmv_scene_box *card = box_at(scene, 500, 60, 320, 220);
    CHECK(card != NULL && card->shadow.present);
    glmv_scene_free(scene);
}

int main(void)
{
    blurred_discs_over_each_other_are_spots_of_their_section();
    a_gradient_that_fades_into_the_page_is_a_section();
    a_shadow_on_a_glow_does_not_hide_it();
    photos_and_shadows_of_cards_are_no_glows();
    TEST_END();
}
