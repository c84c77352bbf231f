/* Children side by side: padding, gap, what stands at the right edge, columns. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/spacing.h"

#define PICTURE_SLACK 0.5
#define PUSH 32.0        /* px of free room that push what follows to the right edge, at least */
#define PUSH_TIMES 2.0   /* and so many times the next largest */
#define EDGE 80.0        /* px that what is pushed ends before the edge, at most */
#define EDGE_SLACK 8.0   /* px that it may end farther from the edge than the first begins */
#define EVEN_SLACK 0.6   /* px by which columns and the room between them differ */
#define BUTTON 400.0     /* px: what is that narrow has what it holds in its middle */
#define MIDDLE_SLACK 0.8 /* px by which what stands in the middle may be off it */

struct cells {
    double *at; /* margins at the left, px */
    double *width;
    double rest; /* px after the last one */
    int count;
};

/* What is between children, and after the last. */
static void measure(const struct tracer_space *all, const struct tracer_space *one,
                    struct cells *cells)
{
    double x = 0;
    double after = 0;
    for (int i = 0; i < one->kid_count; i++) {
        const struct tracer_space *kid = &all[one->kids[i]];
        cells->at[i] = kid->left + after;
        after = kid->after;
        cells->width[i] = kid->width > 0 ? kid->width : kid->element->box.w;
        x += cells->at[i] + cells->width[i];
    }
    cells->rest = one->element->inside.w - x;
    cells->count = one->kid_count;
}

/* The child that stands at the right edge together with what follows it, 0 without one. */
static int find_pushed(const struct cells *c)
{
    int widest = 1;
    double second = 0;
    for (int i = 2; i < c->count; i++) {
        widest = c->at[i] > c->at[widest] ? i : widest;
    }
    for (int i = 1; i < c->count; i++) {
        second = i != widest ? fmax(second, c->at[i]) : second;
    }
    double room = c->count > 1 ? c->at[widest] : 0;
    bool edge = c->rest >= -0.5 &&
                (c->rest <= fmin(EDGE, 0.6 * room) || fabs(c->rest - c->at[0]) <= EDGE_SLACK);
    return room >= PUSH && room >= PUSH_TIMES * second && edge ? widest : 0;
}

/* Whether all are boxes of one width, equally far apart, that fill their room. */
static bool is_grid(const struct tracer_space *all, const struct tracer_space *one,
                    const struct cells *c)
{
    bool even = c->count > 1 && c->at[0] >= 0 && c->rest >= -0.5 &&
                c->rest <= fmax(TRACER_WIDE, c->at[0] + EVEN_SLACK) && c->at[1] <= TRACER_WIDE;
    for (int i = 0; even && i < c->count; i++) {
        const struct tracer_space *kid = &all[one->kids[i]];
        even = kid->painted && strcmp(kid->element->tag, "div") == 0 &&
               kid->width >= 2 * TRACER_WIDE && fabs(c->width[i] - c->width[0]) <= EVEN_SLACK &&
               (i == 0 || fabs(c->at[i] - c->at[1]) <= EVEN_SLACK);
    }
    return even;
}

static void take_grid(struct tracer_space *all, struct tracer_space *one, const struct cells *c)
{
    double width = 0;
    double gap = 0;
    for (int i = 0; i < c->count; i++) {
        struct tracer_space *kid = &all[one->kids[i]];
        width += c->width[i] / c->count;
        gap += i > 0 ? c->at[i] / (c->count - 1) : 0;
        tracer_element_drop(kid->element, "width");
        kid->left = 0;
        kid->fills = true;
    }
    one->gap = round(gap * 2) / 2;
    one->column = width;
    one->pad[TRACER_LEFT] = c->at[0];
    one->pad[TRACER_RIGHT] = c->rest;
    one->free_right = c->rest;
    one->right_fixed = true;
}

