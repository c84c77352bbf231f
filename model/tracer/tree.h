/*
 * The layout tree of a traced page: what lies in what, and in which order it flows. Private to the
 * tracer.
 *
 * Every measured thing (line, box, picture) is an item with a wanted rectangle. The structure is
 * cut from the wanted rectangles; the numbers of the CSS come from placed rectangles, which are the
 * wanted ones plus corrections.
 */
#ifndef GLMV_MODEL_TRACER_TREE_H
#define GLMV_MODEL_TRACER_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "model/tracer/scene.h"

enum tracer_node_kind {
    TRACER_STACK,  /* children flow downwards */
    TRACER_ROW,    /* children flow to the right */
    TRACER_LAYERS, /* children share one grid cell; the first lies over the others */
    TRACER_TEXT,   /* one or more lines of one paragraph */
    TRACER_PICTURE,
};

struct tracer_node {
    enum tracer_node_kind kind;
    struct glmv_box box; /* px, as placed */
    int scene_box;       /* the painted box that this node is, or -1 */
    int scene_picture;   /* the picture that this node shows, or lies on (containers); -1 */
    int *runs; /* owned; for TRACER_TEXT: indices of the scene's lines, in reading order */
    int *rows; /* owned; which line of the paragraph each run stands on */
    int *chips; /* owned; the painted box right behind each run, or -1 */
    int run_count;
    int row_count; /* lines of the paragraph */
    int first;     /* the main run of its first line: its correction moves the paragraph */
    int main;      /* the run that says the most letters: its type is the paragraph's */
    double pitch;  /* px from line to line, for TRACER_TEXT */
    bool centered; /* its lines are centred on each other */
    bool flush;    /* its lines end together on the right and begin apart */
    bool hard;     /* its lines end where the author broke them */
    bool code;     /* hard, monospaced, and indented by whole characters */
    int alike;     /* a number that things of one sort share; 0: none is like it */
    int mark;      /* its number, in document order from 0 */
    struct tracer_node **children; /* owned */
    int child_count;
};

/* Where corrections have moved the items of a scene, px. */
struct tracer_shift {
    double dx, dy;
    double grown; /* by which a box came out higher than it was seen: what it holds did */
};

/*
 * Lays a scene out. line_shift, box_shift and picture_shift hold one entry for each line, box and
 * picture. NULL without memory. Free with tracer_node_free.
 */
struct tracer_node *tracer_tree_new(const struct glmv_scene *scene,
                                    const struct tracer_shift *line_shift,
                                    const struct tracer_shift *box_shift,
                                    const struct tracer_shift *picture_shift, struct glmv_err *err);
void tracer_node_free(struct tracer_node *node);
/* How many nodes a tree has; one more than its largest mark. */
int tracer_node_count(const struct tracer_node *node);
/* Moves a node and all that it holds. */
void tracer_node_move(struct tracer_node *node, double dx, double dy);

/* Ascent and descent of a family for a font size of 1 px, as browsers use them. */
void tracer_font_metrics(const char *font, enum glmv_family family, double *ascent,
                         double *descent);

#endif
