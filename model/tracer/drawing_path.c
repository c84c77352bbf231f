/*
 * Outlines as paths: corners first, then between two corners a line where one will do, else cubic
 * curves by least squares, cut in two where they are off by too much (Schneider's method).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/tracer/drawing.h"

enum {
    ARM = 4,         /* points on each side of a corner */
    ROUNDS = 4,      /* of moving points along a curve */
    MIN_CIRCLE = 16, /* points */
    SPLIT_DEPTH = 12,
};

#define ROUND_OFF 0.4 /* px that a circle may be */
#define TURN 0.6      /* radians: a corner */

typedef struct drawing_point point;

static point minus(point a, point b)
{
    return (point){a.x - b.x, a.y - b.y, 0};
}

static point along(point a, point way, double t)
{
    return (point){a.x + way.x * t, a.y + way.y * t, 0};
}

static double dot(point a, point b)
{
    return a.x * b.x + a.y * b.y;
}

static point unit(point a)
{
    double n = hypot(a.x, a.y);
    return n > 1e-9 ? (point){a.x / n, a.y / n, 0} : (point){1, 0, 0};
}

static bool put_number(struct glmv_buf *out, double v, struct glmv_err *err)
{
    double rounded = round(v * 10) / 10;
    return glmv_buf_appendf(out, err, "%.10g", rounded == 0 ? 0 : rounded);
}

static bool put_point(struct glmv_buf *out, char lead, point p, struct glmv_err *err)
{
    return glmv_buf_append(out, &lead, 1, err) && put_number(out, p.x, err) &&
           glmv_buf_append_str(out, ",", err) && put_number(out, p.y, err);
}

/* Points from one corner to the next, ends included. */
struct span {
    const point *p;
    int n;
    double *t; /* where each lies on the curve, 0..1; room for n */
    struct glmv_buf *out;
    struct glmv_err *err;
};

static bool is_straight(const point *p, int n)
{
    point way = unit(minus(p[n - 1], p[0]));
    for (int i = 1; i < n - 1; i++) {
        point d = minus(p[i], p[0]);
        if (fabs(d.x * way.y - d.y * way.x) > p[i].slack) {
            return false;
        }
    }
    return true;
}

static point curve_at(const point c[4], double t)
{
    double u = 1 - t;
    double b[4] = {u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t};
    point p = {0, 0, 0};
    for (int i = 0; i < 4; i++) {
        p = along(p, c[i], b[i]);
    }
    return p;
}

static void chord_lengths(const point *p, int n, double *t)
{
    t[0] = 0;
    for (int i = 1; i < n; i++) {
        t[i] = t[i - 1] + hypot(p[i].x - p[i - 1].x, p[i].y - p[i - 1].y);
    }
    for (int i = 1; i < n; i++) {
        t[i] /= fmax(1e-9, t[n - 1]);
    }
}

/* The curve with given ends and tangents that is nearest to the points. */
static void fit_curve(const point *p, int n, const double *t, point from, point to, point c[4])
{
    double m[2][2] = {{0, 0}, {0, 0}};
    double v[2] = {0, 0};
    c[0] = p[0];
    c[3] = p[n - 1];
    for (int i = 0; i < n; i++) {
        double u = 1 - t[i];
        double b1 = 3 * u * u * t[i];
        double b2 = 3 * u * t[i] * t[i];
        point a[2] = {{from.x * b1, from.y * b1, 0}, {to.x * b2, to.y * b2, 0}};
        const point still[4] = {c[0], c[0], c[3], c[3]};
        point rest = minus(p[i], curve_at(still, t[i]));
        for (int k = 0; k < 2; k++) {
            v[k] += dot(a[k], rest);
            m[k][0] += dot(a[k], a[0]);
            m[k][1] += dot(a[k], a[1]);
        }
    }
    double det = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    double length = hypot(c[3].x - c[0].x, c[3].y - c[0].y);
    double l = fabs(det) > 1e-9 ? (v[0] * m[1][1] - v[1] * m[0][1]) / det : 0;
    double r = fabs(det) > 1e-9 ? (m[0][0] * v[1] - m[1][0] * v[0]) / det : 0;
    if (l < 0.01 * length || r < 0.01 * length || l > 4 * length || r > 4 * length) {
        l = length / 3;
        r = length / 3;
    }
    c[1] = along(c[0], from, l);
    c[2] = along(c[3], to, r);
}

/* The most that a point is off the curve, in what it may be. */
static double worst_of(const point *p, int n, const double *t, const point c[4], int *at)
{
    double worst = 0;
    *at = n / 2;
    for (int i = 1; i < n - 1; i++) {
        point d = minus(curve_at(c, t[i]), p[i]);
        double off = dot(d, d) / (p[i].slack * p[i].slack);
        if (off > worst) {
            worst = off;
            *at = i;
        }
    }
    return sqrt(worst);
}