/* The distances that a gap holds for; the one that pushes has none. */
static void take_gap(struct tracer_space *all, struct tracer_space *one, struct cells *c,
                     int pushed)
{
    int count = 0;
    double *far = c->width; /* not needed any more */
    for (int i = 1; i < c->count; i++) {
        if (i != pushed) {
            far[count++] = c->at[i];
        }
    }
    double most = 0;
    double early = 0;
    for (int i = 0; i < count; i++) {
        most = fmax(most, far[i]);
    }
    if (most <= TRACER_WIDE) {
        one->gap = tracer_gap_find(
            far, count, (struct tracer_slack){TRACER_TEXT_SLACK, TRACER_TEXT_SLACK}, &early);
    }
    for (int i = 1, k = 0; i < c->count; i++) {
        struct tracer_space *kid = &all[one->kids[i]];
        if (i == pushed) {
            kid->left = 0;
            kid->pushed = true;
        } else {
            kid->left = far[k++];
        }
    }
}

static void take_sides(struct tracer_space *all, struct tracer_space *one, struct cells *c)
{
    int pushed = find_pushed(c);
    struct tracer_space *first = &all[one->kids[0]];
    take_gap(all, one, c, pushed);
    one->pad[TRACER_LEFT] = tracer_space_is_far(one, c->at[0]) ? 0 : fmax(0, c->at[0]);
    first->left = c->at[0] - one->pad[TRACER_LEFT];
    one->free_right = c->rest;
    if (pushed > 0) {
        one->right_fixed = true;
        one->pad[TRACER_RIGHT] = fmax(0, c->rest);
        if (c->count == 2) {
            one->justify = "space-between";
            all[one->kids[1]].pushed = false;
        }
        return;
    }
    bool narrow = one->element->inside.w <= BUTTON && one->kid_count <= 3;
    if (one->painted && narrow && c->at[0] > 0 && fabs(c->rest - c->at[0]) <= MIDDLE_SLACK) {
        one->justify = "center";
        one->pad[TRACER_LEFT] = 0;
    } else if (one->painted && c->rest >= one->pad[TRACER_LEFT]) {
        one->pad[TRACER_RIGHT] = one->pad[TRACER_LEFT];
    }
}

/* Pages are made of whole px to the side, and letters begin at any half: what a fraction leaves is
 * made up for by the next. */
static void round_cells(const struct tracer_space *all, const struct tracer_space *one,
                        struct cells *c)
{
    double late = 0;
    for (int i = 0; i < c->count; i++) {
        double want = c->at[i] - late;
        double whole =
            tracer_space_is_text(all[one->kids[i]].element) ? round(want * 2) / 2 : round(want);
        late += whole - c->at[i];
        c->at[i] = whole;
    }
    c->rest -= late;
}

/* How high a child comes out. */
static double height_of(const struct tracer_space *kid)
{
    return kid->element->box.h - kid->early;
}

/* Whether a child may come out so much too low. The ink of a picture tells its place to a px. */
static bool is_there(const struct tracer_space *kid, double share, double late)
{
    bool picture = share > 0 && strcmp(kid->element->tag, "img") == 0;
    return late <= (picture ? PICTURE_SLACK : TRACER_LATE) &&
           late >= -(picture ? PICTURE_SLACK : TRACER_EARLY);
}

/* How many children need a margin above when all stand at a share of the free height; fewer is
 * better. */
static int cost_of(const struct tracer_space *all, const struct tracer_space *one, double share,
                   double height, double above)
{
    int cost = 0;
    for (int i = 0; i < one->kid_count; i++) {
        const struct tracer_space *kid = &all[one->kids[i]];
        double late = share * (height - height_of(kid)) + above - kid->top;
        cost += !is_there(kid, share, late);
    }
    return cost;
}

/* What all keep from the upper edge of a row that is not seen, the row keeps itself. */
static void hand_up_top(struct tracer_space *all, struct tracer_space *one)
{
    double least = 1e9;
    for (int i = 0; i < one->kid_count; i++) {
        least = fmin(least, all[one->kids[i]].top);
    }
    if (one->painted || one->keeps || least <= TRACER_NOTHING) {
        return;
    }
    for (int i = 0; i < one->kid_count; i++) {
        all[one->kids[i]].top -= least;
    }
    tracer_space_lower(one, least);
}

struct heights {
    double room;  /* px from the first upper edge to the last lower one, or of the box */
    double above; /* px that all keep from the upper edge */
    double below; /* px under the lowest, as it comes out */
    double tallest;
};

