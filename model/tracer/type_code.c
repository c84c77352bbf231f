/* Code: lines that are set in a face of one width, on pages whose families are others. */
#include <math.h>
#include <string.h>

#include "model/tracer/type.h"

/* Whether two lines stand in one block: beside or below each other, in one colour. */
static bool are_near(const struct glmv_scene_line *a, const struct glmv_scene_line *b)
{
    double size = fmax(a->ink.h, b->ink.h);
    double across = fmax(a->ink.x, b->ink.x) - fmin(a->ink.x + a->ink.w, b->ink.x + b->ink.w);
    double down = fabs((a->ink.y + a->ink.h / 2) - (b->ink.y + b->ink.h / 2));
    return a->color == b->color && across <= 2 * size && down <= 2.2 * size;
}

/* A page's few lines of code choose none of its families: what fits only when its letters are
 * spaced is tried in faces of one width. */
static void find_code(const struct model_typing *typing, struct glmv_scene *scene)
{
    static const double spaced = 0.03; /* em */
    struct model_faces *faces = typing->faces;
    for (size_t i = 0; i < scene->line_count; i++) {
        struct glmv_scene_line *line = &scene->lines[i];
        if (line->family == GLMV_FAMILY_MONO || line->on_picture || strlen(line->text) < 4 ||
            fabs(line->letter_spacing) < spaced * line->font_px) {
            continue;
        }
        struct model_sample sample;
        struct model_face *own = model_faces_find(faces, line->font, line->weight);
        if (own == NULL || !model_sample_take(typing->view, line, &sample)) {
            continue;
        }
        double limit = model_sample_unlike(&sample, faces, own, line->font_px) - 0.05;
        struct glmv_scene_line best = *line;
        for (size_t k = 0; k < faces->count; k++) {
            struct model_face *face = &faces->items[k];
            if (face->kind != GLMV_FAMILY_MONO || !model_face_is_common(face)) {
                continue;
            }
            struct glmv_scene_line as_code = *line;
            struct model_choice one = {{face->family}, 1};
            model_type_fit_line(typing, &one, face->weight, &as_code);
            double unlike = as_code.family == GLMV_FAMILY_MONO &&
                                    fabs(as_code.letter_spacing) < spaced * as_code.font_px
                                ? model_sample_unlike(&sample, faces, face, as_code.font_px)
                                : 1;
            if (unlike < limit) {
                limit = unlike;
                best = as_code;
            }
        }
        model_sample_release(&sample);
        *line = best;
    }
}

/* A short line beside code is code: one word fits many faces, a line of several words few. */
static void follow_code(const struct model_typing *typing, struct glmv_scene *scene)
{
    for (size_t i = 0; i < scene->line_count; i++) {
        struct glmv_scene_line *line = &scene->lines[i];
        const struct glmv_scene_line *code = NULL;
        for (size_t k = 0;
             line->family != GLMV_FAMILY_MONO && line->word_count <= 3 && k < scene->line_count;
             k++) {
            const struct glmv_scene_line *other = &scene->lines[k];
            if (other->family == GLMV_FAMILY_MONO && are_near(line, other)) {
                code = other;
                break;
            }
        }
        if (code == NULL) {
            continue;
        }
        struct glmv_scene_line as_code = *line;
        struct model_choice one = {{code->font}, 1};
        double letter = code->advance / (double)strlen(code->text);
        double want = letter * (double)strlen(line->text);
        model_type_fit_line(typing, &one, code->weight, &as_code);
        if (as_code.family == GLMV_FAMILY_MONO && fabs(line->ink.w - want) < 0.7 * letter + 1) {
            *line = as_code;
            line->font_px = code->font_px;
            line->letter_spacing = 0;
            line->advance = want;
            line->inked = line->ink.w;
        }
    }
}

void model_type_code(const struct model_typing *typing, struct glmv_scene *scene)
{
    find_code(typing, scene);
    follow_code(typing, scene);
    follow_code(typing, scene); /* what became code has neighbours of its own */
}
