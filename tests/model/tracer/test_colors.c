/* Lines agree on colours: what thin strokes hardly show gives way to what others show in full. */
#include "model/tracer/text.h"
#include "tests/check.h"

enum { W = 400, H = 200, LINE_H = 10, LINE_W = 100 };

struct shot {
    struct glmv_image *image;
    struct model_view view;
    struct glmv_scene scene;
    struct glmv_scene_line lines[8];
};

static void begin(struct shot *shot)
{
    struct glmv_err err = {0};
    memset(shot, 0, sizeof *shot);
    shot->image = glmv_image_new(W, H, &err);
    CHECK_MSG(shot->image != NULL, "%s", err.message);
    memset(shot->image->rgba, 255, (size_t)W * H * 4);
    shot->view = (struct model_view){.image = shot->image, .w = W, .h = H, .page = -1};
    shot->scene = (struct glmv_scene){.width = W, .height = H, .lines = shot->lines};
}

/* A line on white whose strokes cover so much of a px: every second column of it. Each tenth one
 * shows the colour measured, or each second one where that is shown in full. */
static void draw(struct shot *shot, char *text, uint32_t measured, bool full)
{
    size_t n = shot->scene.line_count++;
    struct glmv_scene_line *line = &shot->lines[n];
    *line = (struct glmv_scene_line){.text = text,
                                     .ink = {20, 10 + 20 * (double)n, LINE_W, LINE_H},
                                     .font_px = 14,
                                     .weight = 400,
                                     .color = measured,
                                     .background = 0xffffffff};
    strcpy(line->font, "Liberation Sans");
    for (int y = 0; y < LINE_H; y++) {
        for (int x = 0; x < LINE_W; x += 2) {
            double part = full || (x % 40 == 0 && y == 0) ? 1 : 0.7;
            uint8_t *px = shot->image->rgba +
                          ((size_t)((int)line->ink.y + y) * W + (size_t)(20 + x)) * 4;
            for (int c = 0; c < 3; c++) {
                int level = (int)(measured >> (24 - 8 * c) & 255);
                px[c] = (uint8_t)(255 - part * (255 - level));
            }
        }
    }
}

static void agree(struct shot *shot)
{
    struct glmv_err err = {0};
    CHECK_MSG(model_text_agree_colors(&shot->view, &shot->scene, &err), "%s", err.message);
}

static void thin_strokes_take_the_colour_that_explains_them(void)
{
    struct shot shot;
    begin(&shot);
    draw(&shot, "Orders of this week", 0x707275ff, true);
    draw(&shot, "pale", 0x838588ff, false); /* 0.87 of the first over white */
    draw(&shot, "red", 0xc05050ff, false);  /* no blend of it */
    agree(&shot);
    CHECK(shot.lines[0].color == 0x707275ff);
    CHECK(shot.lines[1].color == 0x707275ff);
    CHECK(shot.lines[2].color == 0xc05050ff);
    glmv_image_free(shot.image);
}

static void colours_shown_in_full_stay_two(void)
{
    struct shot shot;
    begin(&shot);
    draw(&shot, "Orders of this week", 0x707275ff, true);
    draw(&shot, "Orders of the last one", 0x838588ff, true);
    agree(&shot);
    CHECK(shot.lines[1].color == 0x838588ff);
    glmv_image_free(shot.image);
}

static void a_colour_with_witnesses_stays(void)
{
    struct shot shot;
    begin(&shot);
    draw(&shot, "Orders of this week", 0x707275ff, true);
    draw(&shot, "one", 0x838588ff, false);
    draw(&shot, "two", 0x838588ff, false);
    draw(&shot, "three", 0x838588ff, false);
    agree(&shot);
    CHECK(shot.lines[1].color == 0x838588ff && shot.lines[3].color == 0x838588ff);
    glmv_image_free(shot.image);
}

static void without_a_sure_one_the_strongest_of_a_type_counts(void)
{
    struct shot shot;
    begin(&shot);
    draw(&shot, "one", 0x777777ff, false);
    draw(&shot, "two", 0x858585ff, false);
    draw(&shot, "large", 0x8a8a8aff, false);
    shot.lines[2].font_px = 30; /* another type: its strokes are no thinner than a px */
    shot.lines[2].weight = 700;
    agree(&shot);
    CHECK(shot.lines[0].color == 0x777777ff);
    CHECK(shot.lines[1].color == 0x777777ff);
    CHECK(shot.lines[2].color == 0x8a8a8aff);
    glmv_image_free(shot.image);
}

static void what_is_much_paler_is_another_colour(void)
{
    struct shot shot;
    begin(&shot);
    draw(&shot, "Orders of this week", 0x202020ff, true);
    draw(&shot, "muted", 0x707070ff, false);
    agree(&shot);
    CHECK(shot.lines[1].color == 0x707070ff);
    glmv_image_free(shot.image);
}

int main(void)
{
    thin_strokes_take_the_colour_that_explains_them();
    colours_shown_in_full_stay_two();
    a_colour_with_witnesses_stays();
    without_a_sure_one_the_strongest_of_a_type_counts();
    what_is_much_paler_is_another_colour();
    TEST_END();
}
