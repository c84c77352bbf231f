/* Spaces between Han characters and Latin words, and texts in a face that falls back on another. */
#include <math.h>

#include "model/tracer/faces.h"
#include "model/tracer/text.h"
#include "tests/check.h"

enum { WIDTH = 400, HEIGHT = 40, TOP = 10, EM = 16 };

static uint8_t mask[WIDTH * HEIGHT];

static void ink(double x, double w)
{
    for (int y = TOP; y < TOP + EM; y++) {
        memset(mask + y * WIDTH + (int)lround(x), 1, (size_t)lround(w));
    }
}

/* A line as it was read; '_' in the picture is a space of a quarter em and more. */
static struct glmv_scene_line read_line(const char *read, const char *seen)
{
    memset(mask, 0, sizeof mask);
    double x = 20;
    for (const char *c = seen; *c != '\0';) {
        bool wide = (unsigned char)*c >= 0xe3;
        if (*c == '_') {
            x += 0.28 * EM;
        } else if (wide) {
            bool stop = strncmp(c, "，", 3) == 0;
            ink(x + 1, stop ? 3 : EM - 2);
            x += EM;
        } else {
            ink(x, 0.5 * EM);
            x += 0.56 * EM;
        }
        c += wide ? 3 : 1;
    }
    struct glmv_scene_line line = {.ink = {20, TOP, x - 20, EM}, .text = strdup(read)};
    line.words = calloc(1, sizeof *line.words);
    CHECK(line.text != NULL && line.words != NULL);
    line.words[0] = (struct glmv_scene_word){.text = strdup(read), .ink = line.ink};
    line.word_count = 1;
    return line;
}

static void check_breaks(const char *read, const char *seen, const char *want)
{
    struct model_view view = {.w = WIDTH, .h = HEIGHT, .text_mask = mask};
    struct glmv_scene_line line = read_line(read, seen);
    CHECK(model_text_break_scripts(&view, &line, NULL));
    CHECK_MSG(strcmp(line.text, want) == 0, "'%s' became '%s', not '%s'", read, line.text, want);
    size_t blanks = 0;
    for (const char *c = line.text; *c != '\0'; c++) {
        blanks += *c == ' ';
    }
    CHECK(!model_has_cjk(read) || line.word_count == blanks + 1);
    for (size_t i = 0; i < line.word_count; i++) {
        free(line.words[i].text);
    }
    free(line.words);
    free(line.text);
}

static void a_face_draws_what_it_has_not_in_its_fallback(void)
{
    struct model_faces faces;
    CHECK(model_faces_open(&faces, NULL));
    struct model_face *latin = model_faces_find(&faces, "Liberation Sans", 400);
    struct model_face *han = model_faces_find(&faces, "Noto Sans CJK SC", 400);
    if (latin == NULL || han == NULL) {
        model_faces_close(&faces);
        SKIP("Liberation Sans or Noto Sans CJK is not installed");
    }
    struct model_measure alone = {0};
    struct model_measure both = {0};
    struct model_measure word = {0};
    CHECK(!model_face_measure(latin, "含近 20 个", &alone));
    model_faces_fall_back(&faces, "zh");
    CHECK(latin->fallback == han);
    CHECK(model_face_measure(latin, "20", &word));
    CHECK(model_face_measure(latin, "含近20个", &both));
    CHECK_MSG(fabs(both.advance - 3 - word.advance) < 1e-9, "advance %.3f", both.advance);
    struct model_ink drawn;
    CHECK(model_face_draw(&faces, latin, "近2", 20, &drawn));
    CHECK(drawn.w > 24 && drawn.w < 34);
    model_ink_release(&drawn);
    model_faces_close(&faces);
}

int main(void)
{
    check_breaks("含近20个主题", "含近_20_个主题", "含近 20 个主题");
    check_breaks("含近20个主题", "含近20个主题", "含近20个主题");
    check_breaks("用CSS做，再见", "用_CSS_做，再见", "用 CSS 做，再见");
    /* One gap, two borders near it. */
    check_breaks("月4日7时", "月4日_7时", "月4日 7时");
    /* The blank of a stop is no space. */
    check_breaks("问题，根据", "问题，根据", "问题，根据");
    check_breaks("plain words", "plain_words", "plain words");
    a_face_draws_what_it_has_not_in_its_fallback();
    TEST_END();
}
