/*
 * Gradients of several stops: the direction in which the colour of a region changes, the
 * profile along it, and the fewest straight pieces that the profile is made of. Px of text and of
 * other things that lie on a region are not its own, so they do not disturb the fit.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/ramps.h"

enum {
    PLACES = 6000, /* about so many px of a region are looked at */
    MIN_PLACES = 200,
    REACH_MIN = 3, /* px between two of which the change is measured */
    REACH_MAX = 32,
};

#define TOLERANCE 3.5 /* levels a px may be off */
#define STRAIGHT 1.3  /* levels a piece may be off its bins */
#define LEVEL 6.0     /* levels between the ends of a profile that is a gradient at all */
#define SLOW 0.5      /* levels that a piece which is flat may change */
#define PI 3.14159265358979

static bool take_places(const struct model_view *view, int label, struct model_rect r,
                        struct ramp_fit *f)
{
    double box = (double)(r.x1 - r.x0) * (r.y1 - r.y0);
    int step = model_max(1, (int)sqrt(box / PLACES));
    size_t room = (size_t)((r.x1 - r.x0) / step + 1) * (size_t)((r.y1 - r.y0) / step + 1);
    f->places = malloc(room * sizeof *f->places);
    for (int y = r.y0; f->places != NULL && y < r.y1; y += step) {
        for (int x = r.x0; x < r.x1; x += step) {
            if (view->label[y * view->w + x] == label) {
                const uint8_t *p = model_px(view, x, y);
                f->places[f->count++] = (struct ramp_px){
                    (float)(x - r.x0) + 0.5F, (float)(y - r.y0) + 0.5F, {p[0], p[1], p[2]}};
            }
        }
    }
    return f->places != NULL;
}

/* The direction in which px change most, from pairs of them. */
static bool find_direction(const struct model_view *view, int label, struct model_rect r,
                           struct ramp_fit *f)
{
    int shorter = model_min(r.x1 - r.x0, r.y1 - r.y0);
    int reach = model_min(REACH_MAX, model_max(REACH_MIN, shorter / 6));
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (int i = 0; i < f->count; i++) {
        int x = r.x0 + (int)f->places[i].x;
        int y = r.y0 + (int)f->places[i].y;
        if (x + reach >= r.x1 || y + reach >= r.y1 ||
            view->label[y * view->w + x + reach] != label ||
            view->label[(y + reach) * view->w + x] != label) {
            continue;
        }
        const uint8_t *right = model_px(view, x + reach, y);
        const uint8_t *below = model_px(view, x, y + reach);
        for (int c = 0; c < 3; c++) {
            double dx = right[c] - (double)f->places[i].c[c];
            double dy = below[c] - (double)f->places[i].c[c];
            xx += dx * dx;
            xy += dx * dy;
            yy += dy * dy;
        }
    }
    double angle = 0.5 * atan2(2 * xy, xx - yy);
    f->ramp.gx = cos(angle);
    f->ramp.gy = sin(angle);
    return xx + yy > 0;
}

/* The mean colours along the direction. */
void ramp_fill_bins(struct ramp_fit *f)
{
    f->from = 1e9;
    f->to = -1e9;
    for (int i = 0; i < f->count; i++) {
        double t = model_ramp_place(&f->ramp, (double)f->places[i].x, (double)f->places[i].y);
        f->from = fmin(f->from, t);
        f->to = fmax(f->to, t);
    }
    memset(f->mean, 0, sizeof f->mean);
    memset(f->n, 0, sizeof f->n);
    double scale = (RAMP_BINS - 1e-6) / fmax(1e-6, f->to - f->from);
    for (int i = 0; i < f->count; i++) {
        double t = model_ramp_place(&f->ramp, (double)f->places[i].x, (double)f->places[i].y);
        int b = (int)((t - f->from) * scale);
        f->n[b]++;
        for (int c = 0; c < 3; c++) {
            f->mean[b][c] += (double)f->places[i].c[c];
        }
    }
    for (int b = 0; b < RAMP_BINS; b++) {
        for (int c = 0; c < 3 && f->n[b] > 0; c++) {
            f->mean[b][c] /= f->n[b];
        }
    }
}

