#include "model/tracer/spacing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "model/tracer/emit.h"

#define COLUMN_SLACK 1      /* px by which a column may be off the middle */
#define NARROW_COLUMN 200.0 /* px of a grid's column: narrower ones go below each other */

struct spaces {
    struct tracer_space *list;
    int *kids;
    double *content; /* px that each leaves its children, when it is written */
    int count;
};

bool tracer_space_px(const struct tracer_element *element, const char *name, double base,
                     double *px)
{
    const char *value = tracer_element_find(element, name);
    char *end = NULL;
    double number = value != NULL ? strtod(value, &end) : 0;
    *px = 0;
    if (value == NULL || end == value) {
        return false;
    }
    *px = strcmp(end, "%") == 0 ? number * base / 100 : number;
    return true;
}

static bool says(const struct tracer_element *element, const char *name, const char *value)
{
    const char *said = tracer_element_find(element, name);
    return said != NULL && strcmp(said, value) == 0;
}

bool tracer_space_is_text(const struct tracer_element *element)
{
    return element->node != NULL && element->node->kind == TRACER_TEXT;
}

/* Lines across the page say what they keep from its sides as a share of it. */
static bool is_line(const struct tracer_space *one)
{
    return one->fills || (one->element->node == NULL && one->element->tag[0] != 't');
}

bool tracer_space_is_far(const struct tracer_space *one, double left)
{
    return left > TRACER_WIDE && 2 * left > one->element->inside.w && !is_line(one);
}

void tracer_space_lower(struct tracer_space *one, double px)
{
    struct tracer_element *e = one->element;
    one->top += px;
    e->box.y += px;
    e->box.h -= px;
    e->inside.y += px;
    e->inside.h -= px;
}

/* Whether its children flow downwards or to the right, so that their margins are its matter. */
static bool has_flow(const struct tracer_element *element)
{
    return element->inside.w > 0 &&
           (element->layout == NULL || tracer_element_lays_out(element, "row"));
}

static void read_margins(struct tracer_space *one, const struct tracer_space *parent)
{
    const struct tracer_element *e = one->element;
    double room = parent != NULL ? parent->element->inside.w : 0;
    bool row = parent != NULL && tracer_element_lays_out(parent->element, "row");
    tracer_space_px(e, "margin-top", room, &one->top);
    bool left = tracer_space_px(e, "margin-left", room, &one->left);
    tracer_space_px(e, "margin-right", room, &one->right);
    if (row) {
        tracer_space_px(e, "width", room, &one->width);
        return;
    }
    if (says(e, "margin-inline", "auto")) {
        one->hold = TRACER_HOLD_CENTER;
        if (!tracer_space_is_text(e)) {
            tracer_space_px(e, "max-width", room, &one->width);
        }
    } else if (says(e, "margin-left", "auto") || (says(e, "text-align", "right") && !left)) {
        one->hold = TRACER_HOLD_RIGHT;
    } else if (says(e, "text-align", "center") && tracer_space_is_text(e) && !left) {
        one->hold = TRACER_HOLD_CENTER;
    }
    one->fills = !tracer_space_is_text(e) && e->node != NULL && e->node->kind != TRACER_PICTURE &&
                 one->hold == TRACER_HOLD_LEFT && tracer_element_find(e, "width") == NULL;
    one->fills = one->fills || strcmp(e->tag, "ul") == 0;
    if (one->hold == TRACER_HOLD_LEFT) {
        tracer_space_px(e, "width", room, &one->width);
    }
    if (strcmp(e->tag, "table") == 0) {
        one->fills = one->width <= 0;
        one->painted = true;
    }
}

