/*
 * Radial gradients. The colour of a circle changes along lines through its middle, so with the
 * change (gx, gy) at (x, y): (x - cx) gy = (y - cy) gx. In an ellipse, y counts aspect times: (x -
 * cx) gy = aspect^2 (y - cy) gx. That is linear in cx, aspect^2 and aspect^2 cy.
 */
#include <math.h>
#include <stdlib.h>

#include "model/tracer/ramps.h"

enum {
    REACH_MIN = 3, /* px between two of which the change is measured */
    REACH_MAX = 24,
    MIN_CHANGES = 60,
    RADIAL_SIDE = 24, /* px of a region */
    LEAST_CHANGE = 2, /* levels between them */
};

#define SMALL 0.25        /* of the largest change */
#define ROUND_NEARLY 0.06 /* an ellipse that is so near to a circle is one */
#define HOPELESS 0.4      /* of the px agree with the first guess: no radial gradient */
#define FAR 3.0           /* sides of the region that its middle may lie away */
#define FINEST 0.25       /* px */

struct sums {
    double m[3][4]; /* of the normal equations */
    int n;
};

static void add_equation(struct sums *s, const double a[3], double value, double weight)
{
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) {
            s->m[i][k] += weight * a[i] * a[k];
        }
        s->m[i][3] += weight * a[i] * value;
    }
    s->n++;
}

/* Solves for the unknowns, with the first of them in place; false where they are not determined. */
static bool solve(struct sums *s, double out[3])
{
    for (int i = 0; i < 3; i++) {
        int pivot = i;
        for (int k = i + 1; k < 3; k++) {
            pivot = fabs(s->m[k][i]) > fabs(s->m[pivot][i]) ? k : pivot;
        }
        if (fabs(s->m[pivot][i]) < 1e-9) {
            return false;
        }
        for (int c = 0; c < 4; c++) {
            double keep = s->m[i][c];
            s->m[i][c] = s->m[pivot][c];
            s->m[pivot][c] = keep;
        }
        for (int k = 0; k < 3; k++) {
            double times = k == i ? 0 : s->m[k][i] / s->m[i][i];
            for (int c = 0; c < 4; c++) {
                s->m[k][c] -= times * s->m[i][c];
            }
        }
    }
    for (int i = 0; i < 3; i++) {
        out[i] = s->m[i][3] / s->m[i][i];
    }
    return true;
}

/* The change around a px, of the channel that changes most. False where the region ends beside it.
 */
static bool change_at(const struct model_view *view, int label, struct model_rect r, int x, int y,
                      int reach, double *gx, double *gy)
{
    if (x - reach < r.x0 || y - reach < r.y0 || x + reach >= r.x1 || y + reach >= r.y1) {
        return false;
    }
    const int32_t *l = view->label + (size_t)y * (size_t)view->w + (size_t)x;
    ptrdiff_t down = (ptrdiff_t)reach * view->w;
    if (l[-reach] != label || l[reach] != label || l[-down] != label || l[down] != label) {
        return false;
    }
    double most = 0;
    for (int c = 0; c < 3; c++) {
        double dx = model_px(view, x + reach, y)[c] - (double)model_px(view, x - reach, y)[c];
        double dy = model_px(view, x, y + reach)[c] - (double)model_px(view, x, y - reach)[c];
        if (hypot(dx, dy) > most) {
            most = hypot(dx, dy);
            *gx = dx;
            *gy = dy;
        }
    }
    return most >= LEAST_CHANGE;
}

/* Changes that are small for those of the whole region are of something else: the end of a shadow.
 */
static double least_change(const struct model_view *view, int label, struct model_rect r,
                           const struct ramp_fit *f, int reach)
{
    double most = 0;
    for (int i = 0; i < f->count; i++) {
        double gx = 0;
        double gy = 0;
        if (change_at(view, label, r, r.x0 + (int)f->places[i].x, r.y0 + (int)f->places[i].y, reach,
                      &gx, &gy)) {
            most = fmax(most, hypot(gx, gy));
        }
    }
    return most * SMALL;
}

/* circle: the aspect is 1. */
static bool guess_middle(const struct model_view *view, int label, struct model_rect r, bool circle,
                         struct ramp_fit *f)
{
    struct sums s = {0};
    int shorter = model_min(r.x1 - r.x0, r.y1 - r.y0);
    int reach = model_min(REACH_MAX, model_max(REACH_MIN, shorter / 12));
    double least = least_change(view, label, r, f, reach);
    for (int i = 0; i < f->count; i++) {
        double x = (double)f->places[i].x;
        double y = (double)f->places[i].y;
        double gx = 0;
        double gy = 0;
        if (!change_at(view, label, r, r.x0 + (int)x, r.y0 + (int)y, reach, &gx, &gy) ||
            hypot(gx, gy) < least) {
            continue;
        }
        const double free_aspect[3] = {gy, y * gx, -gx};
        const double one[3] = {gy, 0, -gx};
        add_equation(&s, circle ? one : free_aspect, x * gy - (circle ? y * gx : 0),
                     1 / (gx * gx + gy * gy));
    }
    if (circle) {
        s.m[1][1] = 1;
        s.m[1][3] = 1;
    }
    double v[3];
    if (s.n < MIN_CHANGES || !solve(&s, v) || v[1] < 0.02 || v[1] > 50) {
        return false;
    }
    f->ramp.radial = true;
    f->ramp.cx = v[0];
    f->ramp.aspect = sqrt(v[1]);
    f->ramp.cy = v[2] / v[1];
    double w = r.x1 - r.x0;
    double h = r.y1 - r.y0;
    return fabs(v[0] - w / 2) < FAR * w && fabs(f->ramp.cy - h / 2) < FAR * h;
}

static double misfit_of(struct ramp_fit *f, const struct model_ramp *ramp, double *agree)
{
    f->ramp = *ramp;
    ramp_fill_bins(f);
    return ramp_misfit(f, agree);
}

/* Moves the middle and changes the aspect by ever smaller steps as long as the px agree more. */
static double refine(struct ramp_fit *f, bool circle)
{
    struct model_ramp best = f->ramp;
    double agree = 0;
    double cost = misfit_of(f, &best, &agree);
    if (agree < HOPELESS) {
        return agree;
    }
    for (double step = 16; step >= FINEST;) {
        bool moved = false;
        for (int k = 0; k < (circle ? 4 : 6); k++) {
            struct model_ramp tried = best;
            double way = k % 2 == 0 ? step : -step;
            tried.cx += k / 2 == 0 ? way : 0;
            tried.cy += k / 2 == 1 ? way : 0;
            tried.aspect *= k / 2 == 2 ? 1 + way / 200 : 1;
            double now = misfit_of(f, &tried, &agree);
            if (now < cost * 0.999) {
                cost = now;
                best = tried;
                moved = true;
            }
        }
        step /= moved ? 1 : 2;
    }
    misfit_of(f, &best, &agree);
    return agree;
}

bool ramp_find_middle(const struct model_view *view, int label, struct model_rect r,
                      struct ramp_fit *f)
{
    if (model_min(r.x1 - r.x0, r.y1 - r.y0) < RADIAL_SIDE) {
        return false;
    }
    if (guess_middle(view, label, r, true, f) && refine(f, true) >= f->share) {
        return true;
    }
    if (!guess_middle(view, label, r, false, f)) {
        return false;
    }
    double agree = refine(f, false);
    if (fabs(f->ramp.aspect - 1) < ROUND_NEARLY) {
        f->ramp.aspect = 1;
        agree = refine(f, true);
    }
    return agree >= f->share;
}
