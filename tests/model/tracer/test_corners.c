/* Corners of one radius, measured a px or two apart. */
#include "model/tracer/perception.h"
#include "tests/check.h"

static struct glmv_scene_box make_box(double y, double h, double a, double b, double c, double d)
{
    return (struct glmv_scene_box){
        .box = {20, y, 70, h}, .fill = GLMV_FILL_SOLID, .color = 0x123456ff, .radius = {a, b, c, d}};
}

static bool has_radii(const struct glmv_scene_box *box, double a, double b, double c, double d)
{
    return box->radius[0] == a && box->radius[1] == b && box->radius[2] == c && box->radius[3] == d;
}

static void agree(struct glmv_scene_box *boxes, size_t count)
{
    struct glmv_err err = {0};
    struct glmv_scene scene = {.width = 400, .height = 400, .boxes = boxes, .box_count = count};
    CHECK_MSG(model_boxes_agree_corners(&scene, &err), "%s", err.message);
}

static void corners_of_a_box_are_one(void)
{
    struct glmv_scene_box boxes[] = {make_box(0, 24, 12, 12, 11, 11), make_box(50, 90, 0, 0, 9, 10),
                                     make_box(200, 60, 4, 20, 4, 20)};
    agree(boxes, 3);
    CHECK(has_radii(&boxes[0], 12, 12, 12, 12));
    CHECK(has_radii(&boxes[1], 0, 0, 10, 10));
    CHECK(has_radii(&boxes[2], 4, 20, 4, 20));
}

static void boxes_of_one_sort_have_the_radius_of_most(void)
{
    struct glmv_scene_box boxes[] = {make_box(0, 23, 10, 10, 10, 10), make_box(40, 24, 12, 12, 12, 12),
                                     make_box(80, 24, 12, 12, 12, 12), make_box(120, 24, 4, 4, 4, 4),
                                     make_box(160, 80, 11, 11, 11, 11)};
    agree(boxes, 5);
    CHECK(has_radii(&boxes[0], 12, 12, 12, 12));
    CHECK(has_radii(&boxes[3], 4, 4, 4, 4));      /* another sort */
    CHECK(has_radii(&boxes[4], 11, 11, 11, 11)); /* a card beside badges */
}

int main(void)
{
    corners_of_a_box_are_one();
    boxes_of_one_sort_have_the_radius_of_most();
    TEST_END();
}