static void read_element(struct spaces *all, int i)
{
    struct tracer_space *one = &all->list[i];
    const struct tracer_element *e = one->element;
    const struct tracer_space *parent = e->parent >= 0 ? &all->list[e->parent] : NULL;
    one->certain = true;
    one->painted = e->node != NULL && (e->node->scene_box >= 0 || e->node->scene_picture >= 0);
    one->keeps = parent == NULL || e->node == NULL || tracer_element_lays_out(e, "layers") ||
                 tracer_element_lays_out(e, "layers layers-apart") || !has_flow(parent->element);
    one->keeps = one->keeps && strcmp(e->tag, "ul") != 0;
    read_margins(one, parent);
}

static bool gather(struct spaces *all, struct tracer_elements *elements)
{
    size_t n = (size_t)elements->count + 1;
    all->list = calloc(n, sizeof *all->list);
    all->kids = calloc(n, sizeof *all->kids);
    all->content = calloc(n, sizeof *all->content);
    if (all->list == NULL || all->kids == NULL || all->content == NULL) {
        return false;
    }
    all->count = elements->count;
    for (int i = 0; i < all->count; i++) {
        all->list[i].element = &elements->list[i];
    }
    int filled = 0;
    for (int i = 0; i < all->count; i++) {
        struct tracer_space *one = &all->list[i];
        one->kids = all->kids + filled;
        for (int k = i + 1; has_flow(one->element) && k < all->count &&
                            elements->list[k].depth > one->element->depth;
             k++) {
            if (elements->list[k].parent == i) {
                one->kids[one->kid_count++] = k;
            }
        }
        filled += one->kid_count;
        read_element(all, i);
    }
    return true;
}

/* What a child of a row keeps inside of itself stands before it. */
static bool leave_to_row(struct tracer_space *one, struct glmv_err *err)
{
    double less = one->pad[TRACER_LEFT] + (one->right_fixed ? one->pad[TRACER_RIGHT] : 0);
    if (less <= TRACER_NOTHING || one->width <= less) {
        return true;
    }
    one->left += one->pad[TRACER_LEFT];
    one->after = less - one->pad[TRACER_LEFT];
    one->width -= less;
    one->element->inside.x += one->pad[TRACER_LEFT];
    one->element->inside.w -= less;
    one->pad[TRACER_LEFT] = 0;
    one->pad[TRACER_RIGHT] = 0;
    return tracer_element_find(one->element, "width") == NULL ||
           tracer_element_set_px(one->element, "width", one->width, err);
}

static bool decide(struct spaces *all, int i, struct glmv_err *err)
{
    struct tracer_space *one = &all->list[i];
    struct tracer_space *parent =
        one->element->parent >= 0 ? &all->list[one->element->parent] : NULL;
    one->certain = one->certain && !tracer_element_lays_out(one->element, "paragraph");
    if (parent != NULL) {
        parent->certain = parent->certain && one->certain;
    }
    if (one->kid_count == 0) {
        return true;
    }
    bool row = tracer_element_lays_out(one->element, "row");
    bool ok = row ? tracer_space_row(all->list, one, err) : tracer_space_stack(all->list, one, err);
    bool own = one->painted || one->keeps;
    return ok &&
           (own || !tracer_element_lays_out(parent->element, "row") || leave_to_row(one, err));
}

static bool set_share(struct tracer_element *element, const char *name, double px, double room,
                      struct glmv_err *err)
{
    char value[48];
    snprintf(value, sizeof value, "%.10g%%", round(1e4 * px / room) / 100);
    return tracer_element_set(element, name, value, err);
}

/* A margin; none where it is nothing. */
static bool put_margin(struct tracer_element *element, const char *name, double px, double room,
                       struct glmv_err *err)
{
    if (fabs(px) < TRACER_NOTHING) {
        tracer_element_drop(element, name);
        return true;
    }
    return px > TRACER_WIDE && px < room ? set_share(element, name, px, room, err)
                                         : tracer_element_set_px(element, name, px, err);
}

