/* Lines that are not what they seem: letters of code in another face, and what was read twice. */
#include "model/tracer/tree_build.h"

#define LEVEL 0.12       /* font sizes by which baselines of one line differ */
#define GRID_SLACK 0.5   /* characters by which a line of code may miss its columns */
#define GRID_SHARE 0.025 /* and the share of its width */
#define GRID_LONG 8      /* characters of a line that tell by themselves that they are code */
#define GRID_REACH 4     /* font sizes up or down to a line of the code */
#define LISTING_LINES 3  /* of code in a box that is a listing */
#define INSIDE 2         /* px that a second reading reaches out of the first */
#define DOUBTED 80       /* confidence and fit below which a line over others is none */
#define DOUBTED_FIT 0.5
#define INSIDE_HEIGHT 0.75 /* of a line, that others in it have at most */
#define INSIDE_WIDTH 0.3   /* of a line, that others in it fill */

static size_t characters(const char *text)
{
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++) {
        n += ((unsigned char)*p & 0xc0) != 0x80;
    }
    return n;
}

bool tracer_build_is_read_twice(const struct glmv_scene *s, int index, const bool *dropped)
{
    const struct glmv_scene_line *line = &s->lines[index];
    for (size_t i = 0; i < s->line_count; i++) {
        const struct glmv_scene_line *other = &s->lines[i];
        if (!dropped[i] && strlen(other->text) > strlen(line->text) &&
            tracer_build_holds(other->ink, line->ink, INSIDE) &&
            fabs(other->baseline - line->baseline) <= INSIDE + 1 &&
            strstr(other->text, line->text) != NULL) {
            return true;
        }
    }
    return false;
}

/* A stripe of a table or frames side by side that were read as letters: a lower line stands in it,
 * or several do. */
bool tracer_build_is_misread(const struct glmv_scene *s, const struct glmv_scene_line *line)
{
    bool doubted = line->confidence < DOUBTED && line->fit < DOUBTED_FIT;
    int inside = 0;
    double width = 0;
    for (size_t i = 0; i < s->line_count; i++) {
        const struct glmv_scene_line *other = &s->lines[i];
        if (other != line && other->ink.h <= INSIDE_HEIGHT * line->ink.h &&
            tracer_build_holds(line->ink, other->ink, 1)) {
            inside += doubted && other->ink.h <= line->ink.h / 2 ? 2 : 1;
            width += other->ink.w;
        }
    }
    return inside >= 2 && (doubted || width > INSIDE_WIDTH * line->ink.w);
}

/* --- code */

/* Whether a line fills columns of characters as wide as those of another, which is code. */
static bool fills_columns(const struct glmv_scene_line *line, const struct glmv_scene_line *code)
{
    size_t letters = characters(code->text);
    double wide = letters > 1 && code->advance > 0 ? code->advance / (double)letters : 0;
    size_t n = characters(line->text);
    return wide > 0 && n >= 2 &&
           fabs(line->ink.w - (double)n * wide) <= GRID_SLACK * wide + GRID_SHARE * line->ink.w;
}

void tracer_build_find_code(const struct glmv_scene *s, const int *holders, const int *chips,
                            bool *code)
{
    for (size_t i = 0; i < s->line_count; i++) {
        const struct glmv_scene_line *line = &s->lines[i];
        code[i] = line->family == GLMV_FAMILY_MONO && chips[i] < 0;
        for (size_t k = 0; !code[i] && chips[i] < 0 && k < s->line_count; k++) {
            const struct glmv_scene_line *other = &s->lines[k];
            double down = fabs(line->baseline - other->baseline);
            bool near =
                down <= LEVEL * other->font_px + 0.6 ||
                (down <= GRID_REACH * other->font_px && characters(line->text) >= GRID_LONG);
            code[i] = other->family == GLMV_FAMILY_MONO && chips[k] < 0 &&
                      holders[k] == holders[i] && near && line->rotation == 0 &&
                      fills_columns(line, other);
        }
    }
}

void tracer_build_find_listings(const struct glmv_scene *s, const int *holders, const bool *code,
                                bool *listing)
{
    for (size_t i = 0; i < s->line_count; i++) {
        int lines = 0;
        int others = 0;
        for (size_t k = 0; holders[i] >= 0 && k < s->line_count; k++) {
            lines += holders[k] == holders[i] && code[k];
            others += holders[k] == holders[i] && !code[k];
        }
        listing[i] = code[i] && lines >= LISTING_LINES && others * 10 <= lines;
    }
}