/* Mean square of what px are off the profile; agree is the share that is not off by much. */
double ramp_misfit(const struct ramp_fit *f, double *agree)
{
    double sum = 0;
    int near = 0;
    double scale = RAMP_BINS / fmax(1e-6, f->to - f->from);
    for (int i = 0; i < f->count; i++) {
        double t = model_ramp_place(&f->ramp, (double)f->places[i].x, (double)f->places[i].y);
        double at = (t - f->from) * scale - 0.5;
        int b = model_min(RAMP_BINS - 2, model_max(0, (int)floor(at)));
        double u = at - b;
        if (f->n[b] == 0 || f->n[b + 1] == 0) {
            b = f->n[b] == 0 ? b + 1 : b;
            u = 0;
        }
        double worst = 0;
        for (int c = 0; c < 3; c++) {
            double next = f->n[b] > 0 && u != 0 ? f->mean[b + 1][c] : f->mean[b][c];
            double d = fabs(f->mean[b][c] + u * (next - f->mean[b][c]) - (double)f->places[i].c[c]);
            worst = fmax(worst, d);
        }
        sum += fmin(worst * worst, 100);
        near += worst <= TOLERANCE;
    }
    *agree = (double)near / f->count;
    return sum / f->count;
}

static double misfit_at(struct ramp_fit *f, double angle, double *agree)
{
    f->ramp.gx = cos(angle);
    f->ramp.gy = sin(angle);
    ramp_fill_bins(f);
    return ramp_misfit(f, agree);
}

static double refine_direction(struct ramp_fit *f)
{
    double angle = atan2(f->ramp.gy, f->ramp.gx);
    double agree = 0;
    double best = misfit_at(f, angle, &agree);
    for (double step = 8 * PI / 180; step > 0.05 * PI / 180; step /= 2) {
        for (int way = -1; way <= 1; way += 2) {
            double cost = misfit_at(f, angle + way * step, &agree);
            if (cost < best) {
                best = cost;
                angle += way * step;
                break;
            }
        }
    }
    /* Authors write whole degrees, and 90 or 180 more often than any other. */
    double whole = round(angle * 180 / PI / 90) * PI / 2;
    double near = round(angle * 180 / PI) * PI / 180;
    for (int i = 0; i < 2; i++) {
        double snapped = i == 0 ? near : whole;
        if (fabs(snapped - angle) < (i == 0 ? 0.6 : 4) * PI / 180 &&
            misfit_at(f, snapped, &agree) < best * 1.1 + 0.1) {
            angle = snapped;
        }
    }
    misfit_at(f, angle, &agree);
    return agree;
}

/* A line through the bins from a to b, for each channel; the worst bin's error comes back. */
static double fit_piece(const struct ramp_fit *f, int a, int b, double line[3][2])
{
    double worst = 0;
    for (int c = 0; c < 3; c++) {
        double n = 0;
        double x = 0;
        double xx = 0;
        double v = 0;
        double xv = 0;
        for (int i = a; i <= b; i++) {
            if (f->n[i] > 0) {
                double d = i - a;
                n += 1;
                x += d;
                xx += d * d;
                v += f->mean[i][c];
                xv += d * f->mean[i][c];
            }
        }
        double det = n * xx - x * x;
        double slope = det > 1e-9 ? (n * xv - x * v) / det : 0;
        line[c][1] = slope;
        line[c][0] = n > 0 ? (v - slope * x) / n - slope * a : 0;
        for (int i = a; i <= b; i++) {
            if (f->n[i] > 0) {
                worst = fmax(worst, fabs(line[c][0] + line[c][1] * i - f->mean[i][c]));
            }
        }
    }
    return worst;
}

/* Where two pieces meet, in bins: a mean over the channels, each as sure as its slope changes. */
static double meeting(double a[3][2], double b[3][2], double fallback)
{
    double sum = 0;
    double weight = 0;
    for (int c = 0; c < 3; c++) {
        double turn = b[c][1] - a[c][1];
        if (fabs(turn) > 1e-6) {
            double at = (a[c][0] - b[c][0]) / turn;
            sum += turn * turn * at;
            weight += turn * turn;
        }
    }
    double at = weight > 0 ? sum / weight : fallback;
    return fabs(at - fallback) < 6 ? at : fallback;
}

