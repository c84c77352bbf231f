/* The tree under construction: what containment, paragraphs and cuts share. Private to tree.c,
 * tree_*.c. */
#ifndef GLMV_MODEL_TRACER_TREE_BUILD_H
#define GLMV_MODEL_TRACER_TREE_BUILD_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/tree.h"

#define TRACER_TEXT_TOLERANCE 3.0 /* px ink may stick out of what holds it */
#define TRACER_BOX_TOLERANCE 1.5  /* px a box may */

/* A line, a paragraph, a box or a picture, before it has its place in the tree. */
struct tracer_item {
    struct glmv_box want; /* structure is cut from this */
    struct tracer_node *node;
    int parent; /* item that holds it, or -1 */
    double area;
};

struct tracer_builder {
    const struct glmv_scene *scene;
    const struct tracer_shift *line_shift, *box_shift, *picture_shift;
    struct tracer_item *items;
    int count;
    int *chips; /* of the scene's lines: the painted box right behind each, or -1 */
    bool failed;
};

/* A node without children; NULL, with failed set, without memory. */
struct tracer_node *tracer_build_node_new(struct tracer_builder *b, enum tracer_node_kind kind,
                                          struct glmv_box box);
/* Takes the child, also when it cannot be kept. */
void tracer_build_adopt(struct tracer_builder *b, struct tracer_node *node,
                        struct tracer_node *child);
void tracer_build_add_item(struct tracer_builder *b, struct glmv_box want,
                           struct tracer_node *node);
/* The smallest box or photo that holds a rectangle, of the first limit items; self is left out. -1:
 * none. */
int tracer_build_holder_of(const struct tracer_builder *b, struct glmv_box box, double slack,
                           int self, int limit);

struct glmv_box tracer_build_moved(struct glmv_box box, struct tracer_shift by);
bool tracer_build_holds(struct glmv_box outer, struct glmv_box inner, double slack);

/* Tells which lines are cells: rows below each other that are cut at the same places. False without
 * memory. */
bool tracer_build_find_cells(const struct glmv_scene *scene, const int *holders, bool *cells);
/* A stripe of a table or frames side by side that were read as letters. */
bool tracer_build_is_misread(const struct glmv_scene *scene, const struct glmv_scene_line *line);
/* Whether a line lies on letters of another that says the same; dropped tells which lines say
 * nothing. */
bool tracer_build_is_read_twice(const struct glmv_scene *scene, int line, const bool *dropped);
/* Tells which lines are code: those of a fixed pitch, and those beside them that fill the same
 * columns. Words on a surface of their own are none. */
void tracer_build_find_code(const struct glmv_scene *scene, const int *holders, const int *chips,
                            bool *code);
/* Tells which of them stand in a box with hardly anything but code. */
void tracer_build_find_listings(const struct glmv_scene *scene, const int *holders,
                                const bool *code, bool *listing);
/* Finds words of running text that have a surface of their own, as code has: sets the builder's
 * chips and takes their boxes out of the items. False without memory. */
bool tracer_build_find_chips(struct tracer_builder *b);
/* Adds the scene's lines as paragraphs. */
void tracer_build_add_lines(struct tracer_builder *b);
/* Rows and columns of items by recursive cuts: takes their nodes. NULL without items or without
 * memory. */
struct tracer_node *tracer_build_arrange(struct tracer_builder *b, int *ids, int count, int depth);
/* Whether a cut parts these items. They get sorted. */
bool tracer_build_can_cut(const struct tracer_builder *b, int *ids, int count, int depth);
/* Things that cannot be cut: some of them become layers of one place, the rest flows over them. */
struct tracer_node *tracer_build_layers(struct tracer_builder *b, int *ids, int count, int depth);

#endif
