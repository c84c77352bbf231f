#include "diff/colour.h"

#include <math.h>
#include <stdbool.h>

#define DEGREE (3.14159265358979323846 / 180)
#define HALF_TURN (180 + 1e-9) /* opposite hues are 180 degrees apart up to rounding */

static double linear(uint32_t value)
{
    double c = (value & 255) / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double lab_curve(double t)
{
    const double d = 6.0 / 29;
    return t > d * d * d ? cbrt(t) : t / (3 * d * d) + 4.0 / 29;
}

struct glmv_lab glmv_lab_of(uint32_t rgb)
{
    double r = linear(rgb >> 16);
    double g = linear(rgb >> 8);
    double b = linear(rgb);
    double x = lab_curve((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
    double y = lab_curve(0.2126729 * r + 0.7151522 * g + 0.0721750 * b);
    double z = lab_curve((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883);
    return (struct glmv_lab){116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

/* c^7 / (c^7 + 25^7), under a root. */
static double chroma_root(double c)
{
    double c7 = pow(c, 7);
    return sqrt(c7 / (c7 + 6103515625.0));
}

/* Hue in degrees, 0..360; 0 for grey. */
static double hue(double a, double b)
{
    double h = a == 0 && b == 0 ? 0 : atan2(b, a) / DEGREE;
    return h < 0 ? h + 360 : h;
}

static double mean_hue(double h1, double h2)
{
    double sum = h1 + h2;
    if (fabs(h1 - h2) <= HALF_TURN) {
        return sum / 2;
    }
    return sum < 360 ? (sum + 360) / 2 : (sum - 360) / 2;
}

double glmv_ciede2000(struct glmv_lab p, struct glmv_lab q)
{
    double g = 0.5 * (1 - chroma_root((hypot(p.a, p.b) + hypot(q.a, q.b)) / 2));
    double a1 = (1 + g) * p.a;
    double a2 = (1 + g) * q.a;
    double c1 = hypot(a1, p.b);
    double c2 = hypot(a2, q.b);
    double h1 = hue(a1, p.b);
    double h2 = hue(a2, q.b);
    double turn = h2 - h1;
    turn = turn > HALF_TURN ? turn - 360 : turn < -HALF_TURN ? turn + 360 : turn;
    bool grey = c1 * c2 == 0;
    double dl = q.l - p.l;
    double dc = c2 - c1;
    double dh = grey ? 0 : 2 * sqrt(c1 * c2) * sin(turn / 2 * DEGREE);
    double l = (p.l + q.l) / 2;
    double c = (c1 + c2) / 2;
    double h = grey ? h1 + h2 : mean_hue(h1, h2);
    double t = 1 - 0.17 * cos((h - 30) * DEGREE) + 0.24 * cos(2 * h * DEGREE) +
               0.32 * cos((3 * h + 6) * DEGREE) - 0.20 * cos((4 * h - 63) * DEGREE);
    double bend = (h - 275) / 25;
    double rt = -sin(60 * exp(-bend * bend) * DEGREE) * 2 * chroma_root(c);
    double from50 = (l - 50) * (l - 50);
    dl /= 1 + 0.015 * from50 / sqrt(20 + from50);
    dc /= 1 + 0.045 * c;
    dh /= 1 + 0.015 * c * t;
    return sqrt(dl * dl + dc * dc + dh * dh + rt * dc * dh);
}
