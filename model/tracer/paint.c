/* Paints measured boxes the way a browser would, to see what they explain. */
#include <math.h>

#include "model/tracer/perception.h"

static void put(struct glmv_image *canvas, int x, int y, const double *rgb, double alpha)
{
    uint8_t *p = canvas->rgba + ((size_t)y * (size_t)canvas->width + (size_t)x) * 4;
    for (int c = 0; c < 3; c++) {
        p[c] = (uint8_t)lround(rgb[c] * alpha + p[c] * (1 - alpha));
    }
    p[3] = 255;
}

static void split(uint32_t colour, double *rgb)
{
    rgb[0] = colour >> 24 & 255;
    rgb[1] = colour >> 16 & 255;
    rgb[2] = colour >> 8 & 255;
}

/* How much of a px lies inside a rectangle with round corners, by the distance to its edge. */
static double inside(const struct glmv_box *b, const double *radius, double x, double y)
{
    bool right = x > b->x + b->w / 2;
    bool low = y > b->y + b->h / 2;
    double r = fmax(0, radius[low ? (right ? 2 : 3) : (right ? 1 : 0)]);
    r = fmin(r, fmin(b->w, b->h) / 2);
    double dx = right ? x - (b->x + b->w - r) : b->x + r - x;
    double dy = low ? y - (b->y + b->h - r) : b->y + r - y;
    double d = dx > 0 && dy > 0 ? hypot(dx, dy) - r : fmax(dx, dy) - r;
    return fmin(1, fmax(0, 0.5 - d));
}

/* How much of a px a slanted end covers. */
static double slant_at(const struct glmv_scene_box *box, int end, double x, double y)
{
    const struct glmv_scene_slant *s = &box->slant[end];
    double across = (x - box->box.x) / box->box.w;
    double from = end == 0 ? y - box->box.y : box->box.y + box->box.h - y;
    double beyond = s->depth * (s->left ? 1 - across : across) - from;
    double level = box->box.w / hypot(box->box.w, s->depth);
    return s->depth > 0 ? fmin(1, fmax(0, 0.5 + beyond * level)) : 0;
}

/* The colour at a share of a gradient. */
static void blend_stops(const struct glmv_scene_box *box, double t, double *rgb)
{
    int i = 0;
    while (i + 2 < box->stop_count && t > box->stops[i + 1].at) {
        i++;
    }
    double span = box->stops[i + 1].at - box->stops[i].at;
    double f = span > 0 ? fmin(1, fmax(0, (t - box->stops[i].at) / span)) : 0;
    double from[3];
    double to[3];
    split(box->stops[i].color, from);
    split(box->stops[i + 1].color, to);
    for (int c = 0; c < 3; c++) {
        rgb[c] = from[c] + (to[c] - from[c]) * f;
    }
}

static void plain_fill_at(const struct glmv_scene_box *box, double x, double y, double *rgb)
{
    if (box->fill != GLMV_FILL_GRADIENT) {
        split(box->color, rgb);
        return;
    }
    if (box->radial) {
        double dx = (x - box->box.x - box->border[GLMV_LEFT].width - box->cx) / box->rx;
        double dy = (y - box->box.y - box->border[GLMV_TOP].width - box->cy) / box->ry;
        blend_stops(box, hypot(dx, dy), rgb);
        return;
    }
    double a = box->angle * 3.14159265358979 / 180;
    double gx = sin(a);
    double gy = -cos(a);
    double length = fabs(box->box.w * gx) + fabs(box->box.h * gy);
    double t =
        ((x - box->box.x - box->box.w / 2) * gx + (y - box->box.y - box->box.h / 2) * gy) / length +
        0.5;
    blend_stops(box, t, rgb);
}

static void fill_at(const struct glmv_scene_box *box, double x, double y, double *rgb)
{
    plain_fill_at(box, x, y, rgb);
    for (int i = 0; i < box->glow_count; i++) {
        const struct glmv_scene_glow *g = &box->glow[i];
        double dx = x - box->box.x - box->border[GLMV_LEFT].width - g->cx;
        double dy = y - box->box.y - box->border[GLMV_TOP].width - g->cy;
        double cover = (g->color & 255) / 255.0 * 0.5 *
                       erfc((hypot(dx, dy) - g->radius) / (g->deviation * sqrt(2)));
        double spot[3];
        split(g->color, spot);
        for (int c = 0; c < 3; c++) {
            rgb[c] += cover * (spot[c] - rgb[c]);
        }
    }
}

