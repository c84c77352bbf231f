/* Words of running text that have a surface of their own: code, a key, something marked. */
#include "model/tracer/tree_build.h"

#define HIGHEST 2.0   /* font sizes of a chip */
#define PADDING 1.2   /* font sizes that a chip is wider than its words, at most */
#define GAP 0.5       /* font sizes from a chip to the text beside it */
#define PITCH_MIN 0.9 /* font sizes from line to line of running text */
#define PITCH_MAX 1.9

struct finder {
    const struct tracer_builder *b;
    int *holders; /* of the scene's lines: item, or -1 */
    int *parents; /* of the items */
};

/* Whether a line of the same text stands above or below. */
static bool runs_on(const struct finder *f, size_t line)
{
    const struct glmv_scene *s = f->b->scene;
    const struct glmv_scene_line *a = &s->lines[line];
    for (size_t i = 0; i < s->line_count; i++) {
        const struct glmv_scene_line *b = &s->lines[i];
        double step = fabs(a->baseline - b->baseline) / a->font_px;
        double shared = fmin(a->ink.x + a->ink.w, b->ink.x + b->ink.w) - fmax(a->ink.x, b->ink.x);
        if (i != line && f->holders[i] == f->holders[line] && a->family == b->family &&
            fabs(a->font_px - b->font_px) <= 0.1 * a->font_px && step >= PITCH_MIN &&
            step <= PITCH_MAX && shared > 0) {
            return true;
        }
    }
    return false;
}

/* Whether a line stands right beside a box that holds another one, on one baseline with that. */
static bool is_beside(const struct glmv_scene_line *held, const struct glmv_box *box,
                      const struct glmv_scene_line *line)
{
    double size = fmax(held->font_px, line->font_px);
    double gap = fmax(line->ink.x - box->x - box->w, box->x - line->ink.x - line->ink.w);
    return line->rotation == 0 && fabs(held->baseline - line->baseline) <= 0.12 * size + 0.6 &&
           fmin(held->font_px, line->font_px) >= 0.75 * size && gap > -0.2 * size &&
           gap <= GAP * size;
}

/* The only line in a box, -1 without one or with anything else in it. */
static int only_line(const struct finder *f, int item)
{
    int found = -1;
    for (int i = 0; i < f->b->count; i++) {
        if (f->parents[i] == item) {
            return -1;
        }
    }
    for (size_t i = 0; i < f->b->scene->line_count; i++) {
        if (f->holders[i] == item) {
            if (found >= 0) {
                return -1;
            }
            found = (int)i;
        }
    }
    return found;
}

/* The line that a box is the chip of, or -1. */
static int chip_of(const struct finder *f, int item)
{
    const struct glmv_scene *s = f->b->scene;
    int index = f->b->items[item].node->scene_box;
    if (index < 0 || s->boxes[index].fill != GLMV_FILL_SOLID || s->boxes[index].shadow.present) {
        return -1;
    }
    const struct glmv_box *box = &s->boxes[index].box;
    int line = only_line(f, item);
    const struct glmv_scene_line *held = line >= 0 ? &s->lines[line] : NULL;
    if (held == NULL || held->rotation != 0 || held->on_picture ||
        box->h > HIGHEST * held->font_px || box->w > held->ink.w + PADDING * held->font_px) {
        return -1;
    }
    for (size_t i = 0; i < s->line_count; i++) {
        if (f->holders[i] == f->parents[item] && is_beside(held, box, &s->lines[i]) &&
            runs_on(f, i)) {
            return line;
        }
    }
    return -1;
}

static void find_chips(struct tracer_builder *b, const struct finder *f)
{
    int kept = 0;
    for (int i = 0; i < b->count; i++) {
        int line = chip_of(f, i);
        if (line >= 0) {
            b->chips[line] = b->items[i].node->scene_box;
        }
    }
    for (int i = 0; i < b->count; i++) {
        bool chip = false;
        for (size_t k = 0; !chip && k < b->scene->line_count; k++) {
            chip = b->chips[k] >= 0 && b->chips[k] == b->items[i].node->scene_box;
        }
        if (chip) {
            tracer_node_free(b->items[i].node);
        } else {
            b->items[kept++] = b->items[i];
        }
    }
    b->count = kept;
}

bool tracer_build_find_chips(struct tracer_builder *b)
{
    size_t lines = b->scene->line_count;
    struct finder f = {b, malloc((lines + 1) * sizeof *f.holders),
                       malloc(((size_t)b->count + 1) * sizeof *f.parents)};
    b->chips = malloc((lines + 1) * sizeof *b->chips);
    bool ok = f.holders != NULL && f.parents != NULL && b->chips != NULL;
    for (size_t i = 0; ok && i < lines; i++) {
        b->chips[i] = -1;
        f.holders[i] =
            tracer_build_holder_of(b, b->scene->lines[i].ink, TRACER_TEXT_TOLERANCE, -1, b->count);
    }
    for (int i = 0; ok && i < b->count; i++) {
        f.parents[i] =
            tracer_build_holder_of(b, b->items[i].want, TRACER_BOX_TOLERANCE, i, b->count);
    }
    if (ok) {
        find_chips(b, &f);
    }
    free(f.holders);
    free(f.parents);
    return ok;
}
