/* Children below each other: padding, gap, columns in the middle of the page. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/spacing.h"

#define SIDE_SLACK 0.3  /* px by which left edges of a column differ */
#define WHOLE_SLACK 0.3 /* px by which padding is off a whole px */
#define FLUSH_SLACK 0.6 /* px by which lines that end together differ */
#define FLUSH_APART 4.0 /* px that they begin apart at least */

/* What a child keeps from the left edge of its parent. */
static double left_of(const struct tracer_space *kid)
{
    return kid->left + (kid->painted || kid->keeps ? 0 : kid->pad[TRACER_LEFT]);
}

/* What a child can do without at the right edge of its parent. */
static double right_of(const struct tracer_space *one, const struct tracer_space *kid)
{
    double edge = one->element->inside.x + one->element->inside.w;
    double most;
    if (kid->hold == TRACER_HOLD_RIGHT) {
        return kid->right;
    }
    if (kid->fills && kid->width <= 0) {
        return kid->painted || kid->keeps ? 0 : kid->free_right;
    }
    if (tracer_element_lays_out(kid->element, "paragraph") &&
        tracer_space_px(kid->element, "max-width", 0, &most)) {
        return edge - one->element->inside.x - kid->left - most;
    }
    return kid->width > 0 ? one->element->inside.w - kid->left - kid->width
                          : edge - kid->element->box.x - kid->element->box.w;
}

static bool is_fixed(const struct tracer_space *kid)
{
    return kid->hold == TRACER_HOLD_RIGHT ||
           (kid->fills && !kid->painted && !kid->keeps && kid->right_fixed);
}

struct sides {
    double left, right; /* padding */
    double cap;         /* the most that all leave at the right */
    double fixed;       /* the least that something keeps at the right; 1e9: nothing does */
    int near;           /* children that keep the left one */
    int lefts;
    bool even;
};

/* A centred block is as far from either side. */
static double aside(const struct tracer_space *one, const struct tracer_space *kid)
{
    return (one->element->inside.w - kid->width) / 2;
}

/* What is left of something held at the right, which may be as wide as its lines need. */
static double before(const struct tracer_space *one, const struct tracer_space *kid)
{
    double width = kid->element->box.w;
    double most = 0;
    tracer_space_px(kid->element, "max-width", 0, &most);
    return fmax(0, one->element->inside.w - kid->right - fmax(width, fmax(most, kid->width)));
}

static struct sides look_at_sides(const struct tracer_space *all, const struct tracer_space *one)
{
    struct sides s = {.left = 1e9, .cap = 1e9, .fixed = 1e9};
    for (int i = 0; i < one->kid_count; i++) {
        const struct tracer_space *kid = &all[one->kids[i]];
        s.even = s.even || kid->even || (kid->hold == TRACER_HOLD_CENTER && kid->width <= 0);
        if (kid->hold == TRACER_HOLD_CENTER) {
            s.cap = fmin(s.cap, kid->width > 0 ? aside(one, kid) : fmax(0, right_of(one, kid)));
            continue;
        }
        s.cap = fmin(s.cap, right_of(one, kid));
        if (kid->hold == TRACER_HOLD_LEFT) {
            s.left = fmin(s.left, left_of(kid));
            s.lefts++;
        }
        if (is_fixed(kid)) {
            s.fixed = fmin(s.fixed, right_of(one, kid));
        }
    }
    return s;
}

static bool is_middle(const struct tracer_space *kid)
{
    return kid->hold == TRACER_HOLD_CENTER && kid->width > 0;
}

/* Centred blocks and whatever stands in line with them make a column. */
static void count_near(const struct tracer_space *all, const struct tracer_space *one,
                       struct sides *s)
{
    for (int i = 0; i < one->kid_count; i++) {
        const struct tracer_space *kid = &all[one->kids[i]];
        if (is_middle(kid)) {
            s->left = fmin(s->left, aside(one, kid));
        }
    }
    for (int i = 0; i < one->kid_count; i++) {
        const struct tracer_space *kid = &all[one->kids[i]];
        bool near = (is_middle(kid) && fabs(aside(one, kid) - s->left) <= SIDE_SLACK) ||
                    (kid->hold == TRACER_HOLD_LEFT && fabs(left_of(kid) - s->left) <= SIDE_SLACK);
        s->near += near;
        s->even = s->even || (is_middle(kid) && !near);
    }
}

