/*
 * Corrects a draft by what a render of it measured. Where an element came out elsewhere than it was
 * placed, it is shifted back; where the ink of a line lies elsewhere or is wider than in the
 * target, its place and its spacing follow the ink.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/tracer/draft.h"

#define REACH 6        /* px that ink may be off and still be that of a line */
#define BESIDE 2       /* px beside a line that its ink may reach */
#define WRAP_STEP 0.35 /* font sizes by which a paragraph is made wider or narrower at a time */
#define WRAP_STEPS 4
#define INK_SHARE 0.35   /* of the way from the background to the text's colour */
#define SIZE_ERROR 0.025 /* relative; above it the size is wrong, below it the spacing */

/* Where the ink of a line lies; false when there is none. */
static bool ink_box(const struct glmv_image *image, struct glmv_box area, uint32_t color,
                    uint32_t back, struct glmv_box *out)
{
    int text[3] = {(int)(color >> 24), (int)(color >> 16 & 255), (int)(color >> 8 & 255)};
    int paper[3] = {(int)(back >> 24), (int)(back >> 16 & 255), (int)(back >> 8 & 255)};
    double length = 0;
    for (int c = 0; c < 3; c++) {
        length += (double)(text[c] - paper[c]) * (text[c] - paper[c]);
    }
    int left = image->width;
    int top = image->height;
    int right = -1;
    int bottom = -1;
    int x0 = (int)fmax(0, floor(area.x));
    int y0 = (int)fmax(0, floor(area.y));
    int x1 = (int)fmin(image->width, ceil(area.x + area.w));
    int y1 = (int)fmin(image->height, ceil(area.y + area.h));
    for (int y = y0; y < y1; y++) {
        const uint8_t *p = image->rgba + ((size_t)y * (size_t)image->width + (size_t)x0) * 4;
        for (int x = x0; x < x1; x++, p += 4) {
            double along = 0;
            for (int c = 0; c < 3; c++) {
                along += (double)(p[c] - paper[c]) * (text[c] - paper[c]);
            }
            if (along > INK_SHARE * length) {
                left = x < left ? x : left;
                right = x > right ? x : right;
                top = y < top ? y : top;
                bottom = y > bottom ? y : bottom;
            }
        }
    }
    *out = (struct glmv_box){left, top, right - left + 1, bottom - top + 1};
    return right >= left && length > 300;
}

struct revision {
    struct glmv_draft *draft;
    const struct glmv_image *target, *render;
    const struct glmv_page *page;
    const struct glmv_page_element **by_mark;
    int mark_count;
    int changed;
};

static int count_nodes(const struct tracer_node *node)
{
    int count = 1;
    for (int i = 0; i < node->child_count; i++) {
        count += count_nodes(node->children[i]);
    }
    return count;
}

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

/* Makes a line as wide as its ink in the target. */
static void fit_width(struct revision *r, int index, double want, double got)
{
    const struct glmv_scene_line *line = &r->draft->scene->lines[index];
    struct tracer_type *type = &r->draft->types[index];
    size_t letters = glmv_utf8_count(line->text);
    if (letters < 3 || fabs(want - got) < 0.75 || fabs(want - got) > 0.25 * want) {
        return;
    }
    double error = want / got - 1;
    if (fabs(error) > SIZE_ERROR) {
        type->font_px *= 1 + error * 0.8;
    } else {
        type->letter_spacing += (want - got) / (double)(letters - 1);
    }
    r->changed++;
}

static void revise_text(struct revision *r, const struct tracer_node *node,
                        const struct glmv_page_element *element)
{
    const struct glmv_scene_line *line = &r->draft->scene->lines[node->first];
    struct tracer_shift *by = &r->draft->line_shift[node->first];
    double line_px = node->pitch;
    double top = node->box.y - by->dy; /* where it was seen: earlier corrections are in node->box */
    int came = (int)lround(element->box.h / line_px);
    if (came != node->row_count || line->on_picture) {
        /* It wrapped differently: its place says nothing about its ink, but its top edge does. */
        shift(r, by, 0, top - element->box.y);
        return;
    }
    struct glmv_box want;
    struct glmv_box got;
    struct glmv_box area = {line->ink.x - BESIDE, line->ink.y - 1, line->ink.w + 2 * BESIDE,
                            line->ink.h + 2};
    double dy = element->box.y - top;
    /* Not beyond its element: an icon beside it is no ink of it. */
    double left = fmax(area.x - 14, element->box.x - BESIDE);
    double right = fmin(area.x + area.w + 14, element->box.x + element->box.w + BESIDE);
    struct glmv_box there = {left, area.y + dy - 2, right - left, area.h + 4};
    if (!ink_box(r->target, area, line->color, line->background, &want) ||
        !ink_box(r->render, there, line->color, line->background, &got)) {
        shift(r, by, 0, top - element->box.y);
        return;
    }
    if (node->runs[0] == node->first && (node->run_count == 1 || node->rows[1] > 0)) {
        fit_width(r, node->first, want.w, got.w);
    }
    /* Top and bottom vote: an accent or a neighbour's descender spoils one of them at most. */
    double up = want.y - got.y;
    double down = want.y + want.h - got.y - got.h;
    double move = fabs(up) < fabs(down) ? up : down;
    bool centre_kept = fabs((want.x + want.w / 2) - (got.x + got.w / 2)) < 0.75;
    bool found = fabs(want.x - got.x) <= REACH; /* farther off it is the ink of something else */
    shift(r, by, centre_kept || !found ? 0 : want.x - got.x, move);
}

/* Against where it was seen, not where it was last put: a lasting error is corrected once. */
static void bring_back(struct revision *r, struct tracer_shift *by, struct glmv_box seen,
                       const struct glmv_page_element *element)
{
    shift(r, by, seen.x - element->box.x, seen.y - element->box.y);
}

static void revise_node(struct revision *r, const struct tracer_node *node)
{
    const struct glmv_page_element *element =
        node->mark < r->mark_count ? r->by_mark[node->mark] : NULL;
    if (element != NULL && node->kind == TRACER_TEXT) {
        revise_text(r, node, element);
    } else if (element != NULL && node->scene_box >= 0) {
        bring_back(r, &r->draft->box_shift[node->scene_box],
                   r->draft->scene->boxes[node->scene_box].box, element);
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
    r->mark_count = count_nodes(r->draft->tree);
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
