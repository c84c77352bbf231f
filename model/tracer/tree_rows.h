/* Rows of lines on one baseline while paragraphs are made of them. Private to tree_rows.c and
 * tree_lines.c. */
#ifndef GLMV_MODEL_TRACER_TREE_ROWS_H
#define GLMV_MODEL_TRACER_TREE_ROWS_H

#include "model/tracer/tree_build.h"

/* Lines that follow each other on one baseline, a space apart: one line with runs of other type. */
struct tracer_row {
    bool bullet;      /* an entry of a list begins here */
    int start, count; /* into struct tracer_rows.order */
    int main;         /* the scene line with the most letters */
    int holder;
    struct glmv_box ink;
    double baseline;
};

struct tracer_rows {
    int *order;
    struct tracer_row *list;
    int count;
    int filled, room; /* of order */
    bool *cells;      /* of the scene's lines, which stand alone */
    bool *code;       /* of the scene's lines, which are of a fixed pitch */
    bool *listing;    /* and stand in a box that holds nothing but code */
    const int *chips;       /* of the scene's lines, the box of the scene that each stands in, or -1 */
};

/* Finds them; used tells which lines are taken already. */
void tracer_rows_find(const struct glmv_scene *scene, struct tracer_rows *rows, const int *holders,
                      bool *used);
/* Whether a line tells the type of its text rather than another does. */
bool tracer_rows_says_more(const struct glmv_scene *scene, const struct tracer_rows *rows, int line,
                           int other);
/* Joins a row that is a part of a paragraph's line with it. Returns whether there was one: the
 * paragraph has to be collected anew then. */
bool tracer_rows_fill(const struct glmv_scene *scene, struct tracer_rows *rows, const int *members,
                      int count);

#endif
