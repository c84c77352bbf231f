/* Fitting of type: what the boxes of words tell about the size of a line. */
#include <math.h>

#include "base/utf8.h"
#include "model/tracer/proof.h"
#include "model/tracer/type.h"
#include "tests/model/tracer/lettered.h"

enum { LEFT = 40, BASELINE = 60 };

static struct glmv_box box_of(const struct model_extent *e, double size)
{
    return (struct glmv_box){LEFT + e->left * size - MODEL_INK_BLEED, BASELINE + e->top * size,
                             (e->right - e->left) * size + 2 * MODEL_INK_BLEED,
                             (e->bottom - e->top) * size};
}

/* Chinese and Japanese lines are read as words that no blank parts. */
static void words_that_no_blank_parts_tell_the_size(void)
{
    struct model_faces faces;
    struct model_face *face = open_face(&faces, "Liberation Sans", 400);
    char first[] = "unparted";
    char second[] = "halves";
    char text[] = "unpartedhalves";
    size_t starts[] = {0, sizeof first - 1};
    struct model_extent extents[2];
    struct model_measure m = {.word = extents, .words = 2, .starts = starts};
    CHECK(model_face_measure(face, text, &m));
    CHECK(extents[0].right < extents[1].right && extents[0].right <= extents[1].left + 0.1);
    struct glmv_scene_word words[] = {
        {.text = first, .ink = box_of(&extents[0], 17)},
        {.text = second, .ink = box_of(&extents[1], 17)},
    };
    struct glmv_scene_line line = {
        .text = text, .words = words, .word_count = 2, .ink = box_of(&m.ink, 17)};
    struct model_fit fit;
    CHECK(model_type_fit_face(face, &line, 1, &fit));
    CHECK_MSG(fabs(fit.size - 17) < 0.01, "size %.3f", fit.size);
    CHECK_MSG(fit.residual < 0.01, "residual %.3f", fit.residual);
    model_faces_close(&faces);
}

/* A line as it is measured: its letters are half as wide as their size. */
static struct glmv_scene_line line_of(char *text, double px, double spacing)
{
    double letters = (double)glmv_utf8_count(text);
    double inked = letters * px / 2 + spacing * (letters - 1) + 2 * MODEL_INK_BLEED;
    return (struct glmv_scene_line){.text = text,
                                    .font = "Example",
                                    .font_px = px,
                                    .letter_spacing = spacing,
                                    .inked = inked,
                                    .advance = inked,
                                    .ink = {0, 0, inked, px}};
}

static void a_line_takes_the_size_of_its_page_where_that_explains_it(void)
{
    char usual[] = "a line that is as long as most of them are";
    char spaced[] = "a line with a bracket";
    char near[] = "Save";
    char large[] = "a heading of its own";
    char wide[] = "a line set wide on purpose";
    struct glmv_scene_line lines[] = {
        line_of(usual, 16, 0),  line_of(usual, 16, 0), line_of(spaced, 17.4, -0.7),
        line_of(near, 16.4, 0), line_of(large, 17, 0), line_of(wide, 15, 1.5),
    };
    struct glmv_scene scene = {.lines = lines, .line_count = 6};
    model_type_agree(&scene);
    CHECK(lines[2].font_px == 16 && lines[2].letter_spacing == 0);
    CHECK_MSG(fabs(lines[2].inked - lines[2].ink.w) < 1, "%.2f %.2f", lines[2].inked,
              lines[2].ink.w);
    CHECK(lines[3].font_px == 16);
    CHECK(lines[4].font_px == 17);
    CHECK(lines[5].font_px == 15 && lines[5].letter_spacing == 1.5);
}

/* A misread sign is half as wide as what stands there. */
static void misread_signs_do_not_change_the_size_of_a_han_line(void)
{
    char usual[] = "\u6392\u7248\u662f\u4e00\u4e2a\u9ebb\u70e6\u7684\u95ee\u9898\u5b9e\u4f8b"
                   "\u6392\u7248\u662f\u4e00\u4e2a\u9ebb\u70e6\u7684\u95ee\u9898\u5b9e\u4f8b";
    struct glmv_scene_line lines[] = {line_of(usual, 16, 0), line_of(usual, 16, 0),
                                      line_of(usual, 16.7, 0), line_of(usual, 18, 0)};
    struct glmv_scene scene = {.lines = lines, .line_count = 4};
    model_type_agree(&scene);
    CHECK(lines[2].font_px == 16 && lines[2].inked == lines[2].ink.w);
    CHECK(lines[3].font_px == 18);
}

int main(void)
{
    a_line_takes_the_size_of_its_page_where_that_explains_it();
    misread_signs_do_not_change_the_size_of_a_han_line();
    words_that_no_blank_parts_tell_the_size();
    TEST_END();
}
