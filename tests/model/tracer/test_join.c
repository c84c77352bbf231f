/* Lines of Chinese and Japanese that the blank of a stop has parted. */
#include "model/tracer/text.h"
#include "tests/check.h"

static struct glmv_scene_line make_line(const char *text, double x, double w)
{
    struct glmv_scene_line line = {.ink = {x, 20, w, 16}, .color = 0xff, .background = 0xffffffff};
    line.text = strdup(text);
    line.words = calloc(1, sizeof *line.words);
    CHECK(line.text != NULL && line.words != NULL);
    line.words[0].text = strdup(text);
    line.words[0].ink = line.ink;
    line.word_count = 1;
    return line;
}

/* Two lines beside each other, joined where they are one. Returns how many are left. */
static size_t join(const char *left, const char *right, double gap, char *text, size_t room)
{
    struct glmv_scene *scene = calloc(1, sizeof *scene);
    CHECK(scene != NULL);
    scene->lines = calloc(2, sizeof *scene->lines);
    CHECK(scene->lines != NULL);
    scene->lines[0] = make_line(right, 200 + gap, 80); /* in any order */
    scene->lines[1] = make_line(left, 100, 100);
    scene->line_count = 2;
    CHECK(model_text_join_lines(scene));
    size_t left_over = scene->line_count;
    snprintf(text, room, "%s", scene->lines[0].text);
    CHECK(left_over > 1 || scene->lines[0].ink.w == 180 + gap);
    glmv_scene_free(scene);
    return left_over;
}

int main(void)
{
    char text[200];
    CHECK(join("意味が明確になります。", "この名前", 17, text, sizeof text) == 1);
    CHECK(strcmp(text, "意味が明確になります。この名前") == 0);
    CHECK(join("そして,", "内に", 17, text, sizeof text) == 1);
    /* Columns stand farther apart, and without a stop nearer ones do not belong together. */
    CHECK(join("意味が明確になります。", "この名前", 30, text, sizeof text) == 2);
    CHECK(join("意味が明確になります", "この名前", 17, text, sizeof text) == 2);
    CHECK(join("キ", "ーワード", 2, text, sizeof text) == 1);
    /* Other scripts have blanks. */
    CHECK(join("It is done.", "The name", 17, text, sizeof text) == 2);
    TEST_END();
}