static bool is_line(const struct tracer_space *kid)
{
    return kid->element->node != NULL && kid->element->node->kind == TRACER_TEXT &&
           kid->element->layout == NULL && strcmp(kid->element->tag, "pre") != 0;
}

/* Lines that end together and begin apart stand at the right. */
static void find_flush(struct tracer_space *all, const struct tracer_space *one)
{
    double least = 1e9;
    double most = -1e9;
    double left = 1e9;
    double widest = -1e9;
    for (int i = 0; i < one->kid_count; i++) {
        struct tracer_space *kid = &all[one->kids[i]];
        double right = right_of(one, kid);
        if (!is_line(kid) || kid->hold == TRACER_HOLD_CENTER) {
            return;
        }
        least = fmin(least, right);
        most = fmax(most, right);
        left = fmin(left, kid->element->box.x);
        widest = fmax(widest, kid->element->box.x);
    }
    for (int i = 0; one->kid_count > 1 && least >= 0 && most - least <= FLUSH_SLACK &&
                    widest - left > FLUSH_APART && i < one->kid_count;
         i++) {
        struct tracer_space *kid = &all[one->kids[i]];
        kid->right = fmax(0, right_of(one, kid));
        kid->hold = TRACER_HOLD_RIGHT;
        kid->left = 0;
        tracer_element_drop(kid->element, "margin-left");
    }
}

/* How all lines are aligned is said by what holds them. */
static bool take_align(struct tracer_space *all, struct tracer_space *one, struct glmv_err *err)
{
    enum tracer_hold hold = all[one->kids[0]].hold;
    bool same = hold != TRACER_HOLD_LEFT;
    for (int i = 0; same && i < one->kid_count; i++) {
        same = is_line(&all[one->kids[i]]) && all[one->kids[i]].hold == hold;
    }
    for (int i = 0; same && i < one->kid_count; i++) {
        tracer_element_drop(all[one->kids[i]].element, "text-align");
    }
    return !same || tracer_element_set(one->element, "text-align",
                                       hold == TRACER_HOLD_CENTER ? "center" : "right", err);
}

/* What all keep from the sides. */
static struct sides find_sides(const struct tracer_space *all, const struct tracer_space *one)
{
    struct sides s = look_at_sides(all, one);
    count_near(all, one, &s);
    if (s.left <= TRACER_NOTHING || s.left >= 1e9 ||
        (s.near < 2 && one->kid_count > 1 && s.lefts != 1)) {
        s.left = 0;
    }
    s.left = tracer_space_is_far(one, s.left) ? 0 : s.left;
    for (int i = 0; i < one->kid_count; i++) {
        const struct tracer_space *kid = &all[one->kids[i]];
        s.left = kid->hold == TRACER_HOLD_RIGHT ? fmin(s.left, before(one, kid)) : s.left;
    }
    s.left = fabs(s.left - round(s.left)) <= WHOLE_SLACK ? round(s.left) : s.left;
    double right = s.fixed < 1e9 ? s.fixed : s.left;
    right = fabs(right - s.left) <= 2 * SIDE_SLACK ? s.left : right;
    s.cap += SIDE_SLACK;
    s.right = right <= s.cap + TRACER_NOTHING    ? right
              : s.left <= s.cap + TRACER_NOTHING ? s.left
                                                 : 0;
    s.right = fmax(0, s.right);
    if (s.even && fabs(s.left - s.right) > TRACER_NOTHING) {
        s.left = s.right = 0;
    }
    return s;
}

/* What stands in the middle between equal paddings fills what they leave; between others it begins
 * at the left one, for their middle is another. Returns whether it fills. */
static bool take_middle(const struct tracer_space *one, struct tracer_space *kid,
                        const struct sides *s)
{
    if (!is_middle(kid) || s->left <= 0 || fabs(aside(one, kid) - s->left) > SIDE_SLACK) {
        return false;
    }
    bool equal = fabs(s->left - s->right) <= SIDE_SLACK;
    tracer_element_drop(kid->element, "margin-inline");
    kid->hold = TRACER_HOLD_LEFT;
    kid->left = 0;
    if (!equal) {
        return false;
    }
    tracer_element_drop(kid->element, "max-width");
    if (strcmp(kid->element->tag, "div") == 0) {
        tracer_element_drop(kid->element, "width");
    }
    kid->width = 0;
    kid->fills = true;
    return true;
}