static struct heights look_at_heights(const struct tracer_space *all,
                                      const struct tracer_space *one)
{
    struct heights h = {.room = one->element->inside.h, .above = 1e9};
    for (int i = 0; i < one->kid_count; i++) {
        const struct tracer_space *kid = &all[one->kids[i]];
        h.above = fmin(h.above, kid->top);
        h.tallest = fmax(h.tallest, height_of(kid));
    }
    h.above = one->painted || one->keeps ? fmax(0, h.above) : 0;
    return h;
}

/* The share of the free height that most stand below: none, half or all of it. */
static double find_share(const struct tracer_space *all, const struct tracer_space *one,
                         const struct heights *h)
{
    int start = cost_of(all, one, 0, h->room, h->above);
    if (!one->painted && fabs(h->tallest - h->room) > TRACER_NOTHING) {
        return 0;
    }
    int middle = cost_of(all, one, 0.5, h->room, 0);
    int end = 2 * cost_of(all, one, 1, h->room, 0);
    if (middle < start || (middle == start && (start > 0 || h->above > 0))) {
        return 0.5;
    }
    return end < start ? 1 : 0;
}

/* tops: room for one of each child. */
static bool take_heights(struct tracer_space *all, struct tracer_space *one, double *tops,
                         struct glmv_err *err)
{
    hand_up_top(all, one);
    struct heights h = look_at_heights(all, one);
    for (int i = 0; i < one->kid_count; i++) {
        tops[i] = all[one->kids[i]].top;
    }
    double share = find_share(all, one, &h);
    one->align = share == 0.5 ? "center" : share == 1 ? "flex-end" : NULL;
    bool ok = true;
    for (int i = 0; ok && i < one->kid_count; i++) {
        struct tracer_space *kid = &all[one->kids[i]];
        double late = (share > 0 ? share * (h.room - height_of(kid)) : h.above) - kid->top;
        bool there = is_there(kid, share, late);
        double need = 2 * fabs(late); /* half of it moves what is centred */
        if (there) {
            kid->top = 0;
        } else if (share == 0) {
            kid->top -= h.above;
        } else if (share == 0.5 && height_of(kid) + need <= h.room) {
            kid->top = late < 0 ? need : 0;
            ok = late < 0 || tracer_element_set_px(kid->element, "margin-bottom", need, err);
        } else {
            ok = tracer_element_set(kid->element, "align-self", "flex-start", err);
        }
    }
    for (int i = 0; ok && one->painted && i < one->kid_count; i++) {
        struct tracer_space *kid = &all[one->kids[i]];
        double over = tops[i] + height_of(kid) - h.room;
        if (over > TRACER_NOTHING) { /* it sticks out, and does not make the box higher */
            ok = tracer_element_set_px(kid->element, "margin-bottom", -over, err) &&
                 tracer_element_set(kid->element, "align-self", "flex-start", err);
            kid->top = tops[i] - (share > 0 ? 0 : h.above);
        }
    }
    if (share > 0) { /* as high as it was */
        return ok;
    }
    double bottom = 0;
    for (int i = 0; i < one->kid_count; i++) {
        const struct tracer_space *kid = &all[one->kids[i]];
        bottom = fmax(bottom, h.above + kid->top + height_of(kid));
    }
    h.below = h.room - bottom;
    one->early = one->painted ? 0 : h.below;
    one->pad[TRACER_TOP] = h.above;
    if (one->painted && h.below >= 0 && h.below <= fmax(TRACER_MOST_BOTTOM, 2 * h.above)) {
        one->pad[TRACER_BOTTOM] = fmax(0, h.below - one->element->grown);
        if (one->certain) {
            tracer_element_drop(one->element, "min-height");
        }
    }
    return ok;
}

bool tracer_space_row(struct tracer_space *all, struct tracer_space *one, struct glmv_err *err)
{
    size_t count = (size_t)one->kid_count;
    struct cells cells = {malloc(count * sizeof *cells.at), malloc(count * sizeof *cells.width), 0,
                          0};
    bool ok = cells.at != NULL && cells.width != NULL;
    if (ok) {
        measure(all, one, &cells);
        round_cells(all, one, &cells);
        if (is_grid(all, one, &cells)) {
            take_grid(all, one, &cells);
        } else {
            take_sides(all, one, &cells);
        }
        ok = take_heights(all, one, cells.at, err);
    } else {
        glmv_fail_memory(err);
    }
    free(cells.at);
    free(cells.width);
    return ok;
}
