/* Gradients as colours at points and as fills of boxes; translucent layers over them. */
#include <math.h>

#include "model/tracer/ramps.h"

enum { MIN_VEIL = 60 };

#define PI 3.14159265358979

static uint8_t level(double v)
{
    return (uint8_t)lround(fmin(255, fmax(0, v)));
}

void model_ramp_of_plane(const struct model_region *g, struct model_ramp *out)
{
    double w = g->r.x1 - g->r.x0;
    double h = g->r.y1 - g->r.y0;
    double gx = 0;
    double gy = 0;
    for (int c = 0; c < 3; c++) {
        double dx = (double)g->plane[c][1];
        double dy = (double)g->plane[c][2];
        double sign = dx * w + dy * h < 0 ? -1 : 1;
        gx += sign * dx;
        gy += sign * dy;
    }
    double norm = hypot(gx, gy);
    *out = (struct model_ramp){.gx = norm > 1e-6 ? gx / norm : 0,
                               .gy = norm > 1e-6 ? gy / norm : 1,
                               .count = 2,
                               .open = {true, true}};
    double half = (fabs(w * out->gx) + fabs(h * out->gy)) / 2;
    for (int i = 0; i < 2; i++) {
        double d = i == 0 ? -half : half;
        out->at[i] = w / 2 * out->gx + h / 2 * out->gy + d;
        for (int c = 0; c < 3; c++) {
            out->rgb[i][c] =
                level((double)g->plane[c][0] + (double)g->plane[c][1] * (w / 2 + d * out->gx) +
                      (double)g->plane[c][2] * (h / 2 + d * out->gy));
        }
    }
}

static void colour_at(const struct model_ramp *ramp, double x, double y, bool on, double *rgb)
{
    double t = model_ramp_place(ramp, x, y);
    int i = 0;
    while (i + 2 < ramp->count && t > ramp->at[i + 1]) {
        i++;
    }
    double span = ramp->at[i + 1] - ramp->at[i];
    double u = span > 0 ? (t - ramp->at[i]) / span : 0;
    u = on && ramp->open[0] ? u : fmax(0, u);
    u = on && ramp->open[1] ? u : fmin(1, u);
    for (int c = 0; c < 3; c++) {
        rgb[c] = ramp->rgb[i][c] + u * (ramp->rgb[i + 1][c] - ramp->rgb[i][c]);
    }
}

void model_ramp_at(const struct model_ramp *ramp, double x, double y, double *rgb)
{
    colour_at(ramp, x, y, false, rgb);
}

void model_ramp_on(const struct model_ramp *ramp, double x, double y, double *rgb)
{
    colour_at(ramp, x, y, true, rgb);
}

/* Moves an outer stop to the end of the line: the colour goes on changing where round corners hide
 * it. */
static void reach_end(struct glmv_scene_stop *stop, const struct glmv_scene_stop *next, double end)
{
    double span = stop->at - next->at;
    if (fabs(span) < 0.01) {
        return;
    }
    uint32_t colour = 255;
    for (int shift = 8; shift < 32; shift += 8) {
        double from = next->color >> shift & 255;
        double to = stop->color >> shift & 255;
        colour |= (uint32_t)level(from + (to - from) * (end - next->at) / span) << shift;
    }
    *stop = (struct glmv_scene_stop){end, colour};
}

/* Whole per cents between 0 and 100. */
static double whole_share(double at)
{
    return fmin(1, fmax(0, round(at * 100) / 100));
}

/* A circle or an ellipse as far out as the last stop, in px from the corner of the box. */
static void paint_radial(const struct model_ramp *ramp, struct model_rect of, struct model_rect r,
                         struct glmv_scene_box *box)
{
    double reach = ramp->at[ramp->count - 1];
    box->radial = true;
    box->cx = round(ramp->cx + of.x0 - r.x0);
    box->cy = round(ramp->cy + of.y0 - r.y0);
    box->rx = round(reach);
    box->ry = round(reach / ramp->aspect);
    box->stop_count = ramp->count;
    for (int i = 0; i < ramp->count; i++) {
        box->stops[i] =
            (struct glmv_scene_stop){whole_share(ramp->at[i] / reach), model_rgba(ramp->rgb[i])};
    }
}

