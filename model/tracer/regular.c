/*
 * Regularities. What repeats was measured a px here and there off what its author wrote: entries of
 * a menu get one distance, their icons one column, cards one width. Each regularity can be let go
 * of when a render shows that it was none.
 */
#include "model/tracer/regular.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAR 1.6        /* px by which places of one regularity were measured off it */
#define PITCH_ERROR 1.0 /* px that one of a run may be moved */
#define LEAST_MOVE 0.02 /* px */

enum { LEAST_RUN = 3 };

/* Kinds of regularities that a node may lead. */
enum { DISTANCES, PLACES, EDGES, GROUPS };

/* A node with the place that it is measured from. */
struct spot {
    struct tracer_node *node;
    double x, y;
};

struct regulator {
    struct tracer_regular *regular;
    const struct glmv_scene *scene;
    bool failed;
};

void tracer_regular_free(struct tracer_regular *regular)
{
    if (regular != NULL) {
        free(regular->loose);
        free(regular->moves);
        free(regular);
    }
}

/* --- moves */

static int group_of(const struct tracer_node *leader, int kind)
{
    return leader->mark * GROUPS + kind;
}

static bool is_loose(const struct regulator *r, int group)
{
    return r->regular == NULL || (group < r->regular->loose_count && r->regular->loose[group]);
}

static void note_move(struct regulator *r, int group, struct glmv_box where)
{
    struct tracer_regular *all = r->regular;
    if (all->move_count == all->move_cap) {
        int cap = all->move_cap == 0 ? 64 : all->move_cap * 2;
        struct tracer_move *grown = realloc(all->moves, (size_t)cap * sizeof *grown);
        if (grown == NULL) {
            r->failed = true;
            return;
        }
        all->moves = grown;
        all->move_cap = cap;
    }
    all->moves[all->move_count++] = (struct tracer_move){group, where};
}

static void move(struct regulator *r, int group, struct tracer_node *node, double dx, double dy)
{
    if (fabs(dx) < LEAST_MOVE && fabs(dy) < LEAST_MOVE) {
        return;
    }
    struct glmv_box b = node->box;
    note_move(r, group,
              (struct glmv_box){fmin(b.x, b.x + dx), fmin(b.y, b.y + dy), b.w + fabs(dx),
                                b.h + fabs(dy)});
    tracer_node_move(node, dx, dy);
}

static int by_value(const void *pa, const void *pb)
{
    double a = *(const double *)pa;
    double b = *(const double *)pb;
    return (a > b) - (a < b);
}

/* The middle one of some values, which it sorts; a whole number next to it is meant. */
static double middle(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    double m = values[count / 2];
    return fabs(m - round(m)) < 0.3 ? round(m) : m;
}

/* --- equal distances */

/* What an entry is measured by: its first text, for pictures beside it differ in height. */
static const struct tracer_node *anchor(const struct tracer_node *node)
{
    const struct tracer_node *first = node;
    for (int i = 0; first->kind != TRACER_TEXT && node->scene_box < 0 && i < node->child_count;
         i++) {
        const struct tracer_node *below = anchor(node->children[i]);
        first = below->kind == TRACER_TEXT ? below : first;
    }
    return first;
}

static double place_of(const struct tracer_node *node, bool across)
{
    return across ? node->box.x : anchor(node)->box.y;
}

/* Puts members of one sort at one distance, where none of them moves far for it. */
static void space_run(struct regulator *r, int group, struct tracer_node **members, int count,
                      bool across)
{
    double first = place_of(members[0], across);
    double pitch = (place_of(members[count - 1], across) - first) / (count - 1);
    double whole = round(pitch * 4) / 4;
    pitch = fabs(whole - pitch) * (count - 1) <= 1.0 ? whole : pitch;
    double offset = 0;
    for (int i = 0; i < count; i++) {
        offset += (place_of(members[i], across) - first - i * pitch) / count;
    }
    if (pitch == round(pitch)) {
        offset = round(offset);
    }
    for (int i = 0; i < count; i++) {
        double off = first + offset + i * pitch - place_of(members[i], across);
        if (fabs(off) > PITCH_ERROR) {
            return;
        }
    }
    for (int i = 0; i < count; i++) {
        double off = first + offset + i * pitch - place_of(members[i], across);
        move(r, group, members[i], across ? off : 0, across ? 0 : off);
    }
}

