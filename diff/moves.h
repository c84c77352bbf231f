/* Things that lie elsewhere now. Private to diff. */
#ifndef GLMV_DIFF_MOVES_H
#define GLMV_DIFF_MOVES_H

#include "diff/explain.h"
#include "diff/view.h"

struct diff_move {
    struct glmv_region from; /* where the thing was; pixels is not set */
    int dx, dy;
    uint32_t ground; /* 0xRRGGBB around it */
};

/* Whether what lies inside r moved, and little else changed there. r may be widened by a few px to
 * reach ground of one colour. */
bool diff_move_find(const struct diff_sight *s, const struct glmv_region *r,
                    struct diff_move *move);

/* What vanished in one region and appeared in another is a move; so is what two regions show that
 * a thing leaves and enters when it moves by less than its size. Returns how many findings are
 * left; views are those of the findings, of a picture each. */
size_t diff_moves_join(const struct diff_sight *s, struct glmv_finding *list,
                       const struct diff_view *before, const struct diff_view *after, size_t count,
                       bool *gone);

#endif