/* The most width beside what is left of an indent. */
static bool put_most_width(struct tracer_space *one, double room, struct glmv_err *err)
{
    const char *most = tracer_element_find(one->element, "max-width");
    size_t len = most != NULL ? strlen(most) : 0;
    if (len == 0 || (most[len - 1] != '%' && strncmp(most, "calc(", 5) != 0)) {
        return true;
    }
    double beside = one->hold == TRACER_HOLD_RIGHT ? one->right : one->left;
    char value[48];
    if (beside < TRACER_NOTHING) {
        tracer_element_drop(one->element, "max-width");
        return true;
    }
    if (beside > TRACER_WIDE) {
        snprintf(value, sizeof value, "%.10g%%", round(1e4 * (1 - beside / room)) / 100);
    } else {
        snprintf(value, sizeof value, "calc(100%% - %.10gpx)", round(beside * 100) / 100);
    }
    return tracer_element_set(one->element, "max-width", value, err);
}

/* "12px", "12px 16px", "1px 2px 3px", "1px 2px 3px 4px". */
static bool put_padding(struct tracer_element *element, const double *pad, struct glmv_err *err)
{
    struct glmv_buf text;
    glmv_buf_init(&text, 256);
    double p[4];
    for (int side = 0; side < 4; side++) {
        p[side] = round(pad[side] * 100) / 100;
    }
    int parts = p[TRACER_RIGHT] != p[TRACER_LEFT]   ? 4
                : p[TRACER_TOP] != p[TRACER_BOTTOM] ? 3
                : p[TRACER_TOP] != p[TRACER_LEFT]   ? 2
                                                    : 1;
    static const char *const names[] = {"padding-top", "padding-right", "padding-bottom",
                                        "padding-left"};
    int only = -1; /* the one side that has any */
    int sides = 0;
    for (int side = 0; side < 4; side++) {
        sides += p[side] != 0;
        only = p[side] != 0 ? side : only;
    }
    if (sides < 2) {
        return sides == 0 || tracer_element_set_px(element, names[only], p[only], err);
    }
    bool ok = true;
    for (int side = 0; ok && side < parts; side++) {
        ok = (side == 0 || glmv_buf_append_str(&text, " ", err)) && tracer_px(p[side], &text, err);
    }
    ok = ok && tracer_element_set(element, "padding", text.data, err);
    glmv_buf_release(&text);
    return ok;
}

/* A column in the middle of a wide room. */
static bool put_column(struct tracer_space *one, double width, struct glmv_err *err)
{
    double column = width - 2 * one->pad[TRACER_LEFT];
    char value[80];
    if (one->painted) {
        double pad[4] = {one->pad[TRACER_TOP], 0, one->pad[TRACER_BOTTOM], 0};
        snprintf(value, sizeof value, "max(16px, calc(50%% - %.10gpx))", round(column * 50) / 100);
        return put_padding(one->element, pad, err) &&
               tracer_element_set(one->element, "padding-inline", value, err);
    }
    one->pad[TRACER_LEFT] = 0;
    one->pad[TRACER_RIGHT] = 0;
    return tracer_element_set_px(one->element, "max-width", column, err) &&
           tracer_element_set(one->element, "width", "100%", err) &&
           tracer_element_set(one->element, "margin-inline", "auto", err) &&
           put_padding(one->element, one->pad, err);
}

/* The paddings of an element that is width px wide; stores what they leave. */
static bool put_sides(struct tracer_space *one, double width, double *content, struct glmv_err *err)
{
    double left = one->pad[TRACER_LEFT];
    double right = one->painted || one->right_fixed ? one->pad[TRACER_RIGHT] : one->free_right;
    bool line = is_line(one);
    bool plain = fabs(left - right) <= COLUMN_SLACK ||
                 (!one->painted && !one->right_fixed && right >= left - COLUMN_SLACK);
    *content = width - left - one->pad[TRACER_RIGHT];
    if (left > TRACER_WIDE && line && plain && fabs(one->left) < TRACER_NOTHING) {
        *content = width - 2 * left;
        return put_column(one, width, err);
    }
    if (left > TRACER_WIDE &&
        line) { /* padding is a share of the parent's room, which is its own */
        bool far = one->pad[TRACER_RIGHT] > TRACER_WIDE;
        double pad[4] = {one->pad[TRACER_TOP], far ? 0 : one->pad[TRACER_RIGHT],
                         one->pad[TRACER_BOTTOM], 0};
        return put_padding(one->element, pad, err) &&
               (!far ||
                set_share(one->element, "padding-right", one->pad[TRACER_RIGHT], width, err)) &&
               set_share(one->element, "padding-left", left, width, err);
    }
    return put_padding(one->element, one->pad, err);
}