/* Members whose distances are one, from the first that was not taken on. */
static void space_members(struct regulator *r, struct tracer_node **members, int count, bool across)
{
    int group = group_of(members[0], DISTANCES);
    for (int from = 0; !is_loose(r, group) && from + LEAST_RUN <= count;) {
        double step = place_of(members[from + 1], across) - place_of(members[from], across);
        int to = from + 2;
        while (to < count && fabs(place_of(members[to], across) -
                                  place_of(members[to - 1], across) - step) <= NEAR) {
            to++;
        }
        if (to - from >= LEAST_RUN) {
            space_run(r, group, members + from, to - from, across);
            from = to - 1;
        } else {
            from++;
        }
    }
}

/* --- one place in each */

/* The edge or the middle, of three, in which members differ least. */
static double keep_of(const struct tracer_node *node, int side)
{
    return node->box.x + node->box.w * side / 2;
}

static double spread(const struct spot *spots, int count, int side)
{
    double low = 1e9;
    double high = -1e9;
    for (int i = 0; i < count; i++) {
        double at = keep_of(spots[i].node, side) - spots[i].x;
        low = fmin(low, at);
        high = fmax(high, at);
    }
    return high - low;
}

static int common_side(const struct spot *spots, int count)
{
    if (spots[0].node->kind == TRACER_PICTURE) {
        return 1;
    }
    int best = 0;
    for (int side = 2; side > 0; side--) {
        if (spread(spots, count, side) < spread(spots, count, best) - 1) {
            best = side;
        }
    }
    return best;
}

static double height_of(const struct spot *spot)
{
    const struct glmv_box *b = &spot->node->box;
    return (spot->node->kind == TRACER_PICTURE ? b->y + b->h / 2 : anchor(spot->node)->box.y) -
           spot->y;
}

/* Icons of a column stand in boxes of one size, each in the middle of its own. */
static void widen_icons(struct spot *spots, int count)
{
    double w = 0;
    double h = 0;
    double least = TRACER_ICON;
    for (int i = 0; i < count; i++) {
        w = fmax(w, spots[i].node->box.w);
        h = fmax(h, spots[i].node->box.h);
        least = fmin(least, fmin(spots[i].node->box.w, spots[i].node->box.h));
    }
    if (fmax(w, h) > TRACER_ICON || fmax(w, h) - least > TRACER_ICON_RANGE) {
        return;
    }
    for (int i = 0; i < count; i++) {
        struct glmv_box *b = &spots[i].node->box;
        *b = (struct glmv_box){b->x - (w - b->w) / 2, b->y - (h - b->h) / 2, w, h};
    }
}

/* A text with runs of larger type is higher than its lines: moved down, it moves what is below. */
static bool is_even(const struct regulator *r, const struct tracer_node *node)
{
    for (int i = 0; i < node->run_count; i++) {
        if (r->scene->lines[node->runs[i]].font_px > 1.04 * r->scene->lines[node->main].font_px) {
            return false;
        }
    }
    return true;
}

static void place_members(struct regulator *r, struct spot *spots, int count)
{
    int group = group_of(spots[0].node, PLACES);
    double *x = malloc((size_t)count * 2 * sizeof *x);
    if (x == NULL) {
        r->failed = true;
        return;
    }
    int side = common_side(spots, count);
    double *y = x + count;
    for (int i = 0; i < count; i++) {
        x[i] = keep_of(spots[i].node, side) - spots[i].x;
        y[i] = height_of(&spots[i]);
    }
    double at_x = middle(x, count);
    double at_y = middle(y, count);
    bool icons = spots[0].node->kind == TRACER_PICTURE;
    for (int i = 0; !is_loose(r, group) && i < count; i++) {
        double dx = at_x - (keep_of(spots[i].node, side) - spots[i].x);
        double dy = at_y - height_of(&spots[i]);
        icons = icons && fabs(dx) <= NEAR && fabs(dy) <= NEAR;
        bool down = fabs(dy) <= NEAR && is_even(r, spots[i].node);
        move(r, group, spots[i].node, fabs(dx) <= NEAR ? dx : 0, down ? dy : 0);
    }
    if (icons && !is_loose(r, group)) {
        widen_icons(spots, count);
    }
    free(x);
}

/* Painted boxes of one sort are of one size. */
static void size_boxes(struct regulator *r, struct tracer_node **members, int count)
{
    int group = group_of(members[0], EDGES);
    double *w = malloc((size_t)count * 2 * sizeof *w);
    if (w == NULL || members[0]->scene_box < 0 || is_loose(r, group)) {
        r->failed = r->failed || w == NULL;
        free(w);
        return;
    }
    for (int i = 0; i < count; i++) {
        w[i] = members[i]->box.w;
        w[count + i] = members[i]->box.h;
    }
    double width = middle(w, count);
    double height = middle(w + count, count);
    for (int i = 0; i < count; i++) {
        struct glmv_box *b = &members[i]->box;
        bool moved = false;
        if (b->w != width && fabs(b->w - width) <= NEAR) {
            b->w = width;
            moved = true;
        }
        if (b->h != height && fabs(b->h - height) <= NEAR) {
            b->h = height;
            moved = true;
        }
        if (moved) {
            note_move(r, group, (struct glmv_box){b->x, b->y, b->w + NEAR, b->h + NEAR});
        }
    }
    free(w);
}

