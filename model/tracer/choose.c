/* Takes from each of two drafts what came out nearer to the target, thing by thing. */
#include <math.h>
#include <stdlib.h>

#include "model/tracer/draft.h"
#include "model/tracer/regular.h"

#define MARGIN 2 /* px around a thing that count as its own */
#define WORSE                                                                                      \
    4.0 /* levels, the sum of three channels, that a px of a regularity may be off more            \
         */

/* Sum of the differences of two pictures inside a rectangle. */
static double error_in(const struct glmv_image *a, const struct glmv_image *b, struct glmv_box box)
{
    int width = a->width < b->width ? a->width : b->width;
    int height = a->height < b->height ? a->height : b->height;
    int x0 = (int)fmax(0, floor(box.x) - MARGIN);
    int y0 = (int)fmax(0, floor(box.y) - MARGIN);
    int x1 = (int)fmin(width, ceil(box.x + box.w) + MARGIN);
    int y1 = (int)fmin(height, ceil(box.y + box.h) + MARGIN);
    double sum = 0;
    for (int y = y0; y < y1; y++) {
        const uint8_t *p = a->rgba + ((size_t)y * (size_t)a->width + (size_t)x0) * 4;
        const uint8_t *q = b->rgba + ((size_t)y * (size_t)b->width + (size_t)x0) * 4;
        for (int x = x0; x < x1; x++, p += 4, q += 4) {
            sum += abs(p[0] - q[0]) + abs(p[1] - q[1]) + abs(p[2] - q[2]);
        }
    }
    return sum;
}

/* The outline of a box alone: what lies in it has its own say. */
static double outline_error(const struct glmv_image *a, const struct glmv_image *b,
                            struct glmv_box box)
{
    struct glmv_box top = {box.x, box.y, box.w, 1};
    struct glmv_box bottom = {box.x, box.y + box.h - 1, box.w, 1};
    struct glmv_box left = {box.x, box.y, 1, box.h};
    struct glmv_box right = {box.x + box.w - 1, box.y, 1, box.h};
    return error_in(a, b, top) + error_in(a, b, bottom) + error_in(a, b, left) +
           error_in(a, b, right);
}

bool glmv_draft_choose(struct glmv_draft *draft, const struct glmv_draft *other,
                       const struct glmv_image *target, const struct glmv_image *render,
                       const struct glmv_image *other_render, int *taken, struct glmv_err *err)
{
    const struct glmv_scene *s = draft->scene;
    *taken = 0;
    for (size_t i = 0; i < s->line_count; i++) {
        struct glmv_box ink = s->lines[i].ink;
        if (error_in(target, other_render, ink) < error_in(target, render, ink)) {
            draft->line_shift[i] = other->line_shift[i];
            draft->types[i] = other->types[i];
            *taken += 1;
        }
    }
    for (size_t i = 0; i < s->box_count; i++) {
        struct glmv_box box = s->boxes[i].box;
        if (outline_error(target, other_render, box) < outline_error(target, render, box)) {
            draft->box_shift[i] = other->box_shift[i];
            *taken += 1;
        }
    }
    for (size_t i = 0; i < s->picture_count; i++) {
        struct glmv_box box = s->pictures[i].box;
        if (error_in(target, other_render, box) < error_in(target, render, box)) {
            draft->picture_shift[i] = other->picture_shift[i];
            *taken += 1;
        }
    }
    return *taken == 0 || tracer_draft_arrange(draft, err);
}

bool glmv_draft_regularize(struct glmv_draft *draft, struct glmv_err *err)
{
    draft->regular = calloc(1, sizeof *draft->regular);
    return draft->regular != NULL ? tracer_draft_arrange(draft, err) : glmv_fail_memory(err);
}

bool glmv_draft_loosen(struct glmv_draft *draft, const struct glmv_image *target,
                       const struct glmv_image *before, const struct glmv_image *render,
                       int *undone, struct glmv_err *err)
{
    struct tracer_regular *all = draft->regular;
    int count = 0;
    *undone = 0;
    for (int i = 0; i < all->move_count; i++) {
        count = all->moves[i].group >= count ? all->moves[i].group + 1 : count;
    }
    double *worse = calloc((size_t)count * 2 + 1, sizeof *worse);
    bool *loose = calloc((size_t)count + 1, sizeof *loose);
    if (worse == NULL || loose == NULL) {
        free(worse);
        free(loose);
        return glmv_fail_memory(err);
    }
    for (int i = 0; i < all->move_count; i++) {
        const struct tracer_move *m = &all->moves[i];
        worse[m->group] += error_in(target, render, m->where) - error_in(target, before, m->where);
        worse[count + m->group] += (m->where.w + 2 * MARGIN) * (m->where.h + 2 * MARGIN);
    }
    for (int g = 0; g < count; g++) {
        loose[g] = worse[g] > WORSE * worse[count + g];
        *undone += loose[g];
    }
    free(worse);
    free(all->loose);
    all->loose = loose;
    all->loose_count = count;
    return *undone == 0 || tracer_draft_arrange(draft, err);
}
