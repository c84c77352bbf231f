/* Writes the shapes of a drawing as an SVG document. */
#include <math.h>
#include <stdlib.h>

#include "model/tracer/drawing.h"

#define SPECK 1.5 /* px of area; what is smaller is left out */

struct outlines {
    struct glmv_buf path;
    struct drawing_point middle;
    double radius;
    bool circle; /* the only outline is one */
    int count;
    struct glmv_err *err;
};

static double area_of(const struct drawing_point *p, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        const struct drawing_point *q = &p[(i + 1) % n];
        sum += p[i].x * q->y - q->x * p[i].y;
    }
    return fabs(sum) / 2;
}

static bool take_outline(void *context, const struct drawing_point *points, int count)
{
    struct outlines *o = context;
    if (area_of(points, count) < SPECK) {
        return true;
    }
    o->count++;
    o->circle = o->count == 1 && drawing_is_circle(points, count, &o->middle, &o->radius);
    return drawing_put_outline(points, count, &o->path, o->err);
}

static bool put_stop(double at, const uint8_t *rgb, struct glmv_buf *out, struct glmv_err *err)
{
    return glmv_buf_appendf(out, err, "<stop offset=\"%.10g\" stop-color=\"#%02x%02x%02x\"/>",
                            round(at * 1000) / 1000, rgb[0], rgb[1], rgb[2]);
}

static bool put_ellipse(const struct drawing *d, int id, struct glmv_buf *out, struct glmv_err *err)
{
    const struct model_ramp *ramp = &d->shapes[id].ramp;
    double reach = ramp->at[ramp->count - 1];
    bool ok = glmv_buf_appendf(
        out, err,
        "<radialGradient id=\"g%d\" gradientUnits=\"userSpaceOnUse\" cx=\"0\" cy=\"0\" r=\"%.10g\" "
        "gradientTransform=\"translate(%.10g %.10g) scale(1 %.10g)\">",
        id, round(reach * 10) / 10, round((ramp->cx - d->r.x0) * 10) / 10,
        round((ramp->cy - d->r.y0) * 10) / 10, round(1000 / ramp->aspect) / 1000);
    for (int i = 0; ok && i < ramp->count; i++) {
        ok = put_stop(ramp->at[i] / reach, ramp->rgb[i], out, err);
    }
    return ok && glmv_buf_append_str(out, "</radialGradient>\n", err);
}

static bool put_stops(const struct drawing *d, int id, struct glmv_buf *out, struct glmv_err *err)
{
    const struct model_ramp *ramp = &d->shapes[id].ramp;
    if (ramp->radial) {
        return put_ellipse(d, id, out, err);
    }
    double first = ramp->at[0];
    double last = ramp->at[ramp->count - 1];
    /* The line of the gradient passes through the drawing's corner. */
    double corner = d->r.x0 * ramp->gx + d->r.y0 * ramp->gy;
    bool ok = glmv_buf_appendf(
        out, err,
        "<linearGradient id=\"g%d\" gradientUnits=\"userSpaceOnUse\" x1=\"%.10g\" y1=\"%.10g\" "
        "x2=\"%.10g\" y2=\"%.10g\">",
        id, round((first - corner) * ramp->gx * 10) / 10,
        round((first - corner) * ramp->gy * 10) / 10, round((last - corner) * ramp->gx * 10) / 10,
        round((last - corner) * ramp->gy * 10) / 10);
    for (int i = 0; ok && i < ramp->count; i++) {
        double at = last > first ? (ramp->at[i] - first) / (last - first) : 0;
        ok = put_stop(at, ramp->rgb[i], out, err);
    }
    return ok && glmv_buf_append_str(out, "</linearGradient>\n", err);
}

static bool put_fill(const struct drawing *d, int id, struct glmv_buf *out, struct glmv_err *err)
{
    const struct drawing_shape *shape = &d->shapes[id];
    return shape->slope ? glmv_buf_appendf(out, err, " fill=\"url(#g%d)\"/>\n", id)
                        : glmv_buf_appendf(out, err, " fill=\"#%02x%02x%02x\"/>\n", shape->rgb[0],
                                           shape->rgb[1], shape->rgb[2]);
}

static bool put_shape(const struct drawing *d, int id, struct glmv_buf *out, struct glmv_err *err)
{
    struct outlines o = {.err = err};
    glmv_buf_init(&o.path, (size_t)16 << 20);
    bool ok = drawing_trace(d, id, take_outline, &o);
    if (ok && o.count > 0) {
        ok = !d->shapes[id].slope || put_stops(d, id, out, err);
        ok = ok &&
             (o.circle ? glmv_buf_appendf(out, err, "<circle cx=\"%.10g\" cy=\"%.10g\" r=\"%.10g\"",
                                          round(o.middle.x * 10) / 10, round(o.middle.y * 10) / 10,
                                          round(o.radius * 10) / 10)
                       : glmv_buf_appendf(out, err, "<path d=\"%s\"", (char *)o.path.data));
        ok = ok && put_fill(d, id, out, err);
    }
    glmv_buf_release(&o.path);
    return ok;
}

bool drawing_write(const struct drawing *d, struct glmv_buf *out, struct glmv_err *err)
{
    bool ok = glmv_buf_appendf(out, err,
                               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
                               "height=\"%d\" viewBox=\"0 0 %d %d\">\n",
                               d->w, d->h, d->w, d->h);
    for (int rank = 0; ok && rank < d->count; rank++) {
        for (int i = 1; ok && i <= d->count; i++) {
            if (d->shapes[i].rank == rank && d->shapes[i].area > 0) {
                ok = put_shape(d, i, out, err);
            }
        }
    }
    return ok && glmv_buf_append_str(out, "</svg>\n", err);
}