/* --- the tree */

static void visit(struct regulator *r, struct tracer_node *node);

/* The children at one index of things of one sort, and what lies in those. */
static void visit_alike(struct regulator *r, const struct spot *parents, int count)
{
    int most = 0;
    for (int i = 0; i < count; i++) {
        most = parents[i].node->child_count > most ? parents[i].node->child_count : most;
    }
    struct spot *spots = malloc((size_t)count * sizeof *spots);
    for (int k = 0; spots != NULL && k < most; k++) {
        int n = 0;
        for (int i = 0; i < count; i++) {
            struct tracer_node *child =
                k < parents[i].node->child_count ? parents[i].node->children[k] : NULL;
            if (child == NULL) {
                continue;
            }
            if (n == 0 || tracer_nodes_alike(r->scene, spots[0].node, child)) {
                spots[n++] = (struct spot){child, parents[i].x, parents[i].y};
            } else {
                visit(r, child);
            }
        }
        if (n < 2) {
            visit(r, spots[0].node);
            continue;
        }
        for (int i = 0; i < n; i++) {
            spots[i].node->alike = spots[0].node->mark + 1;
        }
        place_members(r, spots, n);
        visit_alike(r, spots, n);
    }
    r->failed = r->failed || spots == NULL;
    free(spots);
}

/* Siblings of one sort, in order. */
static void visit_members(struct regulator *r, const struct tracer_node *parent,
                          struct tracer_node **members, int count)
{
    struct spot *spots = malloc((size_t)count * sizeof *spots);
    bool across = parent->kind == TRACER_ROW;
    if (spots == NULL) {
        r->failed = true;
        return;
    }
    for (int i = 0; i < count; i++) {
        members[i]->alike = members[0]->mark + 1;
    }
    size_boxes(r, members, count);
    space_members(r, members, count, across);
    for (int i = 0; i < count; i++) {
        /* Across the run they stand on one line. */
        spots[i] = across ? (struct spot){members[i], members[i]->box.x, parent->box.y}
                          : (struct spot){members[i], parent->box.x, place_of(members[i], false)};
    }
    place_members(r, spots, count);
    for (int i = 0; i < count; i++) {
        bool painted = members[i]->scene_box >= 0;
        spots[i].x = painted || across ? members[i]->box.x : parent->box.x;
        spots[i].y = painted ? members[i]->box.y : anchor(members[i])->box.y;
    }
    visit_alike(r, spots, count);
    free(spots);
}

static void visit(struct regulator *r, struct tracer_node *node)
{
    int count = node->child_count;
    struct tracer_node **members =
        (struct tracer_node **)malloc(((size_t)count + 1) * sizeof *members);
    if (members == NULL) {
        r->failed = true;
        return;
    }
    for (int i = 0; i < count; i++) {
        struct tracer_node *one = node->children[i];
        int n = 0;
        if (one->alike > 0) {
            continue;
        }
        members[n++] = one;
        for (int k = i + 1; node->kind != TRACER_LAYERS && k < count; k++) {
            if (node->children[k]->alike == 0 &&
                tracer_nodes_alike(r->scene, one, node->children[k])) {
                members[n++] = node->children[k];
            }
        }
        if (n >= 2) {
            visit_members(r, node, members, n);
        } else {
            visit(r, one);
        }
    }
    free((void *)members);
}

bool tracer_regular_apply(struct tracer_regular *regular, const struct glmv_scene *scene,
                          struct tracer_node *tree, struct glmv_err *err)
{
    struct regulator r = {.regular = regular, .scene = scene};
    struct glmv_box *before = malloc((size_t)tracer_node_count(tree) * sizeof *before);
    if (before == NULL) {
        return glmv_fail_memory(err);
    }
    tracer_regular_note(tree, before);
    if (regular != NULL) {
        regular->move_count = 0;
    }
    visit(&r, tree);
    if (regular != NULL) {
        tracer_regular_fit(scene, tree, before);
    }
    free(before);
    return !r.failed || glmv_fail_memory(err);
}
