/* One family for a page in Chinese or Japanese: lines of Han characters alone fit every family that
 * falls back on the same face, lines with Latin words tell which it is. */
#include <string.h>

#include "model/tracer/text.h"
#include "model/tracer/type.h"

enum { MAX_FONTS = 8 };

void model_type_agree_scripts(struct glmv_scene *scene)
{
    const struct glmv_scene_line *font[MAX_FONTS];
    size_t letters[MAX_FONTS] = {0};
    int count = 0;
    int best = -1;
    for (size_t i = 0; i < scene->line_count; i++) {
        const struct glmv_scene_line *line = &scene->lines[i];
        if (line->family != GLMV_FAMILY_SANS || !model_has_cjk(line->text) ||
            model_text_is_all_han(line->text)) {
            continue;
        }
        int k = 0;
        while (k < count && strcmp(font[k]->font, line->font) != 0) {
            k++;
        }
        if (k == MAX_FONTS) {
            continue;
        }
        font[k] = line;
        count = k == count ? k + 1 : count;
        letters[k] += strlen(line->text);
        best = best < 0 || letters[k] > letters[best] ? k : best;
    }
    for (size_t i = 0; best >= 0 && i < scene->line_count; i++) {
        struct glmv_scene_line *line = &scene->lines[i];
        if (line->family == GLMV_FAMILY_SANS && model_text_is_all_han(line->text)) {
            memmove(line->font, font[best]->font, sizeof line->font);
        }
    }
}