static bool put_layout(struct tracer_space *one, struct glmv_err *err)
{
    struct tracer_element *e = one->element;
    bool row = tracer_element_lays_out(e, "row");
    if (one->column > 0) {
        char value[96];
        double least = fmax(0.6 * one->column, fmin(one->column, NARROW_COLUMN));
        snprintf(value, sizeof value, "repeat(auto-fit, minmax(min(100%%, %.0fpx), 1fr))", least);
        e->layout = "grid";
        if (!tracer_element_set(e, "grid-template-columns", value, err)) {
            return false;
        }
    } else if (!row && one->gap > 0) {
        e->layout = "stack";
    }
    return (one->gap <= 0 || tracer_element_set_px(e, "gap", one->gap, err)) &&
           (one->align == NULL || tracer_element_set(e, "align-items", one->align, err)) &&
           (one->justify == NULL || tracer_element_set(e, "justify-content", one->justify, err));
}

/* Tables say their width as a share of their room. */
static bool put_table_width(struct tracer_space *one, double room, struct glmv_err *err)
{
    if (strcmp(one->element->tag, "table") != 0 || one->width <= 0) {
        return true;
    }
    if (one->width >= room - 1) {
        tracer_element_drop(one->element, "width");
        return true;
    }
    return set_share(one->element, "width", one->width, room, err);
}

static bool write_element(struct spaces *all, int i, double page, struct glmv_err *err)
{
    struct tracer_space *one = &all->list[i];
    struct tracer_element *e = one->element;
    const struct tracer_space *parent = e->parent >= 0 ? &all->list[e->parent] : NULL;
    bool ok = true;
    double room = parent != NULL ? all->content[e->parent] : page;
    if (parent != NULL && has_flow(parent->element)) {
        ok = put_margin(e, "margin-top", one->top, 0, err) && put_table_width(one, room, err);
        if (one->pushed) {
            ok = ok && tracer_element_set(e, "margin-left", "auto", err);
        } else if (one->hold == TRACER_HOLD_LEFT) {
            ok = ok && put_margin(e, "margin-left", one->left, room, err);
        } else if (one->hold == TRACER_HOLD_RIGHT) {
            ok = ok && put_margin(e, "margin-right", one->right, room, err);
        }
        ok = ok && put_most_width(one, room, err);
    }
    double off; /* from the middle, of a centred line */
    if (tracer_space_px(e, "padding-left", 0, &off) && fabs(off) < 1 && tracer_space_is_text(e)) {
        tracer_element_drop(e, "padding-left");
    }
    bool line = !one->painted && one->fills && parent != NULL && one->width <= 0;
    double width = line ? room - one->left : e->inside.w;
    return ok && (one->kid_count == 0 || put_sides(one, width, &all->content[i], err));
}

bool tracer_spacing(struct tracer_elements *elements, double width, struct glmv_err *err)
{
    struct spaces all = {0};
    bool ok = gather(&all, elements) || glmv_fail_memory(err);
    /* From the last on: what an element keeps may become its parent's. */
    for (int i = all.count - 1; ok && i >= 0; i--) {
        ok = decide(&all, i, err);
    }
    for (int i = 0; ok && i < all.count; i++) {
        ok = write_element(&all, i, width, err);
    }
    for (int i = 0; ok && i < all.count; i++) {
        ok = put_layout(&all.list[i], err);
    }
    free(all.list);
    free(all.kids);
    free(all.content);
    return ok;
}
