/* Fitting of type: what the boxes of words tell about the size of a line. */
#include <math.h>

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

int main(void)
{
    words_that_no_blank_parts_tell_the_size();
    TEST_END();
}