/* The border whose side a point between the outer and the inner edge is nearest to. */
static const struct glmv_scene_border *border_at(const struct glmv_scene_box *box, double x,
                                                 double y)
{
    double d[4] = {y - box->box.y, box->box.x + box->box.w - x, box->box.y + box->box.h - y,
                   x - box->box.x};
    int best = -1;
    for (int i = 0; i < 4; i++) {
        if (box->border[i].width > 0 &&
            (best < 0 || d[i] / box->border[i].width < d[best] / box->border[best].width)) {
            best = i;
        }
    }
    return best < 0 ? NULL : &box->border[best];
}

static double spread_of(double from, double to, double at, double deviation)
{
    return 0.5 *
           (erf((at - from) / (deviation * sqrt(2))) - erf((at - to) / (deviation * sqrt(2))));
}

static void paint_shadow(const struct glmv_scene_box *box, struct glmv_image *canvas)
{
    const struct glmv_scene_shadow *s = &box->shadow;
    double x0 = box->box.x + s->dx - s->spread;
    double y0 = box->box.y + s->dy - s->spread;
    double x1 = box->box.x + box->box.w + s->dx + s->spread;
    double y1 = box->box.y + box->box.h + s->dy + s->spread;
    double deviation = fmax(0.5, s->blur / 2);
    double rgb[3];
    split(s->color, rgb);
    double alpha = (s->color & 255) / 255.0;
    int reach = (int)ceil(2.5 * deviation);
    for (int y = model_max((int)y0 - reach, 0); y < model_min((int)y1 + reach + 1, canvas->height);
         y++) {
        double fy = alpha * spread_of(y0, y1, y + 0.5, deviation);
        for (int x = model_max((int)x0 - reach, 0);
             x < model_min((int)x1 + reach + 1, canvas->width); x++) {
            put(canvas, x, y, rgb, fy * spread_of(x0, x1, x + 0.5, deviation));
        }
    }
}

static void paint_box(const struct glmv_scene_box *box, struct glmv_image *canvas)
{
    struct glmv_box in = {
        box->box.x + box->border[GLMV_LEFT].width, box->box.y + box->border[GLMV_TOP].width,
        box->box.w - box->border[GLMV_LEFT].width - box->border[GLMV_RIGHT].width,
        box->box.h - box->border[GLMV_TOP].width - box->border[GLMV_BOTTOM].width};
    double alpha = box->fill == GLMV_FILL_SOLID ? (box->color & 255) / 255.0 : 1;
    double in_radius[4];
    for (int c = 0; c < 4; c++) {
        in_radius[c] =
            box->radius[c] - box->border[c == 0 || c == 3 ? GLMV_LEFT : GLMV_RIGHT].width;
    }
    int x1 = model_min((int)ceil(box->box.x + box->box.w), canvas->width);
    int y1 = model_min((int)ceil(box->box.y + box->box.h), canvas->height);
    for (int y = model_max((int)box->box.y, 0); y < y1; y++) {
        for (int x = model_max((int)box->box.x, 0); x < x1; x++) {
            double rgb[3];
            double outer = inside(&box->box, box->radius, x + 0.5, y + 0.5);
            const struct glmv_scene_border *border = border_at(box, x + 0.5, y + 0.5);
            double inner = border == NULL ? outer : inside(&in, in_radius, x + 0.5, y + 0.5);
            if (border != NULL && outer > 0 && inner < 1) {
                split(border->color, rgb);
                put(canvas, x, y, rgb, outer);
            }
            if (inner > 0 && box->fill != GLMV_FILL_NONE) {
                fill_at(box, x + 0.5, y + 0.5, rgb);
                put(canvas, x, y, rgb, inner * alpha);
                for (int end = 0; end < 2; end++) {
                    split(box->slant[end].color, rgb);
                    put(canvas, x, y, rgb, slant_at(box, end, x + 0.5, y + 0.5));
                }
            }
        }
    }
}

void model_paint_boxes(const struct glmv_scene *scene, struct glmv_image *canvas)
{
    double rgb[3];
    split(scene->background, rgb);
    for (int y = 0; y < canvas->height; y++) {
        for (int x = 0; x < canvas->width; x++) {
            put(canvas, x, y, rgb, 1);
        }
    }
    for (size_t i = 0; i < scene->box_count; i++) {
        if (scene->boxes[i].shadow.present) {
            paint_shadow(&scene->boxes[i], canvas);
        }
        paint_box(&scene->boxes[i], canvas);
    }
}