static void take_sides(struct tracer_space *all, struct tracer_space *one, const struct sides *s)
{
    bool stripped = false; /* of a width: the padding at the right is what it ends at */
    for (int i = 0; i < one->kid_count; i++) {
        struct tracer_space *kid = &all[one->kids[i]];
        bool own = kid->painted || kid->keeps;
        if (kid->hold == TRACER_HOLD_CENTER) {
            stripped = take_middle(one, kid, s) || stripped;
            continue;
        }
        if (kid->hold == TRACER_HOLD_LEFT) {
            double rest = left_of(kid) - s->left;
            double slack = tracer_space_is_text(kid->element) ? TRACER_TEXT_SLACK : SIDE_SLACK;
            rest = fabs(rest) <= slack ? 0 : rest;
            kid->left = own ? rest : 0;
            kid->pad[TRACER_LEFT] = own ? kid->pad[TRACER_LEFT] : rest;
            if (!own && !kid->fills) {
                kid->left = rest;
                kid->pad[TRACER_LEFT] = 0;
            }
        }
        if (kid->hold == TRACER_HOLD_RIGHT) {
            double rest = kid->right - s->right;
            kid->right = fabs(rest) <= SIDE_SLACK ? 0 : rest;
        } else if (is_fixed(kid)) {
            kid->pad[TRACER_RIGHT] = fmax(0, kid->pad[TRACER_RIGHT] - s->right);
        }
    }
    one->pad[TRACER_LEFT] = s->left;
    one->right_fixed = s->fixed < 1e9 || stripped || (s->even && s->left > 0);
    one->free_right = one->right_fixed ? s->right : s->cap;
    one->even = s->even;
    one->pad[TRACER_RIGHT] = one->painted || one->keeps || one->right_fixed ? s->right : 0;
}

static bool take_gap(struct tracer_space *all, struct tracer_space *one, struct glmv_err *err)
{
    int count = one->kid_count - 1;
    one->early = 0;
    if (count < 1) {
        return true;
    }
    double *tops = malloc((size_t)count * sizeof *tops);
    if (tops == NULL) {
        return glmv_fail_memory(err);
    }
    for (int i = 0; i < count; i++) {
        tops[i] = all[one->kids[i + 1]].top + all[one->kids[i]].early;
    }
    double early;
    one->gap =
        tracer_gap_find(tops, count, (struct tracer_slack){TRACER_LATE, TRACER_EARLY}, &early);
    for (int i = 0; i < count; i++) {
        all[one->kids[i + 1]].top = tops[i];
    }
    one->early = early;
    free(tops);
    return true;
}

/* What is free below what a box holds. A box that ends right below it is as high as that. */
static bool take_bottom(const struct tracer_space *all, struct tracer_space *one,
                        struct glmv_err *err)
{
    const struct tracer_space *kid = &all[one->kids[one->kid_count - 1]];
    const struct glmv_box *last = &kid->element->box;
    const struct glmv_box *inside = &one->element->inside;
    double below = inside->y + inside->h - last->y - last->h + one->early + kid->early;
    one->early += kid->early;
    if (!one->painted) {
        return true;
    }
    one->early = 0;
    if (last->h > 0 &&
        below < -TRACER_NOTHING) { /* it sticks out, and does not make the box higher */
        return tracer_element_set_px(kid->element, "margin-bottom", below, err);
    }
    if (last->h <= 0 || below < 0 || below > fmax(TRACER_MOST_BOTTOM, 2 * one->pad[TRACER_TOP])) {
        return true;
    }
    one->pad[TRACER_BOTTOM] = fmax(0, below - one->element->grown);
    if (one->certain) {
        tracer_element_drop(one->element, "min-height");
    }
    return true;
}

/* Browsers centre what a button holds: it is told by what is above and below. */
static void unite_button(struct tracer_space *all, struct tracer_space *one)
{
    struct tracer_space *label = &all[one->kids[0]];
    label->top = label->element->box.y - one->element->inside.y;
}

bool tracer_space_stack(struct tracer_space *all, struct tracer_space *one, struct glmv_err *err)
{
    struct tracer_space *first = &all[one->kids[0]];
    if (strcmp(one->element->tag, "button") == 0) {
        unite_button(all, one);
    }
    find_flush(all, one);
    struct sides sides = find_sides(all, one);
    take_sides(all, one, &sides);
    if (first->top > 0) {
        bool own = one->painted || one->keeps;
        one->pad[TRACER_TOP] = own ? first->top : 0;
        if (!own) {
            tracer_space_lower(one, first->top);
        }
        first->top = 0;
    }
    if (!take_align(all, one, err) || !take_gap(all, one, err)) {
        return false;
    }
    return take_bottom(all, one, err);
}