void model_ramp_move(struct model_ramp *ramp, double x, double y)
{
    ramp->cx -= x;
    ramp->cy -= y;
    for (int i = 0; i < ramp->count && !ramp->radial; i++) {
        ramp->at[i] -= x * ramp->gx + y * ramp->gy;
    }
}

void model_ramp_paint(const struct model_ramp *ramp, struct model_rect of, struct model_rect r,
                      struct glmv_scene_box *box)
{
    box->fill = GLMV_FILL_GRADIENT;
    if (ramp->radial) {
        paint_radial(ramp, of, r, box);
        return;
    }
    double w = r.x1 - r.x0;
    double h = r.y1 - r.y0;
    /* The same line the other way round, so that most angles are between 0 and 180 degrees. */
    bool turned = ramp->gx < -1e-6 || (fabs(ramp->gx) <= 1e-6 && ramp->gy < 0);
    double gx = turned ? -ramp->gx : ramp->gx;
    double gy = turned ? -ramp->gy : ramp->gy;
    double half = (fabs(w * gx) + fabs(h * gy)) / 2;
    double middle = (r.x0 - of.x0 + w / 2) * gx + (r.y0 - of.y0 + h / 2) * gy;
    box->angle = fmod(atan2(gx, -gy) * 180 / PI + 360, 360);
    box->angle = fabs(box->angle - round(box->angle)) < 0.25 ? round(box->angle)
                                                             : round(box->angle * 10) / 10;
    box->stop_count = ramp->count;
    for (int i = 0; i < ramp->count; i++) {
        int k = turned ? ramp->count - 1 - i : i;
        double t = (turned ? -ramp->at[k] : ramp->at[k]) - middle;
        box->stops[i] = (struct glmv_scene_stop){(t + half) / (2 * half), model_rgba(ramp->rgb[k])};
    }
    int last = ramp->count - 1;
    if (ramp->open[turned]) {
        reach_end(&box->stops[0], &box->stops[1], 0);
    }
    if (ramp->open[!turned]) {
        reach_end(&box->stops[last], &box->stops[last - 1], 1);
    }
    for (int i = 0; i <= last; i++) {
        box->stops[i].at = whole_share(box->stops[i].at);
    }
}

bool model_veil_fit(const struct model_view *view, int label, int under, uint32_t *colour)
{
    const struct model_region *g = &view->regions[label];
    const struct model_region *ground = &view->regions[under];
    double strength[2] = {0, 0}; /* of black and of white */
    double square[2] = {0, 0};
    int n = 0;
    int step = model_max(1, (int)sqrt(g->area / 400.0));
    for (int y = g->r.y0; y < g->r.y1; y += step) {
        for (int x = g->r.x0; x < g->r.x1; x += step) {
            if (view->label[y * view->w + x] != label) {
                continue;
            }
            const uint8_t *p = model_px(view, x, y);
            double rgb[3];
            model_ramp_at(ground->ramp, x - ground->r.x0 + 0.5, y - ground->r.y0 + 0.5, rgb);
            for (int end = 0; end < 2; end++) {
                double top = 0;
                double bottom = 0;
                for (int c = 0; c < 3; c++) {
                    double whole = end * 255 - rgb[c];
                    top += (p[c] - rgb[c]) * whole;
                    bottom += whole * whole;
                }
                double a = bottom > 1 ? top / bottom : 0;
                strength[end] += a;
                square[end] += a * a;
            }
            n++;
        }
    }
    for (int end = 0; end < 2 && n >= MIN_VEIL; end++) {
        double a = strength[end] / n;
        double spread = sqrt(fmax(0, square[end] / n - a * a));
        if (a > 0.01 && a < 0.95 && spread < 0.012) {
            uint8_t rgb[3] = {(uint8_t)(end * 255), (uint8_t)(end * 255), (uint8_t)(end * 255)};
            *colour = (model_rgba(rgb) & 0xffffff00U) | (uint32_t)lround(a * 255);
            return true;
        }
    }
    return false;
}
