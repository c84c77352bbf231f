/* Which families a page is set in: its longest lines vote. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/text.h"
#include "model/tracer/type.h"

enum {
    VOTERS = 40,
    UNLIKE = 4, /* what a word that looks altogether different costs, as px of misplaced edges do */
    MAX_FAMILIES = 128,
};

/* The cost of a bold face of letters of many widths: long lines are seldom bold, and some bold faces
 * have the widths of another family's regular one. */
#define BOLD 0.5
#define BORROWED 0.2 /* the cost of a family that draws nothing of a line itself */
#define UNKNOWN 6.0  /* the cost of a line that no family explains */

static int longer_first(const void *pa, const void *pb)
{
    size_t a = strlen((*(struct glmv_scene_line *const *)pa)->text);
    size_t b = strlen((*(struct glmv_scene_line *const *)pb)->text);
    return a < b ? 1 : a > b ? -1 : 0;
}

static size_t family_end(const struct model_faces *faces, size_t from)
{
    size_t to = from;
    while (to < faces->count && strcmp(faces->items[to].family, faces->items[from].family) == 0) {
        to++;
    }
    return to;
}

/* What a line costs in each family: that of its best face. */
static void price_line(const struct model_typing *typing, const size_t *starts, size_t families,
                       const struct glmv_scene_line *line, double *cost, size_t step)
{
    struct model_faces *faces = typing->faces;
    struct model_sample sample;
    bool inked = model_sample_take(typing->view, line, &sample);
    bool all_han = model_text_is_all_han(line->text);
    for (size_t f = 0; f < families; f++) {
        double best = UNKNOWN;
        for (size_t k = starts[f]; k < family_end(faces, starts[f]); k++) {
            struct model_fit fit;
            if (!model_face_is_common(&faces->items[k]) ||
                !model_type_fit_face(&faces->items[k], line, 1, &fit)) {
                continue;
            }
            fit.mass = 0;
            double bad = model_type_badness(&fit);
            double unlike = inked && bad < UNKNOWN
                                ? model_sample_unlike(&sample, faces, &faces->items[k], fit.size)
                                : 0.5;
            bool borrowed = !faces->items[k].cjk && faces->items[k].fallback != NULL && all_han;
            bool bold = faces->items[k].weight >= 600 && faces->items[k].kind != GLMV_FAMILY_MONO;
            double cost_of_face = (borrowed ? BORROWED : 0) + (bold ? BOLD : 0);
            best = fmin(best, bad + UNLIKE * unlike + cost_of_face);
        }
        cost[f * step] = best;
    }
    model_sample_release(&sample);
}

/* Picks families greedily for what they add. */
static void pick(const struct model_faces *faces, const size_t *starts, size_t families,
                 const double *cost, int n, struct model_choice *choice)
{
    double best[VOTERS];
    for (int i = 0; i < n; i++) {
        best[i] = UNKNOWN;
    }
    while (choice->count < MODEL_PAGE_FAMILIES) {
        double top = 0;
        size_t winner = families;
        for (size_t f = 0; f < families; f++) {
            double gain = 0;
            for (int i = 0; i < n; i++) {
                gain += fmax(0, best[i] - cost[f * (size_t)n + (size_t)i]);
            }
            if (gain > top) {
                top = gain;
                winner = f;
            }
        }
        if (winner == families || (choice->count > 0 && top < 0.35 * n)) {
            return;
        }
        choice->family[choice->count++] = faces->items[starts[winner]].family;
        for (int i = 0; i < n; i++) {
            best[i] = fmin(best[i], cost[winner * (size_t)n + (size_t)i]);
        }
    }
}

void model_type_vote(const struct model_typing *typing, struct glmv_scene *scene,
                     struct model_choice *choice)
{
    size_t starts[MAX_FAMILIES];
    size_t families = 0;
    for (size_t f = 0; f < typing->faces->count && families < MAX_FAMILIES;
         f = family_end(typing->faces, f)) {
        starts[families++] = f;
    }
    struct glmv_scene_line **order = malloc((scene->line_count + 1) * sizeof *order);
    double *cost = malloc((families * VOTERS + 1) * sizeof *cost);
    size_t n = 0;
    for (size_t i = 0; order != NULL && i < scene->line_count; i++) {
        if (scene->lines[i].confidence >= 80 && scene->lines[i].word_count <= MODEL_TYPE_WORDS) {
            order[n++] = &scene->lines[i];
        }
    }
    if (order != NULL && cost != NULL) {
        qsort(order, n, sizeof *order, longer_first);
        n = n < VOTERS ? n : VOTERS;
        for (size_t i = 0; i < n; i++) {
            price_line(typing, starts, families, order[i], cost + i, n);
        }
        pick(typing->faces, starts, families, cost, (int)n, choice);
    }
    free(order);
    free(cost);
}