/* The longest pieces from the start on. Returns how many, 0 when more than fit into a ramp. */
static int cut_pieces(const struct ramp_fit *f, int *ends, double (*lines)[3][2])
{
    int n = 0;
    for (int a = 0; a < RAMP_BINS - 1;) {
        if (n == MODEL_RAMP_STOPS - 1) {
            return 0;
        }
        int b = RAMP_BINS - 1;
        while (b > a + 1 && fit_piece(f, a, b, lines[n]) > STRAIGHT) {
            b--;
        }
        if (b <= a + 1) {
            if (b < RAMP_BINS - 1) {
                return 0;
            }
            /* Two bins are no piece of their own: an edge that is blurred a little. */
            ends[n - 1] = b;
            break;
        }
        ends[n++] = b;
        a = b;
    }
    return n;
}

static uint8_t level(double v)
{
    return (uint8_t)lround(fmin(255, fmax(0, v)));
}

static void add_stop(const struct ramp_fit *f, double bin, double line[3][2],
                     struct model_ramp *out)
{
    int i = out->count++;
    out->at[i] = f->from + (bin + 0.5) * (f->to - f->from) / RAMP_BINS;
    for (int c = 0; c < 3; c++) {
        out->rgb[i][c] = level(line[c][0] + line[c][1] * bin);
    }
}

static bool is_level(double line[3][2])
{
    double most = 0;
    for (int c = 0; c < 3; c++) {
        most = fmax(most, fabs(line[c][1]));
    }
    return most * RAMP_BINS < SLOW * 12;
}

static bool find_stops(const struct ramp_fit *f, struct model_ramp *out)
{
    int ends[MODEL_RAMP_STOPS];
    double lines[MODEL_RAMP_STOPS][3][2];
    int n = cut_pieces(f, ends, lines);
    *out = f->ramp;
    out->count = 0;
    for (int i = 0; i <= n && n > 0; i++) {
        bool outer = i == 0 || i == n;
        double *line = lines[i == 0 ? 0 : i - 1][0];
        double at = i == 0   ? -0.5
                    : i == n ? RAMP_BINS - 0.5
                             : meeting(lines[i - 1], lines[i], ends[i - 1]);
        /* Colours go on beyond the first and the last stop by themselves. */
        bool level = n > 1 && is_level(lines[i == 0 ? 0 : n - 1]);
        if (outer && level) {
            continue;
        }
        if (outer) {
            out->open[i > 0] = true;
        }
        add_stop(f, at, (double(*)[2])line, out);
    }
    int spread = 0;
    for (int i = 1; i < out->count; i++) {
        spread = model_max(spread, model_distance(out->rgb[i], out->rgb[0]));
    }
    return out->count >= 2 && spread >= LEVEL;
}

bool model_ramp_fit_share(const struct model_view *view, int label, struct model_rect r,
                          double share, struct model_ramp *out)
{
    struct ramp_fit *f = calloc(1, sizeof *f);
    if (f != NULL) {
        f->share = share;
    }
    bool ok = f != NULL && take_places(view, label, r, f) && f->count >= MIN_PLACES &&
              find_direction(view, label, r, f);
    bool linear = ok && refine_direction(f) >= share && find_stops(f, out);
    ok = ok && (linear || (ramp_find_middle(view, label, r, f) && find_stops(f, out)));
    if (f != NULL) {
        free(f->places);
    }
    free(f);
    return ok;
}

bool model_ramp_fit_part(const struct model_view *view, int label, struct model_rect r,
                         struct model_ramp *out)
{
    return model_ramp_fit_share(view, label, r, RAMP_AGREE, out);
}

bool model_ramp_fit(const struct model_view *view, int label, struct model_ramp *out)
{
    return model_ramp_fit_part(view, label, view->regions[label].r, out);
}
