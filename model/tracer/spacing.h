/*
 * Where the margins of neighbours say the same, their parent says it once: as padding, gap,
 * alignment or columns. Private to the tracer.
 */
#ifndef GLMV_MODEL_TRACER_SPACING_H
#define GLMV_MODEL_TRACER_SPACING_H

#include "model/tracer/element.h"

#define TRACER_NOTHING 0.05   /* px; less is said nowhere */
#define TRACER_LATE 0.49      /* px that things come out too low: half of one would be rounded up */
#define TRACER_EARLY 0.5      /* px that they come out too high */
#define TRACER_TEXT_SLACK 0.3 /* px by which letters may come out beside their place */
#define TRACER_WIDE 64.0      /* px: a wider distance shrinks with the page */
#define TRACER_MOST_BOTTOM                                                                         \
    48.0 /* px below what a box holds that are padding; more is free room                          \
          */

enum tracer_side { TRACER_TOP, TRACER_RIGHT, TRACER_BOTTOM, TRACER_LEFT };

/* How a child of a stack stands in its room. */
enum tracer_hold { TRACER_HOLD_LEFT, TRACER_HOLD_CENTER, TRACER_HOLD_RIGHT };

/* What the passes know of an element; px. */
struct tracer_space {
    struct tracer_element *element;
    int *kids; /* into the list of all; borrowed */
    int kid_count;
    double pad[4];           /* by enum tracer_side */
    double gap;              /* between its children; 0: none */
    double left, top, right; /* margins */
    double after;            /* px at its right that it left to its row */
    double width;            /* that it declares, or has by its place; 0: what its room leaves */
    enum tracer_hold hold;
    double free_right;   /* how far what it holds ends before its right edge */
    bool right_fixed;    /* what it holds stands at that edge */
    bool even;           /* what it holds is centred: the paddings at its sides are equal */
    bool painted;        /* it is seen: what its children keep from its edges is its own padding */
    bool keeps;          /* not seen, but what it keeps cannot be its parent's */
    bool fills;          /* it is as wide as its room */
    bool pushed;         /* margin-left: auto */
    bool certain;        /* no engine breaks what it holds into other lines */
    double early;        /* px by which it ends above the place that it was measured at */
    const char *align;   /* align-items, or NULL */
    const char *justify; /* justify-content, or NULL */
    double column;       /* px a column of its grid is wide; 0: no grid */
};

/* How far things may come out from where they were measured, px. */
struct tracer_slack {
    double late, early;
};

/* The gap that leaves the fewest of count distances a margin of their own; what is left of each is
 * stored over it then, and in *early how much too early the last one comes. 0: no gap is worth it.
 */
double tracer_gap_find(double *distances, int count, struct tracer_slack slack, double *early);

/* Decide for one element whose children are known. */
bool tracer_space_stack(struct tracer_space *all, struct tracer_space *one, struct glmv_err *err);
bool tracer_space_row(struct tracer_space *all, struct tracer_space *one, struct glmv_err *err);

bool tracer_space_is_text(const struct tracer_element *element);
/* Whether a distance from the left edge is no padding: in a box of its own width it is most of
 * that, and could not shrink with the page. */
bool tracer_space_is_far(const struct tracer_space *one, double left);
/* What an element keeps above what it holds becomes its margin: it begins lower. */
void tracer_space_lower(struct tracer_space *one, double px);
/* The px of a declaration, of which a share is one of the base; false where there is none. */
bool tracer_space_px(const struct tracer_element *element, const char *name, double base,
                     double *px);

/* Moves what the children of every element keep from each other and from its edges into the
 * element. The page is width px wide. */
bool tracer_spacing(struct tracer_elements *elements, double width, struct glmv_err *err);

#endif
