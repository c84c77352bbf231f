/* What the steps share that turn unexplained px into pictures. Private to pictures*.c. */
#ifndef GLMV_MODEL_TRACER_PICTURES_H
#define GLMV_MODEL_TRACER_PICTURES_H

#include "model/tracer/perception.h"

enum { PICTURES_FAINT = 16, PICTURES_CASTS = 24 };

/* Photos that cast shadows. */
struct pictures_casts {
    struct model_rect r[PICTURES_CASTS];
    int far[PICTURES_CASTS]; /* px that the shadow reaches out; 0 without one */
    int count;
    bool known; /* they have been looked for */
};

struct leftovers {
    const struct model_view *view;
    uint8_t *residual; /* 1 where unexplained */
    uint8_t *wide;     /* residual, grown by a few px; cleared as it is visited */
    uint8_t *strong;   /* 1 where far from explained */
    uint16_t *owner;   /* the filled box that a px lies in, 0 for the page: none hides another's */
    uint8_t *odd;      /* 1 where a drawing does not show what is there */
    const struct glmv_image *canvas;         /* what boxes explain; borrowed */
    struct model_rect faint[PICTURES_FAINT]; /* photos under a colour: no drawings */
    int faint_count;
    bool no_drawings; /* only px are left to be made pictures of */
    struct pictures_casts *casts; /* borrowed */
    uint8_t *shade; /* 1 where the shadow of a photo lies, outside of all of them */
    int32_t *queue;
};

/* Makes a mask of all px near those of another, along rows and columns. */
void pictures_grow(const uint8_t *from, uint8_t *to, int w, int h, int reach);
/* Visits one connected part of lo->wide, in one box, and clears it; the box is that of its px in
 * lo->residual, which are counted. visited: how many places of lo->queue name its px. */
int pictures_visit(struct leftovers *lo, int start, struct model_rect *box, int *visited);
/* Finds photos that cast shadows, adds a box with the shadow for each and paints those on the
 * canvas. lo->residual and lo->strong are to be made anew then; lo->wide is used up. */
bool pictures_cast(struct leftovers *lo, struct glmv_scene *scene, struct glmv_image *canvas,
                   struct glmv_err *err);
/* Fills lo->shade in. */
void pictures_mark_shade(const struct leftovers *lo);

/* Where a rectangle comes apart: the band between its parts, [from, to). */
struct pictures_cut {
    bool rows; /* an upper and a lower part */
    int from, to;
};

/* Photos have calm parts that pass for what lies under them: marks those as unexplained. False
 * without memory. */
bool pictures_spread(struct leftovers *lo, const struct glmv_scene *scene);
/* Whether so many unexplained px make a photo of a rectangle. */
bool pictures_is_photo(struct model_rect r, int residual);
/* The widest band with nothing but faint px in it or, for a photo, the widest end that is mostly
 * explained. All 0: none. */
struct pictures_cut pictures_find_cut(const struct leftovers *lo, struct model_rect r, bool photo);
/* Shrinks a rectangle to its px that are far from explained; returns how many it has that are
 * unexplained. */
int pictures_tighten(const struct leftovers *lo, struct model_rect *r);
/* Adds the px of a rectangle to the scene. */
bool pictures_add(struct leftovers *lo, struct model_rect r, int residual, struct glmv_scene *scene,
                  struct glmv_err *err);
/* Adds them as shapes where they were drawn of such; what those do not show becomes odd. drawn is
 * false where they were not. */
bool pictures_add_drawing(struct leftovers *lo, struct model_rect r, int residual,
                          struct glmv_scene *scene, bool *drawn, struct glmv_err *err);
/* Makes a box of the part that was visited last, when that is an outline and nothing else. */
bool pictures_frame(const struct leftovers *lo, struct model_rect r, int visited,
                    struct glmv_scene_box *out);

/* Drops the boxes that are parts of a photo or of an icon; false when there were none. */
bool pictures_drop_parts(const struct model_view *view, struct glmv_scene *scene);

#endif
