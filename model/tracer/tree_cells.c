/* Cells of a table that stand no farther apart than words: what no reading of letters tells from a
 * sentence shows in rows below each other. */
#include "model/tracer/tree_build.h"

#define CELL_EDGE 1.5  /* px by which the starts of a column differ */
#define CELL_ROWS 3    /* rows below each other that begin alike */
#define CELL_PITCH 3.5 /* font sizes from row to row at most */
#define CELL_GAP 0.5   /* font sizes between cells that seem to be words */
#define MARKER_BYTES 3 /* of what may be the number of an entry */

/* The line that goes on right after another, or -1. */
static int follower(const struct glmv_scene *s, const int *holders, int line)
{
    const struct glmv_scene_line *a = &s->lines[line];
    int best = -1;
    for (int i = 0; i < (int)s->line_count; i++) {
        const struct glmv_scene_line *b = &s->lines[i];
        double gap = b->ink.x - a->ink.x - a->ink.w;
        if (i != line && holders[i] == holders[line] && gap > 0 && gap <= CELL_GAP * a->font_px &&
            fabs(b->baseline - a->baseline) <= 1.5 &&
            (best < 0 || b->ink.x < s->lines[best].ink.x)) {
            best = i;
        }
    }
    return best;
}

/* Whether two rows are cut at the same places. */
static bool alike(const struct glmv_scene *s, const int *holders, const int *after, int a, int b)
{
    const struct glmv_scene_line *one = &s->lines[a];
    const struct glmv_scene_line *two = &s->lines[b];
    return after[b] >= 0 && holders[a] == holders[b] &&
           fabs(one->ink.x - two->ink.x) <= CELL_EDGE &&
           fabs(s->lines[after[a]].ink.x - s->lines[after[b]].ink.x) <= CELL_EDGE &&
           fabs(one->font_px - two->font_px) <= 0.1 * one->font_px;
}

/* The nearest line below one that begins where it does. */
static int below(const struct glmv_scene *s, const int *holders, int line)
{
    const struct glmv_scene_line *a = &s->lines[line];
    int best = -1;
    for (int i = 0; i < (int)s->line_count; i++) {
        const struct glmv_scene_line *b = &s->lines[i];
        double step = b->baseline - a->baseline;
        if (holders[i] == holders[line] && step > 0.5 * a->font_px &&
            step <= CELL_PITCH * a->font_px && fabs(b->ink.x - a->ink.x) <= CELL_EDGE &&
            (best < 0 || b->baseline < s->lines[best].baseline)) {
            best = i;
        }
    }
    return best;
}

/* Marks the rows from one on when they are enough. */
static void mark_run(const struct glmv_scene *s, const int *holders, const int *after, int first,
                     bool *cells)
{
    int rows = 1;
    int next = below(s, holders, first);
    for (int at = first; next >= 0 && alike(s, holders, after, at, next); rows++) {
        at = next;
        next = below(s, holders, at);
    }
    if (rows < CELL_ROWS) {
        return;
    }
    for (int at = first; rows > 0; rows--) {
        cells[at] = true;
        cells[after[at]] = true;
        at = below(s, holders, at);
    }
}

bool tracer_build_find_cells(const struct glmv_scene *s, const int *holders, bool *cells)
{
    int *after = malloc((s->line_count + 1) * sizeof *after);
    if (after == NULL) {
        return false;
    }
    for (int i = 0; i < (int)s->line_count; i++) {
        const struct glmv_scene_line *line = &s->lines[i];
        bool may = line->rotation == 0 && line->family != GLMV_FAMILY_MONO &&
                   strlen(line->text) > MARKER_BYTES;
        cells[i] = line->cell;
        after[i] = may ? follower(s, holders, i) : -1;
    }
    for (int i = 0; i < (int)s->line_count; i++) {
        if (after[i] >= 0 && !cells[i]) {
            mark_run(s, holders, after, i, cells);
        }
    }
    free(after);
    return true;
}
