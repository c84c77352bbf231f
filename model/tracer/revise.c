/*
 * Corrects a draft by what a render of it measured. Where an element came out elsewhere than it was
 * placed, it is shifted back; where a line, laid over the target piece by piece, lies elsewhere or
 * grows wider towards its end, its place and its spacing follow.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tracer/draft.h"
#include "model/tracer/match.h"

enum { REACH = 4 }; /* px that a line is looked for above and below its place */

#define WRAP_STEP 0.35 /* font sizes by which a paragraph is made wider or narrower at a time */
#define WRAP_STEPS 4
#define LEAST_ALIKE 0.35 /* of a line that is taken for itself in the render */
#define WIDTH_ERROR 0.7  /* px that a line may be wider than seen */
#define LEAST_GROWN 0.5  /* px */
#define SIZE_ERROR 0.025 /* relative; above it the size is wrong, below it the spacing */

struct revision {
    struct glmv_draft *draft;
    const struct glmv_image *target, *render;
    const struct glmv_page *page;
    const struct glmv_page_element **by_mark;
    int mark_count;
    int changed;
};

/* However far: what stands on a page that came out too long is off by the same, and all of it must
 * move, or the distances between its parts get lost. */
static void shift(struct revision *r, struct tracer_shift *by, double dx, double dy)
{
    if (fabs(dx) >= 0.25 || fabs(dy) >= 0.25) {
        by->dx += dx;
        by->dy += dy;
        r->changed++;
    }
}

/* What the lines of one text measured in a render. */
struct found {
    double dx, dx_weight;
    double down[2 * REACH + 1]; /* letters that lie so many px lower, from -REACH */
    double wider;               /* px, of its lines one after the other */
    double length;              /* px of those */
    double fall;                /* letters times px by which lines are wider */
    double letters;             /* squared */
};

static bool alone_on_row(const struct tracer_node *node, int i)
{
    return (i == 0 || node->rows[i - 1] != node->rows[i]) &&
           (i + 1 == node->run_count || node->rows[i + 1] != node->rows[i]);
}

static void look_at_run(const struct revision *r, const struct tracer_node *node, int i,
                        double down, struct found *found)
{
    const struct glmv_scene_line *line = &r->draft->scene->lines[node->runs[i]];
    double letters = (double)glmv_utf8_count(line->text);
    struct tracer_offset off;
    if (!tracer_match(r->target, r->render, line->ink,
                      (struct tracer_ink){line->color, line->background}, down, &off) ||
        off.alike < LEAST_ALIKE) {
        return;
    }
    /* Engines differ in how they cut lines of fractions of px: only whole ones compare. */
    int dy = (int)lround(off.dy - down);
    if (abs(dy) <= REACH && (node->rows[i] == 0 || node->pitch == floor(node->pitch))) {
        found->down[dy + REACH] += letters * off.alike;
    }
    bool first = i == 0 || node->rows[i - 1] != node->rows[i];
    if (first) {
        double at = node->centered ? off.dx + off.wider / 2
                    : node->flush  ? off.dx + off.wider
                                   : off.dx;
        found->dx += letters * at;
        found->dx_weight += letters;
    }
    if (alone_on_row(node, i) && letters >= 3) {
        found->wider += off.wider;
        found->length += line->ink.w;
        found->fall += off.wider * (letters - 1);
        found->letters += (letters - 1) * (letters - 1);
    }
}

/* Makes lines as wide as their ink in the target. */
static void fit_width(struct revision *r, const struct tracer_node *node, const struct found *found)
{
    struct tracer_type *type = &r->draft->types[node->main];
    if (found->letters <= 0 || fabs(found->wider) > 0.25 * found->length) {
        return;
    }
    double rows = node->row_count;
    double error = found->wider / found->length;
    if (fabs(found->wider) < WIDTH_ERROR * rows) {
        return;
    }
    if (fabs(error) > SIZE_ERROR) {
        type->font_px *= 1 - error * 0.8;
    } else {
        type->letter_spacing -= found->fall / found->letters;
    }
    r->changed++;
}

/* A line that sticks out of the page makes it scroll sideways, and the picture does not show how
 * far: it is made narrower by what its element is wider than its ink. */
static void pull_in(struct revision *r, const struct tracer_node *node,
                    const struct glmv_page_element *element)
{
    const struct glmv_scene *s = r->draft->scene;
    const struct glmv_box ink = s->lines[node->first].ink;
    if (node->run_count != 1 || node->code || ink.x + ink.w > s->width + 1 ||
        element->box.x + element->box.w <= s->width + 1) {
        return;
    }
    double room = fmin(ink.w, s->width - element->box.x);
    r->draft->types[node->first].font_px *= fmax(room / element->box.w, 0.5);
    r->changed++;
}

