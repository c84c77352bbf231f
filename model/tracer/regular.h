/* Regularities of the layout: things of one sort stand at equal distances. Private to the tracer.
 */
#ifndef GLMV_MODEL_TRACER_REGULAR_H
#define GLMV_MODEL_TRACER_REGULAR_H

#include "model/tracer/draft.h"

#define TRACER_ICON 34.0      /* px; a picture up to that size is an icon: they differ in width */
#define TRACER_ICON_RANGE 8.0 /* px by which those of one sort do */

/* What was moved for a regularity. */
struct tracer_move {
    int group;             /* the regularity */
    struct glmv_box where; /* it covers, before and after */
};

struct tracer_regular {
    bool *loose; /* owned; of each group: things stay where they were measured */
    int loose_count;
    struct tracer_move *moves; /* owned */
    int move_count, move_cap;
};

void tracer_regular_free(struct tracer_regular *regular);
/* Numbers things of one sort and moves them, by few px, to where a regularity has them; regular may
 * be NULL: nothing is moved. */
bool tracer_regular_apply(struct tracer_regular *regular, const struct glmv_scene *scene,
                          struct tracer_node *tree, struct glmv_err *err);
/* Whether two nodes are things of one sort, as two entries of a menu are. */
bool tracer_nodes_alike(const struct glmv_scene *scene, const struct tracer_node *a,
                        const struct tracer_node *b);

/* The boxes of a tree, by the marks of its nodes. */
void tracer_regular_note(const struct tracer_node *node, struct glmv_box *boxes);
/* Boxes that are not painted grow and shrink with what they hold, which was moved since the boxes
 * of before; in painted ones things stay inside. */
void tracer_regular_fit(const struct glmv_scene *scene, struct tracer_node *node,
                        const struct glmv_box *before);

#endif