/* One step of Newton's method towards the nearest place on the curve. */
static void move_along(const point *p, int n, double *t, const point c[4])
{
    for (int i = 1; i < n - 1; i++) {
        double u = 1 - t[i];
        point d = minus(curve_at(c, t[i]), p[i]);
        point first = {0, 0, 0};
        point second = {0, 0, 0};
        const double w[3] = {3 * u * u, 6 * u * t[i], 3 * t[i] * t[i]};
        for (int k = 0; k < 3; k++) {
            first = along(first, minus(c[k + 1], c[k]), w[k]);
        }
        for (int k = 0; k < 2; k++) {
            point bend = minus(minus(c[k + 2], c[k + 1]), minus(c[k + 1], c[k]));
            second = along(second, bend, 6 * (k == 0 ? u : t[i]));
        }
        double below = dot(first, first) + dot(d, second);
        if (fabs(below) > 1e-9) {
            t[i] = fmin(1, fmax(0, t[i] - dot(d, first) / below));
        }
    }
}

/* The way an outline leaves its first point. */
static point leaving(const point *p, int n, int step)
{
    int reach = model_min(n - 1, ARM);
    return unit(minus(p[reach * step], p[0]));
}

static bool put_curve(struct span *s, const point c[4])
{
    return put_point(s->out, 'C', c[1], s->err) && put_point(s->out, ' ', c[2], s->err) &&
           put_point(s->out, ' ', c[3], s->err);
}

static bool put_span(struct span *s, int first, int last, point from, point to, int depth)
{
    const point *p = s->p + first;
    double *t = s->t + first;
    int n = last - first + 1;
    if (n <= 2 || is_straight(p, n)) {
        return put_point(s->out, 'L', p[n - 1], s->err);
    }
    point c[4];
    int split = 0;
    chord_lengths(p, n, t);
    fit_curve(p, n, t, from, to, c);
    double worst = worst_of(p, n, t, c, &split);
    for (int i = 0; i < ROUNDS && worst > 1 && worst < 16; i++) {
        move_along(p, n, t, c);
        fit_curve(p, n, t, from, to, c);
        worst = worst_of(p, n, t, c, &split);
    }
    if (worst <= 1 || depth >= SPLIT_DEPTH || n < 5) {
        return put_curve(s, c);
    }
    int reach = model_min(ARM, model_min(split, n - 1 - split));
    point back = unit(minus(p[split - reach], p[split + reach]));
    point on = {-back.x, -back.y, 0};
    return put_span(s, first, first + split, from, back, depth + 1) &&
           put_span(s, first + split, last, on, to, depth + 1);
}

/* How far an outline turns at a point. */
static double turn_at(const point *p, int n, int i)
{
    int arm = model_min(ARM, n / 6);
    point in = minus(p[i], p[(i + n - arm) % n]);
    point out = minus(p[(i + arm) % n], p[i]);
    return fabs(atan2(in.x * out.y - in.y * out.x, dot(in, out)));
}

/* Marks the points that turn most among their neighbours. Returns how many. */
static int find_corners(const point *p, int n, int *corners)
{
    int count = 0;
    for (int i = 0; i < n; i++) {
        double turn = turn_at(p, n, i);
        bool most = turn > TURN;
        for (int k = 1; most && k <= model_min(ARM, n / 6); k++) {
            most = turn_at(p, n, (i + n - k) % n) <= turn && turn_at(p, n, (i + k) % n) < turn;
        }
        if (most) {
            corners[count++] = i;
        }
    }
    return count;
}

bool drawing_is_circle(const point *p, int n, point *middle, double *radius)
{
    if (n < MIN_CIRCLE) {
        return false;
    }
    *middle = (point){0, 0, 0};
    for (int i = 0; i < n; i++) {
        *middle = along(*middle, p[i], 1.0 / n);
    }
    double low = 1e9;
    double high = 0;
    for (int i = 0; i < n; i++) {
        double d = hypot(p[i].x - middle->x, p[i].y - middle->y);
        low = fmin(low, d);
        high = fmax(high, d);
    }
    *radius = (low + high) / 2;
    return high - low <= 2 * ROUND_OFF;
}

bool drawing_put_outline(const point *points, int count, struct glmv_buf *out, struct glmv_err *err)
{
    int *corners = malloc(((size_t)count + 1) * sizeof *corners);
    point *p = malloc(((size_t)count + 1) * sizeof *p);
    double *t = malloc(((size_t)count + 1) * sizeof *t);
    bool ok = (corners != NULL && p != NULL && t != NULL) || glmv_fail_memory(err);
    if (ok) {
        int n = find_corners(points, count, corners);
        int start = n > 0 ? corners[0] : 0;
        for (int i = 0; i <= count; i++) {
            p[i] = points[(start + i) % count];
        }
        struct span s = {p, count + 1, t, out, err};
        ok = put_point(out, 'M', p[0], err);
        for (int k = 0; ok && k < model_max(n, 1); k++) {
            int first = n > 0 ? corners[k] - start : 0;
            int last = k + 1 < n ? corners[k + 1] - start : count;
            /* An outline without corners goes on smoothly where it ends. */
            point on = leaving(p + first, last - first + 1, 1);
            point back = leaving(p + last, last - first + 1, -1);
            if (n == 0) {
                on = unit(minus(p[model_min(ARM, count)], p[model_max(0, count - ARM)]));
                back = (point){-on.x, -on.y, 0};
            }
            ok = put_span(&s, first, last, on, back, 0);
        }
        ok = ok && glmv_buf_append_str(out, "Z", err);
    }
    free(corners);
    free(p);
    free(t);
    return ok;
}