static void revise_text(struct revision *r, const struct tracer_node *node,
                        const struct glmv_page_element *element)
{
    const struct glmv_scene_line *line = &r->draft->scene->lines[node->first];
    struct tracer_shift *by = &r->draft->line_shift[node->first];
    pull_in(r, node, element);
    double top = node->box.y - by->dy; /* where it was seen: earlier corrections are in node->box */
    int came = (int)lround(element->box.h / node->pitch);
    double low = element->box.y - top;
    struct found found = {0};
    if (came == node->row_count && !line->on_picture) {
        for (int i = 0; i < node->run_count; i++) {
            double cut = node->rows[i] * (node->pitch - floor(node->pitch));
            look_at_run(r, node, i, low - (node->row_count > 1 ? cut : 0), &found);
        }
    }
    int best = 0;
    for (int i = 1; i <= 2 * REACH; i++) {
        best = found.down[i] > found.down[best] ? i : best;
    }
    if (found.down[best] <= 0) {
        /* It wrapped differently, or shows nothing: its top edge says where it is. */
        shift(r, by, 0, -low);
        return;
    }
    fit_width(r, node, &found);
    shift(r, by, found.dx_weight > 0 ? -found.dx / found.dx_weight : 0, REACH - best - round(low));
}

/* Against where it was seen, not where it was last put: a lasting error is corrected once. */
static void bring_back(struct revision *r, struct tracer_shift *by, struct glmv_box seen,
                       const struct glmv_page_element *element)
{
    shift(r, by, seen.x - element->box.x, seen.y - element->box.y);
}

/* What holds something is as high as that and its padding: where it came out higher than it was
 * seen, its padding is less. Corrections inside of it do not show there: each moves what it moves
 * in the page and in the numbers alike. */
static void bring_end_back(struct revision *r, struct tracer_shift *by,
                           const struct tracer_node *node, const struct glmv_page_element *element)
{
    double grown = element->box.h - r->draft->scene->boxes[node->scene_box].box.h;
    if (node->child_count > 0 && fabs(grown) >= LEAST_GROWN) {
        by->grown += grown;
        r->changed++;
    }
}

static void revise_node(struct revision *r, const struct tracer_node *node)
{
    const struct glmv_page_element *element =
        node->mark < r->mark_count ? r->by_mark[node->mark] : NULL;
    if (element != NULL && node->kind == TRACER_TEXT) {
        revise_text(r, node, element);
    } else if (element != NULL && node->scene_box >= 0) {
        struct tracer_shift *by = &r->draft->box_shift[node->scene_box];
        bring_back(r, by, r->draft->scene->boxes[node->scene_box].box, element);
        bring_end_back(r, by, node, element);
    } else if (element != NULL && node->scene_picture >= 0) {
        bring_back(r, &r->draft->picture_shift[node->scene_picture],
                   r->draft->scene->pictures[node->scene_picture].box, element);
    }
    for (int i = 0; i < node->child_count; i++) {
        revise_node(r, node->children[i]);
    }
}

/* Widens or narrows the paragraphs that wrapped otherwise than seen. While one does, what stands
 * below it is off by whole lines, and no place tells anything. */
static void revise_wraps(struct revision *r, const struct tracer_node *node)
{
    const struct glmv_page_element *element =
        node->mark < r->mark_count ? r->by_mark[node->mark] : NULL;
    if (element != NULL && node->kind == TRACER_TEXT && node->row_count > 1 && !node->code) {
        struct tracer_type *type = &r->draft->types[node->first];
        double step = WRAP_STEP * r->draft->scene->lines[node->main].font_px;
        int came = (int)lround(element->box.h / node->pitch);
        double next = type->wrap + (came > node->row_count ? step : -step);
        if (came != node->row_count && fabs(next) <= WRAP_STEPS * step) {
            type->wrap = next;
            r->changed++;
        }
    }
    for (int i = 0; i < node->child_count; i++) {
        revise_wraps(r, node->children[i]);
    }
}

static bool index_marks(struct revision *r, struct glmv_err *err)
{
    r->mark_count = tracer_node_count(r->draft->tree);
    r->by_mark = calloc((size_t)r->mark_count, sizeof *r->by_mark);
    if (r->by_mark == NULL) {
        return glmv_fail_memory(err);
    }
    for (size_t i = 0; i < r->page->element_count; i++) {
        int mark = r->page->elements[i].mark;
        if (mark >= 0 && mark < r->mark_count) {
            r->by_mark[mark] = &r->page->elements[i];
        }
    }
    return true;
}

bool glmv_draft_rewrap(struct glmv_draft *draft, const struct glmv_page *page, int *changed,
                       struct glmv_err *err)
{
    struct revision r = {.draft = draft, .page = page};
    *changed = 0;
    if (!index_marks(&r, err)) {
        return false;
    }
    revise_wraps(&r, draft->tree);
    free((void *)r.by_mark);
    *changed = r.changed;
    return r.changed == 0 || tracer_draft_arrange(draft, err);
}

bool glmv_draft_revise(struct glmv_draft *draft, const struct glmv_image *target,
                       const struct glmv_image *render, const struct glmv_page *page, int *changed,
                       struct glmv_err *err)
{
    struct revision r = {.draft = draft, .target = target, .render = render, .page = page};
    if (!index_marks(&r, err)) {
        return false;
    }
    revise_node(&r, draft->tree);
    free((void *)r.by_mark);
    if (changed != NULL) {
        *changed = r.changed;
    }
    return r.changed == 0 || tracer_draft_arrange(draft, err);
}

int glmv_draft_keep_ends(struct glmv_draft *draft, const struct glmv_draft *before)
{
    int kept = 0;
    for (size_t i = 0; i < draft->scene->box_count; i++) {
        double *grown = &draft->box_shift[i].grown;
        kept += fabs(*grown - before->box_shift[i].grown) > 0;
        *grown = before->box_shift[i].grown;
    }
    return kept;
}
