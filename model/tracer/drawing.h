/*
 * Pictures that were drawn and not taken: shapes of one colour or one gradient each, such as
 * circles, waves and hills. They become SVG. Private to drawing*.c and pictures.c.
 */
#ifndef GLMV_MODEL_TRACER_DRAWING_H
#define GLMV_MODEL_TRACER_DRAWING_H

#include "base/buf.h"
#include "model/tracer/perception.h"

enum {
    DRAWING_SHAPES = 120,  /* of one drawing */
    DRAWING_NOTHING = 0,   /* the number of what lies under the drawing; shapes count from 1 */
    DRAWING_COVERED = 254, /* of what something else lies over */
    DRAWING_UNKNOWN = 255,
};

struct drawing_shape {
    uint8_t rgb[3];
    bool slope;
    struct model_ramp ramp; /* with slope, from the page's corner */
    int area;
    int rank;            /* those of a higher rank are painted later */
    struct model_rect r; /* of its px, in the drawing */
};

/* A px belongs to one shape, or to two that meet in it. */
struct drawing_px {
    uint8_t a, b;
    uint8_t share; /* of a, in 255ths; the rest is b's */
};

struct drawing {
    const struct model_view *view;
    struct model_rect r; /* on the page */
    int w, h;
    struct drawing_shape shapes[DRAWING_SHAPES + 1];
    int count;
    struct drawing_px *px; /* owned */
};

struct drawing_point {
    double x, y;
    double slack; /* px that a curve may be off it: more where a later shape hides it */
};

/* What tells a drawing which px are its own; borrowed, one a px of the page. */
struct drawing_source {
    const struct model_view *view;
    const struct glmv_image *canvas; /* the page without the drawing */
    const uint8_t *residual;         /* 1 where the canvas is not the picture */
    const uint16_t *owner;           /* the box that a px lies in, 0 for the page */
    const struct glmv_scene *scene;  /* owners are its boxes, counted from 1 */
    uint8_t *odd; /* receives 1 where the drawing does not show what is there; text left out */
};

/* Makes an SVG document of the unexplained px of a rectangle; drawn is false, and what svg holds of
 * no use, where they are no drawing. False without memory. */
bool model_drawing_make(const struct drawing_source *source, struct model_rect r,
                        struct glmv_buf *svg, bool *drawn, struct glmv_err *err);

/* The closed outlines of a shape: takes each to the callback, the shape on the right hand. False
 * when the callback says so or without memory. */
typedef bool drawing_outline_fn(void *context, const struct drawing_point *points, int count);
bool drawing_trace(const struct drawing *drawing, int shape, drawing_outline_fn *take,
                   void *context);
/* Appends a closed outline as path data: lines and cubic curves. */
bool drawing_put_outline(const struct drawing_point *points, int count, struct glmv_buf *out,
                         struct glmv_err *err);
/* Appends the drawing as an SVG document. */
bool drawing_write(const struct drawing *drawing, struct glmv_buf *out, struct glmv_err *err);
/* Whether an outline is a circle. */
bool drawing_is_circle(const struct drawing_point *points, int count, struct drawing_point *middle,
                       double *radius);

#endif
